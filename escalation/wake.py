"""Whom one step of an escalation wakes, by what, and when. Pure: the engine and `simulate` both ask here.

The engine gives a directory that it has read for this one step, `simulate` one that holds a whole world. What comes of
a step is the same either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from escalation import plan, reach
from escalation.channels.base import Purpose
from escalation.plan import BusinessDays, Progress, Stage, Urgency
from escalation.policies import Level, Policy, Target
from escalation.reach import Person, Way

CONSULTED = (Target("role", "keeper"),)  # who decides on a recommended halt


class Directory(Protocol):
    """Who there is. Only people who are active are found in it."""

    def person(self, key: str) -> Person | None: ...

    def on_call(self, schedule: str, at: datetime) -> Sequence[str]:
        """Keys; empty where nobody is, or there is no such schedule."""
        ...

    def shadows(self, schedule: str, at: datetime) -> Sequence[str]: ...

    def with_role(self, role: str) -> Sequence[str]: ...

    def last_turn(self, place: str) -> str:
        """Who was last picked there (see Step.place); "" at the beginning."""
        ...


@dataclass(frozen=True, slots=True)
class Situation:
    """How an escalation stands before a step."""

    policy: Policy
    last_resort: tuple[Target, ...]
    urgency: Urgency
    days: BusinessDays
    progress: Progress
    acknowledged: frozenset[str] = frozenset()  # who have it already, where several must

    @property
    def due_at(self) -> datetime | None:
        return plan.due_at(self.policy, self.progress)

    @property
    def tells_only(self) -> bool:
        """Whether people are told and not woken. LOW wakes nobody, not even the last resort."""
        return self.progress.stage is Stage.NOTIFYING or self.urgency is Urgency.LOW


@dataclass(frozen=True, slots=True)
class Sending:
    """One message to one person, at its time."""

    channel: str
    address: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Reached:
    person: Person
    sendings: tuple[Sending, ...]  # at least one


@dataclass(frozen=True, slots=True)
class Step:
    """What one step does. `passed_over`: the level is not for this hour, and nobody was looked for."""

    level: Level
    stage: Stage
    urgency: Urgency  # before the step
    purpose: Purpose
    people: tuple[Reached, ...] = ()
    unreachable: tuple[Person, ...] = ()  # named, and without an address in use
    have_it: tuple[Person, ...] = ()  # named, and have acknowledged already
    shadows: tuple[Reached, ...] = ()  # told of it, so that they learn; they are nobody's cover
    passed_over: bool = False
    place: str = ""  # of a round robin
    turn: str = ""  # whose turn it was there: the last one from now on

    @property
    def reached(self) -> bool:
        return bool(self.people)


def first(situation: Situation, now: datetime) -> tuple[Level, tuple[Target, ...]]:
    """What the next step has to do with: its level, and whom it names."""
    level = plan.level_to_fire(situation.policy, situation.progress, now)
    if situation.progress.stage is not Stage.LAST_RESORT:
        return level, level.page
    return level, situation.last_resort + (() if situation.tells_only else level.page)


def place(policy: Policy, level: Level) -> str:
    """Where turns are taken: at one level of one policy, whatever the incident."""
    return f"{policy.key}/{level.level}"


def take(situation: Situation, directory: Directory, now: datetime) -> tuple[Step, Situation]:
    """Take the step that is due, and say how the escalation stands after it."""
    step = _step(situation, directory, now)
    before = situation.progress
    after = plan.following(situation.policy, before, situation.urgency, now, situation.days)
    if not step.reached:
        after = plan.past_unreachable(situation.policy, before, after, now)
    urgency = situation.urgency
    if urgency is Urgency.MEDIUM and before.stage is Stage.NOTIFYING:
        urgency = Urgency.HIGH  # from here on it pages as HIGH
    return step, replace(situation, progress=after, urgency=urgency)


def consulted(directory: Directory, now: datetime) -> tuple[Reached, ...]:
    """Whom a recommended halt asks to decide, beside the levels."""
    people = _people(directory, _keys(directory, CONSULTED, now))
    found = [Reached(person, _at(reach.asked(person, now), now)) for person in people]
    return tuple(each for each in found if each.sendings)


def _step(situation: Situation, directory: Directory, now: datetime) -> Step:
    level, targets = first(situation, now)
    stage = situation.progress.stage
    purpose = Purpose.NOTIFICATION if situation.tells_only else Purpose.PAGE
    made = Step(level, stage, situation.urgency, purpose)
    if stage is not Stage.LAST_RESORT and not level.is_open(now):
        return replace(made, passed_over=True)
    everybody = _people(directory, _keys(directory, targets, now))
    wanted = everybody
    if stage is not Stage.LAST_RESORT:  # which calls everybody, also those who said that they have it
        wanted = [person for person in everybody if person.key not in situation.acknowledged]
    found = [Reached(person, _sendings(person, purpose, situation.urgency, now)) for person in wanted]
    reachable = [each for each in found if each.sendings]
    made = replace(
        made,
        unreachable=tuple(each.person for each in found if not each.sendings),
        have_it=tuple(person for person in everybody if person not in wanted),
        shadows=_shadows(directory, targets, everybody, now) if made.stage is Stage.PAGING else (),
    )
    if level.round_robin and stage is not Stage.LAST_RESORT and reachable:
        where = place(situation.policy, level)
        picked = _next_turn(everybody, reachable, directory.last_turn(where))
        return replace(made, people=(picked,), place=where, turn=picked.person.key)
    return replace(made, people=tuple(reachable))


def _keys(directory: Directory, targets: Iterable[Target], now: datetime) -> list[str]:
    """Each once, in the order of the targets."""
    found: dict[str, None] = {}
    for target in targets:
        if target.kind == "responder":
            found[target.key] = None
        elif target.kind == "role":
            found |= dict.fromkeys(directory.with_role(target.key))
        else:
            found |= dict.fromkeys(directory.on_call(target.key, now))
    return list(found)


def _people(directory: Directory, keys: Iterable[str]) -> list[Person]:
    return [person for key in keys if (person := directory.person(key))]


def _sendings(person: Person, purpose: Purpose, urgency: Urgency, now: datetime) -> tuple[Sending, ...]:
    """What is not urgent waits for the end of quiet hours. What MEDIUM tells first does not: a page follows it anyway,
    and whoever is awake may spare themselves that."""
    waits = purpose is Purpose.NOTIFICATION and urgency is Urgency.LOW
    since = reach.not_before(person, now) if waits else now
    ways = reach.ways(person, "high" if purpose is Purpose.PAGE else "low", since)
    return _at(ways, since)


def _at(ways: Iterable[Way], since: datetime) -> tuple[Sending, ...]:
    return tuple(Sending(way.channel, way.address, since + timedelta(seconds=way.after_seconds)) for way in ways)


def _shadows(
    directory: Directory, targets: Iterable[Target], named: Sequence[Person], now: datetime
) -> tuple[Reached, ...]:
    """Those of the schedules that are named, beside whoever is named anyway."""
    keys = dict.fromkeys(
        key for target in targets if target.kind == "schedule" for key in directory.shadows(target.key, now)
    )
    learning = [person for person in _people(directory, keys) if person not in named]
    found = [Reached(person, _sendings(person, Purpose.NOTIFICATION, Urgency.LOW, now)) for person in learning]
    return tuple(each for each in found if each.sendings)


def _next_turn(everybody: Sequence[Person], reachable: Sequence[Reached], last: str) -> Reached:
    """The first who can be reached after whoever was last; from the beginning when that one is not among them now."""
    keys = [person.key for person in everybody]
    start = keys.index(last) + 1 if last in keys else 0
    by_key = {each.person.key: each for each in reachable}
    return next(by_key[key] for key in [*keys[start:], *keys[:start]] if key in by_key)
