"""Who is on call now, from the database; the reckoning itself is `resolve`'s."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from escalation import responders
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import resolve
from escalation.oncall.schedules import Override, Schedule
from escalation.policies import Target

_TAKING_OVER, _REPLACED = aliased(Responder), aliased(Responder)
_OVERRIDES = (
    select(OverrideRow, _TAKING_OVER.key, _REPLACED.key)
    .outerjoin(_TAKING_OVER, _TAKING_OVER.id == OverrideRow.responder_id)
    .outerjoin(_REPLACED, _REPLACED.id == OverrideRow.replaces_id)
    .where(
        OverrideRow.schedule_id == bindparam("schedule"),
        OverrideRow.ends_at > bindparam("since"),
        OverrideRow.starts_at <= bindparam("until"),
    )
    .order_by(OverrideRow.id)
)
_SCHEDULE = select(ScheduleRow).where(ScheduleRow.key == bindparam("key"))
_NAMED = select(Responder).where(Responder.key.in_(bindparam("keys", expanding=True)), Responder.active)


def people(session: Session, targets: Iterable[Target], at: datetime) -> list[Responder]:
    """Everyone these targets name at this moment, each once, in the order of the targets."""
    found: dict[int, Responder] = {}
    for target in targets:
        for person in _named_by(session, target, at):
            found.setdefault(person.id, person)
    return list(found.values())


def _named_by(session: Session, target: Target, at: datetime) -> list[Responder]:
    if target.kind == "responder":
        person = responders.by_key(session, target.key)
        return [person] if person else []
    if target.kind == "role":
        return responders.with_role(session, target.key)
    row = session.scalar(_SCHEDULE, {"key": target.key})
    if row is None:
        return []
    keys = resolve.on_call(Schedule.from_json(row.definition), overrides(session, row, at, at), at)
    rows = session.scalars(_NAMED, {"keys": list(keys)})
    by_key = {person.key: person for person in rows}
    return [by_key[key] for key in keys if key in by_key]


def overrides(session: Session, schedule: ScheduleRow, since: datetime, until: datetime) -> list[Override]:
    """The schedule's overrides that touch this span, in order of their making."""
    rows = session.execute(_OVERRIDES, {"schedule": schedule.id, "since": since, "until": until})
    return [
        Override(
            schedule=schedule.key, starts_at=row.starts_at, ends_at=row.ends_at, responder=responder, replaces=replaces
        )
        for row, responder, replaces in rows
    ]
