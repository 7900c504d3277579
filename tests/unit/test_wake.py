"""Whom one step of an escalation wakes, by what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

import pytest

from escalation import reach, wake
from escalation.channels.base import Purpose
from escalation.oncall.hours import Hours, Window
from escalation.plan import BusinessDays, Progress, Stage, Urgency
from escalation.policies import Level, Policy, Target
from escalation.reach import Person, Rule
from escalation.wake import Situation, Step

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 11, 17, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OFFICE = Hours("office", "UTC", Window(time(9), time(18)))
BY_NIGHT, BY_DAY = Window(time(22), time(7)), Window(time(7), time(22))


def person(key: str, *channels: str, timezone: str = "UTC", quiet: bool = False, **rules: list[Rule]) -> Person:
    hours = {"from": "22:00", "to": "07:00"} if quiet else {}
    return Person(key, key.title(), timezone, {c: f"{c}-{key}" for c in channels or ("sms",)}, rules, hours)


@dataclass
class People:
    """A directory of people who are all on call on the schedule "primary"; those who shadow it are named."""

    there: dict[str, Person]
    shadowing: tuple[str, ...] = ()
    turns: dict[str, str] = field(default_factory=dict)

    def person(self, key: str) -> Person | None:
        return self.there.get(key)

    def on_call(self, schedule: str, at: datetime) -> Sequence[str]:
        return [key for key in self.there if key not in self.shadowing] if schedule == "primary" else []

    def shadows(self, schedule: str, at: datetime) -> Sequence[str]:
        return self.shadowing

    def with_role(self, role: str) -> Sequence[str]:
        return list(self.there)

    def last_turn(self, place: str) -> str:
        return self.turns.get(place, "")


def people(*there: Person, shadowing: tuple[str, ...] = ()) -> People:
    return People({each.key: each for each in there}, shadowing)


def level(number: int = 1, *page: str, after: int = 0) -> Level:
    return Level(number, after * 60, tuple(map(Target.parse, page or ("schedule:primary",))))


def situation(
    *levels: Level, urgency: Urgency = Urgency.HIGH, stage: Stage = Stage.PAGING, at: datetime = NOW
) -> Situation:
    policy = Policy("standard", levels or (level(), level(2, after=5)))
    last = (Target("responder", "mia"),)
    return Situation(policy, last, urgency, BusinessDays(), Progress(stage, at))


def told(step: Step, since: datetime = NOW) -> list[str]:
    return [
        f"{each.person.key} {sending.channel} {(sending.due_at - since) // MINUTE}"
        for each in step.people
        for sending in each.sendings
    ]


# One person's rules


RULES = [
    Rule(0, "voice", BY_NIGHT),
    Rule(0, "slack", BY_DAY),
    Rule(180, "sms"),
]


@pytest.mark.parametrize(
    ("at", "zone", "ways"),
    [
        (NOW, "UTC", ["0 slack", "180 sms"]),
        (NIGHT, "UTC", ["0 voice", "180 sms"]),
        (NIGHT, "Asia/Singapore", ["0 slack", "180 sms"]),  # half past nine in the morning there
    ],
)
def test_a_step_counts_when_its_moment_falls_into_its_hours_where_the_person_is(
    at: datetime, zone: str, ways: list[str]
) -> None:
    ana = person("ana", "slack", "sms", "voice", timezone=zone, high=RULES)
    assert [f"{way.after_seconds:g} {way.channel}" for way in reach.ways(ana, "high", at)] == ways


def test_a_later_step_is_judged_by_its_own_moment() -> None:
    ana = person("ana", "slack", "voice", high=[Rule(0, "slack"), Rule(300, "voice", BY_NIGHT)])
    late = datetime(2026, 11, 16, 21, 57, tzinfo=UTC)
    assert [way.channel for way in reach.ways(ana, "high", late)] == ["slack", "voice"]
    assert [way.channel for way in reach.ways(ana, "high", late - 10 * MINUTE)] == ["slack"]


def test_when_no_step_is_for_this_hour_any_way_will_do() -> None:
    ana = person("ana", "slack", "voice", high=[Rule(0, "slack", BY_DAY)])
    assert [(way.after_seconds, way.channel) for way in reach.ways(ana, "high", NIGHT)] == [(0, "voice")]


def test_when_the_immediate_step_is_not_for_this_hour_the_rest_begins_at_once() -> None:
    ana = person("ana", "slack", "voice", "sms", high=[Rule(0, "slack", BY_DAY), Rule(60, "sms"), Rule(180, "voice")])
    found = [(way.after_seconds, way.channel) for way in reach.ways(ana, "high", NIGHT)]
    assert found == [(0, "sms"), (180, "voice")]


def test_whoever_has_no_address_in_use_cannot_be_reached() -> None:
    assert reach.ways(Person("ana", "Ana", "UTC", {}, {"high": [Rule(0, "sms")]}), "high", NOW) == ()


# Quiet hours


def test_what_low_tells_waits_for_the_end_of_quiet_hours_and_a_page_does_not() -> None:
    there = people(person("ana", quiet=True), person("bo"))
    step, _ = wake.take(situation(urgency=Urgency.LOW, stage=Stage.NOTIFYING, at=NIGHT), there, NIGHT)
    assert told(step, NIGHT) == ["ana sms 330", "bo sms 0"]
    step, _ = wake.take(situation(at=NIGHT), there, NIGHT)
    assert told(step, NIGHT) == ["ana sms 0", "bo sms 0"]


def test_what_medium_tells_first_does_not_wait_because_a_page_follows() -> None:
    step, after = wake.take(
        situation(urgency=Urgency.MEDIUM, stage=Stage.NOTIFYING, at=NIGHT), people(person("ana", quiet=True)), NIGHT
    )
    assert (told(step, NIGHT), step.purpose) == (["ana sms 0"], Purpose.NOTIFICATION)
    assert (after.due_at, after.urgency) == (NIGHT + 15 * MINUTE, Urgency.HIGH)


# Hours of a level


def test_a_level_that_is_not_for_this_hour_is_passed_over_and_the_next_fires_at_once() -> None:
    levels = (replace(level(), during=OFFICE), replace(level(2, after=5), outside=OFFICE), level(3, after=15))
    step, after = wake.take(situation(*levels, at=NIGHT), people(person("ana")), NIGHT)
    assert (step.passed_over, told(step), after.due_at) == (True, [], NIGHT)
    step, after = wake.take(after, people(person("ana")), NIGHT)
    assert (step.level.level, told(step, NIGHT)) == (2, ["ana sms 0"])
    assert after.due_at == NIGHT + 10 * MINUTE  # the distance between the levels stays


def test_whoever_is_told_first_is_on_the_first_level_for_this_hour() -> None:
    levels = (replace(level(1, "responder:ana"), during=OFFICE), level(2, "responder:bo", after=5))
    step, _ = wake.take(
        situation(*levels, urgency=Urgency.MEDIUM, stage=Stage.NOTIFYING, at=NIGHT),
        people(person("ana"), person("bo")),
        NIGHT,
    )
    assert told(step, NIGHT) == ["bo sms 0"]


def test_a_policy_that_is_for_no_hour_at_all_calls_the_last_resort_at_once() -> None:
    step, after = wake.take(situation(replace(level(), during=OFFICE), at=NIGHT), people(person("mia")), NIGHT)
    assert step.passed_over
    step, after = wake.take(after, people(person("mia")), NIGHT)
    assert (step.stage, told(step, NIGHT)) == (Stage.LAST_RESORT, ["mia sms 0"])
    assert after.due_at == NIGHT + 15 * MINUTE


# Turns


def test_a_round_robin_goes_on_from_whoever_was_last_and_past_whoever_cannot_be_reached() -> None:
    there = people(person("ana"), person("bo"), Person("cy", "Cy"), person("di"))
    turns = []
    for _ in range(4):
        step, _ = wake.take(situation(replace(level(), round_robin=True)), there, NOW)
        there.turns[step.place] = step.turn
        turns.append([each.person.key for each in step.people])
    assert turns == [["ana"], ["bo"], ["di"], ["ana"]]
    assert there.turns == {"standard/1": "ana"}
    assert [each.key for each in step.unreachable] == ["cy"]


def test_turns_begin_anew_when_the_last_one_is_not_among_them_any_more() -> None:
    there = people(person("ana"), person("bo"))
    there.turns["standard/1"] = "zoe"
    step, _ = wake.take(situation(replace(level(), round_robin=True)), there, NOW)
    assert step.turn == "ana"


# Several must acknowledge


def test_whoever_has_it_is_passed_by_and_by_the_last_resort_is_not() -> None:
    there = people(person("ana"), person("bo"), person("mia"))
    have_it = replace(situation(), acknowledged=frozenset({"ana", "mia"}))
    step, _ = wake.take(have_it, there, NOW)
    assert (told(step), [each.key for each in step.have_it]) == (["bo sms 0"], ["ana", "mia"])
    step, _ = wake.take(replace(have_it, progress=Progress(Stage.LAST_RESORT, NOW)), there, NOW)
    assert told(step) == ["mia sms 0", "ana sms 0", "bo sms 0"]


def test_a_level_whose_people_all_have_it_goes_on_at_once() -> None:
    step, after = wake.take(replace(situation(), acknowledged=frozenset({"ana"})), people(person("ana")), NOW)
    assert (step.reached, after.due_at) == (False, NOW)


# Shadows


def test_shadows_are_told_quietly_and_cover_nobody() -> None:
    there = people(person("ana"), person("newbie", quiet=True), shadowing=("newbie",))
    step, _ = wake.take(situation(at=NIGHT), there, NIGHT)
    assert told(step, NIGHT) == ["ana sms 0"]
    assert [(each.person.key, (each.sendings[0].due_at - NIGHT) // MINUTE) for each in step.shadows] == [
        ("newbie", 330)
    ]
    alone = people(person("newbie"), shadowing=("newbie",))
    step, after = wake.take(situation(), alone, NOW)
    assert (step.reached, len(step.shadows), after.due_at) == (False, 1, NOW)


def test_a_shadow_who_is_named_anyway_is_paged_once() -> None:
    there = people(person("ana"), person("newbie"), shadowing=("newbie",))
    step, _ = wake.take(situation(level(1, "schedule:primary", "responder:newbie")), there, NOW)
    assert (told(step), step.shadows) == (["ana sms 0", "newbie sms 0"], ())
