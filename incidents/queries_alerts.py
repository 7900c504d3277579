"""An incident's alerts, of which there may be a few or thousands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from incidents import flapping, queries
from incidents.models import Alert
from incidents.sources.base import AlertStatus

NEWEST_MAX = 100


@dataclass(frozen=True, slots=True)
class AlertShown:
    id: int
    source: str
    dedup_key: str
    status: str
    title: str
    body: str
    severity: str
    count: int
    started_at: datetime | None
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    flapping: bool
    settles_at: datetime | None
    url: str
    labels: dict[str, Any]
    links: list[Any]


@dataclass(frozen=True, slots=True)
class Newest:
    shown: tuple[AlertShown, ...]  # oldest first
    total: int
    ended: int
    flaps: str  # why one of those shown that fires counts as flapping; or empty


def newest(session: Session, number: int) -> Newest:
    rows = session.scalars(
        select(Alert).where(Alert.incident_id == number).order_by(Alert.id.desc()).limit(NEWEST_MAX)
    ).all()
    total, ended = len(rows), sum(alert.status != AlertStatus.FIRING for alert in rows)
    if len(rows) == NEWEST_MAX:
        over = func.sum(case((Alert.status != AlertStatus.FIRING, 1), else_=0))
        total, ended = session.execute(select(func.count(), over).where(Alert.incident_id == number)).one()
    flaps = next((alert for alert in rows if alert.flapping and alert.status == AlertStatus.FIRING), None)
    why = flapping.sentence(session, flaps) if flaps is not None else ""
    return Newest(tuple(_shown(alert) for alert in reversed(rows)), total, ended, why)


def page(session: Session, number: int, *, before: int | None, status: str = "", limit: int) -> list[AlertShown]:
    """The newest first; `before` is the last id of the page before. Raises NotFoundError if there is no incident."""
    queries.incident_or_refuse(session, number)
    statement = select(Alert).where(Alert.incident_id == number)
    if before is not None:
        statement = statement.where(Alert.id < before)
    if status:
        statement = statement.where(Alert.status == status)
    return [_shown(alert) for alert in session.scalars(statement.order_by(Alert.id.desc()).limit(limit))]


def _shown(alert: Alert) -> AlertShown:
    return AlertShown(
        id=alert.id,
        source=alert.source,
        dedup_key=alert.dedup_key,
        status=alert.status,
        title=alert.title,
        body=alert.body,
        severity=alert.severity,
        count=alert.count,
        started_at=alert.started_at,
        first_at=alert.first_at,
        last_at=alert.last_at,
        resolved_at=alert.resolved_at,
        flapping=alert.flapping,
        settles_at=alert.settles_at,
        url=alert.url,
        labels=alert.labels,
        links=alert.links,
    )
