"""What holds of every rotation in every time zone, on the nights when its clocks change above all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from escalation.oncall import resolve, turns
from escalation.oncall.schedules import (
    TURN_LENGTHS,
    Roster,
    Rotation,
    Schedule,
)
from tests.unit.oncall_samples import (
    DAY,
    SECOND,
    ZONES,
    clock_changes,
    every_zone,
    exists_not,
    fewer,
    instants,
    rotations,
    wall_of,
)


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


@fewer
@given(data=st.data(), zone_name=st.sampled_from(ZONES))
def test_months_hand_over_on_their_day_or_the_last_one_at_the_same_wall_time(
    data: st.DataObject, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    rotation = data.draw(rotations(zone_name, units=("mo",), members_min=2))
    for index in range(14):
        month = rotation.starts.month - 1 + index * rotation.turn_count
        first = rotation.starts.replace(year=rotation.starts.year + month // 12, month=month % 12 + 1, day=1)
        last_day = ((first + 31 * DAY).replace(day=1) - DAY).day
        expected_wall = first.replace(day=min(rotation.starts.day, last_day))
        starts_at = turns.starts_at(rotation, zone, index)
        assert wall_of(starts_at, zone) == expected_wall or exists_not(expected_wall, zone)
        assert turns.index_at(rotation, zone, starts_at) == index
        assert turns.index_at(rotation, zone, starts_at - SECOND) == index - 1
