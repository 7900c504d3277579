"""Handing one page to a provider: read and close, send, record. No network inside a transaction.

`begin` writes down that a try starts before it starts. If the engine dies in flight, the next one finds a try
without an end, says so in the message, and sends again: at most that one send is repeated, and none is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from escalation import fire
from escalation.brief import Brief, Standing
from escalation.channels import names
from escalation.channels.base import ChannelError, Message, Purpose, Sent
from escalation.journal import Journal
from escalation.models import Attempt, Escalation, LivingMessage, Page, PageState, Responder
from escalation.paging import bundling, falling_back, locking, receipts, retries, showing, timers
from escalation.paging.bundling import Told
from escalation.paging.timers import Claimed
from escalation.plan import Stage

_UNKNOWN = (
    update(Attempt)
    .where(Attempt.page_id == bindparam("page"), Attempt.outcome == "")
    .values(outcome="unknown", finished_at=bindparam("at"), error="The engine ended while the send was in flight.")
    .returning(Attempt.id)
    .execution_options(synchronize_session=False)
)
_told = aliased(Page)
# The person, and what they were told lately: messages, the last one's time, and the worst of it.
_ADDRESSEE = (
    select(
        Responder,
        func.count(_told.id).filter(_told.carrier_id.is_(None)),
        func.max(_told.sent_at),
        func.min(_told.told_rank),
    )
    .outerjoin(
        _told,
        (_told.responder_id == Responder.id)
        & (_told.channel == bindparam("channel"))
        & (_told.purpose == bindparam("purpose"))
        & (_told.sent_at > bindparam("since")),
    )
    .where(Responder.id == bindparam("person"))
    .group_by(Responder.id)
)


@dataclass(frozen=True, slots=True)
class Handover:
    """All that the send needs, so that no row is touched while it runs."""

    page_id: int
    attempt_id: int
    channel: str
    address: str
    message: Message
    queued_at: datetime
    due_at: datetime
    shows: str  # see showing.digest_of


@dataclass(frozen=True, slots=True)
class Company:
    """The pages that wait with one for the same person on the same channel, and how long they may be held."""

    waiting: Sequence[Claimed]  # this page among them
    window_seconds: float


class Held:
    """The page, and those that waited with it, were put back to be told in one message a moment later."""


def begin(
    session: Session,
    journal: Journal,
    claimed: Claimed,
    now: datetime,
    *,
    company: Company | None = None,
    carrier_id: int | None = None,
) -> Handover | Held | None:
    """Note a try and say what to send; None when there is nothing to send any more.

    The first page of a message is asked with its `company`, and may be held with it; the others with the first one's
    `carrier_id`.
    """
    page, escalation = locking.locked(session, claimed.subject_id)
    if page is None or escalation is None or page.state != PageState.QUEUED or locking.is_over(page, escalation):
        timers.finish(session, claimed)
        return None
    if not timers.still_held(session, claimed):
        return None
    person, told = _addressee(session, page, now)
    if company is not None and not page.note:  # a page with words of its own goes at once, by itself
        until = bundling.held_until(told, claimed.rank, page.due_at, now, company.window_seconds)
        if until is not None:
            timers.hold(session, company.waiting, until)
            return Held()
    if page.carrier_id != carrier_id:
        page.carrier_id = carrier_id
    unknown = session.scalars(_UNKNOWN, {"page": page.id, "at": now}).all()
    if unknown:
        text = f"It is not known whether the page to {person.name} by {names.name(page.channel)} went out; it is sent again, marked as a repeat."
        journal(
            session, page.incident_id, "page.unknown", text, occurred_at=now, payload=falling_back.facts(page, person)
        )
        if falling_back.tries(session, page, "unknown") >= retries.FALL_BACK_AFTER_FAILURES:
            falling_back.fall_back(session, journal, escalation, page, person, now)
    attempt = Attempt(page_id=page.id, started_at=now)
    session.add(attempt)
    session.flush()
    message = Message(
        purpose=Purpose(page.purpose),
        brief=Brief.from_json(escalation.brief),
        standing=Standing.from_json(escalation.standing),
        to_name=person.name,
        level=page.level,
        page_id=page.id,
        repeat=bool(unknown),
        last_resort=page.last_resort,
        note=page.note,
    )
    return Handover(
        page.id,
        attempt.id,
        page.channel,
        page.address,
        message,
        page.queued_at,
        page.due_at,
        showing.digest_of(escalation),
    )


def record_sent(
    session: Session,
    journal: Journal,
    claimed: Claimed,
    handover: Handover,
    sent: Sent,
    now: datetime,
    *,
    carrier: Handover | None = None,
    incidents: int = 1,
) -> None:
    """`carrier`: the page whose message told of this one, if it is another; `incidents`: how many it told of."""
    page, escalation = locking.locked(session, handover.page_id)
    if page is None or escalation is None:
        return
    reported = _end_attempt(session, handover, "sent", now).get(sent.provider_id)
    page.sent_at = now
    page.told_rank = claimed.rank
    page.provider_id = sent.provider_id if carrier is None else ""
    # Cancelled in flight stays cancelled; the attempt tells that it went out. One that another engine has given up
    # meanwhile, because this send outlived its lease, arrived after all.
    if page.state in (PageState.QUEUED, PageState.FAILED):
        page.state = PageState.SENT if carrier is None else PageState.BUNDLED
        page.carrier_id = carrier.page_id if carrier else None
    person = session.get_one(Responder, page.responder_id)
    text = f"Page to {person.name} handed over by {names.name(page.channel)}."
    if page.purpose == Purpose.NOTIFICATION:
        text = f"{person.name} notified by {names.name(page.channel)}."
    facts = falling_back.facts(page, person) | {"provider_id": sent.provider_id}
    if incidents > 1:
        text = f"{text[:-1]}, in one message about {incidents} incidents."
    if carrier:
        facts |= {"carrier": carrier.page_id}
    journal(session, page.incident_id, "page.sent", text, occurred_at=now, payload=facts)
    if sent.ref and carrier is None and incidents == 1:
        _keep_living(session, escalation, page, person, sent, handover.shows, now)
    if reported:
        session.flush()
        receipts.take_early(session, journal, page, escalation, handover.attempt_id, reported, now)
    timers.finish(session, claimed)


def record_failure(
    session: Session, journal: Journal, claimed: Claimed, handover: Handover, error: ChannelError, now: datetime
) -> None:
    page, escalation = locking.locked(session, handover.page_id)
    if page is None or escalation is None:
        return
    _end_attempt(session, handover, "refused" if error.permanent else "failed", now, error)
    person = session.get_one(Responder, page.responder_id)
    # A send that outlived its lease decides nothing: whoever has claimed the page since is at it, or was.
    if page.state != PageState.QUEUED or locking.is_over(page, escalation) or not timers.still_held(session, claimed):
        timers.finish(session, claimed)
        return
    page.carrier_id = None
    failures = falling_back.tries(session, page, "failed", "refused")
    decision = retries.decide(failures, permanent=error.permanent, retry_after_seconds=error.retry_after_seconds)
    facts = falling_back.facts(page, person) | {"code": error.code, "error": str(error), "try": failures}
    if decision.retry_in_seconds is None:
        page.state = PageState.FAILED
        timers.finish(session, claimed)
        text = f"The page to {person.name} by {names.name(page.channel)} was not taken: {error}"
        journal(session, page.incident_id, "page.failed", text, occurred_at=now, payload=facts)
    else:
        again_at = now + timedelta(seconds=decision.retry_in_seconds)
        timers.put_back(session, claimed, again_at, error=str(error), in_order=True)
        text = f"The page to {person.name} by {names.name(page.channel)} was not taken ({error}); trying again in {decision.retry_in_seconds:g} s."
        journal(session, page.incident_id, "page.retried", text, occurred_at=now, payload=facts)
    if error.of_address:
        falling_back.put_aside(session, journal, page, person, error.code, str(error).rstrip("."), now)
    if decision.fall_back:
        falling_back.fall_back(session, journal, escalation, page, person, now)


def give_up(session: Session, journal: Journal, claimed: Claimed, why: str, now: datetime) -> None:
    """The page's timer is parked: the page counts as failed, and the person's other ways come forward."""
    page, escalation = locking.locked(session, claimed.subject_id)
    if page is None or escalation is None or page.state != PageState.QUEUED or locking.is_over(page, escalation):
        return
    page.state = PageState.FAILED
    person = session.get_one(Responder, page.responder_id)
    text = f"The page to {person.name} by {names.name(page.channel)} was {why}."
    journal(session, page.incident_id, "page.failed", text, occurred_at=now, payload=falling_back.facts(page, person))
    falling_back.fall_back(session, journal, escalation, page, person, now)


def _addressee(session: Session, page: Page, now: datetime) -> tuple[Responder, Told]:
    asked = {
        "person": page.responder_id,
        "channel": page.channel,
        "purpose": page.purpose,
        "since": now - timedelta(seconds=bundling.RUN_SECONDS),
    }
    person, messages, last_at, worst = session.execute(_ADDRESSEE, asked).one()
    return person, Told(messages, last_at, worst)


def _keep_living(
    session: Session, escalation: Escalation, page: Page, person: Responder, sent: Sent, shows: str, now: datetime
) -> None:
    """Remember a message that can be edited; those to one address are edited together. `shows` is what it does."""
    living = session.scalar(
        select(LivingMessage).where(
            LivingMessage.escalation_id == escalation.id,
            LivingMessage.channel == page.channel,
            LivingMessage.address == page.address,
        )
    )
    if living is None:
        living = LivingMessage(
            escalation_id=escalation.id,
            incident_id=escalation.incident_id,
            channel=page.channel,
            address=page.address,
            to_name=person.name,
            level=page.level,
        )
        session.add(living)
    living.ref = showing.newest(living.ref, sent.ref)
    # A page goes on showing how it stood when it went out, until it has stopped; what goes out regardless tells of a
    # response that is under way.
    living.shown = shows if page.regardless else ""
    living.level = page.level
    session.flush()
    stands = showing.digest_of(escalation)
    if (page.regardless and shows != stands) or (escalation.stage == Stage.STOPPED and not page.regardless):
        fire.show(session, escalation, [living], now)


def _end_attempt(
    session: Session, handover: Handover, outcome: str, now: datetime, error: ChannelError | None = None
) -> dict[str, Any]:
    """What the provider had reported of it by then, by its id of the message."""
    early = session.scalar(
        update(Attempt)
        .where(Attempt.id == handover.attempt_id)
        .values(
            outcome=outcome,
            finished_at=now,
            code=error.code if error else "",
            error=str(error) if error else "",
            of_address=bool(error and error.of_address),
        )
        .returning(Attempt.early)
        .execution_options(synchronize_session=False)
    )
    return early or {}
