"""People, schedules, hours, policies and the last resort as tocsin.yaml writes them, read from the database.

What the file would be is told, not what people set for themselves: their own contact methods, their own rules, time
off they entered and overrides stand beside any file (see `ownership`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import apply_people, apply_policies, settled
from escalation.models import HoursRow, Owner, PolicyRow, ScheduleRow
from escalation.oncall import schedules
from escalation.oncall.schedules import Schedule
from escalation.policies import Policy

EVERYBODY: frozenset[str] = frozenset(Owner)


def sections(session: Session, owners: Collection[str] = EVERYBODY) -> dict[str, dict[str, Any]]:
    """Section -> key -> value, of the things of these owners."""
    return {
        "responders": apply_people.as_written(session, owners),
        "schedules": _written(session, ScheduleRow, schedule, owners),
        "hours": _written(session, HoursRow, apply_policies.hours_as_written, owners),
        "policies": _written(session, PolicyRow, policy, owners),
    }


def last_resort(session: Session) -> list[str]:
    return list(settled.last_resort(session))


def schedule(definition: dict[str, Any]) -> dict[str, Any]:
    return schedules.as_written(Schedule.from_json(definition))


def policy(definition: dict[str, Any]) -> dict[str, Any]:
    """With the whole addresses of its announcements."""
    found = Policy.from_json(definition)
    written = apply_policies.as_written(definition)
    for level, told in zip(found.levels, written["levels"], strict=True):
        told["announce"] = [str(announcement) for announcement in level.announce]
    return written


def _written(
    session: Session,
    table: type[ScheduleRow] | type[HoursRow] | type[PolicyRow],
    write: Callable[[dict[str, Any]], dict[str, Any]],
    owners: Collection[str],
) -> dict[str, Any]:
    rows = session.execute(select(table.key, table.definition).where(table.owner.in_(list(owners))).order_by(table.key))
    return {key: write(definition) for key, definition in rows}
