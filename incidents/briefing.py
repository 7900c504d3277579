"""What escalation is told of an incident: the frozen brief, and where the response stands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from escalation.brief import ALERTS_COUNTED_MAX, Brief, Standing
from incidents import phases, severity
from incidents.models import Alert, ChangeRequest, HoldRow, Incident, RequestState
from incidents.phases import Hold
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus
from runbook_links.models import RunbookLink
from runbook_links.shelf import Shelf

SUMMARY_CHARACTERS_MAX = 2_000
STEPS_SHOWN_MAX = 20  # the channels cut further, and say how many more there are


def incident_url(base_url: str, number: int) -> str:
    return f"{base_url}/incidents/{number}"


def runbook_url(base_url: str, runbook_id: str) -> str:
    return f"{base_url}/runbooks/{runbook_id}"


def leading(session: Session, incident: Incident) -> Alert:
    """The alert that the incident is named after, or else its first."""
    named = Alert.title != incident.title  # false comes first
    ordered = select(Alert).where(Alert.incident_id == incident.id).order_by(named, Alert.id)
    return session.scalars(ordered.limit(1)).one()


def brief(
    incident: Incident, alert: Alert, service_key: str, link: RunbookLink | None,
    *, base_url: str, shelf: Shelf, flaps: str = "",
) -> Brief:  # fmt: skip
    """`flaps`: why the alert counts as flapping, in a sentence."""
    runbook = shelf.library.get(link.runbook_id) if link else None
    return Brief(
        incident_id=incident.id,
        title=incident.title,
        incident_class=incident.incident_class,
        severity=incident.severity,
        service=service_key,
        summary="\n\n".join(part for part in (flaps, alert.body) if part)[:SUMMARY_CHARACTERS_MAX],
        reason=str(incident.classification.get("sentence", "")),
        opened_at=incident.opened_at,
        url=incident_url(base_url, incident.id),
        runbook_title=link.title if link else "",
        runbook_url=runbook_url(base_url, link.runbook_id) if link else "",
        runbook_steps=tuple(step.title for step in runbook.steps[:STEPS_SHOWN_MAX]) if runbook else (),
        emergency_title=link.emergency.get("title", "") if link else "",
        emergency_url=runbook_url(base_url, link.emergency["id"]) if link and link.emergency else "",
        halt_recommended=severity.recommends_halt(IncidentClass(incident.incident_class), Severity(incident.severity)),
    )


def holds(session: Session, incident_ids: Collection[int]) -> dict[int, tuple[Hold, ...]]:
    """The waits that governance demanded, of those incidents that have any, in the order they began."""
    if not incident_ids:
        return {}
    rows = session.scalars(select(HoldRow).where(HoldRow.incident_id.in_(incident_ids)).order_by(HoldRow.id))
    found: dict[int, tuple[Hold, ...]] = {}
    for row in rows:
        hold = Hold(row.reason, row.authority, row.opened_by, row.started_at, row.min_end_at, row.ended_at)
        found[row.incident_id] = (*found.get(row.incident_id, ()), hold)
    return found


def course(incident: Incident, holds: tuple[Hold, ...] = ()) -> phases.Course:
    return phases.Course(
        opened_at=incident.opened_at,
        acknowledged_at=incident.acknowledged_at,
        contained_at=incident.contained_at,
        recovered_at=incident.recovered_at,
        resolved_at=incident.resolved_at,
        holds=holds,
    )


def course_of(session: Session, incident: Incident) -> phases.Course:
    """With its holds, which stop the clocks of its phases."""
    return course(incident, holds(session, [incident.id]).get(incident.id, ()))


def _counted(session: Session, incident: Incident) -> tuple[int, int]:
    """How many alerts it has, up to ALERTS_COUNTED_MAX, and how many of those have ended. Only what was opened for
    others to join has several, and is asked."""
    if not incident.group_key:
        return 1, 0
    of_it = select(Alert.status).where(Alert.incident_id == incident.id).limit(ALERTS_COUNTED_MAX).subquery()
    ended = case((of_it.c.status != AlertStatus.FIRING, 1), else_=0)
    total, over = session.execute(select(func.count(), func.coalesce(func.sum(ended), 0)).select_from(of_it)).one()
    return total, over


def standing(session: Session, incident: Incident, now: datetime) -> Standing:
    """`level` is left to escalation, which knows it."""
    alerts, alerts_ended = _counted(session, incident)
    pending = session.scalars(
        select(ChangeRequest.action)
        .where(
            ChangeRequest.incident_id == incident.id,
            ChangeRequest.state == RequestState.PENDING,
            ChangeRequest.expires_at > now,
        )
        .order_by(ChangeRequest.id)
    ).all()
    return Standing(
        status=incident.status,
        phase=phases.phase_at(course_of(session, incident), now).value,
        acknowledged_by=incident.acknowledged_by,
        acknowledged_at=incident.acknowledged_at,
        resolved_by=incident.resolved_by,
        resolved_at=incident.resolved_at,
        asked=incident.acknowledged_by if incident.reminded_at is not None else "",
        awaiting=f"two keepers' approval to {' and to '.join(pending)}" if pending else "",
        alerts=alerts,
        alerts_ended=alerts_ended,
    )
