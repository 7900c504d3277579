"""Handing one page to a provider: read and close, send, record. No network inside a transaction.

`begin` writes down that a try starts before it starts. If the engine dies in flight, the next one finds a try
without an end, says so in the message, and sends again: at most that one send is repeated, and none is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from escalation import beside, escalate, fire, responders
from escalation.brief import Brief, Standing
from escalation.channels.base import ChannelError, Message, Purpose, Sent
from escalation.journal import Journal
from escalation.models import Attempt, Escalation, LivingMessage, Page, PageState, Responder
from escalation.paging import retries, timers
from escalation.paging.timers import Claimed
from escalation.plan import Stage

_ESCALATION = (
    select(Escalation)
    .join(Page, Page.escalation_id == Escalation.id)
    .where(Page.id == bindparam("page"))
    .with_for_update(key_share=True, of=Escalation)
    .execution_options(populate_existing=True)
)
_PAGE = select(Page).where(Page.id == bindparam("page")).with_for_update().execution_options(populate_existing=True)
_UNKNOWN = (
    update(Attempt)
    .where(Attempt.page_id == bindparam("page"), Attempt.outcome == "")
    .values(outcome="unknown", finished_at=bindparam("at"), error="The engine ended while the send was in flight.")
    .returning(Attempt.id)
    .execution_options(synchronize_session=False)
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


def begin(session: Session, journal: Journal, claimed: Claimed, now: datetime) -> Handover | None:
    """Note a try and say what to send; None when there is nothing to send any more."""
    page, escalation = _locked(session, claimed.subject_id)
    if page is None or escalation is None or page.state != PageState.QUEUED or _is_over(page, escalation):
        timers.finish(session, claimed)
        return None
    if not timers.still_held(session, claimed):
        return None
    unknown = session.scalars(_UNKNOWN, {"page": page.id, "at": now}).all()
    person = session.get_one(Responder, page.responder_id)
    if unknown:
        text = f"It is not known whether {page.channel} took the page to {person.name}; it is sent again, marked as a repeat."
        journal(session, page.incident_id, "page.unknown", text, occurred_at=now, payload=_facts(page, person))
        if _tries(session, page, "unknown") >= retries.FALL_BACK_AFTER_FAILURES:
            _fall_back(session, journal, escalation, page, person, now)
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
    return Handover(page.id, attempt.id, page.channel, page.address, message, page.queued_at, page.due_at)


def record_sent(
    session: Session, journal: Journal, claimed: Claimed, handover: Handover, sent: Sent, now: datetime
) -> None:
    page, escalation = _locked(session, handover.page_id)
    if page is None or escalation is None:
        return
    _end_attempt(session, handover, "sent", now)
    page.sent_at = now
    page.provider_id = sent.provider_id
    # Cancelled in flight stays cancelled; the attempt tells that it went out. One that another engine has given up
    # meanwhile, because this send outlived its lease, arrived after all.
    if page.state in (PageState.QUEUED, PageState.FAILED):
        page.state = PageState.SENT
    person = session.get_one(Responder, page.responder_id)
    text = f"Page to {person.name} handed over by {page.channel}."
    if page.purpose == Purpose.NOTIFICATION:
        text = f"{person.name} notified by {page.channel}."
    facts = _facts(page, person) | {"provider_id": sent.provider_id}
    journal(session, page.incident_id, "page.sent", text, occurred_at=now, payload=facts)
    if sent.ref:
        _keep_living(session, escalation, page, person, sent, now)
    timers.finish(session, claimed)


def record_failure(
    session: Session, journal: Journal, claimed: Claimed, handover: Handover, error: ChannelError, now: datetime
) -> None:
    page, escalation = _locked(session, handover.page_id)
    if page is None or escalation is None:
        return
    _end_attempt(session, handover, "refused" if error.permanent else "failed", now, error)
    person = session.get_one(Responder, page.responder_id)
    # A send that outlived its lease decides nothing: whoever has claimed the page since is at it, or was.
    if page.state != PageState.QUEUED or _is_over(page, escalation) or not timers.still_held(session, claimed):
        timers.finish(session, claimed)
        return
    failures = _tries(session, page, "failed", "refused")
    decision = retries.decide(failures, permanent=error.permanent, retry_after_seconds=error.retry_after_seconds)
    facts = _facts(page, person) | {"code": error.code, "error": str(error), "try": failures}
    if decision.retry_in_seconds is None:
        page.state = PageState.FAILED
        timers.finish(session, claimed)
        text = f"{page.channel} did not take the page to {person.name}: {error}"
        journal(session, page.incident_id, "page.failed", text, occurred_at=now, payload=facts)
    else:
        again_at = now + timedelta(seconds=decision.retry_in_seconds)
        timers.put_back(session, claimed, again_at, error=str(error))
        text = f"{page.channel} did not take the page to {person.name} ({error}); trying again in {decision.retry_in_seconds:g} s."
        journal(session, page.incident_id, "page.retried", text, occurred_at=now, payload=facts)
    if decision.fall_back:
        _fall_back(session, journal, escalation, page, person, now)


def give_up(session: Session, journal: Journal, claimed: Claimed, why: str, now: datetime) -> None:
    """The page's timer is parked: the page counts as failed, and the person's other ways come forward."""
    page, escalation = _locked(session, claimed.subject_id)
    if page is None or escalation is None or page.state != PageState.QUEUED or _is_over(page, escalation):
        return
    page.state = PageState.FAILED
    person = session.get_one(Responder, page.responder_id)
    text = f"The page to {person.name} by {page.channel} was {why}."
    journal(session, page.incident_id, "page.failed", text, occurred_at=now, payload=_facts(page, person))
    _fall_back(session, journal, escalation, page, person, now)


def _fall_back(
    session: Session, journal: Journal, escalation: Escalation, page: Page, person: Responder, now: datetime
) -> None:
    """Bring this person's next way forward to now; with none left anywhere at this firing, go to the next level."""
    session.flush()
    siblings = session.scalars(
        select(Page)
        .where(
            Page.escalation_id == page.escalation_id,
            Page.firing == page.firing,
            Page.responder_id == page.responder_id,
        )
        .order_by(Page.step)
    ).all()
    later = [p for p in siblings if p.step > page.step]
    waiting = [p for p in later if p.state == PageState.QUEUED]
    if any(p.state in (PageState.SENT, PageState.DELIVERED) for p in later):
        return  # the next way has worked; those after it keep their times
    if waiting:
        if waiting[0].due_at > now:
            waiting[0].due_at = now
            fire.queue(session, escalation, waiting[0])
        return
    way = responders.untried(session, person.id, {p.channel for p in siblings})
    if way is not None:
        extra = Page(
            escalation_id=page.escalation_id,
            incident_id=page.incident_id,
            responder_id=person.id,
            purpose=page.purpose,
            level=page.level,
            firing=page.firing,
            step=siblings[-1].step + 1,
            channel=way.channel,
            address=way.address,
            last_resort=page.last_resort,
            regardless=page.regardless,
            note=page.note,
            queued_at=now,
            due_at=now,
        )
        session.add(extra)
        session.flush()
        fire.queue(session, escalation, extra)
        text = f"Falling back to {way.channel} to reach {person.name}."
        journal(session, page.incident_id, "page.fell_back", text, occurred_at=now, payload=_facts(extra, person))
        return
    if page.firing < 0 and not page.regardless:
        return  # whoever shadows a shift is told beside the level, and nobody waits for them
    if page.state == PageState.FAILED and not _anyone_left(session, page):
        if page.regardless:
            beside.failed(session, journal, escalation, page, person, now)
            return
        newest = page.firing == escalation.firing  # else a later level has fired meanwhile
        goes_on = newest and not page.last_resort
        text = f"No page of level {page.level} could be handed over"
        text += "; going on to the next step at once." if goes_on else "."
        journal(session, page.incident_id, "nobody.reachable", text, occurred_at=now, payload={"level": page.level})
        if newest:
            escalate.skip_ahead(session, journal, escalation, _fired_at(page), now)


