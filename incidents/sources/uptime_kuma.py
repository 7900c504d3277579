"""Uptime Kuma's webhook: JSON, a form with the JSON in one field, or a query. Pure.

Without a heartbeat it is the test button, or a certificate or domain that is about to expire: that is told in words
alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "uptime-kuma"

# Pending and maintenance (2 and 3) ask for nobody.
STATES: Mapping[str, AlertStatus] = {"0": AlertStatus.FIRING, "1": AlertStatus.RESOLVED}
PLACEHOLDERS = ("", "https://", "http://")  # the address of a monitor that has none

_EXPIRY = re.compile(r"\bexpir", re.I)
_DIGITS = re.compile(r"\d+")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """None for the test button, and while a monitor is pending or in maintenance."""
    del now  # nothing here depends on the time
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be Uptime Kuma's webhook object")
    sent = parts.object_of(payload.get("data")) or payload
    if not {"heartbeat", "monitor", "msg"} & set(sent):
        raise PayloadRefusedError("heartbeat", "is missing, and so is msg; is this Uptime Kuma's?")
    heartbeat, monitor = parts.object_of(sent.get("heartbeat")), parts.object_of(sent.get("monitor"))
    message = parts.text(sent, "msg")
    if not heartbeat:
        return [_expiry(sent, message)] if _EXPIRY.search(message) else []
    status = STATES.get(parts.text(heartbeat, "status"))
    if status is None:
        return []
    number = parts.first(parts.text(monitor, "id"), parts.text(heartbeat, "monitorID"))
    name = parts.first(parts.text(monitor, "name"), parts.text(monitor, "pathName"), f"Monitor {number}".strip())
    tags = {parts.text(tag, "name"): parts.at(tag, "value") for tag in _listed(monitor.get("tags"))}
    address = parts.text(monitor, "url")
    page = None if address in PLACEHOLDERS else reading.link(address, "What is watched")
    title, body = reading.compose(
        name, parts.first(message, parts.text(heartbeat, "msg")), parts.text(monitor, "description")
    )
    down_at = heartbeat.get("lastDownTime") if status is AlertStatus.RESOLVED else None
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(f"monitor.id={number}" if number else reading.digest(name)),
            status=status,
            title=title,
            body=body,
            service=reading.name_of(tags.get("service")),
            component=reading.name_of(tags.get("component")),
            environment=reading.name_of(tags.get("environment") or tags.get("env")),
            labels=reading.labels(
                parts.labels(
                    alertname=name,
                    type=monitor.get("type"),
                    hostname=monitor.get("hostname"),
                    port=monitor.get("port"),
                ),
                {tag: value if reading.text_of(value) else "true" for tag, value in tags.items() if tag},
            ),
            links=reading.links(page),
            started_at=reading.moment(down_at or heartbeat.get("time")),
            url=page.href if page else "",
            raw=reading.received({**sent, "heartbeat": heartbeat, "monitor": monitor}),
        )
    ]


def _expiry(sent: Mapping[str, Any], message: str) -> IncomingAlert:
    """The same notice comes again as fewer days are left."""
    title, body = reading.compose(message)
    return IncomingAlert(
        source=NAME,
        dedup_key="expiry-" + reading.digest(_DIGITS.sub("", message)),
        status=AlertStatus.FIRING,
        title=title,
        body=body,
        severity_hint=Severity.MEDIUM,
        raw=reading.received(sent),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
