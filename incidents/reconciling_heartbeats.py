"""Whether each heartbeat is waited for: one without a timer could fall silent, and nobody would hear of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from escalation.findings import Finding, Kind
from escalation.models import Timer, TimerKind
from escalation.paging import timers
from incidents.models import Heartbeat

AGAIN_WITHIN = timedelta(hours=1)
SLACK = timedelta(minutes=10)  # a lease, a retry after a fault, and what an absence of Tocsin's own excuses


def suspects(session: Session, now: datetime) -> list[Finding]:
    timer = and_(Timer.kind == TimerKind.HEARTBEAT, Timer.subject_id == Heartbeat.id)
    statement = select(Heartbeat, Timer.visible_at).outerjoin(Timer, timer).order_by(Heartbeat.id)
    found = []
    for row, visible_at in session.execute(statement):
        span = timedelta(seconds=row.every_seconds + row.grace_seconds)
        waits_at_most = max((row.pinged_at or row.declared_at) + span, now + max(span, AGAIN_WITHIN)) + SLACK
        if row.missing_since is None:
            waits_at_most = max((row.pinged_at or row.declared_at) + span, now) + SLACK
        if visible_at is None or visible_at > waits_at_most:
            how = (
                "was waited for by nothing"
                if visible_at is None
                else f"was waited for until {visible_at:%Y-%m-%d %H:%M} UTC"
            )
            text = (
                f"The heartbeat {row.name} (key …{row.key_hint}) {how}: nobody would have heard of its silence in time."
            )
            found.append(Finding(Kind.HEARTBEAT_UNWATCHED, text, None, row.id))
    return found


def repair(session: Session, finding: Finding, now: datetime) -> str:
    """The engine looks at it now, and waits for it from then on."""
    timers.set_timer(session, TimerKind.HEARTBEAT, finding.subject_id, None, now, rank=2)
    return "The engine looks at it now."
