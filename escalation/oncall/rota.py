"""Who is on call now, from the database; the reckoning itself is `resolve`'s."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from escalation import responders
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import resolve
from escalation.oncall.schedules import Override, Schedule
from escalation.policies import Target


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
    row = session.scalar(select(ScheduleRow).where(ScheduleRow.key == target.key))
    if row is None:
        return []
    keys = resolve.on_call(Schedule.from_json(row.definition), overrides(session, row, at, at), at)
    rows = session.scalars(select(Responder).where(Responder.key.in_(keys), Responder.active))
    by_key = {person.key: person for person in rows}
    return [by_key[key] for key in keys if key in by_key]


def overrides(session: Session, schedule: ScheduleRow, since: datetime, until: datetime) -> list[Override]:
    """The schedule's overrides that touch this span, in order of their making."""
    taking_over, replaced = aliased(Responder), aliased(Responder)
    rows = session.execute(
        select(OverrideRow, taking_over.key, replaced.key)
        .outerjoin(taking_over, taking_over.id == OverrideRow.responder_id)
        .outerjoin(replaced, replaced.id == OverrideRow.replaces_id)
        .where(OverrideRow.schedule_id == schedule.id, OverrideRow.ends_at > since, OverrideRow.starts_at <= until)
        .order_by(OverrideRow.id)
    )
    return [
        Override(
            schedule=schedule.key, starts_at=row.starts_at, ends_at=row.ends_at, responder=responder, replaces=replaces
        )
        for row, responder, replaces in rows
    ]


def schedules(session: Session) -> list[ScheduleRow]:
    return list(session.scalars(select(ScheduleRow).order_by(ScheduleRow.key)))
