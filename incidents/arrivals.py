"""What arrived last by each integration, and how it was read: for whoever sets a sender up.

It is written after the answer has gone out, and on a served Tocsin a moment later, several in one transaction: at once
it would stand between the alert and its page. It never matters to an alert: what cannot be written is left out. Of
requests that are read alike, one every few seconds is enough.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import Response, after_this_request, has_request_context, request
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config import logs
from config.database import Database
from incidents import transports
from incidents.models import ReceivedPayload
from incidents.sources import email, reading
from incidents.sources.base import IncomingAlert

KEPT = 10  # of each integration
ALERTS_KEPT = 5  # of one request
CONTENT_CHARACTERS_MAX = 8_000
BYTES_READ_MAX = 65_536  # of a body, to show what is in it
ALIKE_SECONDS = 5.0
LATER_SECONDS = 1.0  # by then the first pages are on their way
WAITING_MAX = 500

log = logs.get("arrivals")


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    IGNORED = "ignored"  # a test, a ping, nothing that asks for anybody
    REFUSED = "refused"
    FORGED = "forged"  # not signed as the integration asks


@dataclass(frozen=True, slots=True)
class Arrival:
    integration_id: int
    at: datetime
    verdict: Verdict
    alerts: Sequence[IncomingAlert] = ()
    incidents: Sequence[int | None] = ()  # of each alert
    problem: str = ""


def at_once(write: Callable[[], None]) -> None:
    write()


def in_a_moment(write: Callable[[], None]) -> None:
    timer = threading.Timer(LATER_SECONDS, write)
    timer.daemon = True
    timer.start()


@dataclass(slots=True)
class Recorder:
    """When one of a kind was written last, in this process, and what waits to be written."""

    written: dict[tuple[int, Verdict, str], datetime] = field(default_factory=dict)
    later: Callable[[Callable[[], None]], None] = at_once
    waiting: list[tuple[Arrival, Callable[[], str]]] = field(default_factory=list)
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def wants(self, arrival: Arrival) -> bool:
        """There are as many kinds as integrations, times six: what was accepted fires, is acknowledged or has ended."""
        kind = (arrival.integration_id, arrival.verdict, arrival.alerts[0].status if arrival.alerts else "")
        last = self.written.get(kind)
        if last is not None and abs((arrival.at - last).total_seconds()) < ALIKE_SECONDS:
            return False
        self.written[kind] = arrival.at
        return True


def note(database: Database, recorder: Recorder, arrival: Arrival) -> None:
    """Of the current request; written once its answer is out."""
    if not has_request_context() or not recorder.wants(arrival):
        return
    content = _content()

    @after_this_request
    def last(response: Response) -> Response:
        response.call_on_close(lambda: keep(database, recorder, arrival, content))
        return response


def keep(database: Database, recorder: Recorder, arrival: Arrival, content: Callable[[], str]) -> None:
    """`content` gives what is shown of it, when it is written."""
    with recorder.mutex:
        if len(recorder.waiting) >= WAITING_MAX:
            return
        recorder.waiting.append((arrival, content))
        if len(recorder.waiting) > 1:
            return  # whoever was first has seen to it that all of them are written
    recorder.later(lambda: _write_waiting(database, recorder))


def _write_waiting(database: Database, recorder: Recorder) -> None:
    with recorder.mutex:
        waiting, recorder.waiting = recorder.waiting, []
    try:
        with database.transaction() as session:
            for arrival, content in waiting:
                write(session, arrival, content())
    except SQLAlchemyError as error:
        log.warning("what arrived could not be kept", error=type(error).__name__)


def write(session: Session, arrival: Arrival, content: str) -> None:
    incidents = [*arrival.incidents, *[None] * len(arrival.alerts)]
    session.add(
        ReceivedPayload(
            integration_id=arrival.integration_id,
            received_at=arrival.at,
            verdict=arrival.verdict,
            problem=arrival.problem,
            alerts=[_told(alert, incidents[index]) for index, alert in enumerate(arrival.alerts[:ALERTS_KEPT])],
            alerts_count=len(arrival.alerts),
            content=content,
        )
    )
    session.flush()
    of_this = ReceivedPayload.integration_id == arrival.integration_id
    newest = select(ReceivedPayload.id).where(of_this).order_by(ReceivedPayload.id.desc())
    oldest_kept = session.scalar(newest.offset(KEPT - 1).limit(1))
    if oldest_kept is not None:
        session.execute(delete(ReceivedPayload).where(of_this, ReceivedPayload.id < oldest_kept))


def shown(payload: Any) -> str:
    """As text, without credentials at any depth, cut."""
    text = payload if isinstance(payload, str) else json.dumps(_withheld(payload), indent=2, ensure_ascii=False)
    return reading.cut(reading.clean(text), CONTENT_CHARACTERS_MAX)


def _told(alert: IncomingAlert, incident: int | None) -> dict[str, Any]:
    return {
        "status": alert.status,
        "title": reading.cut(alert.title, 200),
        "dedup_key": reading.cut(alert.dedup_key, 200),
        "severity": alert.severity_hint,
        "service": alert.service,
        "incident": incident,
    }


def _withheld(value: Any) -> Any:
    value = reading.storable(value)
    match value:
        case dict():
            return {
                name: reading.WITHHELD if reading.plain(name) in reading.SECRETS else _withheld(item)
                for name, item in value.items()
            }
        case list():
            return [_withheld(item) for item in value]
    return value


def _content() -> Callable[[], str]:
    """What is needed of the request is taken now, and made readable later."""
    if request.method not in ("POST", "PUT") or (request.args and not request.content_length):
        fields: Mapping[str, str] = request.args.to_dict()
        return lambda: shown(fields)
    if request.mimetype in transports.FORMS:
        form: Mapping[str, str] = request.form.to_dict()
        return lambda: shown({name: _parsed(text) if text[:1] in ("{", "[") else text for name, text in form.items()})
    body = request.get_data()
    if request.mimetype == "message/rfc822":
        return lambda: shown(email.shown(body))
    return lambda: shown(_parsed(body[:BYTES_READ_MAX].decode("utf-8", "replace")))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
