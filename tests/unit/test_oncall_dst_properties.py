"""What holds of every rotation in every time zone, on the nights when its clocks change above all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from escalation.oncall import resolve, turns
from escalation.oncall.schedules import (
    TURN_LENGTHS,
    TURN_UNITS,
    Override,
    Roster,
    Rotation,
    Schedule,
    TurnUnit,
    zone_names,
)

ZONES = sorted(zone_names())
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SECOND = timedelta(seconds=1)
YEARS = range(1975, 2045)
PEOPLE = ("ana", "bo", "cy", "dora")

# The first look for a zone's changes takes a while; they are remembered after that.
SLOW_START = [HealthCheck.too_slow]
every_zone = settings(max_examples=80, deadline=None, suppress_health_check=SLOW_START)
fewer = settings(max_examples=40, deadline=None, suppress_health_check=SLOW_START)


@cache
def clock_changes(zone_name: str, year: int) -> tuple[datetime, ...]:
    """The instants of that year, to the second, from which the zone has another offset."""
    zone = ZoneInfo(zone_name)
    found = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        before, after = day, day + DAY
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            while after - before > SECOND:
                middle = before + (after - before) // 2
                middle = middle.replace(microsecond=0) if middle.replace(microsecond=0) > before else after - SECOND
                if middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
                    before = middle
                else:
                    after = middle
            found.append(after)
        day += DAY
    return tuple(found)


@st.composite
def instants(draw: st.DrawFn, zone_name: str) -> datetime:
    """Mostly within hours of a change of the zone's clocks, where it has any."""
    year = draw(st.sampled_from(YEARS))
    changes = clock_changes(zone_name, year) if draw(st.integers(0, 3)) else ()
    if changes:
        return draw(st.sampled_from(changes)) + timedelta(minutes=draw(st.integers(-180, 180)))
    return datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 525_599)))


@st.composite
def wall_times(draw: st.DrawFn, zone_name: str) -> datetime:
    """Naive. Near a change of the clocks: also times that the zone's clocks skip, or show twice."""
    at = draw(instants(zone_name)).astimezone(ZoneInfo(zone_name)).replace(tzinfo=None, fold=0)
    return at.replace(second=0, microsecond=0) + timedelta(minutes=draw(st.integers(-90, 90)))


@st.composite
def rotations(
    draw: st.DrawFn, zone_name: str, *, units: Sequence[TurnUnit] = TURN_UNITS, members_min: int = 1
) -> Rotation:
    members = draw(st.lists(st.sampled_from(PEOPLE), min_size=members_min, max_size=4, unique=True))
    unit = draw(st.sampled_from(units))
    count = draw(st.integers(1, {"h": 40, "d": 10, "w": 4, "mo": 3}[unit]))
    return Rotation(tuple(members), draw(wall_times(zone_name)), count, unit)


def length(rotation: Rotation) -> timedelta:
    return rotation.turn_count * TURN_LENGTHS[rotation.turn_unit]


def handoffs(rotation: Rotation, zone_name: str, count: int) -> list[datetime]:
    """The starts of the first turns, found by asking on_call() alone."""
    schedule = Schedule("s", zone_name, (rotation,))
    at = rotation.starts.replace(tzinfo=UTC) - 2 * DAY
    found: list[datetime] = []
    while len(found) < count:
        changed_at = resolve.next_change_at(Roster(schedule), at)
        assert changed_at is not None
        at = changed_at
        found.append(at)
    return found


