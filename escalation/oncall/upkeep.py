"""When who is on call is looked at: at each change of duty, after each edit, and each day for gaps to come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from escalation.models import ScheduleRow, Timer, TimerKind
from escalation.oncall import rota
from escalation.oncall.models import CalendarCopy
from escalation.paging import lanes, timers
from escalation.paging.timers import Wanted

COVERAGE = 1  # the one subject of its kind
SETTLES_AFTER = timedelta(minutes=10)  # an edit that opens a gap is often followed by the one that fills it
RANK = 8  # behind pages


def look_again(session: Session, now: datetime, *, schedules: Collection[str] | None = None) -> None:
    """After an edit of these schedules, or of any: who is on call now, and soon whether there are gaps."""
    rows = list(session.scalars(_chosen(schedules)))
    timers.set_all(session, [duty(row, now) for row in rows])
    timers.set_all(session, [coverage(now + SETTLES_AFTER)])
    timers.set_all(session, [calendar(copy, now) for copy in _copies(session, rows) if copy.tried_at is None])


def begin(session: Session, now: datetime) -> None:
    """When an engine starts: what has no timer yet gets one. Databases of older versions have none at all."""
    there = session.execute(select(Timer.kind, Timer.subject_id).where(Timer.incident_id.is_(None)))
    have = {(timer.kind, timer.subject_id) for timer in there}
    rows = list(session.scalars(_chosen(None)))
    wanted = [duty(row, now) for row in rows] + [coverage(now + SETTLES_AFTER)]
    wanted += [calendar(copy, now) for copy in _copies(session, rows)]
    timers.set_all(session, [each for each in wanted if (each.kind, each.subject_id) not in have])


def duty(row: ScheduleRow, at: datetime) -> Wanted:
    """Where Slack is told too, it waits for Slack's lane, so that nothing else waits for Slack."""
    lane = lanes.lane("slack", page=False) if row.definition.get("slack_usergroup") else lanes.ENGINE_LANE
    return Wanted(TimerKind.DUTY, row.id, None, at, lane=lane, rank=RANK)


def coverage(at: datetime) -> Wanted:
    return Wanted(TimerKind.COVERAGE, COVERAGE, None, at, rank=RANK)


def calendar(copy: CalendarCopy, at: datetime) -> Wanted:
    return Wanted(TimerKind.CALENDAR, copy.id, None, at, lane="calendar", rank=RANK)


def _copies(session: Session, rows: Collection[ScheduleRow]) -> list[CalendarCopy]:
    """Of the calendars that serve these schedules as rotations; made where there is none yet."""
    urls = {each["calendar"] for row in rows for each in row.definition["rotations"] if each.get("calendar")}
    hashes = {rota.calendar_hash(url) for url in urls}
    if not hashes:
        return []
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    empty = {"shifts": [], "error": "", "findings": [], "validators": {}}
    made = insert(CalendarCopy).values([{"url_hash": each, **empty} for each in sorted(hashes)])
    session.execute(made.on_conflict_do_nothing(index_elements=["url_hash"]))
    return list(session.scalars(select(CalendarCopy).where(CalendarCopy.url_hash.in_(hashes))))


def _chosen(schedules: Collection[str] | None) -> Select[ScheduleRow]:
    statement = select(ScheduleRow).order_by(ScheduleRow.id)
    return statement if schedules is None else statement.where(ScheduleRow.key.in_(schedules))
