"""What holds of every roster: its questions answer alike, and time off keeps turns fair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from escalation.oncall import resolve, restrictions
from escalation.oncall.restrictions import Restriction
from escalation.oncall.schedules import Absence, Override, Roster, Rotation, Schedule
from tests.unit.oncall_samples import (
    DAY,
    HOUR,
    PEOPLE,
    SECOND,
    ZONES,
    a_few,
    clock_changes,
    rosters,
    wall_of,
)

STARTS = datetime(2026, 1, 5)
FIRST = STARTS.replace(tzinfo=UTC)


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


# The questions answer alike


@a_few
@given(drawn=rosters(), minutes=st.integers(0, 20 * 24 * 60 - 1))
def test_shifts_and_gaps_say_the_same_as_on_call(drawn: tuple[Roster, datetime], minutes: int) -> None:
    roster, since = drawn
    until, at = since + 20 * DAY, since + timedelta(minutes=minutes)
    shifts = resolve.shifts(roster, since, until)
    for shadow, expected in ((False, resolve.on_call(roster, at)), (True, resolve.shadows(roster, at))):
        holding = [each.responder for each in shifts if each.starts_at <= at < each.ends_at and each.shadow == shadow]
        assert sorted(holding) == sorted(expected)
    assert shifts == sorted(shifts, key=lambda shift: shift.starts_at)
    assert all(since <= shift.starts_at < shift.ends_at <= until for shift in shifts)
    in_gap = any(starts_at <= at < ends_at for starts_at, ends_at in resolve.gaps(roster, since, until))
    assert in_gap == (not resolve.on_call(roster, at))


@a_few
@given(drawn=rosters(), parts=st.lists(st.floats(0, 0.999), min_size=6, max_size=6))
def test_until_the_next_change_the_same_people_are_on_call_and_then_others(
    drawn: tuple[Roster, datetime], parts: list[float]
) -> None:
    roster, at = drawn
    present = resolve.on_call(roster, at)
    changes_at = resolve.next_change_at(roster, at)
    until = changes_at or at + 400 * DAY
    assert {resolve.on_call(roster, at + part * (until - at)) for part in parts} == {present}
    if changes_at is not None:
        assert resolve.on_call(roster, changes_at - timedelta.resolution) == present
        assert resolve.on_call(roster, changes_at) != present


@a_few
@given(drawn=rosters(), minutes=st.lists(st.integers(-10_000, 40_000), min_size=5, max_size=5))
def test_nobody_is_ever_on_call_during_their_time_off(drawn: tuple[Roster, datetime], minutes: list[int]) -> None:
    roster, around = drawn
    for at in [around + timedelta(minutes=each) for each in minutes]:
        off = {each.responder for each in roster.absences if each.hard and each.starts_at <= at < each.ends_at}
        assert not off & {*resolve.on_call(roster, at), *resolve.shadows(roster, at)}


@a_few
@given(drawn=rosters(), person=st.sampled_from(PEOPLE), hard=st.booleans(), starts=st.integers(-200, 400))
def test_an_absence_changes_nothing_before_it(
    drawn: tuple[Roster, datetime], person: str, hard: bool, starts: int
) -> None:
    roster, around = drawn
    starts_at = around + hours(starts)
    added = Absence(person, starts_at, starts_at + 10 * DAY, hard)
    with_it = Roster(roster.schedule, roster.overrides, (*roster.absences, added))
    since = starts_at - 15 * DAY
    assert resolve.shifts(with_it, since, starts_at) == resolve.shifts(roster, since, starts_at)


# Restrictions


def test_in_every_zone_a_window_opens_and_closes_at_the_right_instant_when_the_clocks_change() -> None:
    for zone_name in ZONES:
        zone = ZoneInfo(zone_name)
        for changes_at in clock_changes(zone_name, 2026):
            offsets = [at.astimezone(zone).utcoffset() or timedelta() for at in (changes_at - SECOND, changes_at)]
            for minutes in (-90, -30, 30):
                wall = (changes_at + offsets[0]).replace(tzinfo=None) + timedelta(minutes=minutes)
                readings = [wall.replace(tzinfo=UTC) - offset for offset in offsets]
                shown_at = [at for at in readings if wall_of(at, zone) == wall]
                expected_at = min(shown_at) if shown_at else readings[0]
                minute = wall.hour * 60 + wall.minute
                # It closes an hour before it opens.
                window = Restriction(from_minutes=minute, to_minutes=(minute - 60) % 1_440)
                rotation = Rotation(("ana",), wall - 9 * DAY, only=(window,))
                roster = Roster(Schedule("s", zone_name, (rotation,)))
                assert resolve.on_call(roster, expected_at) == ("ana",), (zone_name, wall)
                assert resolve.on_call(roster, expected_at - SECOND) == (), (zone_name, wall)


@a_few
@given(drawn=rosters(), cuts=st.lists(st.sampled_from(range(0, 1_440, 15)), min_size=2, max_size=4, unique=True))
def test_windows_that_follow_one_another_leave_no_gap_on_any_night(
    drawn: tuple[Roster, datetime], cuts: list[int]
) -> None:
    zone_name, around = drawn[0].schedule.timezone, drawn[1]
    ends = sorted(cuts)
    windows = [Restriction(from_minutes=begins, to_minutes=end) for begins, end in pairwise([*ends, ends[0]])]
    starts = wall_of(around, ZoneInfo(zone_name)) - 9 * DAY
    made = tuple(Rotation((person,), starts, only=(only,)) for person, only in zip(PEOPLE, windows, strict=False))
    assert resolve.gaps(Roster(Schedule("s", zone_name, made)), around - 3 * DAY, around + 3 * DAY) == []


# Fairness


@a_few
@given(count=st.integers(1, 4), at_once=st.integers(1, 4), turns=st.integers(1, 60))
def test_without_absences_nobody_has_had_two_turns_more_than_anybody(count: int, at_once: int, turns: int) -> None:
    people = PEOPLE[:count]
    rotation = Rotation(people, STARTS, 1, "d", at_once=min(at_once, count))
    roster = Roster(Schedule("s", "UTC", (rotation,)))
    held = Counter(person for turn in range(turns) for person in resolve.on_call(roster, FIRST + turn * DAY))
    assert max(held.values()) - min(held[person] for person in people) <= 1


@st.composite
def whole_turns_off(draw: st.DrawFn) -> list[Absence]:
    """Of daily turns, from the first on."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        first, length = draw(st.integers(0, 20)), draw(st.integers(1, 12))
        person = draw(st.sampled_from(PEOPLE))
        found.append(Absence(person, FIRST + first * DAY, FIRST + (first + length) * DAY))
    return found


