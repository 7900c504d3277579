"""People, schedules and policies as they are shown, and who is on call. Reads only, and gives values only.

Lists are in the order of their keys; `after` is the last key of the page before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from escalation.models import ContactMethod, OverrideRow, PolicyRow, Responder, ScheduleRow
from escalation.oncall import resolve
from escalation.oncall.schedules import Override, Rotation, Schedule
from escalation.policies import Announcement, Policy
from escalation.queries import Person

GAPS_DAYS = 14
CHANGES_LOOKED_AT_MAX = 64  # for the end of somebody's shift: enough for a day of hourly turns beside theirs
HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Contact:
    channel: str
    address: str  # hidden in part from others
    disabled_reason: str  # "": it is used


@dataclass(frozen=True, slots=True)
class Member:
    key: str
    name: str
    timezone: str
    roles: tuple[str, ...]
    active: bool
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class ScheduleShown:
    key: str
    timezone: str
    rotations: tuple[Rotation, ...]
    overrides: tuple[Override, ...]  # those that have not ended


@dataclass(frozen=True, slots=True)
class LevelShown:
    level: int
    after_seconds: float
    page: tuple[str, ...]
    announce: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyShown:
    key: str
    repeat: int
    repeat_after_seconds: int
    ack_timeout_seconds: int
    levels: tuple[LevelShown, ...]


@dataclass(frozen=True, slots=True)
class OnCall:
    person: Person
    until: datetime | None  # None: for as far as one can see


@dataclass(frozen=True, slots=True)
class Gap:
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Watch:
    """A schedule at one moment. `gaps` are those of the GAPS_DAYS after it."""

    key: str
    timezone: str
    on_call: tuple[OnCall, ...]
    next_change_at: datetime | None
    gaps: tuple[Gap, ...]


def members(session: Session, *, after: str, limit: int, reader_id: int | None, reads_all: bool) -> list[Member]:
    """Addresses are whole for `reader_id`, whose own they are, and for whoever reads all; hidden in part otherwise."""
    rows = session.scalars(select(Responder).where(Responder.key > after).order_by(Responder.key).limit(limit)).all()
    methods = session.scalars(
        select(ContactMethod).where(ContactMethod.responder_id.in_([row.id for row in rows])).order_by(ContactMethod.id)
    )
    contacts: defaultdict[int, list[Contact]] = defaultdict(list)
    for each in methods:
        whole = reads_all or each.responder_id == reader_id
        address = each.address if whole else masked(each.address)
        contacts[each.responder_id].append(Contact(each.channel, address, each.disabled_reason))
    return [
        Member(row.key, row.name, row.timezone, tuple(row.roles), row.active, tuple(contacts[row.id])) for row in rows
    ]


def masked(address: str) -> str:
    """Enough for its owner to recognise it, and too little for others to use it: `a…@example.org`, `+35…01`."""
    name, at, domain = address.rpartition("@")
    if at and name:
        return f"{name[0]}{HIDDEN}@{domain}"
    return f"{address[:3]}{HIDDEN}{address[-2:]}" if len(address) > 8 else HIDDEN


def schedules(session: Session, now: datetime, *, after: str, limit: int) -> list[ScheduleShown]:
    rows = _schedules(session, after, limit)
    changes = _overrides(session, rows, now, None)
    return [
        ScheduleShown(row.key, schedule.timezone, schedule.rotations, tuple(changes[row.id]))
        for row in rows
        for schedule in [Schedule.from_json(row.definition)]
    ]


def policies(session: Session, *, after: str, limit: int, reads_all: bool) -> list[PolicyShown]:
    """Where a level announces by URL, the URL's secret part is shown to nobody but who reads all."""
    rows = session.scalars(select(PolicyRow).where(PolicyRow.key > after).order_by(PolicyRow.key).limit(limit))
    return [_policy(Policy.from_json(row.definition), reads_all) for row in rows]


def _policy(policy: Policy, reads_all: bool) -> PolicyShown:
    levels = tuple(
        LevelShown(
            level=level.level,
            after_seconds=level.after_seconds,
            page=tuple(map(str, level.page)),
            announce=tuple(str(each) if reads_all else _without_secrets(each) for each in level.announce),
        )
        for level in policy.levels
    )
    return PolicyShown(policy.key, policy.repeat, policy.repeat_after_seconds, policy.ack_timeout_seconds, levels)


