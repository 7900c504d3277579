"""Opsgenie's Alert API v2, spoken as its senders expect it: what is read, and the answers. Pure.

Who depends on what: Opsgenie's client libraries parse every answer as a JSON object and need `requestId` in it;
Alertmanager retries 429 and 5xx and gives up on everything else; Zabbix polls the request until `success` is true.
Writing is asynchronous there: a close of an alert that is not there is 202 as well, and only the request says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.clock import utc_text
from incidents.sources import opsgenie, reading
from incidents.sources.base import IncomingAlert, PayloadRefusedError

NOTE_CHARACTERS_MAX = 25_000
USER_CHARACTERS_MAX = 100  # as at Opsgenie
IDENTIFIER_TYPES = ("id", "alias", "tiny")
LIST_MAX = 100
QUERY_FIELDS = frozenset({"status", "alias", "tinyid", "priority"})
OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 202 or 200; `errors`: field -> why."""

    status: int
    message: str
    errors: Mapping[str, str] | None = None

    def body(self) -> dict[str, Any]:
        return {"message": self.message} | ({"errors": dict(self.errors)} if self.errors else {})


@dataclass(frozen=True, slots=True)
class Said:
    """What comes with an action on an alert: by whom, from where, and why."""

    user: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert of ours, as far as Opsgenie's API shows it."""

    alert_id: int
    dedup_key: str
    title: str
    body: str
    is_open: bool
    acknowledged: bool
    acknowledged_by: str
    snoozed_until: datetime | None
    count: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    raw: Mapping[str, Any]


def read_body(body: bytes) -> dict[str, Any] | Refusal:
    """The object in a body; an empty body is an empty object, as clients send when they have nothing to add."""
    if not body.strip():
        return {}
    try:
        value = reading.json_value(body)
    except PayloadRefusedError as refused:
        return Refusal(400, f"Could not parse request body: {refused.problem}")
    return value if isinstance(value, dict) else Refusal(400, "Could not parse request body: it is not a JSON object")


def read_alert(body: bytes, *, now: datetime, new_alias: str) -> IncomingAlert | Refusal:
    """The alert that is to be created. Never raises; `new_alias` is for one that has none."""
    payload = read_body(body)
    if isinstance(payload, Refusal):
        return payload
    if not opsgenie.alias_of(payload):
        payload["alias"] = new_alias
    try:
        (alert,) = opsgenie.parse(payload, now=now)
    except PayloadRefusedError as refused:
        return unprocessable(refused.field, f"{refused.field.capitalize()} {refused.problem}.")
    return alert


def said(payload: Mapping[str, Any]) -> Said:
    user, source = (reading.name_of(payload.get(name)) for name in ("user", "source"))
    note = reading.text_of(payload.get("note")).strip()
    return Said(reading.cut(user, USER_CHARACTERS_MAX), source, reading.cut(note, NOTE_CHARACTERS_MAX))


def key_in(authorization: str | None) -> str:
    """The key of `GenieKey KEY`; empty if it is something else."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    return key.strip() if scheme.casefold() == "geniekey" else ""


def alert_uuid(alert_id: int) -> str:
    """Of a UUID's shape, as clients expect, and read back without a table. It opens nothing: a key is asked for."""
    return str(uuid.UUID(int=(0x4000 << 64) | (0x8 << 60) | alert_id))


def uuid_in(text: str) -> str:
    """As it is stored; empty if it is none."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return ""


def alert_id_in(text: str) -> int | None:
    """The other way; None if it is no id of ours."""
    written = uuid_in(text)
    if not written:
        return None
    found = uuid.UUID(written).int & ((1 << 60) - 1)
    return found if alert_uuid(found) == written else None


def query_terms(query: str) -> dict[str, str] | Refusal:
    """`status: open AND alias = x` as {field: value}. Anything else is refused: a filter that is passed over would
    show what was not asked for."""
    found: dict[str, str] = {}
    for term in filter(None, (part.strip() for part in query.replace(" and ", " AND ").split(" AND "))):
        cuts = [at for at in (term.find(":"), term.find("=")) if at > 0]
        name = term[: min(cuts)].strip().casefold() if cuts else ""
        if name not in QUERY_FIELDS:
            return unprocessable("query", f"Only {', '.join(sorted(QUERY_FIELDS))} can be asked for here, with AND.")
        found[name] = term[min(cuts) + 1 :].strip().strip('"')
    if found.get("status", OPEN).casefold() not in (OPEN, CLOSED):
        return unprocessable("query", "A status is open or closed.")
    return found


def alert(shown: Shown) -> dict[str, Any]:
    """One alert as the API gives it out."""
    raw = shown.raw
    return {
        "id": alert_uuid(shown.alert_id),
        "tinyId": str(shown.alert_id),
        "alias": shown.dedup_key,
        "message": shown.title,
        "status": OPEN if shown.is_open else CLOSED,
        "acknowledged": shown.acknowledged,
        "isSeen": shown.acknowledged,
        "tags": opsgenie.tags_of(raw),
        "snoozed": shown.snoozed_until is not None,
        **({"snoozedUntil": moment(shown.snoozed_until)} if shown.snoozed_until else {}),
        "count": shown.count,
        "lastOccurredAt": moment(shown.last_at),
        "createdAt": moment(shown.first_at),
        "updatedAt": moment(max(shown.last_at, shown.resolved_at or shown.last_at)),
        "source": reading.name_of(raw.get("source")),
        "owner": shown.acknowledged_by,
        "priority": opsgenie.priority_of(raw) or opsgenie.PRIORITY_DEFAULT,
        "responders": [],
        "integration": {"name": "Tocsin", "type": "API"},
        "report": _report(shown),
        "actions": [reading.name_of(each) for each in opsgenie.items_of(raw.get("actions"))],
        "entity": reading.name_of(raw.get("entity")),
        "description": shown.body,
        "details": {name: reading.label_text(value) for name, value in _details(raw).items()},
    }


def moment(at: datetime) -> str:
    """Milliseconds, as Opsgenie writes them."""
    return utc_text(at)[:-4] + "Z"


def unprocessable(field: str, why: str) -> Refusal:
    return Refusal(422, "Request body is not processable. Please check the errors.", {field or "body": why})


def _details(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    details = raw.get("details")
    return details if isinstance(details, Mapping) else {}


def _report(shown: Shown) -> dict[str, Any]:
    """In milliseconds since it was created."""
    found: dict[str, Any] = {}
    for name, at in (("ackTime", shown.acknowledged_at), ("closeTime", shown.resolved_at)):
        if at is not None:
            found[name] = max(0, round((at - shown.first_at).total_seconds() * 1000))
    if shown.acknowledged_by:
        found["acknowledgedBy"] = shown.acknowledged_by
    return found


BAD_KEY = Refusal(401, "Could not authenticate")
TOO_LARGE = Refusal(413, "Request body is too large. It may have at most 1 MiB; nothing was stored.")
UNAVAILABLE = Refusal(503, "The alert could not be stored. Please retry later.")
NO_REQUEST = Refusal(404, "Request not found. It might not be processed, yet.")
NO_ALERT = Refusal(404, "Alert does not exist")
NO_PATH = Refusal(404, "Tocsin does not speak this part of Opsgenie's API.")
