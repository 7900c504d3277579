"""Hook calls that were queued and that nothing would make: a halt that nobody is told of, a remedy never tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from escalation import hooks
from escalation.findings import Finding, Kind
from escalation.models import Timer, TimerKind
from escalation.paging import timers
from escalation.paging.models import HookCall

NEWEST = 1_000  # calls are made within minutes: of older ones none is waiting


def suspects(session: Session, incident_id: int | None = None) -> list[Finding]:
    """Of the newest calls, or of one incident's, whose lock the caller holds then."""
    statement = (
        select(HookCall.id, HookCall.incident_id, HookCall.purpose)
        .outerjoin(Timer, and_(Timer.kind == TimerKind.HOOK, Timer.subject_id == HookCall.id))
        .where(HookCall.state == hooks.QUEUED, Timer.id.is_(None))
        .order_by(HookCall.id)
    )
    if incident_id is None:
        newest = select(HookCall.id).order_by(HookCall.id.desc()).limit(NEWEST)
        statement = statement.where(HookCall.id.in_(newest.scalar_subquery()))
    else:
        statement = statement.where(HookCall.incident_id == incident_id).with_for_update(of=HookCall)
    return [
        Finding(
            Kind.HOOK_FORGOTTEN,
            f"The {row.purpose} hook was to be called for incident {row.incident_id}, and nothing would ever have done it.",
            row.incident_id,
            row.id,
            0 if row.purpose == hooks.HALT else 5,
        )
        for row in session.execute(statement)
    ]


def repair(session: Session, finding: Finding, now: datetime) -> str:
    timers.set_timer(session, TimerKind.HOOK, finding.subject_id, finding.incident_id, now, lane=hooks.LANE)
    return "It is called now."
