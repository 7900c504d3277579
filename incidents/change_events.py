"""Changes made on purpose (a deploy), kept beside incidents: what was changed just before is the first suspect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from incidents.compat.pagerduty import ChangeEvent as Incoming
from incidents.intake import Door
from incidents.models import ChangeEvent, Incident

KEPT_FOR = timedelta(days=90)  # as PagerDuty keeps them
KEPT_MAX = 200_000
PRUNED_EVERY = 100
BEFORE = timedelta(hours=24)  # how long before it opened a change is still near an incident
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class ChangeShown:
    summary: str
    body: str
    source: str
    links: list[Any]
    happened_at: datetime


def keep(session: Session, door: Door, event: Incoming, now: datetime) -> None:
    row = ChangeEvent(
        service_id=door.service.id,
        summary=event.summary,
        body=event.body,
        source=event.source,
        links=[{"href": link.href, "text": link.text} for link in event.links],
        happened_at=event.happened_at,
        received_at=now,
    )
    session.add(row)
    session.flush()
    if row.id % PRUNED_EVERY == 0:
        gone = (ChangeEvent.received_at < now - KEPT_FOR) | (ChangeEvent.id <= row.id - KEPT_MAX)
        session.execute(delete(ChangeEvent).where(gone).execution_options(synchronize_session=False))


def near(session: Session, incident: Incident) -> tuple[ChangeShown, ...]:
    """Of its service: from a day before it opened until it was resolved, the newest first."""
    statement = (
        select(ChangeEvent)
        .where(
            ChangeEvent.service_id == incident.service_id,
            ChangeEvent.happened_at >= incident.opened_at - BEFORE,
        )
        .order_by(ChangeEvent.happened_at.desc(), ChangeEvent.id.desc())
        .limit(SHOWN_MAX)
    )
    if incident.resolved_at is not None:
        statement = statement.where(ChangeEvent.happened_at <= incident.resolved_at)
    return tuple(
        ChangeShown(row.summary, row.body, row.source, row.links, row.happened_at) for row in session.scalars(statement)
    )
