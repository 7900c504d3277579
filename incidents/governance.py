"""What one person may ask for and two others must agree to.

Neither of the two may be the one who asked, and both must be keepers. An approval is bound to the request as it
was made; when the request expires, nothing has changed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError, InvalidInputError, NotAllowedError
from escalation import escalate
from incidents import actions, briefing, noting, reclassifying, requests
from incidents.desk import Actor, Desk, Outcome
from incidents.models import ChangeRequest, Decision, Incident, RequestState

APPROVING_ROLE = "keeper"
ACTIONS = ("resolve", "reclassify")


def decide(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, action: str, decision: str, reason: str
) -> Outcome:
    """Approve or decline what somebody else asked for. The second approval carries it out at once."""
    incident = noting.locked(session, number)
    if action not in ACTIONS:
        raise InvalidInputError("No such action.", fields={"action": f"use one of {', '.join(ACTIONS)}"})
    if decision not in ("approve", "decline"):
        raise InvalidInputError("No such decision.", fields={"decision": "use approve or decline"})
    request, expired = requests.pending(session, desk, incident, action, now)
    if expired:  # an answer, not an error: that it expired must go on record
        sentence = f"The request to {action} {number} expired undecided. It must be made again."
        return Outcome(number, False, incident.status, sentence)
    if request is None:
        raise ConflictError(f"Nobody has asked to {action} incident {number}, or it was decided already.")
    if actor.responder_id is None or APPROVING_ROLE not in actor.roles:
        raise NotAllowedError(f"Only a keeper can decide this; {actor.name} is none.")
    if actor.responder_id == request.requested_by_id:
        raise NotAllowedError("Who asked cannot decide. Two other keepers must.")
    decisions = session.scalars(select(Decision).where(Decision.request_id == request.id)).all()
    if any(d.responder_id == actor.responder_id for d in decisions):
        raise ConflictError(f"{actor.name} has decided this already; another keeper must.")
    session.add(
        Decision(
            request_id=request.id, responder_id=actor.responder_id, decision=decision, reason=reason, decided_at=now
        )
    )
    session.flush()
    verb = "approved" if decision == "approve" else "declined"
    facts = {"request": request.id, "action": action, "decision": decision, "reason": reason}
    noting.note(
        session, desk, incident, f"approval.{verb}", f"{actor.name} {verb} to {action}: {reason}", actor, now, facts
    )
    if decision == "decline":
        return _declined(session, incident, request, now)
    given = 1 + sum(d.decision == "approve" for d in decisions)
    if given < requests.APPROVALS_NEEDED:
        sentence = f"Approved. {requests.APPROVALS_NEEDED - given} more keeper must approve to {action} {number}."
        return Outcome(number, True, incident.status, sentence)
    request.state = RequestState.APPROVED
    request.decided_at = now
    session.flush()
    if action == "resolve":
        actions.approved_resolution(session, desk, incident, actor, now, request.reason)
    else:
        reclassifying.apply_approved(session, desk, incident, request.change, actor, now, reason=request.reason)
    return Outcome(
        number, True, incident.status, f"Approved by {requests.APPROVALS_NEEDED} keepers and done: {action} {number}."
    )


def _declined(session: Session, incident: Incident, request: ChangeRequest, now: datetime) -> Outcome:
    request.state = RequestState.DECLINED
    request.decided_at = now
    session.flush()
    escalate.announce(session, incident.id, now=now, standing=briefing.standing(session, incident, now))
    return Outcome(incident.id, True, incident.status, f"Declined: {request.action} {incident.id} does not go ahead.")
