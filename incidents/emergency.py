"""The emergency runbook: attached beside the incident's own when a level that names one fires."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from escalation import handing
from escalation.paging import timers
from escalation.paging.timers import Claimed
from incidents import noting, rising
from incidents.desk import Actor, Desk
from incidents.lifecycle import Status
from runbook_links import links

TOCSIN = Actor(name="tocsin", kind="engine", via="escalation")


def attach(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act. The incident's own runbook stays the first, as a constitutional one must."""
    incident = noting.locked(session, claimed.subject_id)
    if not timers.still_held(session, claimed):
        return
    timers.finish(session, claimed)
    policy, reached = handing.frozen_policy(session, incident.id), handing.level_reached(session, incident.id)
    named = [level for level in policy.levels if level.runbook and level.level <= reached] if policy else []
    if not named or incident.status in (Status.RESOLVED, Status.CLOSED):
        return
    level = named[-1]
    book = desk.shelf.library.get(level.runbook)
    if book is None:
        text = f"The emergency runbook {level.runbook} of level {level.level} is not on the shelf."
        noting.note(session, desk, incident, "runbook.missing", text, TOCSIN, now, {"runbook": level.runbook})
        return
    reason = f"level {level.level} was reached"
    if links.attach_beside(
        session, desk.journal, incident.id, book, now, reason=reason, of_class=incident.incident_class
    ):
        rising.tell(session, desk, incident, now)
