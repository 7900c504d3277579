"""The end of an alert that flapped: its source said so, and it has been quiet since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from escalation.models import TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed
from incidents import actions, noting
from incidents.desk import Actor, Desk
from incidents.models import Alert, Incident, Service
from incidents.sources.base import AlertStatus

QUIET = "It has been quiet since its source said that it had ended."


def ends(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act: end it as its source would, unless it came back or people ended it."""
    assert claimed.incident_id is not None  # noqa: S101  it is set with its incident
    incident = noting.locked(session, claimed.incident_id)
    if not timers.still_held(session, claimed):
        return
    timers.finish(session, claimed)
    alert = session.get(Alert, claimed.subject_id, populate_existing=True)
    if alert is None or alert.status != AlertStatus.FIRING or alert.settles_at is None:
        return
    if alert.settles_at > now:
        timers.set_timer(session, TimerKind.SETTLE, alert.id, incident.id, alert.settles_at)
        return
    actions.resolve_alert(session, desk, alert, _source(session, incident, alert), now, because=QUIET)


def _source(session: Session, incident: Incident, alert: Alert) -> Actor:
    service = session.get_one(Service, incident.service_id)
    return Actor(name=f"{alert.source} ({service.key})", kind="source", via=alert.source)
