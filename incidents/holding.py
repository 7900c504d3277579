"""Governance holds: a wait that something above the incident demands. The clocks of the phases stand still meanwhile.

A keeper opens one for a constitutional incident and names the authority. Its minimum end is only ever moved later, and
nobody ends it before that. The levels go on while nobody has the incident: a hold stops clocks, not pages.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import utc_text
from config.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from escalation import escalate
from escalation.channels import wording
from incidents import briefing, clocks, noting
from incidents.desk import Actor, Desk, Outcome
from incidents.lifecycle import Status
from incidents.models import HoldRow, Incident
from incidents.severity import IncidentClass

HOLDING_ROLE = "keeper"
AUTHORITY_CHARACTERS_MAX = 200
HOLD_MAX = timedelta(days=366)  # from now to a minimum end: more is most likely a slip of the pen


def begin(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime,
    *, reason: str, authority: str, min_end_at: datetime,
) -> Outcome:  # fmt: skip
    incident = noting.locked(session, number)
    _may_hold(actor)
    if incident.incident_class != IncidentClass.CONSTITUTIONAL:
        raise ConflictError(f"Incident {number} is operational; only a constitutional one is held. Snooze it instead.")
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        raise ConflictError(f"Incident {number} is {incident.status}; there is nothing to hold.")
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    authority = noting.worded(authority, "authority", AUTHORITY_CHARACTERS_MAX)
    _check_end(min_end_at, now, after=now)
    hold = HoldRow(
        incident_id=number,
        reason=reason,
        authority=authority,
        opened_by=actor.name,
        started_at=now,
        min_end_at=min_end_at,
    )
    session.add(hold)
    session.flush()
    text = f"{actor.name} opened a hold by {authority}, not to end before {wording.moment(min_end_at, now)}: {reason}"
    facts = {"hold": hold.id, "authority": authority, "min_end_at": utc_text(min_end_at)}
    noting.note(session, desk, incident, "hold.opened", text, actor, now, facts)
    _changed(session, incident, now)
    return Outcome(number, True, incident.status, f"{number} is held by {authority}; the clocks of its phases stand.")


def extend(
    session: Session, desk: Desk, number: int, hold_id: int, actor: Actor, now: datetime,
    *, min_end_at: datetime, reason: str,
) -> Outcome:  # fmt: skip
    """Move the minimum end later, never earlier."""
    incident = noting.locked(session, number)
    _may_hold(actor)
    hold = _running(session, number, hold_id, now)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    _check_end(min_end_at, now, after=max(hold.min_end_at, now))
    before, hold.min_end_at = hold.min_end_at, min_end_at
    text = f"{actor.name} moved the hold's minimum end from {wording.moment(before, now)} to {wording.moment(min_end_at, now)}: {reason}"
    facts = {"hold": hold.id, "from": utc_text(before), "min_end_at": utc_text(min_end_at)}
    noting.note(session, desk, incident, "hold.extended", text, actor, now, facts)
    _changed(session, incident, now)
    return Outcome(
        number,
        True,
        incident.status,
        f"The hold of {number} now lasts until {wording.moment(min_end_at, now)} at least.",
    )


def end(
    session: Session, desk: Desk, number: int, hold_id: int, actor: Actor, now: datetime, *, reason: str
) -> Outcome:
    """The clocks go on from where they stood."""
    incident = noting.locked(session, number)
    _may_hold(actor)
    hold = _running(session, number, hold_id, now)
    if now < hold.min_end_at:
        raise ConflictError(
            f"This hold by {hold.authority} does not end before {wording.moment(hold.min_end_at, now)}."
        )
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    hold.ended_at, hold.ended_by = now, actor.name
    text = f"{actor.name} ended the hold by {hold.authority}: {reason}"
    noting.note(session, desk, incident, "hold.ended", text, actor, now, {"hold": hold.id})
    _changed(session, incident, now)
    return Outcome(number, True, incident.status, f"The hold of {number} has ended; the clocks of its phases go on.")


def _may_hold(actor: Actor) -> None:
    if actor.responder_id is None or HOLDING_ROLE not in actor.roles:
        raise NotAllowedError(f"Only a keeper holds an incident; {actor.name} is none.")


def _check_end(min_end_at: datetime, now: datetime, *, after: datetime) -> None:
    if min_end_at <= after:
        problem = f"must be later than {wording.moment(after, now)}"
        raise InvalidInputError("A hold's minimum end only moves later.", fields={"min_end_at": problem})
    if min_end_at > now + HOLD_MAX:
        raise InvalidInputError(
            "The hold is too long.", fields={"min_end_at": f"at most {HOLD_MAX.days} days from now"}
        )


def _running(session: Session, number: int, hold_id: int, now: datetime) -> HoldRow:
    hold = session.scalar(select(HoldRow).where(HoldRow.id == hold_id, HoldRow.incident_id == number))
    if hold is None:
        raise NotFoundError(f"Incident {number} has no hold {hold_id}.")
    if hold.ended_at is not None:
        raise ConflictError(f"{hold.ended_by} ended this hold at {wording.moment(hold.ended_at, now)}.")
    return hold


def _changed(session: Session, incident: Incident, now: datetime) -> None:
    session.flush()
    clocks.hold_changed(session, incident, now)
    escalate.announce(session, incident.id, now=now, standing=briefing.standing(session, incident, now))
