"""The automatic remedy that a service may have: its endpoint is called once, when people begin to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from escalation import hooks
from escalation.declared_hooks import Hook
from incidents import noting
from incidents.desk import Actor, Desk
from incidents.models import Incident, Service
from incidents.severity import IncidentClass, Severity

TOCSIN = Actor(name="tocsin", kind="engine", via="remediation")


def begin(session: Session, desk: Desk, incident: Incident, service: Service, now: datetime) -> None:
    """For CRITICAL, HIGH and MEDIUM. A constitutional incident is never remedied automatically, and its record says so."""
    if not service.remediation or Severity(incident.severity).rank < Severity.MEDIUM.rank:
        return
    if incident.incident_class == IncidentClass.CONSTITUTIONAL:
        text = "The service's remediation hook is not called: what is constitutional is left to people."
        noting.note(session, desk, incident, "hook.withheld", text, TOCSIN, now)
        return
    hook = Hook(**service.remediation)
    hooks.call(session, desk.journal, incident.id, hooks.REMEDIATION, url=hook.url, retries=hook.retries, now=now)


def forbid(session: Session, desk: Desk, incident: Incident, now: datetime) -> None:
    """It is constitutional now: a call that was not made yet, or would be tried again, is not."""
    why = "the incident is constitutional now"
    hooks.cancel(session, desk.journal, incident.id, why=why, now=now, purpose=hooks.REMEDIATION)