@a_few
@given(absences=whole_turns_off())
def test_nobody_has_two_turns_while_somebody_who_was_there_all_the_time_has_had_none(absences: list[Absence]) -> None:
    roster = Roster(Schedule("s", "UTC", (Rotation(PEOPLE, STARTS, 1, "d"),)), absences=tuple(absences))
    held = [resolve.on_call(roster, FIRST + turn * DAY + 12 * HOUR) for turn in range(40)]
    for first, (person,) in ((turn, holders) for turn, holders in enumerate(held) if holders):
        again = next((turn for turn in range(first + 1, 40) if held[turn] == (person,)), None)
        if again is None:
            continue
        since, until = FIRST + (first + 1) * DAY, FIRST + (again + 1) * DAY
        for other in set(PEOPLE) - {person}:
            away = any(each.responder == other and each.starts_at < until and each.ends_at > since for each in absences)
            assert away or (other,) in held[first + 1 : again], (first, again, other)


def counted_out(rotation: Rotation, absences: Sequence[Absence], turns: int) -> list[list[str]]:
    """Who is on call in each hour, in UTC and for turns of days, by doing what the rule says hour by hour."""
    line, told = list(rotation.members), []
    zone = ZoneInfo("UTC")

    def off(person: str, at: datetime, known_at: datetime, *, hard_only: bool) -> bool:
        return any(
            each.responder == person and each.starts_at <= at < each.ends_at and each.starts_at <= known_at
            for each in absences
            if each.hard or not hard_only
        )

    def picked(duty: list[datetime], known_at: datetime) -> list[str]:
        if not any(each.starts_at <= known_at and each.ends_at > duty[0] for each in absences):
            return line[: rotation.at_once]

        def rank(person: str) -> int:
            away = sum(off(person, at, known_at, hard_only=False) for at in duty)
            hard = sum(off(person, at, known_at, hard_only=True) for at in duty)
            return 0 if 2 * away <= len(duty) else 1 if 2 * hard <= len(duty) else 2 if hard < len(duty) else 3

        return sorted((person for person in line if rank(person) < 3), key=rank)[: rotation.at_once]

    for turn in range(turns):
        had_when_known: dict[int, list[str]] = {}
        begins = FIRST + turn * rotation.turn_count * DAY
        ours = [begins + hours(count) for count in range(24 * rotation.turn_count)]
        duty = [at for at in ours if restrictions.cover(rotation.only, zone, at)]
        for at in ours:
            if at not in duty:
                told.append([])
                continue
            known = sum(each.starts_at <= at for each in absences)
            holders = had_when_known.setdefault(known, []) or picked(duty, at)
            had_when_known[known] = holders
            waiting = [person for person in line if person not in holders]
            there = [person for person in waiting if not off(person, at, at, hard_only=False)]
            on_holiday = [
                person for person in waiting if person not in there and not off(person, at, at, hard_only=True)
            ]
            sitting = []
            for holder in holders:
                if off(holder, at, at, hard_only=False) and there:
                    sitting.append(there.pop(0))
                elif not off(holder, at, at, hard_only=True):
                    sitting.append(holder)
                elif on_holiday:
                    sitting.append(on_holiday.pop(0))
            told.append(sitting)
        had = picked(duty or ours, ours[-1])
        line = [person for person in line if person not in had] + had
    return told


