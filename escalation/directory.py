"""People, schedules and policies as they are shown, and who is on call. Reads only, and gives values only.

Lists are in the order of their keys; `after` is the last key of the page before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import addresses
from escalation.models import ContactMethod, PolicyRow, Responder, ScheduleRow
from escalation.oncall import resolve, rota
from escalation.oncall.schedules import Override, Roster, Rotation, Schedule
from escalation.policies import Announcement, Policy
from escalation.queries import Person

GAPS_DAYS = 90
CHANGES_LOOKED_AT_MAX = 64  # for the end of somebody's shift: enough for a day of hourly turns beside theirs
HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Contact:
    channel: str
    address: str  # hidden in part from others
    disabled_reason: str  # "": it is used
    declared: bool  # by the file, which vouches for it
    verified_at: datetime | None  # a code that went there came back


@dataclass(frozen=True, slots=True)
class Member:
    key: str
    name: str
    timezone: str
    roles: tuple[str, ...]
    active: bool
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class RotationShown:
    members: tuple[str, ...]
    starts: datetime | None  # wall time; None: a calendar says who is on call
    turn: str | None
    layer: int
    only: tuple[Mapping[str, Any], ...]  # as tocsin.yaml writes them
    at_once: int
    shadow: bool
    calendar: str | None  # its host


@dataclass(frozen=True, slots=True)
class ScheduleShown:
    key: str
    timezone: str
    rotations: tuple[RotationShown, ...]
    overrides: tuple[Override, ...]  # those that have not ended


@dataclass(frozen=True, slots=True)
class LevelShown:
    level: int
    after_seconds: float
    page: tuple[str, ...]
    announce: tuple[str, ...]
    round_robin: bool = False
    during: str = ""  # the hours' key; "": at any time
    outside: str = ""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class PolicyShown:
    key: str
    repeat: int
    repeat_after_seconds: int
    ack_timeout_seconds: int
    levels: tuple[LevelShown, ...]
    unack_after_seconds: int = 0
    acknowledgements: int = 1


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
    shadows: tuple[Person, ...] = ()  # who learns beside them


def members(session: Session, *, after: str, limit: int, reader_id: int | None, reads_all: bool) -> list[Member]:
    """Addresses are whole for `reader_id`, whose own they are, and for whoever reads all; hidden in part otherwise."""
    rows = session.scalars(select(Responder).where(Responder.key > after).order_by(Responder.key).limit(limit)).all()
    methods = session.scalars(
        select(ContactMethod).where(ContactMethod.responder_id.in_([row.id for row in rows])).order_by(ContactMethod.id)
    )
    contacts: defaultdict[int, list[Contact]] = defaultdict(list)
    for each in methods:
        whole = reads_all or each.responder_id == reader_id
        address = addresses.shown(each.channel, each.address)
        address = address if whole or address != each.address else masked(address)
        contacts[each.responder_id].append(
            Contact(each.channel, address, each.disabled_reason, each.declared, each.verified_at)
        )
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
    changes = rota.overrides(session, rows, now)
    return [
        ScheduleShown(row.key, schedule.timezone, tuple(map(_rotation, schedule.rotations)), tuple(changes[row.id]))
        for row in rows
        for schedule in [Schedule.from_json(row.definition)]
    ]


def _rotation(rotation: Rotation) -> RotationShown:
    """Of a calendar's address only the host is shown: who knows the rest reads the calendar."""
    has_turns = not rotation.calendar
    return RotationShown(
        members=rotation.members,
        starts=rotation.starts if has_turns else None,
        turn=rotation.turn if has_turns else None,
        layer=rotation.layer,
        only=tuple(restriction.to_json() for restriction in rotation.only),
        at_once=rotation.at_once,
        shadow=rotation.shadow,
        calendar=urlsplit(rotation.calendar).hostname if rotation.calendar else None,
    )


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
            round_robin=level.round_robin,
            during=level.during.key if level.during else "",
            outside=level.outside.key if level.outside else "",
            runbook=level.runbook,
        )
        for level in policy.levels
    )
    return PolicyShown(
        key=policy.key,
        repeat=policy.repeat,
        repeat_after_seconds=policy.repeat_after_seconds,
        ack_timeout_seconds=policy.ack_timeout_seconds,
        unack_after_seconds=policy.unack_after_seconds,
        acknowledgements=policy.acknowledgements,
        levels=levels,
    )


def _without_secrets(announcement: Announcement) -> str:
    if announcement.channel == "slack":
        return str(announcement)
    url = urlsplit(announcement.address)
    # An Apprise URL may carry its token where others have the host.
    host = (url.hostname or "") if announcement.channel == "webhook" else ""
    return f"{announcement.channel}:{url.scheme}://{host}/{HIDDEN}"


def watches(session: Session, at: datetime, *, after: str, limit: int) -> list[Watch]:
    """Who is on call on each schedule at that moment; only people who are active count, as when they are paged."""
    until = at + timedelta(days=resolve.HORIZON_DAYS)
    rosters = rota.rosters(session, at, until, rows=_schedules(session, after, limit))
    duty = [(roster, resolve.on_call(roster, at), resolve.shadows(roster, at)) for roster in rosters]
    present = _named(session, {key for _, keys, learning in duty for key in (*keys, *learning)})
    return [_watch(roster, keys, learning, present, at) for roster, keys, learning in duty]


def _watch(
    roster: Roster, keys: Sequence[str], shadows: Sequence[str], present: Mapping[str, Person], at: datetime
) -> Watch:
    ends = _shift_ends(roster, keys, at)
    gaps = resolve.gaps(roster, at, at + timedelta(days=GAPS_DAYS))
    return Watch(
        key=roster.schedule.key,
        timezone=roster.schedule.timezone,
        on_call=tuple(OnCall(present[key], ends.get(key)) for key in keys),
        next_change_at=resolve.next_change_at(roster, at),
        gaps=tuple(Gap(starts_at, ends_at) for starts_at, ends_at in gaps),
        shadows=tuple(present[key] for key in shadows),
    )


def _shift_ends(roster: Roster, keys: Collection[str], at: datetime) -> dict[str, datetime]:
    """When each stops being on call; without those for whom no end is in sight."""
    ends: dict[str, datetime] = {}
    for _ in range(CHANGES_LOOKED_AT_MAX):
        changes_at = resolve.next_change_at(roster, at)
        if changes_at is None or len(ends) == len(keys):
            break
        at = changes_at
        still = resolve.on_call(roster, at)
        ends |= {key: at for key in keys if key not in still and key not in ends}
    return ends


def _named(session: Session, keys: Collection[str]) -> dict[str, Person]:
    columns = select(Responder.key, Responder.name).where(Responder.key.in_(keys))
    return {row.key: Person(row.key, row.name) for row in session.execute(columns)}


def _schedules(session: Session, after: str, limit: int) -> Sequence[ScheduleRow]:
    statement = select(ScheduleRow).where(ScheduleRow.key > after).order_by(ScheduleRow.key).limit(limit)
    return session.scalars(statement).all()
