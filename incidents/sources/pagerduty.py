"""An event of PagerDuty's Events API v2 as an alert. Pure; the API's answers are in `incidents.compat.pagerduty`.

Refused is what PagerDuty itself refuses: a required field that is missing, of the wrong type or outside its list.
Repaired is what it would refuse or cut and a page would be lost for: an over-long summary or key, an odd time, odd
links, an upper-case severity.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import reading
from incidents.sources.base import AlertStatus, IncomingAlert, Link, PayloadRefusedError

NAME = "pagerduty"

# PagerDuty's own urgency by severity: critical and error page at once, warning and info notify quietly. "info" is
# therefore somebody's work of the next day (LOW), not a line in a log (INFO).
SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
}
ACTIONS: Mapping[str, AlertStatus] = {
    "trigger": AlertStatus.FIRING,
    "acknowledge": AlertStatus.ACKNOWLEDGED,
    "resolve": AlertStatus.RESOLVED,
}

BLANK = "is missing or blank"
_DETAIL_CHARACTERS_MAX = 255  # a custom detail up to this, on one line, is a label too
_ENVIRONMENTS = ("environment", "env")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert. A trigger without a dedup key is an alert of its own each time, as with PagerDuty."""
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an event object")
    for field, problem in problems(payload):
        raise PayloadRefusedError(field, problem)
    sent = payload.get("payload")
    content = sent if isinstance(sent, Mapping) else {}
    details = content.get("custom_details")
    named = {name: content.get(name) for name in ("source", "component", "group", "class", "severity")}
    named["client"] = payload.get("client")
    # Through `reading.labels` once, so that a detail called "source" cannot stand in for the event's own.
    labels = reading.labels({name: text for name, text in named.items() if reading.text_of(text)}, _short(details))
    title, body = reading.compose(
        reading.text_of(content.get("summary")), "" if details in (None, {}, []) else reading.readable(details)
    )
    client = reading.link(payload.get("client_url"), payload.get("client") or "Client")
    key = key_of(payload) or reading.digest([payload, now.isoformat()])
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(key),
            status=ACTIONS[action_of(payload)],
            title=title,
            body=body,
            severity_hint=SEVERITIES.get(_word(content.get("severity"))),
            service=reading.name_of(_detail(details, ("service",)) or content.get("group")),
            component=reading.name_of(content.get("component")),
            environment=reading.name_of(_detail(details, _ENVIRONMENTS)),
            labels=labels,
            links=reading.links(*event_links(payload), client),
            started_at=reading.moment(content.get("timestamp")),
            url=client.href if client else "",
            raw=reading.received(payload),
        )
    ]


def problems(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What PagerDuty refuses, all of it at once: (field, problem) in its words. The routing key is not looked at."""
    found = _doubled(event, "")
    action = action_of(event)
    if not action:
        found.append(("event_action", BLANK))
    elif action not in ACTIONS:
        found.append(
            ("event_action", "is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
        )
    key = event.get("dedup_key")
    if key is not None and (not isinstance(key, str | int) or isinstance(key, bool)):
        found.append(("dedup_key", "must be a string"))
    elif action in ("acknowledge", "resolve") and not key_of(event):
        found.append(("dedup_key", BLANK))
    if action == "trigger":
        found += content_problems(event, required=("summary", "source", "severity"))
    return found


def content_problems(event: Mapping[str, Any], *, required: tuple[str, ...]) -> list[tuple[str, str]]:
    """The same for what is inside `payload`; shared with change events, which require less of it."""
    content = event.get("payload")
    if content is None:
        return [("payload", BLANK)]
    if not isinstance(content, Mapping):
        return [("payload", "must be an object")]
    found = _doubled(content, "payload.")
    for name in required:
        value = content.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            found.append((f"payload.{name}", BLANK))
        elif not isinstance(value, str):
            found.append((f"payload.{name}", "must be a string"))
        elif name == "severity" and _word(value) not in SEVERITIES:
            problem = "is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
            found.append((f"payload.{name}", problem))
    return found


def action_of(event: Mapping[str, Any]) -> str:
    return _word(event.get("event_action"))


def key_of(event: Mapping[str, Any]) -> str:
    """The dedup key as sent; empty when there is none, which is also what a blank one means."""
    key = reading.text_of(event.get("dedup_key"))
    return key if key.strip() else ""


def event_links(event: Mapping[str, Any]) -> tuple[Link, ...]:
    """`links` and `images`; an image that itself leads somewhere gives both addresses."""
    found = [reading.link(item.get("href"), item.get("text")) for item in _items(event.get("links"))]
    for image in _items(event.get("images")):
        text = image.get("alt") or "Image"
        found += (reading.link(image.get("src"), text), reading.link(image.get("href"), text))
    return reading.links(*found)


def _items(value: Any) -> list[Mapping[str, Any]]:
    """At most twice as many as are kept; the rest of an over-long list is not worth reading."""
    if not isinstance(value, list):
        return []
    read = value[: 2 * reading.LINKS_MAX]
    return [item if isinstance(item, Mapping) else {"href": item, "src": item} for item in read]


def _word(value: Any) -> str:
    return reading.text_of(value).strip().casefold()


def _doubled(item: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    names = item.names if isinstance(item, reading.Doubled) else ()
    return [(prefix + reading.name_of(name), "is given more than once with different values") for name in names]


def _short(details: Any) -> dict[str, Any]:
    if not isinstance(details, Mapping):
        return {}
    texts = {name: reading.text_of(value).strip() for name, value in details.items()}
    return {
        name: text for name, text in texts.items() if text and len(text) <= _DETAIL_CHARACTERS_MAX and "\n" not in text
    }


def _detail(details: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(details, Mapping):
        return None
    return next((details[name] for name in names if reading.text_of(details.get(name))), None)