@st.composite
def hours_off(draw: st.DrawFn) -> Absence:
    starts_at = FIRST + hours(draw(st.integers(-24, 300)))
    return Absence(
        draw(st.sampled_from(PEOPLE)), starts_at, starts_at + hours(draw(st.integers(1, 200))), draw(st.booleans())
    )


@a_few
@given(
    absences=st.lists(hours_off(), min_size=1, max_size=6),
    days=st.integers(1, 3),
    at_once=st.integers(1, 3),
    only=st.sampled_from([(), (Restriction((0, 2, 5), 9 * 60, 17 * 60), Restriction((3,), 20 * 60, 6 * 60))]),
)
def test_who_is_on_call_is_what_counting_out_hour_by_hour_gives(
    absences: list[Absence], days: int, at_once: int, only: tuple[Restriction, ...]
) -> None:
    rotation = Rotation(PEOPLE, STARTS, days, "d", at_once=at_once, only=only)
    roster = Roster(Schedule("s", "UTC", (rotation,)), absences=tuple(absences))
    for hour, expected in enumerate(counted_out(rotation, absences, 18 // days)):
        assert list(resolve.on_call(roster, FIRST + hours(hour))) == expected, hour


def test_an_override_is_not_part_of_the_line() -> None:
    stand_in = Override("s", FIRST, FIRST + DAY, "cy", "ana")
    daily = Rotation(("ana", "bo"), STARTS, 1, "d")
    roster = Roster(Schedule("s", "UTC", (daily,)), overrides=(stand_in,))
    assert [resolve.on_call(roster, FIRST + turn * DAY) for turn in range(3)] == [("cy",), ("bo",), ("ana",)]
