"""Reading alerts as Opsgenie's API gives them out: one, a list, how many. Only those of the key's own integration."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import Session

from incidents.compat import opsgenie
from incidents.compat.opsgenie import Shown
from incidents.intake import Door
from incidents.lifecycle import Status
from incidents.models import Alert, Incident
from incidents.sources import reading
from incidents.sources.base import AlertStatus

SCANNED_MAX = 2_000  # alerts that are looked through for a priority, which is no column


def one(session: Session, alert: Alert) -> Shown:
    incident = session.get_one(Incident, alert.incident_id)
    return _shown(alert, incident)


def several(session: Session, door: Door, terms: Mapping[str, str], *, limit: int, offset: int) -> list[Shown]:
    """The newest first."""
    rows = _rows(session, _chosen(door, terms).limit(SCANNED_MAX if "priority" in terms else limit + offset), terms)
    return [_shown(alert, incident) for alert, incident in rows[offset : offset + limit]]


def count(session: Session, door: Door, terms: Mapping[str, str]) -> int:
    if "priority" in terms:
        return len(_rows(session, _chosen(door, terms).limit(SCANNED_MAX), terms))
    ids = _chosen(door, terms).with_only_columns(Alert.id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def _chosen(door: Door, terms: Mapping[str, str]) -> Select[Alert, Incident]:
    conditions: list[ColumnElement[bool]] = [Alert.integration_id == door.integration_id]
    if "status" in terms:
        is_open = and_(
            Alert.status == AlertStatus.FIRING, Alert.settles_at.is_(None)
        )  # its sender closed one that settles
        conditions.append(is_open if terms["status"].casefold() == opsgenie.OPEN else ~is_open)
    if "alias" in terms:
        conditions.append(Alert.dedup_key == reading.dedup_key(terms["alias"]))
    if "tinyid" in terms:
        number = terms["tinyid"]
        conditions.append(
            Alert.id == (int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0)
        )
    return (
        select(Alert, Incident)
        .join(Incident, Incident.id == Alert.incident_id)
        .where(*conditions)
        .order_by(Alert.id.desc())
    )


def _rows(session: Session, statement: Select[Alert, Incident], terms: Mapping[str, str]) -> list[Row[Alert, Incident]]:
    rows = session.execute(statement).all()
    wanted = terms.get("priority", "").upper()
    return [row for row in rows if not wanted or opsgenie.alert(_shown(row[0], row[1]))["priority"] == wanted]


def _shown(alert: Alert, incident: Incident) -> Shown:
    is_open = alert.status == AlertStatus.FIRING and alert.settles_at is None
    acknowledged = is_open and incident.status == Status.ACKNOWLEDGED
    return Shown(
        alert_id=alert.id,
        dedup_key=alert.dedup_key,
        title=alert.title,
        body=alert.body,
        is_open=is_open,
        acknowledged=acknowledged,
        acknowledged_by=incident.acknowledged_by if acknowledged else "",
        snoozed_until=incident.snoozed_until if is_open else None,
        count=alert.count,
        first_at=alert.first_at,
        last_at=alert.last_at,
        resolved_at=alert.resolved_at,
        acknowledged_at=incident.acknowledged_at,
        raw=alert.raw,
    )