def wall_of(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


@every_zone
@given(data=st.data(), zone_name=st.sampled_from(ZONES))
def test_a_rotation_of_one_covers_every_instant_from_its_start(data: st.DataObject, zone_name: str) -> None:
    rotation = data.draw(rotations(zone_name))
    alone = Schedule("s", zone_name, (Rotation(("ana",), rotation.starts, rotation.turn_count, rotation.turn_unit),))
    started_at = turns.starts_at(alone.rotations[0], ZoneInfo(zone_name), 0)
    assert resolve.on_call(Roster(alone), started_at - SECOND) == ()
    assert resolve.on_call(Roster(alone), started_at) == ("ana",)
    at = data.draw(instants(zone_name))
    assert resolve.on_call(Roster(alone), at) == (("ana",) if at >= started_at else ())
    assert resolve.gaps(Roster(alone), started_at, started_at + 500 * DAY) == []


@every_zone
@given(data=st.data(), zone_name=st.sampled_from(ZONES))
def test_turns_of_several_people_leave_no_instant_uncovered(data: st.DataObject, zone_name: str) -> None:
    rotation = data.draw(rotations(zone_name, members_min=2))
    schedule = Schedule("s", zone_name, (rotation,))
    started_at = turns.starts_at(rotation, ZoneInfo(zone_name), 0)
    since = max(started_at, data.draw(instants(zone_name)))
    found = resolve.shifts(Roster(schedule), since, since + 60 * DAY)
    assert found[0].starts_at == since
    assert found[-1].ends_at == since + 60 * DAY
    assert all(before.ends_at == after.starts_at for before, after in pairwise(found))


@every_zone
@given(data=st.data(), zone_name=st.sampled_from(ZONES))
def test_days_and_weeks_hand_over_at_the_same_wall_time_through_every_change_of_clocks(
    data: st.DataObject, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    rotation = data.draw(rotations(zone_name, units=("d", "w"), members_min=2))
    expected_wall = rotation.starts
    for handed_over_at in handoffs(rotation, zone_name, 12):
        offset_before = (handed_over_at - 1.01 * DAY).astimezone(zone).utcoffset()
        skipped = (handed_over_at.astimezone(zone).utcoffset() or timedelta()) - (offset_before or timedelta())
        while expected_wall < wall_of(handed_over_at, zone) - DAY:  # whole days that the zone skipped
            expected_wall += length(rotation)
        shown = wall_of(handed_over_at, zone)
        if shown != expected_wall:
            assert exists_not(expected_wall, zone), f"{expected_wall} was there, but the handoff came at {shown}"
            assert shown - expected_wall == skipped > timedelta()
        else:
            assert handed_over_at.astimezone(zone).fold == 0, "the handoff waited for the second pass"
        expected_wall += length(rotation)


def exists_not(wall: datetime, zone: ZoneInfo) -> bool:
    """No instant within a day and a half of it shows this time on the zone's clocks."""
    as_utc = wall.replace(tzinfo=UTC)
    offsets = {(as_utc + hours * HOUR).astimezone(zone).utcoffset() or timedelta() for hours in range(-36, 37)}
    return all(wall_of(as_utc - offset, zone) != wall for offset in offsets)


def test_in_every_zone_a_handoff_on_a_night_of_2026_when_the_clocks_change_is_at_the_right_instant() -> None:
    checked = 0
    for zone_name in ZONES:
        zone = ZoneInfo(zone_name)
        for changes_at in clock_changes(zone_name, 2026):
            offsets = [at.astimezone(zone).utcoffset() or timedelta() for at in (changes_at - SECOND, changes_at)]
            for minutes in (-90, -30, 0, 10, 90):
                wall = (changes_at + offsets[0]).replace(tzinfo=None) + timedelta(minutes=minutes)
                readings = [wall.replace(tzinfo=UTC) - offset for offset in offsets]
                shown_at = [at for at in readings if wall_of(at, zone) == wall]
                expected_at = min(shown_at) if shown_at else readings[0]
                rotation = Rotation(("ana", "bo"), wall - DAY, 1, "d")
                daily = Schedule("s", zone_name, (rotation,))
                assert resolve.on_call(Roster(daily), expected_at - SECOND) == ("ana",), (zone_name, wall)
                assert resolve.on_call(Roster(daily), expected_at) == ("bo",), (zone_name, wall)
                checked += 1
    assert checked > 1_000


@every_zone
@given(data=st.data(), zone_name=st.sampled_from(ZONES))
def test_turns_of_hours_all_last_the_same_time(data: st.DataObject, zone_name: str) -> None:
    rotation = data.draw(rotations(zone_name, units=("h",), members_min=2))
    starts = handoffs(rotation, zone_name, 10)
    assert {after - before for before, after in pairwise(starts)} == {length(rotation)}


@every_zone
@given(data=st.data(), zone_name=st.sampled_from(ZONES), index=st.integers(0, 2_000))
def test_in_the_middle_of_each_turn_the_next_in_order_is_on_call(
    data: st.DataObject, zone_name: str, index: int
) -> None:
    zone = ZoneInfo(zone_name)
    rotation = data.draw(rotations(zone_name))
    begins = turns.starts_at(rotation, zone, index)
    ends = turns.starts_at(rotation, zone, index + 1)
    assume(begins < ends)  # equal where the zone skipped the day
    schedule = Schedule("s", zone_name, (rotation,))
    person = (rotation.members[index % len(rotation.members)],)
    assert resolve.on_call(Roster(schedule), begins) == person
    assert resolve.on_call(Roster(schedule), begins + (ends - begins) / 2) == person
    assert resolve.on_call(Roster(schedule), ends - SECOND) == person


@fewer
@given(data=st.data(), zone_name=st.sampled_from(ZONES), rounds=st.integers(1, 5))
def test_in_whole_rounds_everybody_has_as_many_turns(data: st.DataObject, zone_name: str, rounds: int) -> None:
    zone = ZoneInfo(zone_name)
    rotation = data.draw(rotations(zone_name, members_min=2))
    count = rounds * len(rotation.members)
    starts = [turns.starts_at(rotation, zone, index) for index in range(count + 1)]
    assume(len(set(starts)) == count + 1)
    schedule = Schedule("s", zone_name, (rotation,))
    shifts = [resolve.shifts(Roster(schedule), begins, ends) for begins, ends in pairwise(starts)]
    assert all(len(of_one_turn) == 1 for of_one_turn in shifts)
    assert [of_one_turn[0].responder for of_one_turn in shifts] == list(rotation.members) * rounds


@st.composite
def overridden_schedules(draw: st.DrawFn) -> tuple[Schedule, list[Override], datetime]:
    """A schedule whose rotations start around an instant, overrides of days after it, and that instant."""
    zone_name = draw(st.sampled_from(ZONES))
    around = draw(instants(zone_name))
    made = []
    for _ in range(draw(st.integers(0, 3))):
        rotation = draw(rotations(zone_name))
        starts = wall_of(around, ZoneInfo(zone_name)) + timedelta(hours=draw(st.integers(-2_000, 200)))
        made.append(Rotation(rotation.members, starts, rotation.turn_count, rotation.turn_unit))
    people = st.one_of(st.none(), st.sampled_from(PEOPLE))
    overrides = []
    for _ in range(draw(st.integers(0, 5))):
        responder, replaces = draw(people), draw(people)
        starts_at = around + timedelta(hours=draw(st.integers(-50, 400)))
        ends_at = starts_at + timedelta(hours=draw(st.integers(1, 300)))
        if responder or replaces:
            overrides.append(Override("s", starts_at, ends_at, responder, replaces))
    return Schedule("s", zone_name, tuple(made)), overrides, around


@every_zone
@given(drawn=overridden_schedules(), minutes=st.integers(0, 20 * 24 * 60 - 1))
def test_shifts_and_gaps_say_the_same_as_on_call(
    drawn: tuple[Schedule, list[Override], datetime], minutes: int
) -> None:
    schedule, overrides, since = drawn
    until, at = since + 20 * DAY, since + timedelta(minutes=minutes)
    shifts = resolve.shifts(Roster(schedule, tuple(overrides)), since, until)
    holding = [shift.responder for shift in shifts if shift.starts_at <= at < shift.ends_at]
    assert sorted(holding) == sorted(resolve.on_call(Roster(schedule, tuple(overrides)), at))
    assert shifts == sorted(shifts, key=lambda shift: shift.starts_at)
    assert all(since <= shift.starts_at < shift.ends_at <= until for shift in shifts)
    in_gap = any(
        starts_at <= at < ends_at
        for starts_at, ends_at in resolve.gaps(Roster(schedule, tuple(overrides)), since, until)
    )
    assert in_gap == (not holding)


@every_zone
@given(drawn=overridden_schedules(), part=st.floats(0, 0.999))
def test_until_the_next_change_the_same_people_are_on_call_and_then_others(
    drawn: tuple[Schedule, list[Override], datetime], part: float
) -> None:
    schedule, overrides, at = drawn
    present = resolve.on_call(Roster(schedule, tuple(overrides)), at)
    changes_at = resolve.next_change_at(Roster(schedule, tuple(overrides)), at)
    if changes_at is None:
        assert resolve.on_call(Roster(schedule, tuple(overrides)), at + part * 400 * DAY) == present
    else:
        assert resolve.on_call(Roster(schedule, tuple(overrides)), at + part * (changes_at - at)) == present
        assert resolve.on_call(Roster(schedule, tuple(overrides)), changes_at) != present
