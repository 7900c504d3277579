"""Secret addresses that calendar programs read: one's own shifts on every schedule, or everybody's on one.

Whoever has the address reads; calendar programs cannot sign in. Its owner makes it and takes it back; only its hash is
kept, so it is told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import ids
from config.actor import Actor
from config.errors import ConflictError, NotAllowedError, NotFoundError
from escalation.models import Responder, ScheduleRow
from escalation.oncall import calendar, moves, outlook
from escalation.oncall.calendar import Entry
from escalation.oncall.models import CalendarFeed

BACK, AHEAD = timedelta(days=30), timedelta(days=180)
FEEDS_MAX = 20  # of one person
TOKEN_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Feed:
    id: int
    schedule: str | None  # key
    created_at: datetime
    url: str | None = None  # known only to who has just made it


def make(session: Session, actor: Actor, schedule: str | None, now: datetime, *, base_url: str) -> Feed:
    """Raises NotAllowedError for a program, NotFoundError for the schedule, ConflictError for too many."""
    owner_id = _owner(actor)
    row = session.scalar(select(ScheduleRow).where(ScheduleRow.key == schedule)) if schedule else None
    if schedule and row is None:
        raise NotFoundError(f"There is no schedule {schedule}.")
    count = session.scalar(select(func.count()).where(CalendarFeed.responder_id == owner_id)) or 0
    if count >= FEEDS_MAX:
        raise ConflictError(f"You have {count} calendar addresses. Take back one that you do not use.")
    token = ids.new_token()
    made = CalendarFeed(
        token_hash=ids.secret_hash(token), responder_id=owner_id, schedule_id=row.id if row else None, created_at=now
    )
    session.add(made)
    session.flush()
    return Feed(made.id, schedule, now, f"{base_url}/calendars/{token}.ics")


def own(session: Session, actor: Actor) -> Sequence[Feed]:
    rows = session.execute(
        select(CalendarFeed, ScheduleRow.key)
        .outerjoin(ScheduleRow, ScheduleRow.id == CalendarFeed.schedule_id)
        .where(CalendarFeed.responder_id == _owner(actor))
        .order_by(CalendarFeed.id)
    )
    return [Feed(row.id, key, row.created_at) for row, key in rows]


def revoke(session: Session, actor: Actor, feed_id: int) -> None:
    """Whoever still reads it is answered as if it had never been. Raises NotFoundError."""
    row = session.get(CalendarFeed, feed_id)
    if row is None or row.responder_id != _owner(actor):
        raise NotFoundError(f"You have no calendar address {feed_id}.")
    session.delete(row)


def document(session: Session, token: str, now: datetime, *, base_url: str) -> bytes:
    """The calendar at this address. Raises NotFoundError, also when its owner has left."""
    found = None
    if len(token) <= TOKEN_CHARACTERS_MAX:
        statement = select(CalendarFeed, Responder).join(Responder, Responder.id == CalendarFeed.responder_id)
        found = session.execute(statement.where(CalendarFeed.token_hash == ids.secret_hash(token))).first()
    if found is None or not found[1].active:
        raise NotFoundError("There is no calendar here.")
    feed, owner = found
    schedule = session.get(ScheduleRow, feed.schedule_id) if feed.schedule_id is not None else None
    since, until = _window(now)
    if schedule is None:
        entries = own_shifts(session, owner.key, since, until)
    else:
        entries = shifts(session, since, until, keys=[schedule.key])
    name = f"On call: {owner.name if schedule is None else schedule.key}"
    return calendar.write(name, entries, own=schedule is None, url=f"{base_url}/oncall", now=now)


def shifts(session: Session, since: datetime, until: datetime, *, keys: Sequence[str]) -> list[Entry]:
    """In order of time; a person's time on one schedule that touches is one, whatever it is for."""
    found = outlook.spans(session, since, until, keys)
    wanted = {responder for _, responder, _, _ in found}
    named = select(Responder.key, Responder.name).where(Responder.key.in_(wanted))
    names = {row.key: row.name for row in session.execute(named)}
    return [
        Entry(schedule, responder, names.get(responder, responder), span[0], span[1], shadow)
        for schedule, responder, shadow, span in sorted(found, key=lambda each: (each[3], each[0], each[1]))
    ]


def own_shifts(session: Session, responder: str, since: datetime, until: datetime) -> list[Entry]:
    """One person's, on every schedule that can name them."""
    person = session.scalar(select(Responder).where(Responder.key == responder))
    keys = moves.schedules_of(session, person, since) if person else []
    return [entry for entry in shifts(session, since, until, keys=keys) if entry.responder == responder]


def _window(now: datetime) -> tuple[datetime, datetime]:
    """Whole months: a shift that is cut at an end keeps that end, and with it its identity, for a month."""
    first = (now - BACK).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (now + AHEAD).replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    return first, last.replace(day=1)


def _owner(actor: Actor) -> int:
    if actor.responder_id is None:
        raise NotAllowedError(f"A calendar address is a person's; {actor.name} is a program.")
    return actor.responder_id
