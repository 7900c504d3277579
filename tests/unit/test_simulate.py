"""What would happen, at a moment and over a time; what a change changes for whom; and how it is shown."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from escalation import course_text, picture, stretches
from escalation.comparison import compare
from escalation.oncall.differences import Moved
from escalation.oncall.hours import Hours, Window
from escalation.oncall.schedules import Roster, Rotation, Schedule
from escalation.plan import BusinessDays, Urgency
from escalation.policies import Level, Policy, Target
from escalation.reach import Person, Rule
from escalation.simulate import Case, Course, World, simulate

MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OFFICE = Hours("office", "UTC", Window(time(9), time(18)))
SMS = {"sms": "+15005550101"}


def person(key: str, *rules: Rule, **more: str) -> Person:
    ways = {"sms": f"sms-{key}", "slack": f"slack-{key}", "voice": f"voice-{key}"}
    return Person(key, key.title(), more.get("timezone", "UTC"), ways, {"high": rules or (Rule(0, "sms"),)})


def level(number: int, after_minutes: int, *page: str, **more: Hours) -> Level:
    return Level(number, after_minutes * 60, tuple(map(Target.parse, page)), **more)  # type: ignore[arg-type]  # hours by name


def roster(key: str, *members: str, turn: str = "d") -> Roster:
    rotation = Rotation(members, datetime(2026, 11, 2, 9), 1, turn)  # type: ignore[arg-type]  # a unit
    return Roster(Schedule(key, "UTC", (rotation,)))


STANDARD = Policy(
    "standard", (level(1, 0, "schedule:primary"), level(2, 5, "responder:mia"), level(3, 15, "role:manager"))
)
WORLD = World(
    people={key: person(key) for key in ("ana", "bo", "mia")},
    rosters={"primary": roster("primary", "ana", "bo")},
    roles={"manager": ("mia",)},
    policies={"standard": STANDARD},
    last_resort=(Target("responder", "ana"),),
)


def course(world: World = WORLD, policy: Policy = STANDARD, urgency: Urgency = Urgency.HIGH, **more: object) -> Course:
    return simulate(world, Case(policy, urgency, MONDAY, BusinessDays()), **more)  # type: ignore[arg-type]  # until, acknowledged_at


def told(found: Course) -> list[str]:
    return [f"{(each.at - MONDAY) // MINUTE} {each.person.key} {each.stage}" for each in found.woken]


def test_levels_then_the_last_resort_and_there_it_only_repeats_itself() -> None:
    found = course()
    assert told(found) == [
        "0 ana paging",
        "5 mia paging",
        "15 mia paging",
        "25 ana last_resort",
        "25 mia last_resort",
    ]
    assert found.goes_on
    assert course_text.then(found) == "From then on the last resort is called every 15m until somebody acknowledges."


def test_an_acknowledgement_stops_what_has_not_been_sent() -> None:
    found = course(acknowledged_at=MONDAY + 7 * MINUTE)
    assert told(found) == ["0 ana paging", "5 mia paging"]
    assert not found.goes_on


def test_it_can_be_followed_for_longer() -> None:
    assert told(course(until=MONDAY + HOUR))[-2:] == ["55 ana last_resort", "55 mia last_resort"]


def test_medium_tells_first_and_info_tells_nobody() -> None:
    assert told(course(urgency=Urgency.MEDIUM))[:2] == ["0 ana notifying", "15 ana paging"]
    assert told(course(urgency=Urgency.NONE)) == []
    assert "recorded only" in course_text.table(course(urgency=Urgency.NONE), "INFO")


def test_low_is_told_each_business_day() -> None:
    found = course(urgency=Urgency.LOW)
    assert [each.at for each in found.woken] == [MONDAY + 23 * HOUR, MONDAY + 47 * HOUR]


def test_a_round_robin_goes_on_from_the_turn_it_has_come_to() -> None:
    policy = Policy("turns", (replace(level(1, 0, "responder:ana", "responder:bo"), round_robin=True),), repeat=1)
    found = course(replace(WORLD, turns={"turns/1": "ana"}), policy)
    assert [each.person.key for each in found.woken[:2]] == ["bo", "ana"]


def test_keepers_are_asked_about_a_halt_beside_the_levels() -> None:
    world = replace(WORLD, roles={"keeper": ("bo",)})
    found = simulate(world, Case(STANDARD, Urgency.HIGH, MONDAY, halt_recommended=True))
    assert [course_text.where(each) for each in found.woken if each.person.key == "bo"] == ["asked about a halt"]


# Over a time


def test_a_span_has_one_row_for_each_answer() -> None:
    policy = replace(STANDARD, levels=(*STANDARD.levels[:1], level(2, 10, "responder:mia", outside=OFFICE)))
    found = stretches.over(WORLD, Case(policy, Urgency.HIGH, MONDAY), MONDAY + 24 * HOUR)
    rows = [((each.since - MONDAY) // MINUTE, course_text.in_short(each.course)) for each in found]
    assert [minutes for minutes, _ in rows] == [0, 470, 1370, 1380]  # level 2 at 18:00; at 09:00, as the hand-over is
    assert (rows[0][1], rows[-1][1]) == ("Ana (SMS); 10m Mia (SMS)", "Bo (SMS); 10m Ana (SMS), Mia (SMS)")
    assert found[0].since == MONDAY
    assert found[-1].until == MONDAY + 24 * HOUR
    for before, after in pairwise(found):
        assert before.until == after.since
        assert stretches.answer(before.course) != stretches.answer(after.course)


@pytest.mark.parametrize("minutes", range(0, 24 * 60, 17))
def test_every_moment_of_a_span_goes_as_its_stretch_says(minutes: int) -> None:
    world = replace(WORLD, people={**WORLD.people, "ana": NIGHTLY})
    policy = replace(STANDARD, levels=(*STANDARD.levels[:1], level(2, 10, "responder:mia", outside=OFFICE)))
    found = stretches.over(world, Case(policy, Urgency.HIGH, MONDAY), MONDAY + 24 * HOUR)
    moment = MONDAY + minutes * MINUTE
    there = next(each for each in found if each.since <= moment < each.until)
    once = replace(policy, repeat=0)
    assert stretches.answer(simulate(world, Case(once, Urgency.HIGH, moment))) == stretches.answer(there.course)


NIGHTLY = person(
    "ana", Rule(0, "voice", Window(time(22), time(7))), Rule(0, "slack", Window(time(7), time(22))), Rule(180, "sms")
)


def test_a_time_in_which_too_much_changes_is_refused() -> None:
    hourly = replace(WORLD, rosters={"primary": roster("primary", "ana", "bo", turn="h")})
    with pytest.raises(ValueError, match="ask for a shorter one"):
        stretches.moments(hourly, STANDARD, MONDAY, MONDAY + 90 * 24 * HOUR)


# What changes for whom


def test_a_swapped_order_moves_shifts_from_one_to_the_other_and_the_policy_with_them() -> None:
    after = replace(WORLD, rosters={"primary": roster("primary", "bo", "ana")})
    found = compare(WORLD, after, MONDAY, MONDAY + 24 * HOUR)
    ana, bo = found.people
    assert (ana.key, ana.lost, ana.gained) == (
        "ana",
        (Moved("primary", MONDAY, MONDAY + 23 * HOUR, comes=False),),
        (Moved("primary", MONDAY + 23 * HOUR, MONDAY + 24 * HOUR, comes=True),),
    )
    assert (bo.key, bo.gained, bo.lost) == (
        "bo",
        tuple(replace(each, comes=True) for each in ana.lost),
        tuple(replace(each, comes=False) for each in ana.gained),
    )
    [policy] = found.policies
    assert policy.before is not None
    assert policy.after is not None
    assert (policy.key, policy.before.people[0].key, policy.after.people[0].key) == ("standard", "ana", "bo")


def test_what_stays_the_same_is_no_change() -> None:
    assert not compare(WORLD, WORLD, MONDAY, MONDAY + 48 * HOUR)


def test_where_very_much_changes_it_is_looked_at_even_distances() -> None:
    before = replace(WORLD, rosters={"primary": roster("primary", "ana", "bo", turn="h")})
    after = replace(WORLD, rosters={"primary": roster("primary", "bo", "ana", turn="h")})
    found = compare(before, after, MONDAY, MONDAY + 80 * 24 * HOUR)
    assert [each.key for each in found.policies] == ["standard"]


def test_a_policy_that_comes_or_goes_is_told() -> None:
    found = compare(WORLD, replace(WORLD, policies={}), MONDAY, MONDAY + HOUR)
    assert [(each.key, each.after) for each in found.policies] == [("standard", None)]


# How it is shown


def test_a_table_has_a_line_a_message_with_the_hour_where_they_are() -> None:
    world = replace(WORLD, people={**WORLD.people, "mia": person("mia", timezone="Asia/Tokyo")})
    policy = replace(STANDARD, levels=(replace(STANDARD.levels[0], during=OFFICE), *STANDARD.levels[1:]))
    table = course_text.table(simulate(world, Case(policy, Urgency.HIGH, MONDAY + 10 * HOUR)), "Policy standard, HIGH")
    assert "Policy standard, HIGH. Opened Mon 16 Nov 2026 20:00 UTC." in table
    assert "level 1 is passed over (during office)." in table
    assert [line for line in table.splitlines() if line.startswith("0s")] == [
        "0s     20:00  level 2      Mia  SMS    Tue 05:00 Asia/Tokyo"
    ]


def test_the_picture_is_svg_without_script_that_says_what_it_shows() -> None:
    hostile = person("ana", timezone="Europe/Lisbon")
    world = replace(WORLD, people={**WORLD.people, "ana": replace(hostile, name="<script>&'\"")})
    drawn = picture.svg(course(world), 'Policy "standard" & <others>')
    tree = ElementTree.fromstring(drawn)
    name = "{http://www.w3.org/2000/svg}"
    assert tree.find(f"{name}title").text == 'Policy "standard" & <others>'  # type: ignore[union-attr]  # it is there
    assert "5m Mia (SMS)" in str(tree.find(f"{name}desc").text)  # type: ignore[union-attr]  # it is there
    assert "<script" not in drawn
    marks = [each.text for each in tree.iter(f"{name}title")][1:]
    assert "5m: Mia by SMS, level 2" in marks
    assert tree.get("viewBox", "").startswith("0 0 400 ")


def test_a_picture_of_nobody_says_so() -> None:
    assert "Nobody is told." in picture.svg(course(urgency=Urgency.NONE), "INFO")
