"""Tying a runbook to an incident, and ticking its steps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError, NotFoundError
from escalation.journal import Journal
from runbook_links import matching
from runbook_links.document import Runbook
from runbook_links.matching import Wanted
from runbook_links.models import RunbookLink, StepTick
from runbook_links.shelf import Shelf


def attach(
    session: Session,
    journal: Journal,
    shelf: Shelf,
    incident_id: int,
    wanted: Wanted,
    now: datetime,
    *,
    is_new: bool = False,
) -> RunbookLink | None:
    """Attach the best runbook, or note why there is none. An incident that has one keeps it; a new one has none."""
    there = None if is_new else link_of(session, incident_id)
    if there is not None:
        return there
    match = matching.match(wanted, shelf.library.runbooks, now=now)
    runbook = shelf.library.get(match.runbook_id) if match.runbook_id else None
    if runbook is None:
        others = {"candidates": [list(candidate) for candidate in match.candidates]}
        text = f"No runbook attached: {match.reason}"
        journal(session, incident_id, "runbook.missing", text, occurred_at=now, payload=others)
        return None
    link = RunbookLink(
        incident_id=incident_id,
        runbook_id=runbook.id,
        title=runbook.title,
        version=runbook.version,
        sha256=runbook.sha256,
        reason=match.reason,
        candidates=[list(candidate) for candidate in match.candidates],
        attached_at=now,
        emergency={},
    )
    session.add(link)
    facts = {"runbook": runbook.id, "version": runbook.version, "sha256": runbook.sha256, "reason": match.reason}
    text = f"Runbook {runbook.title} attached: {match.reason}"
    journal(session, incident_id, "runbook.attached", text, occurred_at=now, payload=facts)
    return link


def reattach(
    session: Session, journal: Journal, shelf: Shelf, incident_id: int, wanted: Wanted, now: datetime
) -> RunbookLink | None:
    """Attach one to an incident without, or in place of an operational one when the incident is constitutional now.

    An operational runbook never stands in for a constitutional one.
    """
    there = link_of(session, incident_id)
    runbook = shelf.library.get(there.runbook_id) if there else None
    fits = runbook is not None and (wanted.incident_class != "constitutional" or runbook.is_constitutional)
    if there is not None and (fits or runbook is None):
        return there
    if there is not None:
        session.delete(there)
        session.flush()
        text = f"Runbook {there.title} taken off: the incident is constitutional now."
        journal(session, incident_id, "runbook.replaced", text, occurred_at=now, payload={"runbook": there.runbook_id})
    link = attach(session, journal, shelf, incident_id, wanted, now, is_new=True)
    if link is not None and there is not None:
        link.emergency = dict(there.emergency)
    return link


def attach_beside(
    session: Session,
    journal: Journal,
    incident_id: int,
    book: Runbook,
    now: datetime,
    *,
    reason: str,
    of_class: str,
) -> bool:
    """Attach this emergency runbook beside the primary one; alone, where there is none and it fits the class.

    False if it is there already, or an operational one would have to stand in for a constitutional one.
    """
    there = link_of(session, incident_id)
    if there is not None and book.id in (there.runbook_id, there.emergency.get("id")):
        return False
    if there is None and of_class == "constitutional" and not book.is_constitutional:
        return False
    if there is None:
        session.add(
            RunbookLink(
                incident_id=incident_id,
                runbook_id=book.id,
                title=book.title,
                version=book.version,
                sha256=book.sha256,
                reason=reason,
                candidates=[],
                attached_at=now,
                emergency={},
            )
        )
    else:
        known = {"id": book.id, "title": book.title, "version": book.version, "sha256": book.sha256}
        there.emergency = known | {"reason": reason, "attached_at": now.isoformat()}
    session.flush()
    text = f"Emergency runbook {book.title} attached{' beside ' + there.title if there else ''}: {reason}."
    facts = {"runbook": book.id, "version": book.version, "sha256": book.sha256, "reason": reason}
    journal(session, incident_id, "runbook.attached", text, occurred_at=now, payload=facts)
    return True


def link_of(session: Session, incident_id: int) -> RunbookLink | None:
    return session.scalar(select(RunbookLink).where(RunbookLink.incident_id == incident_id))


def ticks_of(session: Session, incident_id: int) -> list[StepTick]:
    return list(session.scalars(select(StepTick).where(StepTick.incident_id == incident_id).order_by(StepTick.step)))


def tick_step(
    session: Session,
    journal: Journal,
    shelf: Shelf,
    incident_id: int,
    step_number: int,
    *,
    actor_name: str,
    now: datetime,
    note: str = "",
    approved: frozenset[str] = frozenset(),
) -> bool:
    """Tick one step of the attached runbook; False when it was ticked before.

    A constitutional step with approvals cannot be ticked before they exist (`approved`: the actions that two
    people agreed to), nor without a note of what its verification showed.
    """
    link = link_of(session, incident_id)
    runbook = shelf.library.get(link.runbook_id) if link else None
    step = next((s for s in runbook.steps if s.number == step_number), None) if runbook else None
    if link is None or step is None:
        raise NotFoundError(f"Incident {incident_id} has no runbook step {step_number}.")
    if step.is_constitutional:
        missing = sorted({a.action for a in step.approvals} - approved)
        if missing:
            raise ConflictError(
                f"Step {step_number} is constitutional and waits for approval of: {', '.join(missing)}."
            )
        if not note:
            raise ConflictError(f"Step {step_number} is constitutional: say what its verification showed.")
    done = session.scalar(
        select(StepTick.id).where(
            StepTick.incident_id == incident_id, StepTick.runbook_id == link.runbook_id, StepTick.step == step_number
        )
    )
    if done is not None:
        return False
    session.add(
        StepTick(
            incident_id=incident_id,
            runbook_id=link.runbook_id,
            step=step_number,
            ticked_by=actor_name,
            ticked_at=now,
            note=note,
        )
    )
    facts = {"runbook": link.runbook_id, "step": step_number, "note": note}
    text = f"{actor_name} ticked step {step_number}: {step.title}"
    journal(
        session,
        incident_id,
        "runbook.step",
        text,
        occurred_at=now,
        actor=actor_name,
        actor_kind="responder",
        payload=facts,
    )
    return True
