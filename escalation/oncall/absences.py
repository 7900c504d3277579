"""Who is off when, from the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from escalation.models import Responder
from escalation.oncall.models import AbsenceRow
from escalation.oncall.schedules import Absence

_TIME_OFF = (
    select(AbsenceRow.responder_id, AbsenceRow.starts_at, AbsenceRow.ends_at)
    .where(AbsenceRow.responder_id.in_(bindparam("people", expanding=True)), AbsenceRow.ends_at > bindparam("since"))
    .order_by(AbsenceRow.responder_id, AbsenceRow.starts_at, AbsenceRow.id)
)


def of(session: Session, people: Collection[Responder], since: datetime) -> tuple[Absence, ...]:
    """Every absence of these people that ends after `since`, those to come too: what has not begun decides nothing,
    and so the answer stays the same, and what was worked out from it stays of use, until somebody enters another."""
    keys = {person.id: person.key for person in people}
    rows = session.execute(_TIME_OFF, {"people": list(keys), "since": since}).all() if keys else ()
    return tuple(Absence(keys[row.responder_id], row.starts_at, row.ends_at) for row in rows)
