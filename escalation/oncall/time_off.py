"""Time off: a person is on call on no schedule then, and turns go on without them.

Everybody for themselves; managers and administrators for anybody. What a file declares, only that file takes back. What
has begun ends now instead of being deleted: who had which turn depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from config.actor import Actor
from config.errors import ConflictError, NotFoundError
from escalation.models import Responder
from escalation.oncall import moves, whose
from escalation.oncall.changes import REASON_CHARACTERS_MAX
from escalation.oncall.models import AbsenceRow

SPAN_DAYS_MAX = 400


@dataclass(frozen=True, slots=True)
class TimeOff:
    id: int
    responder: str  # key
    starts_at: datetime
    ends_at: datetime
    reason: str
    declared: bool


def add(
    session: Session,
    key: str,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    base_url: str = "",
) -> TimeOff:
    """Raises NotFoundError, InvalidInputError that names the field, NotAllowedError, and ConflictError that names the
    time off in the way."""
    person = _person(session, key, actor)
    starts_at, ends_at = whose.span(starts_at, ends_at, now, days_max=SPAN_DAYS_MAX)
    in_the_way = session.scalar(
        select(AbsenceRow)
        .where(AbsenceRow.responder_id == person.id, AbsenceRow.starts_at < ends_at, AbsenceRow.ends_at > starts_at)
        .order_by(AbsenceRow.starts_at)
        .limit(1)
    )
    if in_the_way is not None:
        said = whose.when(in_the_way.starts_at, in_the_way.ends_at)
        raise ConflictError(
            f"{person.name} has time off {in_the_way.id} already, {said}. Take that back first, or add what is beside it.",
            fields={"starts_at": f"is in or beside time off {in_the_way.id}"},
        )
    row = AbsenceRow(
        responder_id=person.id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip()[:REASON_CHARACTERS_MAX],
        declared=False,
        created_by=actor.name,
        created_at=now,
    )
    with moves.told(session, actor, now, schedules=moves.schedules_of(session, person, now), base_url=base_url):
        session.add(row)
        session.flush()
    _note(session, actor, "added", person, row, f"{person.name} is off, {whose.when(starts_at, ends_at)}", now)
    return _shown(row, person)


def remove(session: Session, key: str, absence_id: int, actor: Actor, now: datetime, *, base_url: str = "") -> None:
    """Raises NotFoundError, NotAllowedError, and ConflictError for what the file declares, and what is over."""
    person = _person(session, key, actor)
    row = session.get(AbsenceRow, absence_id)
    if row is None or row.responder_id != person.id:
        raise NotFoundError(f"{person.name} has no time off {absence_id}.")
    if row.declared:
        raise ConflictError("This time off is declared in the file, which alone takes it back.")
    if row.ends_at <= now:
        raise ConflictError("This time off is over. What has been cannot be changed.")
    said = f"{person.name} is not off after all, {whose.when(row.starts_at, row.ends_at)}"
    _note(session, actor, "removed", person, row, said, now)
    with moves.told(session, actor, now, schedules=moves.schedules_of(session, person, now), base_url=base_url):
        if row.starts_at < now:
            row.ends_at = now
        else:
            session.delete(row)


def coming(session: Session, key: str, now: datetime) -> Sequence[TimeOff]:
    """What is not over, in order of time. Everybody may see when who is off: it is who is on call that it decides."""
    person = _known(session, key)
    rows = session.scalars(
        select(AbsenceRow)
        .where(AbsenceRow.responder_id == person.id, AbsenceRow.ends_at > now)
        .order_by(AbsenceRow.starts_at, AbsenceRow.id)
    )
    return [_shown(row, person) for row in rows]


def _person(session: Session, key: str, actor: Actor) -> Responder:
    """Locked until the transaction ends, so that of two changes at once the later one sees the earlier."""
    whose.refuse_onlookers(actor)
    person = _known(session, key)
    if person.id != actor.responder_id and not whose.decides_for_all(actor):
        raise whose.only_managers(actor, f"decide when {person.name} is off")
    session.execute(select(Responder.id).where(Responder.id == person.id).with_for_update(key_share=True))
    return person


def _known(session: Session, key: str) -> Responder:
    person = session.scalar(select(Responder).where(Responder.key == key, Responder.active))
    if person is None:
        raise NotFoundError(f"There is no responder {key}, or they have left.")
    return person


def _shown(row: AbsenceRow, person: Responder) -> TimeOff:
    return TimeOff(row.id, person.key, row.starts_at, row.ends_at, row.reason, row.declared)


def _note(
    session: Session, actor: Actor, action: audit.Action, person: Responder, row: AbsenceRow, text: str, now: datetime
) -> None:
    said = {
        "starts_at": clock.utc_text(row.starts_at),
        "ends_at": clock.utc_text(row.ends_at),
        "reason": row.reason,
    }
    audit.note(
        session,
        actor=actor.name,
        via=actor.via,
        action=action,
        what=f"time off of {person.key}",
        text=text,
        before=said if action == "removed" else None,
        after=said if action == "added" else None,
        now=now,
    )
