"""Zabbix's webhook media type. Pure.

A script there builds the body; Tocsin's sends the macros by their own names. A macro that does not apply stays as it was
written, `{EVENT.RECOVERY.ID}`. Zabbix gives times in its server's zone without saying which, so none is taken from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError
from incidents.sources.parts import Named

NAME = "zabbix"

OWN = ("eventid", "eventvalue", "eventstatus", "triggerid")
# As Zabbix' own script for PagerDuty has it; 0 is "not classified".
SEVERITIES: Mapping[str, Severity] = {
    "1": Severity.LOW,
    "2": Severity.MEDIUM,
    "3": Severity.MEDIUM,
    "4": Severity.HIGH,
    "5": Severity.CRITICAL,
    "information": Severity.LOW,
    "warning": Severity.MEDIUM,
    "average": Severity.MEDIUM,
    "high": Severity.HIGH,
    "disaster": Severity.CRITICAL,
}


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert. None for an update that is only a comment, and for the test of a media type: no macro applies there."""
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an object with Zabbix' macros")
    fields = Named(payload)
    if not fields.has(OWN):
        return parts.otherwise(NAME, payload, now)
    event = fields.text("eventid")
    status = _status(fields)
    if not event and not fields.text("eventvalue", "eventstatus", "triggerid"):
        return []
    if status is None:
        return []
    name = fields.text("eventname", "triggername", "alertsubject") or f"Zabbix event {event}".strip()
    host = fields.text("hostname", "hosthost")
    tags = _tags(fields)
    title, body = reading.compose(
        name,
        fields.text("alertmessage"),
        parts.section("Data", fields.text("eventopdata")),
        fields.text("triggerdescription"),
        parts.section("Update", fields.text("eventupdatemessage")),
    )
    page = reading.link(_page(fields, event), "Zabbix")
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(event or reading.digest([fields.text("triggerid"), host, name])),
            status=status,
            title=title,
            body=body,
            severity_hint=SEVERITIES.get(fields.text("eventnseverity") or fields.text("eventseverity").casefold())
            or SEVERITIES.get(fields.text("eventseverity").casefold()),
            service=reading.name_of(tags.get("service") or host),
            component=reading.name_of(tags.get("component")),
            environment=reading.name_of(tags.get("environment") or tags.get("env")),
            labels=reading.labels(
                parts.labels(
                    alertname=name,
                    host=host,
                    ip=fields.text("hostip"),
                    trigger=fields.text("triggerid"),
                    severity=fields.text("eventseverity"),
                ),
                tags,
            ),
            links=reading.links(page),
            started_at=reading.moment(fields.text("eventtimestamp")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _status(fields: Named) -> AlertStatus | None:
    value, state = fields.text("eventvalue"), fields.text("eventstatus").casefold()
    if value == "0" or (not value and state in ("resolved", "ok")):
        return AlertStatus.RESOLVED
    if fields.text("eventupdatestatus") != "1":
        return AlertStatus.FIRING
    if fields.text("eventackstatus").casefold() in ("yes", "1"):
        return AlertStatus.ACKNOWLEDGED
    action = fields.text("eventupdateaction").casefold()
    # A comment must not open again what people have resolved here; a new severity is news.
    return AlertStatus.FIRING if not action or "severity" in action else None


def _tags(fields: Named) -> dict[str, Any]:
    try:
        listed = json.loads(fields.text("eventtagsjson") or "[]")
    except (ValueError, RecursionError):
        listed = []
    if isinstance(listed, list) and listed:
        return {parts.text(tag, "tag"): parts.at(tag, "value") for tag in listed if parts.text(tag, "tag")}
    found: dict[str, Any] = {}
    for tag in fields.text("eventtags").split(","):
        name, mark, value = tag.strip().partition(":")
        if name:
            found[name] = value if mark else "true"
    return found


def _page(fields: Named, event: str) -> str:
    home, trigger = fields.text("zabbixurl").rstrip("/"), fields.text("triggerid")
    return f"{home}/tr_events.php?triggerid={trigger}&eventid={event}" if home and trigger and event else home
