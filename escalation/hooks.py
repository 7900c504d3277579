"""Calls of a team's own endpoints for an incident: to remedy it, or to hear of a recommended halt.

A call is a signed POST of JSON, as a webhook's (`channels.webhook`), tried again a bounded number of times. Each call
and what came of it are on the incident's timeline. An address may carry a secret, so only its host is ever shown.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import clock
from escalation import deadline
from escalation.channels import webhook, wording
from escalation.channels.base import ChannelError
from escalation.journal import Journal
from escalation.models import Escalation, TimerKind
from escalation.paging import retries, timers
from escalation.paging.models import HookCall, HookRow
from escalation.paging.timers import Claimed

REMEDIATION, HALT = "remediation", "halt"
LANE = "hook"
HALT_RETRIES = 5
TIMEOUT_SECONDS = 10.0  # from the first byte sent to the last one read
CONNECT_SECONDS = 5.0
ANSWER_BYTES_MAX = 8_192  # read; the rest is left unread
RESULT_CHARACTERS_MAX = 500
QUEUED, DONE, FAILED, CANCELLED = "queued", "done", "failed", "cancelled"
MEANING = {
    REMEDIATION: "It may remedy the incident; people are paged all the same.",
    HALT: "A halt is recommended. What is done about it, and what the answer means, a keeper decides.",
}


@dataclass(frozen=True, slots=True)
class Call:
    url: str
    body: dict[str, Any]


def call(
    session: Session, journal: Journal, incident_id: int, purpose: str, *, url: str, retries: int, now: datetime
) -> bool:
    """Have the endpoint called once the transaction has ended; False if it was called for this incident before."""
    known = select(HookCall.id).where(HookCall.incident_id == incident_id, HookCall.purpose == purpose)
    brief = session.scalar(select(Escalation.brief).where(Escalation.incident_id == incident_id))
    if brief is None or session.scalar(known) is not None:
        return False
    row = HookCall(
        incident_id=incident_id,
        purpose=purpose,
        url=url,
        body={"version": webhook.VERSION, "event": purpose, "incident": brief},
        retries=retries,
        state=QUEUED,
        queued_at=now,
    )
    session.add(row)
    session.flush()
    timers.set_timer(session, TimerKind.HOOK, row.id, incident_id, now, lane=LANE)
    text = f"The {purpose} hook at {host(url)} is called. {MEANING[purpose]}"
    facts = {"hook": row.id, "purpose": purpose, "host": host(url), "body": json.dumps(row.body, sort_keys=True)}
    journal(session, incident_id, "hook.called", text, occurred_at=now, payload=facts)
    return True


def halt(session: Session, journal: Journal, incident_id: int, now: datetime) -> None:
    """Call the halt hook, if one is declared."""
    url = session.scalar(select(HookRow.url).where(HookRow.purpose == HALT))
    if url:
        call(session, journal, incident_id, HALT, url=url, retries=HALT_RETRIES, now=now)


def cancel(
    session: Session, journal: Journal, incident_id: int, *, why: str, now: datetime, purpose: str | None = None
) -> None:
    """What was not called yet, or would be tried again, is not."""
    waiting = update(HookCall).where(HookCall.incident_id == incident_id, HookCall.state == QUEUED)
    if purpose is not None:
        waiting = waiting.where(HookCall.purpose == purpose)
    gone = session.scalars(
        waiting.values(state=CANCELLED, finished_at=now)
        .returning(HookCall.id)
        .execution_options(synchronize_session=False)
    ).all()
    timers.cancel_subjects(session, TimerKind.HOOK, gone)
    if gone:
        text = f"{len(gone)} hook call{'s were' if len(gone) > 1 else ' was'} cancelled: {why}."
        journal(session, incident_id, "hook.cancelled", text, occurred_at=now, payload={"hooks": sorted(gone)})


def host(url: str) -> str:
    return urlsplit(url).hostname or "its address"


class HookErrand:
    """How the engine calls an endpoint. `secret` signs, as a webhook's does."""

    def __init__(self, journal: Journal, secret: str, *, read_clock: Callable[[], datetime] = clock.now) -> None:
        self._journal, self._secret, self._now = journal, secret, read_clock

    def begin(self, session: Session, claimed: Claimed, now: datetime) -> Call | None:
        row = _locked(session, claimed)
        if row is None or row.state != QUEUED:
            timers.finish(session, claimed)
            return None
        if not timers.still_held(session, claimed):
            return None
        if row.tries > row.retries:  # the engine died with the last try in flight
            row.result = "It is not known whether the last try arrived."
            self._over(session, row, FAILED, now)
            timers.finish(session, claimed)
            return None
        row.tries += 1
        return Call(row.url, dict(row.body))

    def carry_out(self, work: Call) -> str:
        body = json.dumps(work.body, ensure_ascii=False).encode(errors="replace")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tocsin",
            webhook.SIGNATURE_HEADER: webhook.signature(body, int(self._now().timestamp()), self._secret),
        }
        return post(work.url, body, headers)

    def record(self, session: Session, claimed: Claimed, work: Call, outcome: Any, now: datetime) -> None:
        row = _locked(session, claimed)
        if row is None:
            return
        if not isinstance(outcome, ChannelError):
            row.result = str(outcome)
            self._over(session, row, DONE, now)
            timers.finish(session, claimed)
            return
        row.result = str(outcome)
        again = retries.decide(
            row.tries, permanent=outcome.permanent, retry_after_seconds=outcome.retry_after_seconds
        ).retry_in_seconds
        if row.state != QUEUED or again is None or row.tries > row.retries:
            self._over(session, row, FAILED, now)
            timers.finish(session, claimed)
            return
        timers.put_back(session, claimed, now + timedelta(seconds=again), error=row.result)
        text = f"The {row.purpose} hook at {host(row.url)} failed ({row.result}); trying again in {again:g} s."
        self._tell(session, row, "hook.retried", text, now)

    def _over(self, session: Session, row: HookCall, state: str, now: datetime) -> None:
        late = " It had been cancelled meanwhile." if row.state == CANCELLED else ""
        row.state = state
        row.finished_at = now
        did = "succeeded" if state == DONE else f"failed after {row.tries} {'try' if row.tries == 1 else 'tries'}"
        text = f"The {row.purpose} hook at {host(row.url)} {did}: {row.result}{late}"
        self._tell(session, row, "hook.succeeded" if state == DONE else "hook.failed", text, now)

    def _tell(self, session: Session, row: HookCall, kind: str, text: str, now: datetime) -> None:
        facts: Mapping[str, Any] = {"hook": row.id, "purpose": row.purpose, "try": row.tries, "result": row.result}
        self._journal(session, row.incident_id, kind, text, occurred_at=now, payload=facts)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """What the endpoint answered, cleaned and cut. Raises ChannelError for anything but a 2xx; follows no redirect."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ChannelError("Its address must begin with https:// or http://.", permanent=True, code="address")
    ends_at = clock.monotonic_seconds() + TIMEOUT_SECONDS
    timeout = httpx.Timeout(CONNECT_SECONDS, connect=CONNECT_SECONDS)
    try:
        with (
            deadline.within(TIMEOUT_SECONDS) as bounds,
            httpx.Client(timeout=timeout, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=dict(headers), extensions=dict(bounds)) as answer,
        ):
            said = b""
            with contextlib.suppress(httpx.HTTPError):  # what it did is in the status; its words may stay unread
                for chunk in answer.iter_raw():
                    said += chunk
                    if len(said) >= ANSWER_BYTES_MAX or clock.monotonic_seconds() > ends_at:
                        break
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as broken:
        # The error may quote the address, and the address may carry a secret.
        reason = f"{host(url)} could not be reached ({type(broken).__name__})."
        unusable = not isinstance(broken, httpx.HTTPError) or isinstance(broken, httpx.UnsupportedProtocol)
        raise ChannelError(reason, permanent=unusable, code="network") from broken
    text = wording.one_line(said[:ANSWER_BYTES_MAX].decode(errors="replace"), RESULT_CHARACTERS_MAX)
    result = f"{answer.status_code}{': ' + text if text else ''}"
    if answer.is_success:
        return result
    raise webhook.refusal(f"it answered {result}", answer.status_code, answer.headers.get("Retry-After", ""))


def _locked(session: Session, claimed: Claimed) -> HookCall | None:
    return session.scalar(
        select(HookCall)
        .where(HookCall.id == claimed.subject_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
