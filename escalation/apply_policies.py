"""Bringing policies and the last resort to what is declared; see `apply`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import durations
from config.changes import Changes
from escalation import addresses, ownership, policies
from escalation.models import HoursRow, LastResort, Owner, PolicyRow
from escalation.oncall.hours import Hours
from escalation.policies import Announcement, Level, Policy

LAST_RESORT_ID = 1


def write(session: Session, declared: Iterable[Policy], changes: Changes) -> None:
    stored = {row.key: row for row in session.scalars(select(PolicyRow))}
    for policy in declared:
        row = stored.get(policy.key)
        definition = policy.to_json()
        if row is None:
            session.add(PolicyRow(key=policy.key, definition=definition))
            changes.added(f"policy {policy.key}", after=_policy_as_written(policy))
        elif Policy.from_json(row.definition) != policy:  # what an older version stored says the same in fewer words
            before = _policy_as_written(Policy.from_json(row.definition))
            after = _policy_as_written(policy)
            what = f"policy {policy.key}"
            same_rooms = _rooms(Policy.from_json(row.definition)) == _rooms(policy)
            otherwise = "the hours it refers to" if same_rooms else "an announcement's URL, which is not shown"
            changes.changed(what, before, after, otherwise=otherwise)
            row.definition = definition
        if row is not None:
            ownership.take_over(row, f"policy {policy.key}", changes)
    session.flush()


def as_written(definition: dict[str, Any]) -> dict[str, Any]:
    """Of a stored policy."""
    return _policy_as_written(Policy.from_json(definition))


def _rooms(policy: Policy) -> list[Announcement]:
    return [announcement for level in policy.levels for announcement in level.announce]


def _policy_as_written(policy: Policy) -> dict[str, Any]:
    levels = [
        {
            "level": level.level,
            "after": durations.to_text(level.after_seconds),
            "page": [str(target) for target in level.page],
            "announce": [_announcement_as_shown(announcement) for announcement in level.announce],
            "round_robin": level.round_robin or None,
            "during": level.during and level.during.key,
            "outside": level.outside and level.outside.key,
            "runbook": level.runbook,
        }
        for level in policy.levels
    ]
    is_default = policy.repeat_after_seconds == policies.default_repeat_after_seconds(policy.levels)
    return {
        "repeat": policy.repeat,
        "repeat_after": None if is_default else durations.to_text(policy.repeat_after_seconds),
        "ack_timeout": durations.to_text(policy.ack_timeout_seconds),
        "unack_after": durations.to_text(policy.unack_after_seconds),
        "acknowledgements": policy.acknowledgements,
        "levels": levels,
    }


def _announcement_as_shown(announcement: Announcement) -> str:
    """URLs carry secrets: of a webhook's the host is shown, of Apprise's, where even that can be one, the scheme."""
    return f"{announcement.channel}:{addresses.shown(announcement.channel, announcement.address)}"


def hours_as_written(definition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key != "key"}


def write_hours(session: Session, declared: Iterable[Hours], changes: Changes) -> None:
    """Bring them to what is declared. Levels and services keep the hours they refer to whole, so that one that is gone
    is missed by nobody."""
    stored = {row.key: row for row in session.scalars(select(HoursRow).order_by(HoursRow.key))}
    for hours in declared:
        row = stored.pop(hours.key, None)
        definition = hours.to_json()
        if row is None:
            session.add(HoursRow(key=hours.key, definition=definition))
            changes.added(f"hours {hours.key}", after=hours_as_written(definition))
        elif row.definition != definition:
            before, after = hours_as_written(row.definition), hours_as_written(definition)
            changes.changed(f"hours {hours.key}", before, after, otherwise="how they are stored")
            row.definition = definition
            refresh_hours(session, hours, owner=Owner.PEOPLE)  # the file's are about to be written
        if row is not None:
            ownership.take_over(row, f"hours {hours.key}", changes)
    gone = [row for row in stored.values() if row.owner == Owner.FILE]
    levels = ownership.levels_of_people(session) if gone else []
    kept = {each.key for level in levels for each in (level.during, level.outside) if each}
    for row in gone:
        if row.key in kept:
            ownership.hand_over(row, f"hours {row.key}", changes)
        else:
            session.delete(row)
            changes.removed(f"hours {row.key}", before=hours_as_written(row.definition))
    session.flush()


def refresh_hours(session: Session, hours: Hours, *, owner: Owner | None = None) -> None:
    """Policies keep the hours they refer to whole. What a running escalation was frozen with stays."""
    for row in session.scalars(select(PolicyRow)):
        policy = Policy.from_json(row.definition)
        levels = tuple(_with_hours(level, hours) for level in policy.levels)
        if levels != policy.levels and owner in (None, row.owner):
            row.definition = replace(policy, levels=levels).to_json()
    session.flush()


def _with_hours(level: Level, hours: Hours) -> Level:
    during = hours if level.during and level.during.key == hours.key else level.during
    outside = hours if level.outside and level.outside.key == hours.key else level.outside
    return replace(level, during=during, outside=outside)


def write_last_resort(session: Session, targets: list[str], changes: Changes) -> None:
    row = session.get(LastResort, LAST_RESORT_ID)
    if row is None:
        session.add(LastResort(id=LAST_RESORT_ID, targets=targets))
        changes.added("last resort", ", ".join(targets), after=targets)
    elif row.targets != targets:
        changes.changed("last resort", row.targets, targets, otherwise="targets")
        row.targets = targets
    session.flush()
