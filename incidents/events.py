"""What happens to incidents, told to teams' own programs: durable, signed, in order, for a day if need be.

Events are made from the timeline's own entries, last before the commit that wrote them: whatever changed an incident,
and by whatever way, its event is in the same transaction or not at all. They have a lane of their own, so that a
receiver that does not answer delays no page.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from config.errors import ConflictError, NotFoundError
from escalation.models import TimerKind
from escalation.paging import timers
from escalation.paging.timers import Wanted
from incidents.event_models import DeliveryState, EventDelivery, EventReceiver
from incidents.models import Incident, Service
from incidents.proof import timeline
from incidents.proof.timeline import Noted

LANE = "event"
RANK = 12  # behind everything
VERSION = 1
KINDS = {
    "incident.opened": "opened",
    "incident.acknowledged": "acknowledged",
    "level.reached": "escalated",
    "last_resort.reached": "escalated",
    "incident.resolved": "resolved",
    "review.published": "review.published",
    "review.withdrawn": "review.withdrawn",
}


def before_commit(session: Session, read_clock: Callable[[], datetime] = clock.now) -> None:
    """What every writing transaction ends with: the events of what it did, then the timeline."""
    write(session)
    timeline.write(session, read_clock)


def write(session: Session) -> None:
    """One read more for a transaction that did something of KINDS, and none for any other."""
    told = [entry for entry in timeline.collected(session) if entry.kind in KINDS]
    if not told:
        return
    receivers = session.execute(select(EventReceiver.id, EventReceiver.kinds).where(EventReceiver.active)).all()
    rows = [
        row
        for entry in told
        if not _is_first_level(entry)
        for row in _deliveries(session, entry, [each.id for each in receivers if KINDS[entry.kind] in each.kinds])
    ]
    session.add_all(rows)
    session.flush()
    timers.set_all(session, [_timer(row, row.queued_at) for row in rows])


def _deliveries(session: Session, entry: Noted, receiver_ids: list[int]) -> list[EventDelivery]:
    if not receiver_ids:
        return []
    incident = session.get_one(Incident, entry.incident_id)
    event_id = f"evt_{secrets.token_hex(12)}"
    kind = KINDS[entry.kind]
    body = {
        "version": VERSION,
        "id": event_id,
        "event": kind,
        "occurred_at": entry.occurred_at.isoformat(),
        "actor": entry.actor,
        "sentence": entry.text,
        "incident": _shown(session, incident),
    }
    if entry.kind.startswith("review."):
        body["review"] = _facts(entry)
    return [
        EventDelivery(
            event_id=event_id,
            receiver_id=receiver_id,
            incident_id=incident.id,
            kind=kind,
            body=body,
            state=DeliveryState.QUEUED,
            occurred_at=entry.occurred_at,
            queued_at=entry.occurred_at,
            tries=0,
            replayed=False,
            result="",
        )
        for receiver_id in receiver_ids
    ]


def _shown(session: Session, incident: Incident) -> dict[str, Any]:
    service = session.get(Service, incident.service_id)
    return {
        "number": incident.id,
        "title": incident.title,
        "class": incident.incident_class,
        "severity": incident.severity,
        "status": incident.status,
        "service": service.key if service else "",
        "opened_at": incident.opened_at.isoformat(),
        "acknowledged_by": incident.acknowledged_by or "",
        "resolved_by": incident.resolved_by or "",
    }


def _is_first_level(entry: Noted) -> bool:
    """Level 1 is how an incident begins, and no escalation of it."""
    return entry.kind == "level.reached" and _facts(entry).get("level", 0) <= 1


def _facts(entry: Noted) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(entry.payload).get("facts", {})
    return facts


def _timer(row: EventDelivery, at: datetime) -> Wanted:
    return Wanted(TimerKind.EVENT, row.id, None, at, lane=LANE, rank=RANK)


def earlier(session: Session, row: EventDelivery) -> int | None:
    """What must reach this receiver before: an event of the same incident that still waits."""
    found: int | None = session.scalar(_queued_beside(row).where(EventDelivery.id < row.id).limit(1))
    return found


def let_next_go(session: Session, row: EventDelivery, now: datetime) -> None:
    """This one is done with: what waited behind it goes now."""
    session.flush()
    following = session.scalar(_queued_beside(row).where(EventDelivery.id > row.id).limit(1))
    if following is not None:
        timers.set_all(session, [Wanted(TimerKind.EVENT, following, None, now, lane=LANE, rank=RANK)])


def _queued_beside(row: EventDelivery) -> Any:
    return (
        select(EventDelivery.id)
        .where(
            EventDelivery.receiver_id == row.receiver_id,
            EventDelivery.incident_id == row.incident_id,
            EventDelivery.state == DeliveryState.QUEUED,
        )
        .order_by(EventDelivery.id)
    )


def replay(session: Session, delivery_id: int, now: datetime) -> EventDelivery:
    """Send it again, with the id it had, whatever came of it before. One that still waits goes now."""
    row = session.scalar(select(EventDelivery).where(EventDelivery.id == delivery_id).with_for_update())
    if row is None:
        raise NotFoundError(f"There is no delivery {delivery_id}.")
    if not session.get_one(EventReceiver, row.receiver_id).active:
        raise ConflictError("Its receiver is no longer declared. Declare it again, then replay.")
    if row.state != DeliveryState.QUEUED:
        row.replayed = True
    row.state, row.queued_at, row.tries, row.finished_at = DeliveryState.QUEUED, now, 0, None
    session.flush()
    timers.set_all(session, [_timer(row, now)])
    return row
