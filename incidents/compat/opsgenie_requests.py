"""What came of each call to Opsgenie's API, kept for senders that ask afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from incidents.compat import opsgenie
from incidents.intake import Door
from incidents.models import Alert, OpsgenieRequest
from incidents.sources import reading
from incidents.sources.base import AlertStatus

KEPT_FOR = timedelta(days=1)
KEPT_MAX = 100_000  # whatever their age
PRUNED_EVERY = 100  # requests
CREATE = "Create"


def record(
    session: Session, door: Door, request_id: str, action: str, now: datetime,
    *, succeeded: bool, status: str, alert: Alert | None = None,
) -> None:  # fmt: skip
    row = OpsgenieRequest(
        request_id=request_id,
        integration_id=door.integration_id,
        action=action,
        succeeded=succeeded,
        status=status,
        alert_id=alert.id if alert else None,
        alias=alert.dedup_key if alert else "",
        processed_at=now,
    )
    session.add(row)
    session.flush()
    if row.id % PRUNED_EVERY == 0:
        _prune(session, row.id, now)


def find(session: Session, door: Door, request_id: str) -> OpsgenieRequest | None:
    return session.scalar(
        select(OpsgenieRequest).where(
            OpsgenieRequest.request_id == opsgenie.uuid_in(request_id),
            OpsgenieRequest.integration_id == door.integration_id,
        )
    )


def shown(row: OpsgenieRequest) -> dict[str, object]:
    return {
        "success": row.succeeded,
        "action": row.action,
        "processedAt": opsgenie.moment(row.processed_at),
        "integrationId": opsgenie.alert_uuid(row.integration_id),
        "isSuccess": row.succeeded,
        "status": row.status,
        "alertId": opsgenie.alert_uuid(row.alert_id) if row.alert_id else "",
        "alias": row.alias,
    }


def alert_of(session: Session, door: Door, identifier: str, identifier_type: str) -> Alert | None:
    """By id: also that of the request that created it, which apprise closes by. By alias: only one that is open, as
    several that have ended may have had it."""
    if identifier_type == "alias":
        return session.scalar(
            select(Alert).where(
                Alert.integration_id == door.integration_id,
                Alert.dedup_key == reading.dedup_key(identifier),
                Alert.status == AlertStatus.FIRING,
            )
        )
    if identifier_type == "tiny":
        number = int(identifier) if identifier.isascii() and identifier.isdigit() and len(identifier) < 19 else None
    else:
        number = opsgenie.alert_id_in(identifier)
        if number is None and (request := find(session, door, identifier)) is not None:
            number = request.alert_id
    if number is None:
        return None
    return session.scalar(select(Alert).where(Alert.id == number, Alert.integration_id == door.integration_id))


def _prune(session: Session, newest: int, now: datetime) -> None:
    """What created an alert that still fires is kept longer: its sender may close the alert by it."""
    firing = select(Alert.id).where(Alert.status == AlertStatus.FIRING)
    in_use = and_(OpsgenieRequest.action == CREATE, OpsgenieRequest.alert_id.in_(firing))
    old = and_(OpsgenieRequest.processed_at < now - KEPT_FOR, ~in_use)
    session.execute(
        delete(OpsgenieRequest)
        .where(or_(old, OpsgenieRequest.id <= newest - KEPT_MAX))
        .execution_options(synchronize_session=False)
    )
