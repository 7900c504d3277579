"""Who an incident goes to when it changes hands: back to its levels, to one person, or to another policy.

As with the verbs of `escalate`, the caller has locked the incident.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import escalate, locks, plan, state
from escalation.brief import Standing
from escalation.journal import Journal
from escalation.models import Escalation
from escalation.plan import Stage, Urgency
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
    escalation.urgency = Urgency.HIGH if progress.stage is Stage.PAGING else urgency
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
