"""Events that wait for a team's own program and that nothing would tell it of: nor of what comes after each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, literal_column, select
from sqlalchemy.orm import Session

from escalation.findings import Finding, Kind
from escalation.models import Timer, TimerKind
from escalation.paging import timers
from incidents import events
from incidents.event_models import EventDelivery

ROWS_MAX = 1_000  # mended in one round, the rest in the next
# Written out as its index's condition is, and asked for in its order: SQLite uses a partial index for nothing else.
_IS_QUEUED: ColumnElement[bool] = literal_column("event_deliveries.state = 'queued'")


def suspects(session: Session) -> list[Finding]:
    rows = session.execute(
        select(EventDelivery.id, EventDelivery.kind, EventDelivery.incident_id)
        .outerjoin(Timer, and_(Timer.kind == TimerKind.EVENT, Timer.subject_id == EventDelivery.id))
        .where(_IS_QUEUED, Timer.id.is_(None))
        .order_by(EventDelivery.receiver_id, EventDelivery.incident_id, EventDelivery.id)
        .limit(ROWS_MAX)
    )
    text = "A program was to be told the event {} of incident {}, and nothing would ever have done it."
    # About no incident as others are: nobody is woken by it, and no incident's lock guards it.
    return [
        Finding(Kind.EVENT_FORGOTTEN, text.format(row.kind, row.incident_id), None, row.id, events.RANK) for row in rows
    ]


def repair(session: Session, finding: Finding, now: datetime) -> str:
    timers.set_timer(session, TimerKind.EVENT, finding.subject_id, None, now, lane=events.LANE, rank=events.RANK)
    return "It is told now."
