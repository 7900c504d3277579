"""Whether what is held back by silences will be released, and whether each silence will begin and end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from escalation.findings import Finding, Kind
from escalation.models import Timer, TimerKind
from escalation.paging import timers
from escalation.paging.timers import Wanted
from incidents import silence_rows, silences
from incidents.models import Incident
from incidents.severity import IncidentClass
from incidents.silence_models import SilencedIncident, SilenceRow

SLACK = timedelta(minutes=2)  # until an engine has come to what was ended
LATE = timedelta(minutes=10)  # a lease, and a retry after a fault

_release = aliased(Timer)
# Beside an incident's row: the timer that will look at it again.
RELEASE = (_release, and_(_release.kind == TimerKind.SILENCE, _release.subject_id == Incident.id))


def columns(now: datetime) -> tuple[ColumnElement[Any], ...]:
    """What `findings.Incident` is told of silences."""
    holds = exists().where(
        SilencedIncident.incident_id == Incident.id,
        SilencedIncident.outcome == "",
        SilencedIncident.silence_id == SilenceRow.id,
        or_(SilenceRow.ended_at.is_(None), SilenceRow.ended_at > now - SLACK),
    )
    operational = Incident.incident_class == IncidentClass.OPERATIONAL
    return (
        Incident.silenced_until.label("silenced_until"),
        # Asked of those only that are silenced.
        or_(Incident.silenced_until.is_(None), and_(operational, holds)).label("may_be_silenced"),
        _release.due_at.label("release_at"),
    )


def suspects(session: Session, now: datetime) -> list[Finding]:
    """Silences that are not over, and that nothing will begin or end in time."""
    timer = and_(Timer.kind == TimerKind.WINDOW, Timer.subject_id == SilenceRow.id)
    rows = session.execute(
        select(SilenceRow, Timer.visible_at)
        .outerjoin(Timer, timer)
        .where(SilenceRow.ended_at.is_(None))
        .order_by(SilenceRow.starts_at)  # as its index is, which has no others
    )
    found = []
    for row, visible_at in rows:
        due_by = silence_rows.value(row).next_change(now) or now
        if visible_at is not None and visible_at <= max(due_by, now) + LATE:
            continue
        text = f"Nothing would have begun or ended the silence {row.id} ({row.name or row.created_by}) at its time."
        found.append(Finding(Kind.WINDOW_MISSING, text, None, row.id, silences.RANK))
    return found


def repair(session: Session, finding: Finding, now: datetime) -> str:
    timers.set_all(session, [Wanted(TimerKind.WINDOW, finding.subject_id, None, now, rank=silences.RANK)])
    return "The engine looks at it now."


def repair_of_incident(session: Session, incident: Incident, now: datetime) -> str:
    timers.set_all(session, [silences.timer(incident.id, now)])
    return "The engine looks at it now, and releases it if nothing silences it."
