"""The verbs of escalation: start, advance, stop, resume, hasten, announce.

Each runs inside the caller's transaction and locks the escalation first; the caller has locked its incident
before, and pages and timers follow. What is done is reported to the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session

from escalation import beside, fire, locks, plan, roll, state, wake
from escalation.brief import Brief, Standing
from escalation.journal import Journal
from escalation.models import Escalation, LivingMessage, Page, PageState, Responder, TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed, Wanted
from escalation.plan import BusinessDays, Progress, Stage, Urgency
from escalation.policies import Policy


@dataclass(frozen=True, slots=True)
class Terms:
    """What an escalation is started with, and frozen to."""

    policy: Policy
    last_resort: tuple[str, ...]  # targets as written: `responder:ana`
    urgency: Urgency
    days: BusinessDays  # the team's, for LOW's next one


def start(
    session: Session, journal: Journal, brief: Brief, terms: Terms, now: datetime, *, held_back: bool = False
) -> Escalation:
    """Begin to wake people for an incident. What is due at once is queued in this same transaction.

    `held_back`: nobody is woken or told until it is resumed, which begins then.
    """
    progress = Progress(Stage.STOPPED, now) if held_back else plan.begin(terms.urgency, now, terms.days)
    escalation = Escalation(
        incident_id=brief.incident_id,
        brief=brief.to_json(),
        standing=Standing().to_json(),
        policy=terms.policy.to_json(),
        last_resort=list(terms.last_resort),
        urgency=terms.urgency,
        timezone=terms.days.timezone,
        holidays=terms.days.holidays,
        acks=[],
        stage=progress.stage,
        cycle=0,
        position=0,
        level=0,
        firing=0,
        started_at=now,
        base_at=progress.base_at,
        stopped_at=now if held_back else None,
    )
    session.add(escalation)
    if held_back:
        session.flush()
        return escalation
    if brief.halt_recommended:
        session.flush()
        beside.consult(session, journal, escalation, now)
    go_on(session, journal, escalation, now)
    return escalation


def advance(session: Session, journal: Journal, claimed: Claimed, now: datetime) -> None:
    """Fire what is due of one escalation; the engine calls this for a timer it has claimed."""
    escalation = locks.escalation(session, Escalation.id == claimed.subject_id)
    if escalation is None or escalation.stage == Stage.STOPPED or not timers.still_held(session, claimed):
        timers.finish(session, claimed)
        return
    go_on(session, journal, escalation, now)


def stop(session: Session, journal: Journal, incident_id: int, *, standing: Standing, why: str, now: datetime) -> None:
    """Wake nobody more for this incident: queued pages are cancelled in this same transaction."""
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return
    timers.cancel(session, incident_id, (TimerKind.ADVANCE,))
    cancel(session, journal, escalation, true(), why, now)
    escalation.stage = Stage.STOPPED
    escalation.stopped_at = now
    show(session, escalation, replace(standing, level=escalation.level), now)


def resume(
    session: Session, journal: Journal, incident_id: int, *, urgency: Urgency, standing: Standing, now: datetime
) -> None:
    """Wake people anew by the frozen policy: the severity rose, or an acknowledgement was taken back."""
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return
    before = state.progress(escalation)
    progress = plan.raised(state.policy(escalation), before, urgency, now, state.days(escalation))
    pages_already = before.stage in (Stage.PAGING, Stage.LAST_RESORT)
    escalation.urgency = Urgency.HIGH if pages_already else urgency
    escalation.stopped_at = None
    escalation.acks = []
    state.set_progress(escalation, progress)
    escalation.standing = replace(standing, level=escalation.level).to_json()
    go_on(session, journal, escalation, now)
    show(session, escalation, replace(standing, level=escalation.level), now)


def hasten(session: Session, journal: Journal, incident_id: int, now: datetime) -> int | None:
    """Fire the next step now, because a person asked for it; the level reached. None when there is no escalation.

    One that pages nobody of its own (INFO is only logged, MEDIUM and LOW are told first) begins to page. The caller
    has seen that the incident is open.
    """
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return None
    progress = state.progress(escalation)
    if progress.stage in (Stage.NOTIFYING, Stage.STOPPED):
        escalation.urgency = Urgency.HIGH
        progress = plan.begin(Urgency.HIGH, now, state.days(escalation))
    state.set_progress(escalation, plan.hastened(state.policy(escalation), progress, now))
    go_on(session, journal, escalation, now)
    return escalation.level


def rebrief(
    session: Session, journal: Journal, incident_id: int, *, brief: Brief, standing: Standing, now: datetime
) -> None:
    """What is known has changed: what is sent from now on says so, and living messages are edited.

    When it has become one for which a halt is recommended, that goes on record and keepers are asked, whoever
    holds the incident already.
    """
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return
    recommended_before = escalation.brief["halt_recommended"]
    escalation.brief = brief.to_json()
    if brief.halt_recommended and not recommended_before:
        beside.consult(session, journal, escalation, now)
    show(session, escalation, replace(standing, level=escalation.level), now)


def announce(session: Session, incident_id: int, *, standing: Standing, now: datetime) -> None:
    """Where the response stands has changed: living messages are edited at the next tick."""
    escalation = locks.of_incident(session, incident_id)
    if escalation is not None:
        show(session, escalation, replace(standing, level=escalation.level), now)


def acknowledged_by(
    session: Session, journal: Journal, incident_id: int, responder: Responder | None, now: datetime
) -> int:
    """How many people must still acknowledge after this one has; 0: that was enough, and the caller stops it all.

    Whoever has acknowledged is paged no further, and it goes on for the others. None stands for a program, which is
    nobody that several could count on.
    """
    escalation = locks.of_incident(session, incident_id)
    needed = state.policy(escalation).acknowledgements if escalation else 1
    if escalation is None or escalation.stage == Stage.STOPPED or needed == 1:
        return 0
    if responder is not None and responder.key not in escalation.acks:
        escalation.acks = [*escalation.acks, responder.key]
    remaining = max(0, needed - len(escalation.acks))
    if remaining and responder is not None:
        theirs = Page.responder_id == responder.id
        cancel(session, journal, escalation, theirs, f"{responder.name} has it", now)
    return remaining


def has_acknowledged(session: Session, incident_id: int, key: str) -> bool:
    """Whether this person is one of several who have acknowledged, and more must."""
    acks = session.scalar(select(Escalation.acks).where(Escalation.incident_id == incident_id))
    return key in (acks or ())


def cancel(
    session: Session, journal: Journal, escalation: Escalation, which: ColumnElement[bool], why: str, now: datetime
) -> None:
    """Queued pages of the levels go; keepers are asked about a halt whoever holds the incident."""
    cancelled = session.scalars(
        update(Page)
        .where(Page.escalation_id == escalation.id, Page.state == PageState.QUEUED, Page.regardless.is_(False), which)
        .values(state=PageState.CANCELLED)
        .returning(Page.id)
        .execution_options(synchronize_session=False)
    ).all()
    timers.cancel_subjects(session, TimerKind.DELIVER, cancelled)
    if cancelled:
        journal(
            session,
            escalation.incident_id,
            "page.cancelled",
            f"{len(cancelled)} queued {'page was' if len(cancelled) == 1 else 'pages were'} cancelled: {why}.",
            occurred_at=now,
            payload={"pages": sorted(cancelled)},
        )


def go_on(session: Session, journal: Journal, escalation: Escalation, now: datetime) -> None:
    """Take every step that is due, each in order, and set the timer for the next."""
    situation = state.situation(escalation)
    wanted: list[Wanted] = []
    while (due := situation.due_at) is not None and due <= now:
        level, targets = wake.first(situation, now)
        place = wake.place(situation.policy, level) if level.round_robin else ""
        with session.no_autoflush:
            called = roll.call(session, targets, now, place=place)
        step, situation = wake.take(situation, called, now)
        escalation.urgency = situation.urgency
        state.set_progress(escalation, situation.progress)  # before the firing, so that one UPDATE carries both
        fire.level(session, journal, escalation, step, now, ids=called.ids, wanted=wanted)
    session.flush()
    if due is None:
        timers.cancel(session, escalation.incident_id, (TimerKind.ADVANCE,))
    else:
        rank = fire.rank(escalation)
        wanted.append(Wanted(TimerKind.ADVANCE, escalation.id, escalation.incident_id, due, rank=rank))
    timers.set_all(session, wanted)


def skip_ahead(session: Session, journal: Journal, escalation: Escalation, fired: Stage, now: datetime) -> None:
    """No page of the newest firing, which was at stage `fired`, could be handed over: what comes after a step that
    reaches nobody comes now. The caller holds the lock."""
    if escalation.stage == Stage.STOPPED:
        return
    state.set_progress(escalation, plan.past_failed(state.policy(escalation), fired, state.progress(escalation), now))
    go_on(session, journal, escalation, now)


def show(session: Session, escalation: Escalation, standing: Standing, now: datetime) -> None:
    escalation.standing = standing.to_json()
    shown: Sequence[LivingMessage] = session.scalars(
        select(LivingMessage).where(LivingMessage.escalation_id == escalation.id)
    ).all()
    fire.show(session, escalation, shown, now)
