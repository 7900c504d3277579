"""What readiness is judged by: everybody, every schedule's shifts to come, every policy, in values. Pure.

It is made from the database or from a file alone; what a file cannot know is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from config.declaration import Path
from escalation.declared import Declared
from escalation.oncall import resolve
from escalation.oncall.schedules import AHEAD_DAYS, Absence, Roster, Rotation, Shift
from escalation.policies import Policy, Target

SOON_DAYS = 7

Span = tuple[datetime, datetime]  # [start, end), aware


@dataclass(frozen=True, slots=True)
class Finding:
    """`severity` error: somebody may not be woken, or not as written. warning: it holds, and not for long or for luck."""

    severity: str  # error, warning
    code: str
    what: str  # the thing it is about: `schedule primary`
    sentence: str
    advice: str
    path: Path = ()  # its place in the file
    line: int | None = None  # of the file, where there is one


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who may be paged."""

    key: str
    name: str
    active: bool = True
    roles: frozenset[str] = frozenset()
    addresses: Mapping[str, str] = field(default_factory=dict)  # channel -> address, of those that are used
    verified: frozenset[str] | None = None  # channels whose address sent a code back
    disabled: Mapping[str, str] = field(default_factory=dict)  # channel -> why it is out of use
    quiet: Mapping[str, str] = field(default_factory=dict)
    begins_seconds: float = 0  # how long after a level fires their first rule for pages waits, at its shortest
    off: tuple[Span, ...] = ()  # time off that is known

    @property
    def is_reachable(self) -> bool:
        return self.active and bool(self.addresses)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A schedule, and what it comes to in the AHEAD_DAYS to come. Shadows are no cover, and in neither."""

    key: str
    members: tuple[str, ...]  # of its rotations, each once; without shadows
    shifts: tuple[Shift, ...]
    gaps: tuple[Span, ...]
    shadows: tuple[str, ...] = ()
    calendar_errors: tuple[str, ...] = ()
    needs_calendar: bool = False  # whose shifts a file alone cannot know


@dataclass(frozen=True, slots=True)
class Ground:
    now: datetime
    people: Mapping[str, Member]
    coverage: Mapping[str, Coverage]
    policies: Mapping[str, Policy]
    last_resort: tuple[Target, ...]
    policies_in_use: frozenset[str]  # those that a service names
    runbooks: frozenset[str] | None = None
    channels: frozenset[str] | None = None  # those that are configured here

    @property
    def until(self) -> datetime:
        return self.now + timedelta(days=AHEAD_DAYS)

    def named(self, target: Target) -> tuple[str, ...]:
        """Everybody it may name until the horizon, who is active; whether they can be reached is not asked."""
        if target.kind == "responder":
            keys: tuple[str, ...] = (target.key,)
        elif target.kind == "role":
            keys = tuple(key for key, person in self.people.items() if target.key in person.roles)
        else:
            covered = self.coverage.get(target.key)
            keys = tuple(dict.fromkeys(shift.responder for shift in covered.shifts)) if covered else ()
        return tuple(key for key in keys if key in self.people and self.people[key].active)

    def reached(self, target: Target) -> tuple[str, ...]:
        return tuple(key for key in self.named(target) if self.people[key].is_reachable)

    @property
    def schedules_in_use(self) -> frozenset[str]:
        policies = [policy for key, policy in self.policies.items() if key in self.policies_in_use]
        targets = [target for policy in policies for level in policy.levels for target in level.page]
        return frozenset(target.key for target in (*targets, *self.last_resort) if target.kind == "schedule")

    @property
    def people_in_use(self) -> dict[str, str]:
        """Everybody who is counted on, with the first place that does: `schedule primary`, `policy standard, level 2`."""
        found: dict[str, str] = {}
        for covered in self.coverage.values():
            if covered.key in self.schedules_in_use:
                for key in covered.members:
                    found.setdefault(key, f"schedule {covered.key}")
        for policy in self.policies.values():
            for level in policy.levels:
                for target in level.page:
                    for key in self.named(target) if target.kind != "schedule" else ():
                        found.setdefault(key, f"policy {policy.key}, level {level.level}")
        for target in self.last_resort:
            for key in self.named(target):
                found.setdefault(key, "the last resort")
        return found


def coverage_of(roster: Roster, now: datetime, calendar_errors: tuple[str, ...] = ()) -> Coverage:
    schedule, until = roster.schedule, now + timedelta(days=AHEAD_DAYS)
    takes_turns = [rotation for rotation in schedule.rotations if not rotation.shadow]
    learns = [rotation for rotation in schedule.rotations if rotation.shadow]
    return Coverage(
        key=schedule.key,
        members=_each_once(takes_turns),
        shifts=tuple(shift for shift in resolve.shifts(roster, now, until) if not shift.shadow),
        gaps=tuple(resolve.gaps(roster, now, until)),
        shadows=_each_once(learns),
        calendar_errors=calendar_errors,
        needs_calendar=any(rotation.calendar for rotation in takes_turns),
    )


def _each_once(rotations: Iterable[Rotation]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for rotation in rotations for key in rotation.members))


def from_declared(
    declared: Declared, now: datetime, *, policies_in_use: frozenset[str], runbooks: frozenset[str]
) -> Ground:
    """Of a file alone: addresses count as used, calendars are not read, overrides and time off that people entered are not known."""
    people = {
        person.key: Member(
            key=person.key,
            name=person.name,
            roles=frozenset(person.roles),
            addresses=person.ways,
            quiet=person.quiet.to_json() if person.quiet else {},
            begins_seconds=min((step.after_seconds for step in person.page_by["high"]), default=0),
            off=tuple((each.starts_at, each.ends_at) for each in person.time_off),
        )
        for person in declared.responders
    }
    off = tuple(
        Absence(person.key, each.starts_at, each.ends_at) for person in declared.responders for each in person.time_off
    )
    return Ground(
        now=now,
        people=people,
        coverage={schedule.key: coverage_of(Roster(schedule, absences=off), now) for schedule in declared.schedules},
        policies={policy.key: policy for policy in declared.policies},
        last_resort=declared.last_resort,
        policies_in_use=policies_in_use,
        runbooks=runbooks,
    )
