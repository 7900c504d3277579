"""Alerts that come and go. One that flaps is held as one: its incident opens and pages as any other, and its source's
word that it has ended counts only after it has been quiet for a while. People end it whenever they like.

Never of constitutional incidents: their sources end nothing anyway.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import durations
from escalation.models import TimerKind
from escalation.paging import timers
from incidents import noise, noting
from incidents.desk import Actor, Desk
from incidents.models import Alert, Incident, Service
from incidents.noise import Damping, Earlier
from incidents.proof.models import TimelineEntry
from incidents.severity import IncidentClass

FLAPPING = "alert.flapping"
SETTLING = "alert.settling"
TOCSIN = Actor(name="tocsin", kind="engine", via="flapping")


def look(session: Session, service: Service, alert: Alert, incident_class: str, now: datetime) -> str:
    """Mark a new alert that flaps, and say why in a sentence; empty if it does not. One statement, and none for a
    service that does not damp."""
    damping = Damping.from_json(service.flapping)
    if damping is None or incident_class == IncidentClass.CONSTITUTIONAL:
        return ""
    newest = (
        select(Alert.first_at, Alert.last_at, Alert.resolved_at, Alert.flapping)
        .where(Alert.integration_id == alert.integration_id, Alert.dedup_key == alert.dedup_key)
        .order_by(Alert.first_at.desc())
        .limit(noise.TOGGLES_MAX + 1)
    )
    with session.no_autoflush:
        earlier = [Earlier(*row) for row in session.execute(newest)]
    why = noise.flaps(damping, earlier, now)
    alert.flapping = bool(why)
    return why


def note(session: Session, desk: Desk, incident: Incident, alert: Alert, why: str, now: datetime) -> None:
    if why:
        facts = {"dedup_key": alert.dedup_key, "title": alert.title}
        noting.note(session, desk, incident, FLAPPING, why, TOCSIN, now, facts)


def sentence(session: Session, alert: Alert) -> str:
    """Why a stored alert counts as flapping, as the timeline has it; empty if it does not."""
    if not alert.flapping:
        return ""
    said = select(TimelineEntry.text).where(
        TimelineEntry.incident_id == alert.incident_id, TimelineEntry.kind == FLAPPING
    )
    return session.scalar(said.order_by(TimelineEntry.seq.desc()).limit(1)) or ""


def settle(session: Session, desk: Desk, incident: Incident, alert: Alert, actor: Actor, now: datetime) -> bool:
    """The source says that it has ended. Whether that has to wait; the caller holds the incident's lock.

    Said again, it changes nothing: the time runs from when it was said first.
    """
    if not alert.flapping or incident.incident_class == IncidentClass.CONSTITUTIONAL:
        return False
    if alert.settles_at is not None:
        return True
    damping = Damping.from_json(session.get_one(Service, incident.service_id).flapping)
    if damping is None:  # its service does not damp any more
        return False
    alert.settles_at = now + damping.within
    timers.set_timer(session, TimerKind.SETTLE, alert.id, incident.id, alert.settles_at)
    span = durations.to_words(damping.within_seconds)
    until = f"{alert.settles_at:%Y-%m-%d %H:%M} UTC"
    text = f"{actor.name} says it has ended. It comes and goes, and ends at {until} if it stays quiet for {span}."
    facts = {"dedup_key": alert.dedup_key, "title": alert.title, "settles_at": alert.settles_at.isoformat()}
    noting.note(session, desk, incident, SETTLING, text, actor, now, facts)
    return True


def came_back(session: Session, alert: Alert) -> bool:
    """It is reported again; whether it had been settling, which is over then."""
    if alert.settles_at is None:
        return False
    alert.settles_at = None
    timers.cancel_subjects(session, TimerKind.SETTLE, [alert.id])
    return True
