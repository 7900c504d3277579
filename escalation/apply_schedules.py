"""Bringing schedules to what is declared; see `apply`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from config import audit
from config.changes import Changes
from escalation import ownership
from escalation.models import Escalation, LastResort, OverrideRow, PolicyRow, ScheduleRow
from escalation.oncall.schedules import Schedule, as_written
from escalation.policies import Policy, Target


def write(session: Session, declared: Iterable[Schedule], changes: Changes) -> None:
    stored = {row.key: row for row in session.scalars(select(ScheduleRow))}
    for schedule in declared:
        row = stored.get(schedule.key)
        if row is None:
            session.add(ScheduleRow(key=schedule.key, definition=schedule.to_json()))
            changes.added(f"schedule {schedule.key}", after=_told(schedule))
        elif (stored_one := Schedule.from_json(row.definition)) != schedule:
            before, after = _told(stored_one), _told(schedule)
            changes.changed(f"schedule {schedule.key}", before, after, otherwise="a calendar's address, not shown")
            row.definition = schedule.to_json()
        if row is not None:
            ownership.take_over(row, f"schedule {schedule.key}", changes)
    session.flush()


def _told(schedule: Schedule) -> Mapping[str, Any]:
    """As the file writes it, without the part of a calendar's address that is as good as a password."""
    told: Mapping[str, Any] = audit.without_secrets(as_written(schedule))
    return told


def in_use(session: Session, unsettled: Select[int]) -> set[str]:
    """By the stored policies and last resort, and by what the escalations of these incidents were frozen with."""
    frozen = Escalation.incident_id.in_(unsettled)
    definitions = [
        *session.scalars(select(PolicyRow.definition)),
        *session.scalars(select(Escalation.policy).where(frozen).distinct()),
    ]
    resorts = [
        *session.scalars(select(LastResort.targets)),
        *session.scalars(select(Escalation.last_resort).where(frozen).distinct()),
    ]
    levels = [level for definition in definitions for level in Policy.from_json(definition).levels]
    targets = [target for level in levels for target in level.page]
    targets += [Target.parse(written) for written_targets in resorts for written in written_targets]
    return {target.key for target in targets if target.kind == "schedule"}


def drop(session: Session, row: ScheduleRow, changes: Changes, now: datetime) -> None:
    """Its overrides go with it."""
    coming = session.scalar(
        select(func.count()).where(OverrideRow.schedule_id == row.id, OverrideRow.ends_at > now),
    )
    session.delete(row)
    overrides = "1 override" if coming == 1 else f"{coming} overrides"
    before = _told(Schedule.from_json(row.definition))
    changes.removed(f"schedule {row.key}", f"(with {overrides} not yet over)" if coming else "", before=before)
