"""Editing the schedules, policies and hours that people own, with a preview of what changes for whom.

What the file declares is refused here (see `ownership`). A thing that does not exist yet is made, and is people's.
What the packages above know of the use of things they hand in as `Users`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config import audit, writing
from config.actor import Actor
from config.changes import Changes
from config.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from escalation import apply_policies, apply_schedules, export, ownership, settled
from escalation.declared_names import Names
from escalation.models import HoursRow, Owner, PolicyRow, Responder, ScheduleRow
from escalation.oncall.hours import Hours
from escalation.oncall.schedules import Schedule
from escalation.one_thing import Known, Thing
from escalation.policies import Level, Policy, Target

EDITORS = frozenset({"admin", "manager"})

Row = ScheduleRow | PolicyRow | HoursRow
TABLES: dict[str, type[Row]] = {"schedule": ScheduleRow, "policy": PolicyRow, "hours": HoursRow}
_WRITTEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "schedule": export.schedule,
    "policy": export.policy,
    "hours": apply_policies.hours_as_written,
}


@dataclass(frozen=True, slots=True)
class Users:
    """What refers to policies and hours from above, and which incidents' escalations may still ask."""

    of_policy: Callable[[Session, str], list[str]]  # `service checkout`, …
    of_hours: Callable[[Session, str], list[str]]
    refresh_hours: Callable[[Session, Hours], None]  # they are kept whole wherever they are referred to
    unsettled: Select[int]


@dataclass(frozen=True, slots=True)
class Shown:
    kind: str
    key: str
    owner: str
    written: dict[str, Any]  # as the file writes it

    @property
    def text(self) -> str:
        return writing.to_text(self.written)


def known(session: Session) -> Known:
    """Everything that a thing may refer to, whoever owns it."""
    people = frozenset(session.scalars(select(Responder.key).where(Responder.active)))
    schedules = list(map(Schedule.from_json, session.scalars(select(ScheduleRow.definition))))
    hours = map(Hours.from_json, session.scalars(select(HoursRow.definition)))
    return Known(
        Names(responder=people, schedule=frozenset(each.key for each in schedules)),
        {each.key: each for each in hours},
        {each.slack_usergroup: each.key for each in schedules if each.slack_usergroup},
    )


def things(session: Session) -> list[Shown]:
    """Everything that can be edited, or could be if it were not the file's."""
    return [_shown(kind, row) for kind in TABLES for row in _rows(session, kind)]


def one(session: Session, kind: str, key: str) -> Shown:
    return _shown(kind, _row(session, kind, key))


def put(session: Session, who: Actor, kind: str, thing: Thing, now: datetime, users: Users) -> Changes:
    """Make it what it is to be, and say what that changed; nothing, if it is so already."""
    refuse_others(who)
    ownership.one_at_a_time(session)
    table, changes = TABLES[kind], Changes()
    row = _found(session, kind, thing.key)
    what, definition = f"{kind} {thing.key}", thing.to_json()
    _refuse_new_addresses(who, kind, row, thing)
    after = _told(kind, definition)
    if row is None:
        session.add(table(key=thing.key, definition=definition, owner=Owner.PEOPLE))
        changes.added(what, after=after)
    else:
        _refuse_files(row, what)
        if _same(kind, row, thing):
            return changes
        changes.changed(what, _told(kind, row.definition), after, otherwise="what is not shown")
        row.definition = definition
    session.flush()
    if isinstance(thing, Hours):
        apply_policies.refresh_hours(session, thing)
        users.refresh_hours(session, thing)
    audit.note_all(session, changes, actor=who.name, via=who.via, now=now)
    return changes


def delete(session: Session, who: Actor, kind: str, key: str, now: datetime, users: Users) -> Changes:
    """Raises ConflictError that names what still refers to it."""
    refuse_others(who)
    ownership.one_at_a_time(session)
    row, what, changes = _row(session, kind, key), f"{kind} {key}", Changes()
    _refuse_files(row, what)
    if referring := _referring(session, kind, key, users):
        raise ConflictError(f"{what.capitalize()} is still referred to by {', '.join(referring)}. Change that first.")
    if isinstance(row, ScheduleRow):
        apply_schedules.drop(session, row, changes, now)
    else:
        session.delete(row)
        changes.removed(what, before=_told(kind, row.definition))
    session.flush()
    audit.note_all(session, changes, actor=who.name, via=who.via, now=now)
    return changes


