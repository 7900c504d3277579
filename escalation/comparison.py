"""What a change of the configuration changes for whom: shifts won and lost, and policies that go another way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation import stretches
from escalation.oncall import differences, resolve
from escalation.oncall.differences import Moved
from escalation.oncall.schedules import Shift
from escalation.plan import Urgency
from escalation.policies import Policy
from escalation.simulate import Case, Course, World, simulate

COMPARED = timedelta(days=14)  # how far it is looked, usually
MOMENTS_MAX = 200  # of one policy, each tried on both sides


@dataclass(frozen=True, slots=True)
class ForPerson:
    key: str
    name: str
    gained: tuple[Moved, ...]
    lost: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class OfPolicy:
    """The first stretch of time in which an incident goes another way. None: there is no such policy then."""

    key: str
    since: datetime
    until: datetime
    before: Course | None
    after: Course | None


@dataclass(frozen=True, slots=True)
class Comparison:
    people: tuple[ForPerson, ...]
    policies: tuple[OfPolicy, ...]

    def __bool__(self) -> bool:
        return bool(self.people or self.policies)


def compare(before: World, after: World, since: datetime, until: datetime) -> Comparison:
    """Two worlds over a span of time. Policies are tried with an incident that pages at once: at each moment when the
    answer may change, or, where there are very many of those, at even distances."""
    return Comparison(
        people=tuple(_people(before, after, since, until)),
        policies=tuple(_policies(before, after, since, until)),
    )


def _people(before: World, after: World, since: datetime, until: datetime) -> Iterable[ForPerson]:
    moved = differences.moved(_shifts(before, since, until), _shifts(after, since, until))
    for key, moves in sorted(moved.items()):
        person = after.person(key) or before.person(key)
        gained, lost = (tuple(each for each in moves if each.comes == comes) for comes in (True, False))
        yield ForPerson(key, person.name if person else key, gained, lost)


def _shifts(world: World, since: datetime, until: datetime) -> dict[str, list[Shift]]:
    """By schedule, of those who are paged."""
    return {
        key: [shift for shift in resolve.shifts(roster, since, until) if not shift.shadow]
        for key, roster in world.rosters.items()
    }


def _policies(before: World, after: World, since: datetime, until: datetime) -> Iterable[OfPolicy]:
    for key in sorted({*before.policies, *after.policies}):
        old, new = before.policies.get(key), after.policies.get(key)
        if old is None or new is None:
            sides = [_course(world, policy, since) for world, policy in ((before, old), (after, new))]
            yield OfPolicy(key, since, until, *sides)
        elif (old, _relevant(before, old)) == (new, _relevant(after, new)):
            continue
        elif found := _first_difference(before, after, old, new, since, until):
            yield found


def _first_difference(
    before: World, after: World, old: Policy, new: Policy, since: datetime, until: datetime
) -> OfPolicy | None:
    moments = _moments([(before, old), (after, new)], since, until)
    found: OfPolicy | None = None
    for moment in moments:
        sides = [simulate(world, Case(policy, Urgency.HIGH, moment)) for world, policy in ((before, old), (after, new))]
        differ = stretches.answer(sides[0]) != stretches.answer(sides[1])
        if found is None and differ:
            found = OfPolicy(new.key, moment, until, sides[0], sides[1])
        elif found is not None and not differ:
            return OfPolicy(found.key, found.since, moment, found.before, found.after)
    return found


def _relevant(world: World, policy: Policy) -> tuple[object, ...]:
    """All of a world that decides whom this policy wakes."""
    keys = sorted(stretches.named(world, policy))
    schedules = sorted({target.key for target in stretches.targets(world, policy) if target.kind == "schedule"})
    return (
        [world.person(key) for key in keys],
        [world.rosters.get(key) for key in schedules],
        world.last_resort,
    )


def _moments(sides: Sequence[tuple[World, Policy]], since: datetime, until: datetime) -> list[datetime]:
    try:
        found = {moment for world, policy in sides for moment in stretches.moments(world, policy, since, until)}
    except ValueError:
        found = set()
    if found and len(found) <= MOMENTS_MAX:
        return sorted(found)
    return [since + (until - since) * part / MOMENTS_MAX for part in range(MOMENTS_MAX)]


def _course(world: World, policy: Policy | None, at: datetime) -> Course | None:
    return simulate(world, Case(policy, Urgency.HIGH, at)) if policy else None
