"""Alerts of one service that join one incident, so that a storm pages once.

Nothing joins a constitutional incident, and no constitutional alert joins another. An alert that joins stays an alert
of its own: it repeats, and ends, by its own key, and the incident is over when all of its alerts are.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, literal_column, or_, select
from sqlalchemy.orm import Session

from escalation import escalate, locks
from incidents import briefing, noise, noting, rising, silences
from incidents.classification import Classification
from incidents.desk import Actor, Desk
from incidents.lifecycle import UNSETTLED, Status
from incidents.models import Alert, Incident, Service
from incidents.noise import Grouping
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus, IncomingAlert

# Written out as its index's condition is: SQLite uses a partial index for nothing else.
_HAS_GROUP: ColumnElement[bool] = literal_column("incidents.group_key <> ''")


def one_at_a_time(session: Session, service: Service, incoming: IncomingAlert) -> None:
    """Two alerts of a storm must not both find nothing to join. Taken before the lock of the dedup key and before any
    incident, after a heartbeat's row. Services that do not group take none."""
    if service.grouping and incoming.status is AlertStatus.FIRING:
        locks.one_at_a_time(session, f"group:{service.id}")


def key_of(service: Service, incoming: IncomingAlert, found: Classification) -> str:
    """What the alert's incident is matched by; empty: it stands alone, and nothing joins it."""
    grouping = Grouping.from_json(service.grouping)
    if grouping is None or found.incident_class is not IncidentClass.OPERATIONAL:
        return ""
    return noise.group_key(service.key, grouping, incoming)


def joinable(
    session: Session, service: Service, group_key: str, actor: Actor, now: datetime, *, locked: int | None
) -> Incident | None:
    """The incident that a new alert joins, locked. What a person reports joins none: they ask for somebody. Nothing joins
    what a source or a program acknowledged, and no person: then nobody would know of it.

    `locked`: an incident that this transaction has locked already; it may lock no other beside it.
    """
    grouping = Grouping.from_json(service.grouping)
    if grouping is None or not group_key or actor.kind != "source":
        return None
    statement = (
        select(Incident)
        .where(
            _HAS_GROUP,
            Incident.service_id == service.id,
            Incident.group_key == group_key,
            Incident.opened_at > now - grouping.within,
            Incident.status.in_(UNSETTLED),
            or_(Incident.status == Status.OPEN, Incident.acknowledged_by_id.is_not(None)),
            Incident.incident_class == IncidentClass.OPERATIONAL,
        )
        .order_by(Incident.opened_at.desc(), Incident.id.desc())
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return session.scalar(statement if locked is None else statement.where(Incident.id == locked))


def join(
    session: Session, desk: Desk, incident: Incident, alert: Alert, found: Classification, actor: Actor, now: datetime
) -> None:
    """It wakes nobody anew unless it is worse than what people know of, and everybody's messages count it."""
    alert.incident_id = incident.id
    session.add(alert)
    facts = {"source": alert.source, "dedup_key": alert.dedup_key, "title": alert.title, "severity": found.severity}
    text = f"{actor.name} reported another alert of the service, which joins this incident: {alert.title}"
    noting.note(session, desk, incident, "alert.joined", text, actor, now, facts)
    session.flush()
    rising.after_alert(session, desk, incident, alert, found, now)
    silences.look_again(session, desk, incident, now)
    show(session, incident, now)


def speaks_for_all(session: Session, incident: Incident, alert: Alert) -> bool:
    """Whether what a source says of this alert may hold for its whole incident: not while one fires that is worse, or
    that came by another integration, of which that source knows nothing."""
    if not incident.group_key:
        return True
    worse = [each for each in Severity if each.rank > Severity(alert.severity).rank]
    other = or_(Alert.integration_id != alert.integration_id, Alert.severity.in_(worse))
    found = select(Alert.id).where(Alert.incident_id == incident.id, Alert.status == AlertStatus.FIRING, other)
    return session.scalar(found.limit(1)) is None


def show(session: Session, incident: Incident, now: datetime) -> None:
    """How many alerts an incident has, or how many of them have ended, is another number now."""
    if incident.group_key:
        session.flush()
        escalate.announce(session, incident.id, standing=briefing.standing(session, incident, now), now=now)