def refuse_others(who: Actor) -> None:
    if not who.roles & EDITORS:
        raise NotAllowedError(f"{who.name} may not edit the configuration: a manager or an administrator may.")


def _rows(session: Session, kind: str) -> list[Row]:
    table: Any = TABLES[kind]
    return list(session.scalars(select(table).order_by(table.key)))


def _found(session: Session, kind: str, key: str) -> Row | None:
    table: Any = TABLES[kind]
    row: Row | None = session.scalar(select(table).where(table.key == key))
    return row


def _row(session: Session, kind: str, key: str) -> Row:
    if kind not in TABLES:
        raise NotFoundError(f"There are no things of the kind {kind}.")
    row = _found(session, kind, key)
    if row is None:
        raise NotFoundError(f"There is no {kind} {key}.")
    return row


def _shown(kind: str, row: Row) -> Shown:
    return Shown(kind, row.key, row.owner, _WRITTEN[kind](row.definition))


def _told(kind: str, definition: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = audit.without_secrets(_WRITTEN[kind](definition))
    return told


def _stored(kind: str, row: Row) -> Thing:
    readers: Mapping[str, Callable[[dict[str, Any]], Thing]] = {
        "schedule": Schedule.from_json,
        "policy": Policy.from_json,
        "hours": Hours.from_json,
    }
    return readers[kind](row.definition)


def _same(kind: str, row: Row, thing: Thing) -> bool:
    """What an older version stored may say the same in fewer words."""
    return _stored(kind, row) == thing


def _refuse_new_addresses(who: Actor, kind: str, row: Row | None, thing: Thing) -> None:
    """This server calls them, from inside the network: where to is for an administrator to say."""
    there = _called(_stored(kind, row)) if row is not None else set()
    if "admin" not in who.roles and not _called(thing) <= there:
        raise NotAllowedError(
            f"Only an administrator names another webhook, apprise URL or calendar for {kind} {thing.key}: this server "
            "would call it. Those that are there may stay."
        )


def _called(thing: Thing) -> set[str]:
    if isinstance(thing, Schedule):
        return {rotation.calendar for rotation in thing.rotations if rotation.calendar}
    rooms = [room for level in thing.levels for room in level.announce] if isinstance(thing, Policy) else []
    return {str(room) for room in rooms if room.channel != "slack"}


def _refuse_files(row: Row, what: str) -> None:
    if row.owner == Owner.FILE:
        raise ConflictError(
            f"{what.capitalize()} is declared in the file, which alone may change it. Change it there and run "
            "`tocsin apply`; for a night or a week, make an override."
        )


def _referring(session: Session, kind: str, key: str, users: Users) -> list[str]:
    policies = settled.policies(session)
    if kind == "policy":
        return users.of_policy(session, key)
    if kind == "hours":
        found = [
            f"policy {policy.key}" for policy in policies if any(key in _hours_of(level) for level in policy.levels)
        ]
        return found + users.of_hours(session, key)
    target = Target("schedule", key)
    found = [f"policy {policy.key}" for policy in policies if any(target in level.page for level in policy.levels)]
    found += ["the last resort"] if str(target) in settled.last_resort(session) else []
    if not found and key in apply_schedules.in_use(session, users.unsettled):
        found.append("the escalation of an incident that is not resolved")
    return found


def _hours_of(level: Level) -> set[str]:
    return {hours.key for hours in (level.during, level.outside) if hours}


def refused(problems: tuple[Any, ...]) -> InvalidInputError:
    """Every problem, each under its field."""
    found: dict[str, str] = {}
    for problem in problems:
        found[problem.where or "the whole"] = problem.message
    return InvalidInputError("; ".join(map(str, problems)), fields=found)
