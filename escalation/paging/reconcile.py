"""Looks at pages, timers and living messages for what would leave somebody unwoken, and mends it.

Its questions to the database are its own, so that a mistake in how the engine decides shows here. What it mends it
mends by setting timers: what is done then, and whether anything is to be done at all, the engine looks at again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from escalation import findings, fire
from escalation.channels import names
from escalation.findings import Finding, Kind, Lag, QueuedPage
from escalation.models import (
    EnginePulse,
    Escalation,
    LivingMessage,
    Page,
    PageState,
    Responder,
    Timer,
    TimerKind,
)
from escalation.paging import reconcile_hooks, reconcile_upkeep, timers
from escalation.paging.models import Notice, NoticeState
from escalation.plan import Stage

PAGE_ROWS = 1_000  # read in one statement
LIVING_LOOKED_AT_MAX = 2_000  # the newest; an older message that is out of date keeps nobody asleep
ENGINE_SILENT_AFTER = timedelta(seconds=10)
ONCE_MORE_AFTER = timedelta(minutes=15)  # for a parked timer that wakes nobody
WAKES_PEOPLE = frozenset(
    {
        TimerKind.ADVANCE,
        TimerKind.DELIVER,
        TimerKind.ACK_TIMEOUT,
        TimerKind.PHASE,
        TimerKind.SNOOZE,
        TimerKind.SILENCE,
        TimerKind.WINDOW,
    }
)

# Written out, as are the indexes' conditions: SQLite uses a partial index for nothing else.
_IS_QUEUED: ColumnElement[bool] = literal_column("pages.state = 'queued'")


def engines(session: Session, now: datetime) -> list[Finding]:
    alive = session.scalar(select(func.count()).where(EnginePulse.seen_at > now - ENGINE_SILENT_AFTER)) or 0
    overdue = (Timer.parked_at.is_(None), Timer.visible_at < now - findings.ENGINE_LATE_AFTER)
    oldest = session.execute(
        select(Timer.visible_at, Timer.kind, Timer.lane, Timer.incident_id)
        .where(*overdue)
        .order_by(Timer.visible_at)
        .limit(1)
    ).first()
    count = session.scalar(select(func.count()).select_from(Timer).where(*overdue)) if oldest else 0
    return findings.of_engines(alive, Lag(count or 0, *oldest) if oldest else Lag(0, None), now)


def suspects(session: Session, now: datetime) -> list[Finding]:
    """What looks wrong at pages, timers and messages; each is to be looked at again under its incident's lock."""
    found: list[Finding] = []
    for rows in _in_pages(session, _queued_pages(), Page.id):
        found += _of_pages(rows, now)
    found += [*_parked(session), *_outdated(session), *_notices(session)]
    return [*found, *reconcile_upkeep.suspects(session), *reconcile_hooks.suspects(session)]


def of_incident(session: Session, incident_id: int, now: datetime) -> list[Finding]:
    """The same of one incident. Its escalation is locked first, and what is found holds until the transaction ends."""
    lock(session, incident_id)
    pages = session.execute(_queued_pages().where(Page.incident_id == incident_id)).all()
    session.execute(select(LivingMessage.id).where(LivingMessage.incident_id == incident_id).with_for_update()).all()
    found = [*_of_pages(pages, now), *_parked(session, incident_id), *_outdated(session, incident_id)]
    return [*found, *reconcile_hooks.suspects(session, incident_id)]


