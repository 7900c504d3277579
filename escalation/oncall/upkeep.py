"""When who is on call is looked at: at each change of duty, after each edit, and each day for gaps to come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from escalation.models import ScheduleRow, Timer, TimerKind
from escalation.paging import timers
from escalation.paging.lanes import ENGINE_LANE
from escalation.paging.timers import Wanted

COVERAGE = 1  # the one subject of its kind
SETTLES_AFTER = timedelta(minutes=10)  # an edit that opens a gap is often followed by the one that fills it
RANK = 8  # behind pages


def look_again(session: Session, now: datetime, *, schedules: Collection[str] | None = None) -> None:
    """After an edit of these schedules, or of any: who is on call now, and soon whether there are gaps."""
    rows = list(session.scalars(_chosen(schedules)))
    timers.set_all(session, [duty(row, now) for row in rows])
    timers.set_all(session, [coverage(now + SETTLES_AFTER)])


def begin(session: Session, now: datetime) -> None:
    """When an engine starts: what has no timer yet gets one. Databases of older versions have none at all."""
    rows = session.execute(select(Timer.kind, Timer.subject_id).where(Timer.incident_id.is_(None)))
    have = {(row.kind, row.subject_id) for row in rows}
    wanted = [duty(row, now) for row in session.scalars(_chosen(None))] + [coverage(now + SETTLES_AFTER)]
    timers.set_all(session, [each for each in wanted if (each.kind, each.subject_id) not in have])


def duty(row: ScheduleRow, at: datetime) -> Wanted:
    """Where Slack is told too, it waits for Slack's lane, so that nothing else waits for Slack."""
    lane = "slack" if row.definition.get("slack_usergroup") else ENGINE_LANE
    return Wanted(TimerKind.DUTY, row.id, None, at, lane=lane, rank=RANK)


def coverage(at: datetime) -> Wanted:
    return Wanted(TimerKind.COVERAGE, COVERAGE, None, at, rank=RANK)


def _chosen(schedules: Collection[str] | None) -> Select[ScheduleRow]:
    statement = select(ScheduleRow).order_by(ScheduleRow.id)
    return statement if schedules is None else statement.where(ScheduleRow.key.in_(schedules))
