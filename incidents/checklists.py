"""Ticking what each phase asks for. A tick stays: it goes on the timeline and into the review."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import InvalidInputError
from incidents import noting
from incidents.desk import Actor, Desk, Outcome
from incidents.models import ChecklistTick
from incidents.phases import CHECKLISTS

ITEMS = {item.key: item for items in CHECKLISTS.values() for item in items}


def tick(session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, item: str) -> Outcome:
    """Also after resolution: the last phase's items are for then."""
    incident = noting.locked(session, number)
    noting.may_act(actor)
    asked = ITEMS.get(item)
    if asked is None:
        raise InvalidInputError("No such item.", fields={"item": "use the key of an item of the incident's checklists"})
    there = session.scalar(select(ChecklistTick).where(ChecklistTick.incident_id == number, ChecklistTick.item == item))
    if there is not None:
        return Outcome(number, False, incident.status, f"{there.ticked_by} ticked this before: {asked.text}.")
    session.add(ChecklistTick(incident_id=number, item=item, ticked_by=actor.name, ticked_at=now))
    text = f"{actor.name} ticked: {asked.text} ({asked.phase}, {asked.group})."
    noting.note(session, desk, incident, "checklist.ticked", text, actor, now, {"item": item})
    return Outcome(number, True, incident.status, f"Ticked: {asked.text}.")


def ticks(session: Session, number: int) -> list[ChecklistTick]:
    """In the order they were made."""
    made = select(ChecklistTick).where(ChecklistTick.incident_id == number).order_by(ChecklistTick.id)
    return list(session.scalars(made))
