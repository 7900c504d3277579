"""An alert as Opsgenie's Alert API takes it, as ours. Pure; the API's answers are in `incidents.compat.opsgenie`.

Refused is only what has no message. Repaired is what Opsgenie would refuse or cut and a page would be lost for: a
message over 130 characters (kept whole in the body), an unknown priority, details that are no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "opsgenie"
MESSAGE_CHARACTERS_MAX = 130  # of Opsgenie's own lists, and of a title that a telephone can show
PRIORITY_DEFAULT = "P3"

# P5 is "informational" there and still somebody's list, not a line in a log (INFO).
PRIORITIES: Mapping[str, Severity] = {
    "P1": Severity.CRITICAL,
    "P2": Severity.HIGH,
    "P3": Severity.MEDIUM,
    "P4": Severity.LOW,
    "P5": Severity.LOW,
}
_ENVIRONMENTS = ("environment", "env")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert, firing. One without an alias is an alert of its own each time, as with Opsgenie."""
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an alert object")
    message = reading.text_of(payload.get("message"))
    if not message.strip():
        raise PayloadRefusedError("message", "can not be empty")
    details = payload.get("details") if isinstance(payload.get("details"), Mapping) else {}
    title, whole = reading.compose(message)
    if len(title) > MESSAGE_CHARACTERS_MAX:
        title, whole = reading.cut(title, MESSAGE_CHARACTERS_MAX), message
    note = reading.text_of(payload.get("note")).strip()
    description = reading.text_of(payload.get("description"))
    _, body = reading.compose("", whole, description, f"Note: {note}" if note else "")
    source = reading.link(payload.get("source"), "Source")
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(alias_of(payload) or reading.digest([payload, now.isoformat()])),
            status=AlertStatus.FIRING,
            title=title,
            body=body,
            severity_hint=PRIORITIES.get(priority_of(payload)),
            service=reading.name_of(_named(details, ("service",))),
            component=reading.name_of(payload.get("entity")),
            environment=reading.name_of(_named(details, _ENVIRONMENTS)),
            labels=_labels(payload, details),
            links=reading.links(*(reading.link(value, name) for name, value in _first(details)), source),
            url=source.href if source else "",
            raw=reading.received(payload),
        )
    ]


def alias_of(payload: Mapping[str, Any]) -> str:
    """As sent; empty when there is none, which is also what a blank one means."""
    alias = reading.text_of(payload.get("alias"))
    return alias if alias.strip() else ""


def priority_of(payload: Mapping[str, Any]) -> str:
    """P1 to P5, Opsgenie's default for none; "" for anything else."""
    written = reading.text_of(payload.get("priority")).strip().upper() or PRIORITY_DEFAULT
    return written if written in PRIORITIES else ""


def tags_of(payload: Mapping[str, Any]) -> list[str]:
    return [tag for tag in map(reading.name_of, items_of(payload.get("tags"))) if tag]


def items_of(value: Any) -> list[Any]:
    """A list as it is, a text as its comma-separated parts; bounded."""
    if isinstance(value, str):
        value = value.split(",")
    return value[: reading.LABELS_MAX] if isinstance(value, list) else []


def _labels(payload: Mapping[str, Any], details: Any) -> dict[str, str]:
    own = {name: payload.get(name) for name in ("entity", "source", "user")}
    own["priority"] = priority_of(payload) or payload.get("priority")
    own["tags"] = ", ".join(tags_of(payload))
    own["actions"] = ", ".join(filter(None, map(reading.name_of, items_of(payload.get("actions")))))
    own["responders"] = ", ".join(map(_whom, items_of(payload.get("responders"))))
    return reading.labels({name: text for name, text in own.items() if reading.text_of(text)}, details)


def _whom(responder: Any) -> str:
    if not isinstance(responder, Mapping):
        return reading.name_of(responder)
    name = next((responder[key] for key in ("name", "username", "id") if reading.text_of(responder.get(key))), "")
    return reading.name_of(f"{reading.text_of(responder.get('type'))} {reading.text_of(name)}".strip())


def _first(details: Any) -> list[tuple[Any, Any]]:
    return list(details.items())[: reading.LABELS_MAX]


def _named(details: Any, names: tuple[str, ...]) -> Any:
    return next((details[name] for name in names if reading.text_of(details.get(name))), None)
