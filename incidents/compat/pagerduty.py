"""PagerDuty's Events API v2, spoken as its senders expect it: what is read, what is refused, and the answers. Pure.

Who depends on what: PagerDuty's client libraries need `dedup_key` in the 202; Zabbix needs exactly 202 and the word
"success"; Alertmanager logs `message` and `errors` of a 400, retries 429 and 5xx, and gives up on everything else. An
acknowledge or resolve of a key that is not open is 202 as well, which is why reading says nothing about open alerts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from incidents.sources import pagerduty, reading
from incidents.sources.base import IncomingAlert, Link, PayloadRefusedError

EVENT_BYTES_MAX = 512_000  # PagerDuty's "512 KB" as Alertmanager counts it
ROUTING_KEY_CHARACTERS = 32

Action = Literal["trigger", "acknowledge", "resolve"]


@dataclass(frozen=True, slots=True)
class Event:
    """`dedup_key` is the alert's: the sender's own, or one made for a trigger that came without. It is answered."""

    routing_key: str
    action: Action
    dedup_key: str
    alert: IncomingAlert


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """Something was changed on purpose (a deploy). It goes on record and never opens an incident."""

    routing_key: str
    summary: str
    body: str
    source: str
    happened_at: datetime  # when the sender says so, else when it came
    links: tuple[Link, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    body: dict[str, Any]
    routing_key: str = field(default="", compare=False, repr=False)  # if it could be read: whose event it would be


def read_event(body: bytes, *, now: datetime, new_dedup_key: Callable[[], str]) -> Event | Refusal:
    """The event in a request to `/v2/enqueue`. Never raises; `new_dedup_key` is called only for a trigger without one."""
    event = _object(body)
    if isinstance(event, Refusal):
        return event
    problems = [*_routing_key_problems(event), *pagerduty.problems(event)]
    if problems:
        key = event.get("routing_key")
        refusal = invalid(*(_said(field, problem) for field, problem in problems))
        return dataclasses.replace(refusal, routing_key=key) if isinstance(key, str) else refusal
    (alert,) = pagerduty.parse(event, now=now)
    if not pagerduty.key_of(event):
        alert = dataclasses.replace(alert, dedup_key=new_dedup_key())
    action = cast(Action, pagerduty.action_of(event))
    return Event(event["routing_key"], action, alert.dedup_key, alert)


def read_change_event(body: bytes, *, now: datetime) -> ChangeEvent | Refusal:
    """The event in a request to `/v2/change/enqueue`. Never raises."""
    event = _object(body)
    if isinstance(event, Refusal):
        return event
    problems = [*_routing_key_problems(event), *pagerduty.content_problems(event, required=("summary",))]
    if problems:
        return invalid(*(_said(field, problem) for field, problem in problems))
    content = event["payload"]
    details = content.get("custom_details")
    summary, text = reading.compose(content["summary"], "" if details in (None, {}, []) else reading.readable(details))
    return ChangeEvent(
        routing_key=event["routing_key"],
        summary=summary,
        body=text,
        source=reading.name_of(content.get("source")),
        happened_at=reading.moment(content.get("timestamp")) or now,
        links=pagerduty.event_links(event),
        raw=reading.received(event),
    )


def accepted(dedup_key: str) -> dict[str, Any]:
    """The body of the 202 for an event that is stored."""
    return {"status": "success", "message": "Event processed", "dedup_key": dedup_key}


def change_accepted() -> dict[str, Any]:
    """The body of the 202 for a change event that is stored."""
    return {"status": "success", "message": "Change event processed"}


def invalid(*errors: str) -> Refusal:
    return Refusal(400, {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)})


def unrecognized(detail: str) -> Refusal:
    """Not JSON, or not an object. `detail` is ours: PagerDuty only ever says "JSON parse error"."""
    status, message = "Unrecognized object", "Event object format is unrecognized"
    return Refusal(400, {"status": status, "message": message, "errors": ["JSON parse error"], "detail": detail})


def unknown_key() -> Refusal:
    """400, because Alertmanager logs the reason of a 400 alone and PagerDuty's own clients know no 401 here."""
    return invalid("'routing_key' is not the key of any integration here")


def too_large() -> Refusal:
    return dataclasses.replace(invalid(f"Event is too large (should be at most {EVENT_BYTES_MAX} bytes)"), status=413)


def too_many() -> Refusal:
    """The event is not stored; every sender retries this."""
    message = "Requests for this service are arriving too quickly.  Please retry later."
    return Refusal(429, {"status": "throttle exceeded", "message": message})


def unavailable() -> Refusal:
    """The event could not be stored; every sender retries this."""
    return Refusal(503, {"status": "unavailable", "message": "Event could not be stored.  Please retry later."})


def wrong_method() -> Refusal:
    return Refusal(405, {"status": "method not allowed", "message": "Events are sent with POST"})


def _object(body: bytes) -> dict[str, Any] | Refusal:
    if len(body) > EVENT_BYTES_MAX:
        return too_large()
    try:
        event = reading.json_value(body, strict=True)
    except PayloadRefusedError as refused:
        return unrecognized(refused.problem)
    return event if isinstance(event, dict) else unrecognized("the body is not a JSON object")


def _routing_key_problems(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    key = event.get("routing_key")
    if key is None or (isinstance(key, str) and not key.strip()):
        return [("routing_key", pagerduty.BLANK)]
    if not isinstance(key, str):
        return [("routing_key", "must be a string")]
    if len(key) != ROUTING_KEY_CHARACTERS:
        return [("", f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_CHARACTERS} characters)")]
    if not (key.isascii() and key.isprintable()):
        return [("routing_key", "is invalid (should be letters and digits)")]
    return []


def _said(field: str, problem: str) -> str:
    return f"'{field}' {problem}" if field else problem
