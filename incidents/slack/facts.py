"""What modals and answers are drawn from, read in one go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.actor import Actor
from config.database import Database
from escalation.models import Responder
from incidents import queries_detail
from incidents.desk import Desk
from incidents.models import Service
from incidents.proof.models import TimelineEntry
from incidents.slack import hub, parts
from incidents.slack.hub import Shown
from incidents.slack.parts import Choice

CHOICES_MAX = parts.OPTIONS_MAX * parts.OPTIONS_MAX


def shown(database: Database, desk: Desk, number: int, actor: Actor, now: datetime) -> Shown:
    """Raises NotFoundError."""
    with database.reading() as session:
        detail = queries_detail.incident(session, desk, number, now)
        newest = session.scalars(
            select(TimelineEntry)
            .where(TimelineEntry.incident_id == number)
            .order_by(TimelineEntry.seq.desc())
            .limit(hub.ENTRIES_SHOWN)
        ).all()
    return Shown(detail, newest[::-1], actor)


def people(session: Session, *, without: int | None = None) -> list[Choice]:
    """Everybody who can be paged, by name."""
    active = select(Responder.id, Responder.key, Responder.name).where(Responder.active)
    rows = session.execute(active.order_by(Responder.name, Responder.key).limit(CHOICES_MAX))
    return [(key, f"{name} ({key})") for each, key, name in rows if each != without]


def services(session: Session) -> list[Choice]:
    keys = session.scalars(select(Service.key).order_by(Service.key).limit(CHOICES_MAX))
    return [(key, key) for key in keys]
