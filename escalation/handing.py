"""Who an incident goes to when it changes hands: back to its levels, to one person, or to another policy.

As with the verbs of `escalate`, the caller has locked the incident.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from escalation import beside, escalate, fire, locks, plan, responders, state
from escalation.brief import Standing
from escalation.journal import Journal
from escalation.models import Escalation, Responder
from escalation.plan import Progress, Stage, Urgency
from escalation.policies import Policy


def take_up(
    session: Session, journal: Journal, incident_id: int, *, urgency: Urgency, standing: Standing, now: datetime
) -> None:
    """Nobody holds the incident any more: the level that had been reached fires again now, and the later ones follow."""
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return
    stopped = state.progress(escalation)
    progress = plan.taken_up(state.policy(escalation), stopped, escalation.level, urgency, now, state.days(escalation))
    # MEDIUM has had its 15 minutes: from here on it pages as HIGH.
    then = Urgency.HIGH if progress.stage is Stage.PAGING else urgency
    _go_on_from(session, journal, escalation, progress, then, standing, now)


def hand_to(
    session: Session,
    journal: Journal,
    incident_id: int,
    person: Responder,
    *,
    note: str,
    urgency: Urgency,
    standing: Standing,
    now: datetime,
) -> bool:
    """Page this person in place of the level that had been reached; the later levels follow at their distances.

    LOW and INFO tell the person, and wake nobody. False, with nothing done: there is no way to reach them.
    """
    escalation = locks.of_incident(session, incident_id)
    ways = responders.ways(session, [person], "high", now)[person.id]
    if escalation is None or not ways:
        return False
    escalate.cancel(session, journal, escalation, true(), f"{person.name} is paged instead", now)
    if urgency in (Urgency.LOW, Urgency.NONE):
        beside.tell(session, incident_id, person.id, note=note, now=now)
        take_up(session, journal, incident_id, urgency=urgency, standing=standing, now=now)
        return True
    stopped = state.progress(escalation)
    after = plan.handed_over(state.policy(escalation), stopped, escalation.level, now, state.days(escalation))
    escalation.firing += 1
    escalation.level = escalation.level or state.policy(escalation).levels[0].level
    _go_on_from(session, journal, escalation, after, Urgency.HIGH, standing, now)
    fire.page_by(
        session, escalation, {person.id: ways}, now, level=escalation.level, firing=escalation.firing, note=note
    )
    return True


def begin_anew(
    session: Session,
    journal: Journal,
    incident_id: int,
    *,
    policy: Policy,
    last_resort: tuple[str, ...],
    urgency: Urgency,
    standing: Standing,
    now: datetime,
) -> None:
    """Another policy, from its beginning. What the one before had queued is cancelled."""
    escalation = locks.of_incident(session, incident_id)
    if escalation is None:
        return
    escalate.cancel(session, journal, escalation, true(), f"the policy {policy.key} begins", now)
    escalation.policy = policy.to_json()
    escalation.last_resort = list(last_resort)
    escalation.level = 0
    begun = plan.begin(urgency, now, state.days(escalation))
    _go_on_from(session, journal, escalation, begun, urgency, standing, now)


def _go_on_from(
    session: Session,
    journal: Journal,
    escalation: Escalation,
    progress: Progress,
    urgency: Urgency,
    standing: Standing,
    now: datetime,
) -> None:
    escalation.urgency = urgency
    escalation.acks = []
    escalation.stopped_at = None
    state.set_progress(escalation, progress)
    escalation.standing = replace(standing, level=escalation.level).to_json()
    escalate.go_on(session, journal, escalation, now)
    escalate.show(session, escalation, replace(standing, level=escalation.level), now)


def frozen_policy(session: Session, incident_id: int) -> Policy | None:
    """What the incident is escalated by; None when nobody is to be told of it."""
    stored = session.scalar(select(Escalation.policy).where(Escalation.incident_id == incident_id))
    return Policy.from_json(stored) if stored else None


def level_reached(session: Session, incident_id: int) -> int:
    """0: none has fired, or there is no escalation."""
    return session.scalar(select(Escalation.level).where(Escalation.incident_id == incident_id)) or 0
