"""Whether each alert that is to end when it stays quiet has a timer for it: without one it would fire for ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.findings import Finding, Kind
from escalation.models import Timer, TimerKind
from escalation.paging import reconcile, timers
from incidents.models import IS_FIRING, Alert


def suspects(session: Session, number: int | None = None) -> list[Finding]:
    """Of all incidents, or of one."""
    statement = (
        select(Alert.id, Alert.incident_id, Alert.title, Alert.settles_at)
        .outerjoin(Timer, (Timer.kind == TimerKind.SETTLE) & (Timer.subject_id == Alert.id))
        .where(IS_FIRING, Alert.settles_at.is_not(None), Timer.id.is_(None))
        .limit(reconcile.PAGE_ROWS)
    )
    if number is not None:
        statement = statement.where(Alert.incident_id == number)
    return [
        Finding(
            Kind.SETTLE_MISSING,
            f"The alert {row.title[:80]!r} of incident {row.incident_id} was to end at {row.settles_at:%Y-%m-%d %H:%M}"
            " UTC if it stays quiet, and nothing would have ended it.",
            row.incident_id,
            row.id,
        )
        for row in session.execute(statement)
    ]


def repair(session: Session, finding: Finding, now: datetime) -> str:
    """The caller holds the incident's lock."""
    alert = session.get_one(Alert, finding.subject_id)
    at = max(now, alert.settles_at or now)
    timers.set_timer(session, TimerKind.SETTLE, alert.id, alert.incident_id, at)
    return "The engine looks at it now." if at == now else "It ends then."
