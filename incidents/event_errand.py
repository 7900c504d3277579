"""How the engine tells an event to its receiver, and tries again for a day."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from escalation import hooks
from escalation.channels import webhook
from escalation.channels.base import ChannelError
from escalation.paging import timers
from escalation.paging.timers import Claimed
from incidents import events
from incidents.briefing import incident_url
from incidents.desk import Desk
from incidents.event_models import DeliveryState, EventDelivery, EventReceiver

TRIED_FOR = timedelta(hours=24)
BACKOFF_SECONDS = (5, 15, 60, 300, 900, 1800, 3600)  # after each try; the last again and again
RETRY_AFTER_SECONDS_MAX = 3600
BEHIND_SECONDS = 60  # how long one waits that stands behind another, if nobody tells it earlier
GONE = "410"
OTHER_KEY = "Its secret was sealed under another TOCSIN_SECRET_KEY; apply the configuration again."


@dataclass(frozen=True, slots=True)
class Telling:
    url: str
    secret: str | None  # None: it cannot be read
    event_id: str
    number: int  # of this try
    body: bytes


def again_at(tries: int, queued_at: datetime, now: datetime, retry_after_seconds: float | None) -> datetime | None:
    """When to try again after the `tries`-th failure; None: a day is over."""
    wait = float(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS)) - 1])
    wait = max(wait, min(retry_after_seconds or 0.0, RETRY_AFTER_SECONDS_MAX))
    at = now + timedelta(seconds=wait)
    return at if at <= queued_at + TRIED_FOR else None


class EventErrand:
    def __init__(self, desk: Desk, *, read_clock: Callable[[], datetime] = clock.now) -> None:
        self._desk, self._now = desk, read_clock

    def begin(self, session: Session, claimed: Claimed, now: datetime) -> Telling | None:
        row = _locked(session, claimed)
        if row is None or row.state != DeliveryState.QUEUED:
            timers.finish(session, claimed)
            return None
        if not timers.still_held(session, claimed):
            return None
        receiver = session.get_one(EventReceiver, row.receiver_id)
        if not receiver.active:
            row.state, row.finished_at, row.result = DeliveryState.CANCELLED, now, "Its receiver is no longer declared."
            timers.finish(session, claimed)
            return None
        if events.earlier(session, row) is not None:
            timers.put_back(session, claimed, now + timedelta(seconds=BEHIND_SECONDS), in_order=True)
            return None
        row.tries += 1
        body = _with_links(row, self._desk.base_url)
        secret = self._desk.vault.open(receiver.secret) if self._desk.vault else None
        text = json.dumps(body, ensure_ascii=False, sort_keys=True).encode(errors="replace")
        return Telling(receiver.url, secret, row.event_id, row.tries, text)

    def carry_out(self, work: Telling) -> str:
        if work.secret is None:
            raise ChannelError(OTHER_KEY, permanent=False, code="secret")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tocsin",
            "Tocsin-Event-Id": work.event_id,
            "Tocsin-Try": str(work.number),
            webhook.SIGNATURE_HEADER: webhook.signature(work.body, int(self._now().timestamp()), work.secret),
        }
        return hooks.post(work.url, work.body, headers)

    def record(self, session: Session, claimed: Claimed, work: Telling, outcome: Any, now: datetime) -> None:
        row = _locked(session, claimed)
        if row is None:
            return
        row.result = str(outcome)
        if row.state != DeliveryState.QUEUED or not timers.still_held(session, claimed):
            return  # replayed or taken away meanwhile
        if isinstance(outcome, ChannelError):
            # A 404 may be a deploy under way, and a 401 a secret being changed: a day is long enough to mend either.
            given_up = outcome.code in (GONE, "address")
            at = None if given_up else again_at(row.tries, row.queued_at, now, outcome.retry_after_seconds)
            if at is not None:
                timers.put_back(session, claimed, at, error=row.result, in_order=True)
                return
        row.state = DeliveryState.FAILED if isinstance(outcome, ChannelError) else DeliveryState.DELIVERED
        row.finished_at = now
        timers.finish(session, claimed)
        events.let_next_go(session, row, now)


def _with_links(row: EventDelivery, base_url: str) -> dict[str, Any]:
    url = incident_url(base_url, row.incident_id)
    body = {**row.body, "incident": {**row.body["incident"], "url": url}}
    if "review" in body:
        forms = {
            form: f"{base_url}/api/v1/incidents/{row.incident_id}/review.{form}" for form in ("html", "md", "json")
        }
        body["review"] = {**body["review"], **forms}
    return body


def _locked(session: Session, claimed: Claimed) -> EventDelivery | None:
    return session.scalar(
        select(EventDelivery)
        .where(EventDelivery.id == claimed.subject_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
