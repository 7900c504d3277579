"""Taking hold of an escalation, as every verb on one does first, after its incident; and of a name that has no row yet."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from escalation.models import Escalation


def escalation(session: Session, condition: ColumnElement[bool]) -> Escalation | None:
    # FOR NO KEY UPDATE: pages and timers may be added meanwhile by whoever refers to this row.
    return session.scalar(
        select(Escalation).where(condition).with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def of_incident(session: Session, incident_id: int) -> Escalation | None:
    return escalation(session, Escalation.incident_id == incident_id)


def one_at_a_time(session: Session, name: str) -> None:
    """Until the transaction ends: two that are about to make the same must not both find nothing. SQLite's writers take
    turns anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def together(session: Session, name: str) -> None:
    """Until the transaction ends, with all others who do this and not with who takes the name for themselves. Who waits
    for that comes before whoever asks later, which a shared lock of a row does not see to."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock_shared(func.hashtextextended(name, 0))))
