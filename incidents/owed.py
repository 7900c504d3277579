"""The timers that an incident owes while somebody holds it, looked for by the reconciler, and set where they lack."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, select
from sqlalchemy.orm import Session, aliased

from escalation import findings
from escalation.findings import Finding, Held, Kind
from escalation.models import Escalation, Timer, TimerKind
from escalation.paging import reconcile, timers
from incidents.lifecycle import Status
from incidents.models import HoldRow, Incident

TIMERS = {
    Kind.ACK_TIMEOUT_MISSING: TimerKind.ACK_TIMEOUT,
    Kind.PHASE_MISSING: TimerKind.PHASE,
    Kind.SNOOZE_MISSING: TimerKind.SNOOZE,
}


def suspects(session: Session) -> list[Finding]:
    """Of all incidents that somebody holds, a thousand in one statement."""
    found: list[Finding] = []
    after = 0
    while True:
        rows = _rows(session, Incident.status == Status.ACKNOWLEDGED, Incident.id > after)
        found += _judged(rows)
        if len(rows) < reconcile.PAGE_ROWS:
            return found
        after = rows[-1].incident_id


def of_incident(session: Session, number: int) -> list[Finding]:
    return _judged(_rows(session, Incident.id == number, Incident.status == Status.ACKNOWLEDGED))


def repair(session: Session, finding: Finding, incident: Incident, now: datetime) -> str:
    """Have the engine look at it now: it does what is due, and sets the timer for what is not."""
    at = now
    if finding.kind is Kind.SNOOZE_MISSING:  # its act does not ask what time it is
        at = max(now, incident.snoozed_until or now)
    timers.set_timer(session, TIMERS[finding.kind], incident.id, incident.id, at)
    return "The engine looks at it now." if at == now else "It ends then."


def _judged(rows: Sequence[Row[Any]]) -> list[Finding]:
    return [finding for row in rows for finding in findings.of_held(Held(**row._mapping))]


def _rows(session: Session, *chosen: ColumnElement[bool]) -> Sequence[Row[Any]]:
    ack_timeout, phase, snooze = aliased(Timer), aliased(Timer), aliased(Timer)
    statement = select(
        Incident.id.label("incident_id"),
        Incident.severity,
        Incident.recovered_at,
        Incident.phase_late,
        Incident.snoozed_until,
        exists().where(HoldRow.incident_id == Incident.id, HoldRow.ended_at.is_(None)).label("on_hold"),
        Escalation.policy["ack_timeout_seconds"].as_float().label("ack_timeout_seconds"),
        ack_timeout.id.label("ack_timeout_id"),
        phase.id.label("phase_id"),
        snooze.id.label("snooze_id"),
    ).join(Escalation, Escalation.incident_id == Incident.id)
    for kind, timer in zip(TIMERS.values(), (ack_timeout, phase, snooze), strict=True):
        statement = statement.outerjoin(timer, (timer.kind == kind) & (timer.subject_id == Incident.id))
    return session.execute(statement.where(*chosen).order_by(Incident.id).limit(reconcile.PAGE_ROWS)).all()
