"""Bringing responders, schedules, policies and the last resort to what is declared.

What happens to something that is no longer declared:
- A responder becomes inactive: never paged, not signed in, tokens refused. The row stays, because history refers to it;
  the addresses go, so that they are free for somebody else. Declared again, the person is active again.
- A schedule or a policy is deleted once nothing refers to it. A policy stays while a service names it; a schedule while
  a policy, the last resort, or what a running escalation was frozen with names it.
Running escalations are not touched: each keeps the policy it began with, and asks who is on call when a level fires.
An address that was found not to work, and is declared as before, stays out of use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from config import durations
from config.changes import Changes
from escalation import policies
from escalation.declared import Declared, DeclaredResponder
from escalation.models import ContactMethod, Escalation, LastResort, OverrideRow, PolicyRow, Responder, ScheduleRow
from escalation.oncall.schedules import Schedule
from escalation.policies import Announcement, Policy, Target

LAST_RESORT_ID = 1


def write(session: Session, declared: Declared, changes: Changes) -> None:
    """Add and change what is declared; of people, also take away. The caller lets only one do this at a time."""
    _write_responders(session, declared.responders, changes)
    _write_schedules(session, declared.schedules, changes)
    _write_policies(session, declared.policies, changes)
    _write_last_resort(session, [str(target) for target in declared.last_resort], changes)


def drop_unused(
    session: Session,
    declared: Declared,
    changes: Changes,
    *,
    policies_in_use: Collection[str],
    unsettled: Select[int],
    now: datetime,
) -> None:
    """Delete what is neither declared nor referred to. `policies_in_use` are the policies that services name;
    `unsettled` selects the ids of the incidents whose escalation runs or may run again."""
    kept = {policy.key for policy in declared.policies} | set(policies_in_use)
    for policy in session.scalars(select(PolicyRow).order_by(PolicyRow.key)):
        if policy.key not in kept:
            session.delete(policy)
            changes.removed(f"policy {policy.key}")
    session.flush()
    kept = {schedule.key for schedule in declared.schedules}
    undeclared = [row for row in session.scalars(select(ScheduleRow).order_by(ScheduleRow.key)) if row.key not in kept]
    used = _schedules_in_use(session, unsettled) if undeclared else set()
    for row in undeclared:
        if row.key not in used:
            _drop_schedule(session, row, changes, now)
    session.flush()


# People


@dataclass(slots=True)
class _Person:
    """A stored responder, with the ways to reach them by (channel, address)."""

    row: Responder
    methods: dict[tuple[str, str], ContactMethod]

    def as_written(self) -> dict[str, Any]:
        return _as_written(self.row, dict(self.methods.keys()), self.row.page_by)

    def differs(self, wanted: DeclaredResponder) -> bool:
        row, said = self.row, (wanted.name, wanted.email, wanted.timezone, list(wanted.roles), _page_by(wanted))
        if said != (row.name, row.email, row.timezone, row.roles, row.page_by):
            return True
        return self.methods.keys() != set(wanted.ways.items())


def _write_responders(session: Session, declared: Iterable[DeclaredResponder], changes: Changes) -> None:
    stored = _stored_people(session)
    wanted = {responder.key: responder for responder in declared}
    for responder in wanted.values():
        person = stored.get(responder.key)
        if person is None or not person.row.active:
            changes.added(f"responder {responder.key}", f"({responder.name})")
        elif person.differs(responder):
            after = _as_written(responder, responder.ways, _page_by(responder))
            changes.changed(f"responder {responder.key}", person.as_written(), after, otherwise="contact methods")
    # All addresses that somebody gives up go first, so that two people can exchange theirs.
    for key, person in stored.items():
        _free_addresses(session, person, wanted.get(key))
    session.flush()
    for key, person in stored.items():
        if key not in wanted and person.row.active:
            person.row.active = False
            changes.removed(f"responder {key}", f"({person.row.name})")
    for responder in wanted.values():
        _write_responder(session, stored.get(responder.key), responder)
    session.flush()


def _stored_people(session: Session) -> dict[str, _Person]:
    """By key, in order of their making."""
    by_id = {row.id: _Person(row, {}) for row in session.scalars(select(Responder).order_by(Responder.id))}
    for method in session.scalars(select(ContactMethod).order_by(ContactMethod.id)):
        by_id[method.responder_id].methods[method.channel, method.address] = method
    return {person.row.key: person for person in by_id.values()}


def _free_addresses(session: Session, person: _Person, wanted: DeclaredResponder | None) -> None:
    kept = wanted.ways.items() if wanted else ()
    for way in [way for way in person.methods if way not in kept]:
        session.delete(person.methods.pop(way))
    if person.row.email != (wanted.email if wanted else None):
        person.row.email = None


def _write_responder(session: Session, person: _Person | None, wanted: DeclaredResponder) -> None:
    row = person.row if person else Responder(key=wanted.key)
    row.name = wanted.name
    row.email = wanted.email
    row.timezone = wanted.timezone
    row.roles = list(wanted.roles)
    row.page_by = _page_by(wanted)
    row.active = True
    session.add(row)
    if person is None:
        session.flush()  # for its id
    kept = person.methods if person else {}
    session.add_all(
        ContactMethod(responder_id=row.id, channel=channel, address=address)
        for channel, address in wanted.ways.items()
        if (channel, address) not in kept
    )


def _page_by(wanted: DeclaredResponder) -> dict[str, Any]:
    """As it is stored."""
    return {urgency: [step.to_json() for step in steps] for urgency, steps in wanted.page_by.items()}


def _as_written(
    person: Responder | DeclaredResponder, ways: Mapping[str, str], page_by: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": person.name,
        "email": person.email,
        "timezone": person.timezone,
        "roles": list(person.roles),
        "slack": ways.get("slack"),
        "phone": ways.get("sms"),
        "page_by": {
            urgency: [{"after": durations.to_text(step["after_seconds"]), "by": step["by"]} for step in steps]
            for urgency, steps in page_by.items()
        },
    }


# Schedules


def _write_schedules(session: Session, declared: Iterable[Schedule], changes: Changes) -> None:
    stored = {row.key: row for row in session.scalars(select(ScheduleRow))}
    for schedule in declared:
        row = stored.get(schedule.key)
        definition = schedule.to_json()
        if row is None:
            session.add(ScheduleRow(key=schedule.key, definition=definition))
            changes.added(f"schedule {schedule.key}")
        elif row.definition != definition:
            before = _schedule_as_written(Schedule.from_json(row.definition))
            after = _schedule_as_written(schedule)
            changes.changed(f"schedule {schedule.key}", before, after, otherwise="how it is stored")
            row.definition = definition
    session.flush()


def _schedule_as_written(schedule: Schedule) -> dict[str, Any]:
    rotations = [
        {
            "members": list(rotation.members),
            "starts": rotation.starts.isoformat(timespec="minutes"),
            "turn": rotation.turn,
        }
        for rotation in schedule.rotations
    ]
    return {"timezone": schedule.timezone, "rotations": rotations}


def _schedules_in_use(session: Session, unsettled: Select[int]) -> set[str]:
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


def _drop_schedule(session: Session, row: ScheduleRow, changes: Changes, now: datetime) -> None:
    """Its overrides go with it."""
    coming = session.scalar(
        select(func.count()).where(OverrideRow.schedule_id == row.id, OverrideRow.ends_at > now),
    )
    session.delete(row)
    overrides = "1 override" if coming == 1 else f"{coming} overrides"
    changes.removed(f"schedule {row.key}", f"(with {overrides} not yet over)" if coming else "")


# Policies and the last resort


def _write_policies(session: Session, declared: Iterable[Policy], changes: Changes) -> None:
    stored = {row.key: row for row in session.scalars(select(PolicyRow))}
    for policy in declared:
        row = stored.get(policy.key)
        definition = policy.to_json()
        if row is None:
            session.add(PolicyRow(key=policy.key, definition=definition))
            changes.added(f"policy {policy.key}")
        elif row.definition != definition:
            before = _policy_as_written(Policy.from_json(row.definition))
            after = _policy_as_written(policy)
            what = f"policy {policy.key}"
            changes.changed(what, before, after, otherwise="an announcement's URL, which is not shown")
            row.definition = definition
    session.flush()


def _policy_as_written(policy: Policy) -> dict[str, Any]:
    levels = [
        {
            "level": level.level,
            "after": durations.to_text(level.after_seconds),
            "page": [str(target) for target in level.page],
            "announce": [_announcement_as_shown(announcement) for announcement in level.announce],
        }
        for level in policy.levels
    ]
    is_default = policy.repeat_after_seconds == policies.default_repeat_after_seconds(policy.levels)
    return {
        "repeat": policy.repeat,
        "repeat_after": None if is_default else durations.to_text(policy.repeat_after_seconds),
        "ack_timeout": durations.to_text(policy.ack_timeout_seconds),
        "levels": levels,
    }


def _announcement_as_shown(announcement: Announcement) -> str:
    """URLs carry secrets: of a webhook's the host is shown, of Apprise's, where even that can be one, the scheme."""
    if announcement.channel == "slack":
        return str(announcement)
    url = urlsplit(announcement.address)
    host = f"{url.hostname}/" if announcement.channel == "webhook" else ""
    return f"{announcement.channel}:{url.scheme}://{host}…"


def _write_last_resort(session: Session, targets: list[str], changes: Changes) -> None:
    row = session.get(LastResort, LAST_RESORT_ID)
    if row is None:
        session.add(LastResort(id=LAST_RESORT_ID, targets=targets))
        changes.added("last resort", ", ".join(targets))
    elif row.targets != targets:
        changes.changed("last resort", row.targets, targets, otherwise="targets")
        row.targets = targets
    session.flush()