def lock(session: Session, incident_id: int) -> Escalation | None:
    """The escalation, so that nobody fires or hands over meanwhile; the caller has locked the incident before."""
    return session.scalar(
        select(Escalation)
        .where(Escalation.incident_id == incident_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def repair(session: Session, finding: Finding, now: datetime) -> str:
    """Mend it; in words, what was done. Only for what this module found, in the same transaction."""
    match finding.kind:
        case Kind.PAGE_UNWANTED:
            _cancel(session, finding.subject_id)
            return "It was cancelled."
        case Kind.PAGE_FORGOTTEN | Kind.PAGE_HELD_BACK:
            page = session.get_one(Page, finding.subject_id)
            fire.queue(session, session.get_one(Escalation, page.escalation_id), page)
            return "It goes out now." if page.due_at <= now else f"It goes out at {page.due_at:%H:%M} UTC."
        case Kind.MESSAGE_OUTDATED:
            message = session.get_one(LivingMessage, finding.subject_id)
            fire.show(session, session.get_one(Escalation, message.escalation_id), [message], now)
            return "It is brought up to date now."
        case Kind.NOTICE_FORGOTTEN:
            notice = session.get_one(Notice, finding.subject_id)
            timers.set_timer(session, TimerKind.NOTICE, notice.id, None, notice.due_at, lane=notice.channel, rank=8)
            return "It goes out now." if notice.due_at <= now else f"It goes out at {notice.due_at:%H:%M} UTC."
        case Kind.DUTY_MISSING | Kind.CALENDAR_MISSING | Kind.COVERAGE_MISSING:
            return reconcile_upkeep.repair(session, finding, now)
        case Kind.HOOK_FORGOTTEN:
            return reconcile_hooks.repair(session, finding, now)
        case Kind.TIMER_PARKED:
            return _unpark(session, finding.subject_id, now)
        case _:
            raise ValueError(f"{finding.kind} is not repaired here")


def advance_now(session: Session, escalation: Escalation, now: datetime) -> None:
    """Have the engine look at this escalation: it fires what is due, and sets the timer for what is not."""
    timers.set_timer(session, TimerKind.ADVANCE, escalation.id, escalation.incident_id, now, rank=fire.rank(escalation))


def is_planned_late(escalation: Escalation, now: datetime) -> bool:
    """Whether its own reckoning is too late, and not just its timer: to look again would change nothing."""
    levels = escalation.policy["levels"]
    of_level = float(levels[escalation.position]["after_seconds"]) if escalation.stage == Stage.PAGING else 0.0
    wait = findings.longest_wait(escalation.urgency, escalation.policy)
    return escalation.base_at + timedelta(seconds=of_level) > now + wait


def about_no_incident(session: Session) -> list[Finding]:
    """What there is now of findings that no incident's lock guards."""
    every = [*_parked(session), *_notices(session), *reconcile_upkeep.suspects(session)]
    return [finding for finding in every if finding.incident_id is None]


def _queued_pages() -> Select[*tuple[Any, ...]]:
    timer = and_(Timer.kind == TimerKind.DELIVER, Timer.subject_id == Page.id)
    return (
        select(
            Page.id.label("page_id"),
            Page.incident_id,
            Responder.name.label("to_name"),
            Page.channel,
            Page.due_at,
            Page.regardless,
            Escalation.stage,
            Timer.id.label("timer_id"),
            Timer.visible_at,
        )
        .join(Escalation, Escalation.id == Page.escalation_id)
        .join(Responder, Responder.id == Page.responder_id)
        .outerjoin(Timer, timer)
        .where(_IS_QUEUED)
        .order_by(Page.id)
    )


def _of_pages(rows: Sequence[Row[Any]], now: datetime) -> list[Finding]:
    judged = (findings.of_page(QueuedPage(**row._mapping), now) for row in rows)
    return [finding for finding in judged if finding is not None]


def _in_pages(session: Session, statement: Select[*tuple[Any, ...]], key: Any) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a statement that is ordered by `key`, its first column, a thousand at a time."""
    after = 0
    while True:
        rows = session.execute(statement.where(key > after).limit(PAGE_ROWS)).all()
        yield rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1][0]


def _parked(session: Session, incident_id: int | None = None) -> list[Finding]:
    statement = select(Timer.id, Timer.kind, Timer.incident_id, Timer.error, Timer.rank).where(
        literal_column("timers.parked_at IS NOT NULL")
    )
    if incident_id is not None:
        statement = statement.where(Timer.incident_id == incident_id).with_for_update()
    rows = session.execute(statement.order_by(Timer.id).limit(PAGE_ROWS))
    return [
        Finding(
            Kind.TIMER_PARKED,
            f"A timer ({row.kind}{f' of incident {row.incident_id}' if row.incident_id else ''}) was put aside because "
            f"acting on it kept failing: {row.error}.",
            row.incident_id,
            row.id,
            row.rank,
        )
        for row in rows
    ]


def _notices(session: Session) -> list[Finding]:
    newest = select(Notice.id).order_by(Notice.id.desc()).limit(PAGE_ROWS).scalar_subquery()
    rows = session.execute(
        select(Notice.id, Notice.kind, Notice.channel)
        .outerjoin(Timer, and_(Timer.kind == TimerKind.NOTICE, Timer.subject_id == Notice.id))
        .where(Notice.id.in_(newest), Notice.state == NoticeState.QUEUED, Timer.id.is_(None))
        .order_by(Notice.id)
    )
    text = "A notice ({}, by {}) was queued, and nothing would ever have sent it."
    return [
        Finding(Kind.NOTICE_FORGOTTEN, text.format(row.kind, names.name(row.channel)), None, row.id, 8) for row in rows
    ]


def _unpark(session: Session, timer_id: int, now: datetime) -> str:
    timer = session.get_one(Timer, timer_id)
    page = session.get(Page, timer.subject_id) if timer.kind == TimerKind.DELIVER else None
    escalation = session.get(Escalation, timer.subject_id) if timer.kind == TimerKind.ADVANCE else None
    given_up = page is not None and page.state != PageState.QUEUED
    if given_up or (escalation is not None and escalation.stage == Stage.STOPPED):
        session.execute(delete(Timer).where(Timer.id == timer_id))
        return "There is nothing left for it to do, and it was removed."
    wakes = timer.kind in WAKES_PEOPLE
    # What ended an engine each time would end the next ones as often, and with them every page.
    at, tries = (now, 0) if wakes else (now + ONCE_MORE_AFTER, timers.TRIES_MAX - 1)
    unclaimed = {"visible_at": at, "tries": tries, "parked_at": None, "claim": "", "claimed_by": ""}
    session.execute(update(Timer).where(Timer.id == timer_id).values(unclaimed))
    again = "again now" if wakes else f"once more at {at:%H:%M} UTC"
    return f"It is tried {again}; the log of the engine says what failed."


def _cancel(session: Session, page_id: int) -> None:
    session.execute(
        update(Page).where(Page.id == page_id, Page.state == PageState.QUEUED).values(state=PageState.CANCELLED)
    )
    timers.cancel_subjects(session, TimerKind.DELIVER, [page_id])


def _outdated(session: Session, incident_id: int | None = None) -> list[Finding]:
    """Messages that show something else than how it stands, and that nothing is about to edit."""
    timer = and_(Timer.kind == TimerKind.SHOW, Timer.subject_id == LivingMessage.id)
    of_one: Sequence[ColumnElement[bool]] = () if incident_id is None else (LivingMessage.incident_id == incident_id,)
    rows = session.execute(
        select(
            LivingMessage.id,
            LivingMessage.incident_id,
            LivingMessage.channel,
            LivingMessage.ref,
            LivingMessage.shown,
            Escalation.brief,
            Escalation.standing,
        )
        .join(Escalation, Escalation.id == LivingMessage.escalation_id)
        .outerjoin(Timer, timer)
        # What its provider refused stays as it is, and was said when it was.
        .where(Timer.id.is_(None), LivingMessage.error == "", *of_one)
        .order_by(LivingMessage.id.desc())
        .limit(LIVING_LOOKED_AT_MAX)
    )
    return [
        Finding(
            Kind.MESSAGE_OUTDATED,
            # Not its address: a webhook's carries a secret.
            f"A message about incident {row.incident_id} by {names.name(row.channel)} was not up to date, and nothing would have "
            "changed that.",
            row.incident_id,
            row.id,
            8,
        )
        for row in rows
        if _is_outdated(row)
    ]


def _is_outdated(row: Row[Any]) -> bool:
    if row.ref and not row.shown:
        # A page to a person, which shows how it stood when it went out: told apart once it has stopped.
        return bool(row.standing["status"] != findings.OPEN)
    shows = json.dumps([row.brief, row.standing], sort_keys=True)
    return bool(row.shown != hashlib.sha256(shows.encode()).hexdigest())
