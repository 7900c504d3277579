"""Ticking a step of the incident's runbook."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidents import noting
from incidents.desk import Actor, Desk, Outcome
from incidents.models import ChangeRequest, RequestState
from runbook_links import links


def tick(
    session: Session, desk: Desk, number: int, step: int, actor: Actor, now: datetime, *, note: str = ""
) -> Outcome:
    """A constitutional step only once what it needs is approved."""
    incident = noting.locked(session, number)
    noting.may_act(actor)
    noting.active(incident, actor, now)
    ticked = links.tick_step(
        session,
        desk.journal,
        desk.shelf,
        number,
        step,
        actor_name=actor.name,
        now=now,
        note=noting.worded(note, "note", noting.REASON_CHARACTERS_MAX) if note else "",
        approved=approved(session, number),
    )
    sentence = f"Step {step} is done." if ticked else f"Step {step} was done before."
    return Outcome(number, ticked, incident.status, sentence)


def approved(session: Session, number: int) -> frozenset[str]:
    """The actions on this incident that two keepers have agreed to."""
    given = select(ChangeRequest.action).where(
        ChangeRequest.incident_id == number, ChangeRequest.state == RequestState.APPROVED
    )
    return frozenset(session.scalars(given))
