"""What the paging of an incident looks like from outside: who was paged, with what result, and what comes next.

Reads only, and gives values only; how many statements it takes does not depend on how much there is to show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from escalation import state
from escalation.brief import Standing
from escalation.models import Attempt, Escalation, Page, PageState, Responder, Timer, TimerKind
from escalation.plan import Stage

PAGES_MAX = 500  # the newest; a policy that goes on for weeks makes thousands


@dataclass(frozen=True, slots=True)
class Person:
    key: str  # "" for a program
    name: str


@dataclass(frozen=True, slots=True)
class AttemptMade:
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None  # sent, delivered, undelivered, refused, failed, unknown; None while it is in flight
    code: str
    error: str


@dataclass(frozen=True, slots=True)
class PageMade:
    responder: str  # their key
    responder_name: str
    channel: str
    level: int
    purpose: str  # page, notification
    last_resort: bool
    state: str
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    told_with: int | None  # bundled: the incident whose page's message told of this one
    attempts: tuple[AttemptMade, ...]


@dataclass(frozen=True, slots=True)
class NextStep:
    what: str  # "level 2", "last resort"
    at: datetime


@dataclass(frozen=True, slots=True)
class Paging:
    """`pages` are the newest PAGES_MAX, oldest first; `pages_total` counts all."""

    standing: Standing
    next: NextStep | None  # None: nobody else is going to be woken
    pages: tuple[PageMade, ...]
    pages_total: int


def people(session: Session, responder_ids: Collection[int]) -> dict[int, Person]:
    """By id; also those who have left."""
    if not responder_ids:
        return {}
    columns = select(Responder.id, Responder.key, Responder.name).where(Responder.id.in_(responder_ids))
    return {row.id: Person(row.key, row.name) for row in session.execute(columns)}


def standings(session: Session, incident_ids: Collection[int]) -> dict[int, Standing]:
    """Where each response stands; incidents nobody was to be told of are not in it."""
    columns = select(Escalation.incident_id, Escalation.standing, Escalation.level)
    rows = session.execute(columns.where(Escalation.incident_id.in_(incident_ids)))
    return {row.incident_id: replace(Standing.from_json(row.standing), level=row.level) for row in rows}


def paging(session: Session, incident_id: int) -> Paging:
    found = session.execute(
        select(Escalation, Timer.due_at)
        .outerjoin(
            Timer,
            and_(Timer.kind == TimerKind.ADVANCE, Timer.subject_id == Escalation.id, Timer.parked_at.is_(None)),
        )
        .where(Escalation.incident_id == incident_id)
    ).first()
    if found is None:
        return Paging(Standing(), None, (), 0)
    escalation, due_at = found
    pages, total = _pages(session, incident_id)
    return Paging(
        standing=replace(Standing.from_json(escalation.standing), level=escalation.level),
        next=NextStep(_what_comes(escalation), due_at) if due_at is not None else None,
        pages=pages,
        pages_total=total,
    )


def _what_comes(escalation: Escalation) -> str:
    stage = Stage(escalation.stage)
    if stage is Stage.NOTIFYING:
        return "notification of the on-call"
    if stage is Stage.LAST_RESORT:
        return "last resort"
    level = state.policy(escalation).levels[escalation.position].level
    return f"level {level} again" if escalation.cycle else f"level {level}"


def _pages(session: Session, incident_id: int) -> tuple[tuple[PageMade, ...], int]:
    carrier = aliased(Page)
    rows = session.execute(
        select(Page, Responder.key, Responder.name, carrier.incident_id, func.count().over().label("total"))
        .join(Responder, Responder.id == Page.responder_id)
        .outerjoin(carrier, (carrier.id == Page.carrier_id) & (Page.state == PageState.BUNDLED))
        .where(Page.incident_id == incident_id)
        .order_by(Page.id.desc())
        .limit(PAGES_MAX)
    ).all()
    if not rows:
        return (), 0
    attempts = _attempts(session, and_(Page.incident_id == incident_id, Page.id >= rows[-1][0].id))
    made = tuple(
        PageMade(
            responder=key,
            responder_name=name,
            channel=page.channel,
            level=page.level,
            purpose=page.purpose,
            last_resort=page.last_resort,
            state=page.state,
            queued_at=page.queued_at,
            due_at=page.due_at,
            sent_at=page.sent_at,
            delivered_at=page.delivered_at,
            told_with=told_with,
            attempts=tuple(attempts[page.id]),
        )
        for page, key, name, told_with, _ in reversed(rows)
    )
    return made, rows[0].total


def _attempts(session: Session, of_pages: ColumnElement[bool]) -> defaultdict[int, list[AttemptMade]]:
    rows = session.scalars(select(Attempt).join(Page, Page.id == Attempt.page_id).where(of_pages).order_by(Attempt.id))
    found: defaultdict[int, list[AttemptMade]] = defaultdict(list)
    for row in rows:
        found[row.page_id].append(
            AttemptMade(row.started_at, row.finished_at, row.outcome or None, row.code, row.error)
        )
    return found
