"""What sources share that read a payload part by part: looking inside, names whatever their spelling, templates. Pure.

Several senders fill in a template that people wrote. What the template left blank or could not fill in (`$ALERT_SCOPE`,
`{EVENT.RECOVERY.ID}`) counts as not there, and what is not the sender's usual shape at all is read as `generic` reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from incidents.sources import generic, reading
from incidents.sources.base import IncomingAlert

_UNFILLED = re.compile(r"\$[A-Z][A-Z0-9_]*|\{[A-Z][A-Za-z0-9_.]*\}|\{\{.*\}\}|\*UNKNOWN\*|null", re.S)


def at(value: Any, *names: str | int) -> Any:
    """What is inside at these names and places; None where there is nothing."""
    for name in names:
        if isinstance(value, Mapping) and isinstance(name, str):
            value = value.get(name)
        elif isinstance(value, list) and isinstance(name, int) and name < len(value):
            value = value[name]
        else:
            return None
    return value


def text(value: Any, *names: str | int) -> str:
    """The text at these names, without blanks around it."""
    return reading.text_of(at(value, *names)).strip()


def first(*candidates: str) -> str:
    return next((each for each in candidates if each), "")


def filled(value: Any) -> str:
    """Text that a template filled in; empty if it is blank or still the placeholder."""
    found = reading.text_of(value).strip()
    return "" if _UNFILLED.fullmatch(found) else found


def object_of(value: Any) -> Mapping[str, Any]:
    """An object, or one written as JSON text, as it stands in a form or a query; else an empty one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value, parse_constant=str)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


class Named:
    """An object's fields by plain name: `EVENT.ID`, `event_id` and `eventId` are one. Objects inside count with theirs."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self._fields: dict[str, Any] = {}
        self._take(payload, "", 0)

    def _take(self, payload: Mapping[str, Any], before: str, depth: int) -> None:
        for name, value in payload.items():
            plain = before + reading.plain(str(name))
            if isinstance(value, Mapping) and depth < 4:
                self._take(value, plain, depth + 1)
            self._fields.setdefault(plain, value)

    def value(self, name: str) -> Any:
        return self._fields.get(name)

    def text(self, *names: str) -> str:
        """The first of these that is filled in."""
        return next((found for name in names if (found := filled(self._fields.get(name)))), "")

    def has(self, names: Iterable[str]) -> bool:
        return any(name in self._fields for name in names)


def labels(**named: Any) -> dict[str, str]:
    """Those that hold text, in reading's bounds."""
    return reading.labels({name: value for name, value in named.items() if filled(value)})


def section(name: str, value: Any) -> str:
    """One paragraph of a body: `name: value`, or nothing."""
    told = filled(value)
    return f"{name}: {told}" if told else ""


def otherwise(source: str, payload: Any, now: datetime) -> list[IncomingAlert]:
    """A payload in a shape of somebody's own, read leniently. Raises PayloadRefusedError as `generic` does."""
    return [replace(alert, source=source) for alert in generic.parse(payload, now=now)]
