"""What would happen: who would be woken for an incident, when and by what, if nobody answered. Pure.

It takes the steps that the engine takes (`plan`, `wake`), over a world of values instead of a database; there is no
second telling of the rules. Every message is taken to arrive, and nothing to hold it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from escalation import plan, wake
from escalation.channels.base import Purpose
from escalation.oncall import resolve
from escalation.oncall.schedules import Roster
from escalation.plan import BusinessDays, Stage, Urgency
from escalation.policies import Policy, Target
from escalation.reach import Person
from escalation.wake import Reached, Situation, Step

ASKED = -1
STEPS_MAX = 400  # of one course; what comes after is more of the same


@dataclass(frozen=True, slots=True)
class World:
    """Everybody who can be woken, and by what rules; a wake.Directory. Only people who are active."""

    people: Mapping[str, Person]
    rosters: Mapping[str, Roster] = field(default_factory=dict)  # by the schedule's key
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # role -> who has it, by key
    policies: Mapping[str, Policy] = field(default_factory=dict)
    last_resort: tuple[Target, ...] = ()
    turns: Mapping[str, str] = field(default_factory=dict)  # see wake.Directory.last_turn

    def person(self, key: str) -> Person | None:
        return self.people.get(key)

    def on_call(self, schedule: str, at: datetime) -> Sequence[str]:
        return resolve.on_call(self.rosters[schedule], at) if schedule in self.rosters else ()

    def shadows(self, schedule: str, at: datetime) -> Sequence[str]:
        return resolve.shadows(self.rosters[schedule], at) if schedule in self.rosters else ()

    def with_role(self, role: str) -> Sequence[str]:
        return self.roles.get(role, ())

    def last_turn(self, place: str) -> str:
        return self.turns.get(place, "")


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as far as it matters for whom it wakes."""

    policy: Policy
    urgency: Urgency
    opened_at: datetime  # aware
    days: BusinessDays = field(default_factory=BusinessDays)
    last_resort: tuple[Target, ...] | None = None  # None: the world's
    halt_recommended: bool = False  # keepers are asked to decide, beside the levels


@dataclass(frozen=True, slots=True)
class Woken:
    """One message to one person."""

    at: datetime
    person: Person
    channel: str
    purpose: Purpose
    level: int
    stage: Stage
    step: int  # index in Course.steps; ASKED: none
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A step, and when it was taken."""

    at: datetime
    step: Step
    cycle: int


@dataclass(frozen=True, slots=True)
class Course:
    """`goes_on`: it was broken off where it only repeats itself, or at the end of the time that was asked for."""

    case: Case
    steps: tuple[Taken, ...]
    woken: tuple[Woken, ...]  # by time
    acknowledged_at: datetime | None = None
    goes_on: bool = False

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who hears of it, in the order in which they do."""
        return tuple({woken.person.key: woken.person for woken in self.woken}.values())

    @property
    def ends_at(self) -> datetime:
        moments = [woken.at for woken in self.woken] + [taken.at for taken in self.steps]
        return max(moments, default=self.case.opened_at)


def simulate(
    world: World, case: Case, *, until: datetime | None = None, acknowledged_at: datetime | None = None
) -> Course:
    """Until that time; without one, until it only repeats itself: the last resort has been called, or LOW told twice.

    An acknowledgement at a moment stops what has not been sent by then.
    """
    situation = Situation(
        policy=case.policy,
        last_resort=world.last_resort if case.last_resort is None else case.last_resort,
        urgency=case.urgency,
        days=case.days,
        progress=plan.begin(case.urgency, case.opened_at, case.days),
    )
    taken: list[Taken] = []
    at = case.opened_at
    while (due := situation.due_at) is not None and len(taken) < STEPS_MAX:
        at = max(at, due)
        if (until is not None and at > until) or (acknowledged_at is not None and at >= acknowledged_at):
            break
        if until is None and _repeats(taken):
            break
        cycle = situation.progress.cycle
        step, situation = wake.take(situation, world, at)
        taken.append(Taken(at, step, cycle))
        if step.turn:
            world = replace(world, turns={**world.turns, step.place: step.turn})
    woken = [each for index, one in enumerate(taken) for each in _woken(one, index)]
    asked = wake.consulted(world, case.opened_at) if case.halt_recommended else ()
    woken += [_asked(each, number) for each, number in _each(asked)]
    last = min(filter(None, (until, acknowledged_at)), default=None)
    woken = [each for each in woken if last is None or each.at < last or (each.at == last and acknowledged_at is None)]
    return Course(
        case=case,
        steps=tuple(taken),
        woken=tuple(sorted(woken, key=lambda each: (each.at, each.step))),
        acknowledged_at=acknowledged_at,
        goes_on=acknowledged_at is None and situation.due_at is not None,
    )


def _repeats(taken: Sequence[Taken]) -> bool:
    stages = [one.step.stage for one in taken]
    telling = stages.count(Stage.NOTIFYING) > 1  # LOW, which is told each business day
    return telling or stages.count(Stage.LAST_RESORT) > 0


def _woken(taken: Taken, index: int) -> list[Woken]:
    step = taken.step
    return [
        *(_message(each, sending_index, taken, index, step.purpose) for each, sending_index in _each(step.people)),
        *(
            replace(_message(each, number, taken, index, Purpose.NOTIFICATION), shadow=True)
            for each, number in _each(step.shadows)
        ),
    ]


def _asked(reached: Reached, number: int) -> Woken:
    sending = reached.sendings[number]
    return Woken(sending.due_at, reached.person, sending.channel, Purpose.NOTIFICATION, 0, Stage.PAGING, ASKED)


def _each(people: Sequence[Reached]) -> list[tuple[Reached, int]]:
    return [(each, number) for each in people for number in range(len(each.sendings))]


def _message(reached: Reached, number: int, taken: Taken, index: int, purpose: Purpose) -> Woken:
    sending = reached.sendings[number]
    step = taken.step
    return Woken(sending.due_at, reached.person, sending.channel, purpose, step.level.level, step.stage, index)
