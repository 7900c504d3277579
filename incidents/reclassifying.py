"""Changing an incident's class or severity by a person's word. Raising needs one person; lowering may need three."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from config.errors import InvalidInputError
from escalation import escalate
from incidents import briefing, noting, requests, rising, severity
from incidents.desk import Actor, Desk, Outcome
from incidents.models import Incident
from incidents.severity import IncidentClass, Severity


def reclassify(
    session: Session,
    desk: Desk,
    number: int,
    actor: Actor,
    now: datetime,
    *,
    new_severity: Severity | None = None,
    new_class: IncidentClass | None = None,
    reason: str,
) -> Outcome:
    """Set severity, class or both. The automatic result stays beside it on the record; the reason is mandatory.

    Lowering a constitutional severity, or constitutional to operational, makes a request instead.
    """
    incident = noting.locked(session, number)
    noting.may_act(actor)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    if new_severity is None and new_class is None:
        raise InvalidInputError("Nothing to change.", fields={"severity": "give severity, class or both"})
    old = (IncidentClass(incident.incident_class), Severity(incident.severity))
    new = (new_class or old[0], new_severity or old[1])
    if new == old:
        return Outcome(number, False, incident.status, f"{number} is {old[0]} {old[1]} already.")
    if severity.reclassification_needs_two_people(old, new):
        change = {"class": new[0].value, "severity": new[1].value}
        requests.ask(session, desk, incident, "reclassify", change, actor, now, reason=reason)
        escalate.announce(session, incident.id, now=now, standing=briefing.standing(session, incident, now))
        sentence = f"Noted, but not done yet: {number} waits for two keepers' approval to become {new[0]} {new[1]}."
        return Outcome(number, False, incident.status, sentence)
    _set(session, desk, incident, new, actor, now, reason)
    return Outcome(number, True, incident.status, f"{number} is now {new[0]} {new[1]}.")


def apply_approved(
    session: Session,
    desk: Desk,
    incident: Incident,
    change: dict[str, Any],
    actor: Actor,
    now: datetime,
    *,
    reason: str,
) -> None:
    _set(session, desk, incident, (IncidentClass(change["class"]), Severity(change["severity"])), actor, now, reason)


def _set(
    session: Session,
    desk: Desk,
    incident: Incident,
    new: tuple[IncidentClass, Severity],
    actor: Actor,
    now: datetime,
    reason: str,
) -> None:
    old = (incident.incident_class, Severity(incident.severity))
    facts = {"from": [old[0], old[1].value], "to": [new[0].value, new[1].value], "reason": reason}
    text = f"{actor.name} changed {old[0]} {old[1]} to {new[0]} {new[1]}: {reason}"
    noting.note(session, desk, incident, "incident.reclassified", text, actor, now, facts)
    incident.incident_class = new[0]
    incident.confirm_class = False
    rising.to(session, desk, incident, new[1], now, by_person=True)
