"""A mapping that an operator wrote for `generic`: each field of an alert as a JMESPath expression. Pure.

    map:
      title: join(' ', [rule.name, host])
      status: "state == 'closed' && 'resolved' || 'firing'"

What the mapping does not name, or finds nothing for, is read as `generic` reads. Two keys are not fields: `each` finds
the list of alerts in one request, and what `ignore` finds true asks for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from incidents.sources import generic, reading
from incidents.sources.base import IncomingAlert, PayloadRefusedError

FIELDS = (
    "title",
    "body",
    "status",
    "severity",
    "dedup_key",
    "service",
    "component",
    "environment",
    "labels",
    "url",
    "started_at",
)
DESCRIPTION = "description"  # may be written for body
EACH, IGNORE = "each", "ignore"
KEYS = (*FIELDS, DESCRIPTION, EACH, IGNORE)
EXPRESSION_CHARACTERS_MAX = 2_000
FAILED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)  # of an expression at work


def problem(expression: str) -> str:
    """Why it is no JMESPath expression; empty if it is one."""
    import jmespath

    try:
        jmespath.compile(expression)
    except FAILED as error:
        return f"is no JMESPath expression: {reading.one_line(str(error))}"
    return ""


def parse(payload: Any, mapping: Mapping[str, str], *, now: datetime) -> list[IncomingAlert]:
    """Raises PayloadRefusedError only. What is not JSON with parts is read as if there were no mapping."""
    if not mapping or not isinstance(payload, Mapping | list):
        return generic.parse(payload, now=now)
    members = _found(mapping[EACH], payload, []) if EACH in mapping else payload
    if members is None:  # as much a reason to look as a title that is not found
        members = [payload]
    if not isinstance(members, list):
        members = [members]
    if EACH in mapping and not members:
        return []
    if len(members) > reading.ALERTS_MAX:
        raise PayloadRefusedError("", f"holds {len(members)} alerts; at most {reading.ALERTS_MAX} fit in one request")
    alerts: list[IncomingAlert] = []
    for member in members:
        alerts += _read(member, mapping, now)
    if not members:
        raise PayloadRefusedError("", "holds no alert")
    return alerts


def _read(member: Any, mapping: Mapping[str, str], now: datetime) -> list[IncomingAlert]:
    failures: list[str] = []
    if IGNORE in mapping and _found(mapping[IGNORE], member, failures):
        return []
    found = {
        "body" if name == DESCRIPTION else name: value
        for name, expression in mapping.items()
        if name not in (EACH, IGNORE) and (value := _found(expression, member, failures)) not in (None, "", [], {})
    }
    if isinstance(found.get("title"), list | Mapping):
        found["title"] = reading.label_text(found["title"])
    own = member if isinstance(member, Mapping) else {"value": member}
    taken = {reading.plain(name) for name in found}
    document = {**found, **{name: value for name, value in own.items() if reading.plain(str(name)) not in taken}}
    try:
        (alert,) = generic.parse({name: value for name, value in document.items() if name != "alerts"}, now=now)
    except PayloadRefusedError:
        # Somebody wrote a mapping so that this pages. That it finds nothing any more must not keep anybody asleep.
        failures.append("the mapping finds no title in it")
        untitled = {name: value for name, value in document.items() if reading.plain(str(name)) not in generic.TITLE}
        untitled["title"] = "An alert arrived that its mapping finds no title in"
        if "dedup_key" not in found:
            untitled["dedup_key"] = "untitled-" + reading.digest(member)
        (alert,) = generic.parse({name: value for name, value in untitled.items() if name != "alerts"}, now=now)
    if failures:
        _, body = reading.compose("", alert.body, notes=[f"Read with a mapping: {'; '.join(failures)}."])
        alert = replace(alert, body=body)
    return [replace(alert, raw=reading.received(member))]


def _found(expression: str, value: Any, failures: list[str]) -> Any:
    try:
        return _compiled(expression).search(value)
    except FAILED as error:
        failures.append(f"“{reading.cut(expression, 80)}” failed ({reading.cut(reading.one_line(str(error)), 200)})")
        return None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    import jmespath

    return jmespath.compile(expression)
