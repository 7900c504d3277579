"""Taking hold of an escalation, as every verb on one does first. The caller has locked its incident before."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from escalation.models import Escalation


def escalation(session: Session, condition: ColumnElement[bool]) -> Escalation | None:
    # FOR NO KEY UPDATE: pages and timers may be added meanwhile by whoever refers to this row.
    return session.scalar(
        select(Escalation).where(condition).with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def of_incident(session: Session, incident_id: int) -> Escalation | None:
    return escalation(session, Escalation.incident_id == incident_id)