def _without_secrets(announcement: Announcement) -> str:
    if announcement.channel == "slack":
        return str(announcement)
    url = urlsplit(announcement.address)
    # An Apprise URL may carry its token where others have the host.
    host = (url.hostname or "") if announcement.channel == "webhook" else ""
    return f"{announcement.channel}:{url.scheme}://{host}/{HIDDEN}"


def watches(session: Session, at: datetime, *, after: str, limit: int) -> list[Watch]:
    """Who is on call on each schedule at that moment; only people who are active count, as when they are paged."""
    rows = _schedules(session, after, limit)
    until = at + timedelta(days=resolve.HORIZON_DAYS)
    changes = _overrides(session, rows, at, until)
    read = [(Schedule.from_json(row.definition), changes[row.id]) for row in rows]
    present = _active(session, {key for schedule, overrides in read for key in _named(schedule, overrides)})
    return [
        _watch(schedule, [*overrides, *_absences(schedule, overrides, present, at, until)], present, at)
        for schedule, overrides in read
    ]


def _watch(schedule: Schedule, overrides: Sequence[Override], present: dict[str, Person], at: datetime) -> Watch:
    keys = resolve.on_call(schedule, overrides, at)
    ends = _shift_ends(schedule, overrides, keys, at)
    gaps = resolve.gaps(schedule, overrides, at, at + timedelta(days=GAPS_DAYS))
    return Watch(
        key=schedule.key,
        timezone=schedule.timezone,
        on_call=tuple(OnCall(present[key], ends.get(key)) for key in keys),
        next_change_at=resolve.next_change_at(schedule, overrides, at),
        gaps=tuple(Gap(starts_at, ends_at) for starts_at, ends_at in gaps),
    )


def _shift_ends(
    schedule: Schedule, overrides: Sequence[Override], keys: Collection[str], at: datetime
) -> dict[str, datetime]:
    """When each stops being on call; without those for whom no end is in sight."""
    ends: dict[str, datetime] = {}
    for _ in range(CHANGES_LOOKED_AT_MAX):
        changes_at = resolve.next_change_at(schedule, overrides, at)
        if changes_at is None or len(ends) == len(keys):
            break
        at = changes_at
        still = resolve.on_call(schedule, overrides, at)
        ends |= {key: at for key in keys if key not in still and key not in ends}
    return ends


def _named(schedule: Schedule, overrides: Iterable[Override]) -> set[str]:
    members = {key for rotation in schedule.rotations for key in rotation.members}
    return members | {override.responder for override in overrides if override.responder is not None}


def _absences(
    schedule: Schedule, overrides: Sequence[Override], present: dict[str, Person], at: datetime, until: datetime
) -> list[Override]:
    """Those who have left, taken off, so that the hole they leave is seen."""
    gone = sorted(_named(schedule, overrides) - present.keys())
    return [Override(schedule.key, at, until, responder=None, replaces=key) for key in gone]


def _active(session: Session, keys: Collection[str]) -> dict[str, Person]:
    columns = select(Responder.key, Responder.name).where(Responder.key.in_(keys), Responder.active)
    return {row.key: Person(row.key, row.name) for row in session.execute(columns)}


def _schedules(session: Session, after: str, limit: int) -> Sequence[ScheduleRow]:
    statement = select(ScheduleRow).where(ScheduleRow.key > after).order_by(ScheduleRow.key).limit(limit)
    return session.scalars(statement).all()


def _overrides(
    session: Session, schedules: Sequence[ScheduleRow], since: datetime, until: datetime | None
) -> defaultdict[int, list[Override]]:
    """By the schedule's id, in order of their making, which is the order they apply in."""
    taking_over, replaced = aliased(Responder), aliased(Responder)
    statement = (
        select(OverrideRow, taking_over.key, replaced.key)
        .outerjoin(taking_over, taking_over.id == OverrideRow.responder_id)
        .outerjoin(replaced, replaced.id == OverrideRow.replaces_id)
        .where(OverrideRow.schedule_id.in_([row.id for row in schedules]), OverrideRow.ends_at > since)
        .order_by(OverrideRow.id)
    )
    if until is not None:
        statement = statement.where(OverrideRow.starts_at <= until)
    keys = {row.id: row.key for row in schedules}
    found: defaultdict[int, list[Override]] = defaultdict(list)
    for row, responder, replaces in session.execute(statement):
        made = Override(keys[row.schedule_id], row.starts_at, row.ends_at, responder, replaces)
        found[row.schedule_id].append(made)
    return found
