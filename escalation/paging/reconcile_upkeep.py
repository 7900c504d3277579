"""What is looked at again for ever, and would not be: duties, the calendars of others, times that nobody covers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from escalation.findings import Finding, Kind
from escalation.models import ScheduleRow, Timer, TimerKind
from escalation.oncall import upkeep
from escalation.oncall.models import CalendarCopy
from escalation.paging import timers

ROWS_MAX = 1_000
RANK = 8


def suspects(session: Session) -> list[Finding]:
    return [*_duties(session), *_calendars(session), *_coverage(session)]


def repair(session: Session, finding: Finding, now: datetime) -> str:
    match finding.kind:
        case Kind.DUTY_MISSING:
            wanted = upkeep.duty(session.get_one(ScheduleRow, finding.subject_id), now)
        case Kind.CALENDAR_MISSING:
            wanted = upkeep.calendar(session.get_one(CalendarCopy, finding.subject_id), now)
        case _:
            wanted = upkeep.coverage(now)
    timers.set_all(session, [wanted])
    return "The engine looks at it now."


def _duties(session: Session) -> list[Finding]:
    rows = session.execute(
        select(ScheduleRow.id, ScheduleRow.key)
        .outerjoin(Timer, and_(Timer.kind == TimerKind.DUTY, Timer.subject_id == ScheduleRow.id))
        .where(Timer.id.is_(None))
        .order_by(ScheduleRow.id)
        .limit(ROWS_MAX)
    )
    text = "Nobody would have been told of the next change of duty on the schedule {}."
    return [Finding(Kind.DUTY_MISSING, text.format(row.key), None, row.id, RANK) for row in rows]


def _calendars(session: Session) -> list[Finding]:
    """One that no schedule names any more goes when it is looked at, so it is looked at too."""
    rows = session.execute(
        select(CalendarCopy.id, CalendarCopy.fetched_at)
        .outerjoin(Timer, and_(Timer.kind == TimerKind.CALENDAR, Timer.subject_id == CalendarCopy.id))
        .where(Timer.id.is_(None))
        .order_by(CalendarCopy.id)
        .limit(ROWS_MAX)
    )
    # Not its address, which is secret.
    text = "A calendar that says who is on call would not have been read again; it was last read {}."
    return [
        Finding(
            Kind.CALENDAR_MISSING,
            text.format(f"{row.fetched_at:%Y-%m-%d %H:%M} UTC" if row.fetched_at else "never"),
            None,
            row.id,
            RANK,
        )
        for row in rows
    ]


def _coverage(session: Session) -> list[Finding]:
    """Before there is a schedule there is nothing to cover."""
    waits = exists().where(Timer.kind == TimerKind.COVERAGE)
    if session.scalar(select(exists().select_from(ScheduleRow) & ~waits)):
        text = "Nobody would have been told of times to come when nobody is on call."
        return [Finding(Kind.COVERAGE_MISSING, text, None, upkeep.COVERAGE, RANK)]
    return []
