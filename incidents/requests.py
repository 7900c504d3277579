"""Requests that stand until two others have decided: made by one person, bound to what was asked, expiring."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError, NotAllowedError
from escalation import beside
from escalation.channels import wording
from incidents import noting
from incidents.desk import Actor, Desk
from incidents.models import ChangeRequest, Incident, RequestState

APPROVALS_NEEDED = 2
EXPIRES_AFTER = timedelta(hours=24)


def ask(
    session: Session,
    desk: Desk,
    incident: Incident,
    action: str,
    change: dict[str, Any],
    actor: Actor,
    now: datetime,
    *,
    reason: str,
) -> ChangeRequest:
    """Make the request, or find the one that stands. The caller has locked the incident."""
    if actor.responder_id is None:
        raise NotAllowedError(
            f"Only a person can ask to {action} a constitutional incident; {actor.name} is a program."
        )
    standing, _ = pending(session, desk, incident, action, now)
    if standing is not None:
        if standing.change == change:
            return standing
        raise ConflictError(f"Another request to {action} incident {incident.id} stands; it must be decided first.")
    request = ChangeRequest(
        incident_id=incident.id,
        action=action,
        change=change,
        reason=reason,
        requested_by_id=actor.responder_id,
        requested_at=now,
        expires_at=now + EXPIRES_AFTER,
    )
    session.add(request)
    session.flush()
    asks = f"{actor.name} asks to {action} incident {incident.id}"
    note = f"{asks}: {wording.sentence(reason)} {APPROVALS_NEEDED} keepers other than them must approve; you are one"
    told = beside.tell_keepers(session, incident.id, note=note, now=now, but=actor.responder_id)
    names = f"told: {', '.join(person.name for person in told)}" if told else "no keeper can be told"
    text = (
        f"{actor.name} asked to {action}: {reason} ({APPROVALS_NEEDED} keepers other than them must approve; {names}.)"
    )
    facts = {"request": request.id, "action": action, "change": change, "reason": reason}
    noting.note(session, desk, incident, "approval.requested", text, actor, now, facts)
    return request


def pending(
    session: Session, desk: Desk, incident: Incident, action: str, now: datetime
) -> tuple[ChangeRequest | None, bool]:
    """The request that stands, if any, and whether one was found to have expired just now and is noted as such."""
    request = session.scalar(
        select(ChangeRequest).where(
            ChangeRequest.incident_id == incident.id,
            ChangeRequest.action == action,
            ChangeRequest.state == RequestState.PENDING,
        )
    )
    if request is None or request.expires_at > now:
        return request, False
    request.state = RequestState.EXPIRED
    request.decided_at = now
    session.flush()
    tocsin = Actor(name="tocsin", kind="engine", via="clock")
    text = f"The request to {action} expired undecided."
    noting.note(session, desk, incident, "approval.expired", text, tocsin, now, {"request": request.id})
    return None, True
