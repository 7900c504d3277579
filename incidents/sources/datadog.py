"""Datadog's webhooks integration. Pure.

The body is a template that people write; the one to install is on the page of the integration. Every value in it is a
string, times are milliseconds, and a variable that does not apply is blank, `null` or stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError
from incidents.sources.parts import Named

NAME = "datadog"

# One of these names makes it Datadog's.
OWN = ("alerttransition", "alertcyclekey", "alerttype", "monitorid", "eventtype", "alertstatus")
RECOVERED = ("recovered", "resolved")
PRIORITIES: Mapping[str, Severity] = {
    "p1": Severity.CRITICAL,
    "p2": Severity.HIGH,
    "p3": Severity.MEDIUM,
    "p4": Severity.LOW,
    "p5": Severity.INFO,
}
TYPES: Mapping[str, Severity] = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}

_STATE_IN_TITLE = re.compile(r"^(\[[^\]]*\]\s*)+")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be the object that the webhook's template makes")
    fields = Named(payload)
    if not fields.has(OWN):
        return parts.otherwise(NAME, payload, now)
    title = parts.first(fields.text("title", "eventtitle"), fields.text("alerttitle", "alertmetric"))
    tags = _tags(fields.text("tags"))
    scopes = fields.text("scopes", "alertscope")
    transition = fields.text("alerttransition").casefold().removeprefix("re-")
    kind = fields.text("alerttype").casefold()
    title, body = reading.compose(
        title or "A Datadog monitor without a title",
        fields.text("body", "eventmsg").replace("%%%", "").strip(),
        parts.section("Status", fields.text("alertstatus")),
        parts.section("Query", fields.text("alertquery")),
    )
    page = reading.link(fields.text("url", "link"), "Datadog")
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(_key(fields, scopes, title)),
            status=_status(transition, kind),
            title=title,
            body=body,
            severity_hint=_severity(fields, transition, kind),
            service=reading.name_of(tags.get("service")),
            component=reading.name_of(tags.get("component")),
            environment=reading.name_of(tags.get("environment") or tags.get("env")),
            labels=reading.labels(
                _named(fields, title),
                parts.labels(
                    hostname=fields.text("hostname"), scopes=scopes, monitor_id=fields.text("monitorid", "alertid")
                ),
                tags,
            ),
            links=reading.links(page, reading.link(fields.text("snapshot"), "Graph")),
            started_at=reading.moment(fields.text("date", "lastupdated")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _status(transition: str, kind: str) -> AlertStatus:
    over = transition in RECOVERED if transition else kind == "success"
    return AlertStatus.RESOLVED if over else AlertStatus.FIRING


def _severity(fields: Named, transition: str, kind: str) -> Severity | None:
    """A monitor that only warns is not as urgent as its priority, which is of its alarm."""
    if transition == "warn":
        return Severity.MEDIUM
    return PRIORITIES.get(fields.text("severity", "alertpriority").casefold()) or TYPES.get(kind)


def _key(fields: Named, scopes: str, title: str) -> str:
    """The cycle leads from the trigger to its recovery; ids of events differ."""
    cycle = fields.text("alertcyclekey")
    monitor = fields.text("monitorid", "alertid")
    if cycle:
        return cycle
    if monitor:
        return f"{monitor}/{scopes}" if scopes else monitor
    return fields.text("aggregkey") or reading.digest(_STATE_IN_TITLE.sub("", title))


def _named(fields: Named, title: str) -> dict[str, str]:
    name = _STATE_IN_TITLE.sub("", fields.text("alerttitle") or title)
    return {"alertname": name} if name else {}


def _tags(text: str) -> dict[str, str]:
    """A tag without a value is true; there need not be any."""
    found: dict[str, str] = {}
    for tag in text.split(","):
        name, mark, value = tag.strip().partition(":")
        if name:
            found.setdefault(name, value if mark else "true")
    return found