def _is_over(page: Page, escalation: Escalation) -> bool:
    """Whether nobody is to be woken any more; a keeper is asked about a halt whoever holds the incident."""
    return escalation.stage == Stage.STOPPED and not page.regardless


def _fired_at(page: Page) -> Stage:
    """The stage of the escalation that asked for this page."""
    if page.last_resort:
        return Stage.LAST_RESORT
    return Stage.NOTIFYING if page.purpose == Purpose.NOTIFICATION else Stage.PAGING


def _tries(session: Session, page: Page, *outcomes: str) -> int:
    counted = select(func.count()).where(Attempt.page_id == page.id, Attempt.outcome.in_(outcomes))
    return session.scalar(counted) or 0


def _anyone_left(session: Session, page: Page) -> bool:
    """Whether any page of the same firing has gone out or may still go out."""
    left = session.scalar(
        select(func.count()).where(
            Page.escalation_id == page.escalation_id,
            Page.firing == page.firing,
            Page.state.not_in((PageState.FAILED, PageState.CANCELLED)),
        )
    )
    return bool(left)


def _keep_living(
    session: Session, escalation: Escalation, page: Page, person: Responder, sent: Sent, now: datetime
) -> None:
    """Remember a message that can be edited; the newest one to an address is the living one."""
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
    living.ref = dict(sent.ref)
    living.shown = ""  # by this message, nothing that has changed since it was written
    living.level = page.level
    session.flush()
    if escalation.stage == Stage.STOPPED:  # acknowledged while it was on its way: show that
        fire.show(session, escalation, [living], now)


def _locked(session: Session, page_id: int) -> tuple[Page | None, Escalation | None]:
    """Escalation before page, as everywhere."""
    escalation = session.scalar(_ESCALATION, {"page": page_id})
    page = session.scalar(_PAGE, {"page": page_id})
    return page, escalation


def _end_attempt(
    session: Session, handover: Handover, outcome: str, now: datetime, error: ChannelError | None = None
) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.id == handover.attempt_id)
        .values(outcome=outcome, finished_at=now, code=error.code if error else "", error=str(error) if error else "")
    )


def _facts(page: Page, person: Responder) -> dict[str, str | int]:
    return {"page": page.id, "responder": person.key, "channel": page.channel, "level": page.level}
