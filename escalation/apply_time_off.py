"""Bringing people's time off to what is declared; see `apply`.

What is past stays, whatever the file says of it now: who had which turn depends on it. What has begun, and is not
declared any more, ends now. Only what is still to come is taken back. Time off that people entered is not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.changes import Changes, shown
from escalation import declared_time_off
from escalation.declared_people import DeclaredResponder
from escalation.declared_time_off import TimeOff
from escalation.models import Responder
from escalation.oncall.models import AbsenceRow

CREATED_BY = "the file"


def write(session: Session, declared: Iterable[DeclaredResponder], changes: Changes, now: datetime) -> None:
    """After the people themselves are written."""
    wanted = {responder.key: responder.time_off for responder in declared}
    stored = _stored(session)
    people = {row.key: row for row in session.scalars(select(Responder).order_by(Responder.id))}
    for key, person in people.items():
        for line in _bring(session, person, wanted.get(key, ()), stored.get(person.id, ()), now):
            changes.told(f"responder {key}", f"time off {line}")
    session.flush()


def as_written(session: Session) -> dict[str, list[dict[str, str]]]:
    """By the responder's key: what the file declared, as it wrote it."""
    stored = _stored(session)
    people = session.execute(select(Responder.id, Responder.key, Responder.timezone).order_by(Responder.id))
    return {
        person.key: declared_time_off.as_written(map(_value, stored[person.id]), person.timezone)
        for person in people
        if person.id in stored
    }


def _value(row: AbsenceRow) -> TimeOff:
    return TimeOff(row.starts_at, row.ends_at, row.reason)


def _stored(session: Session) -> dict[int, list[AbsenceRow]]:
    rows = session.scalars(
        select(AbsenceRow).where(AbsenceRow.declared).order_by(AbsenceRow.starts_at, AbsenceRow.ends_at, AbsenceRow.id)
    )
    found: defaultdict[int, list[AbsenceRow]] = defaultdict(list)
    for row in rows:
        found[row.responder_id].append(row)
    return dict(found)


def _bring(
    session: Session, person: Responder, declared: Iterable[TimeOff], rows: Iterable[AbsenceRow], now: datetime
) -> Iterator[str]:
    """Gives a line for each difference."""
    wanted = {off.starts_at: off for off in declared}
    for row in rows:
        was = _shown(row, person)
        off = wanted.pop(row.starts_at, None)
        if off is None and row.starts_at >= now:
            session.delete(row)
            yield f"{was} taken back"
            continue
        # What is past stays past: it may grow by what the file says, and is not made shorter.
        ends_at = max(off.ends_at if off else row.starts_at, min(row.ends_at, now))
        reason = off.reason if off else row.reason
        if (ends_at, reason) != (row.ends_at, row.reason):
            row.ends_at, row.reason = ends_at, reason
            yield f"{was} -> {_shown(row, person)}"
    for off in wanted.values():
        row = AbsenceRow(
            responder_id=person.id,
            starts_at=off.starts_at,
            ends_at=off.ends_at,
            reason=off.reason,
            declared=True,
            created_by=CREATED_BY,
            created_at=now,
        )
        session.add(row)
        yield f"{_shown(row, person)} added"


def _shown(row: AbsenceRow, person: Responder) -> str:
    written = declared_time_off.as_written([_value(row)], person.timezone)
    return shown(written[0])
