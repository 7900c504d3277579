"""Who is on call, when, and when nobody is: the cases a person can check against a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from escalation.oncall import resolve, turns
from escalation.oncall.schedules import Override, Roster, Rotation, Schedule, Shift, TurnUnit

LISBON = ZoneInfo("Europe/Lisbon")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rotation(*members: str, starts: str = "2026-01-05T09:00", turn: tuple[int, TurnUnit] = (1, "w")) -> Rotation:
    return Rotation(members, datetime.fromisoformat(starts), *turn)


def schedule(*rotations: Rotation, timezone: str = "UTC") -> Schedule:
    return Schedule("primary", timezone, rotations)


def override(
    starts: str, ends: str, *, responder: str | None = None, replaces: str | None = None, of: str = "primary"
) -> Override:
    return Override(of, utc(starts), utc(ends), responder, replaces)


WEEKLY = schedule(rotation("ana", "bo", "cy"))


# Turns


@pytest.mark.parametrize(
    ("at", "person"),
    [
        ("2026-01-05T09:00", "ana"),
        ("2026-01-12T08:59:59.999999", "ana"),
        ("2026-01-12T09:00", "bo"),
        ("2026-01-19T09:00", "cy"),
        ("2026-01-26T09:00", "ana"),
        ("2056-01-05T12:00", "cy"),  # the 1566th turn: 521 rounds and three more
    ],
)
def test_members_take_weekly_turns_in_the_order_listed(at: str, person: str) -> None:
    assert resolve.on_call(Roster(WEEKLY), utc(at)) == (person,)


def test_nobody_is_on_call_before_the_rotation_starts() -> None:
    assert resolve.on_call(Roster(WEEKLY), utc("2026-01-05T08:59:59.999999")) == ()


def test_a_rotation_that_starts_later_joins_after_those_before_it() -> None:
    two = schedule(rotation("ana"), rotation("bo", starts="2026-02-01T00:00"))
    assert resolve.on_call(Roster(two), utc("2026-01-31T23:59")) == ("ana",)
    assert resolve.on_call(Roster(two), utc("2026-02-01T00:00")) == ("ana", "bo")


def test_a_person_on_call_in_two_rotations_is_named_once() -> None:
    assert resolve.on_call(Roster(schedule(rotation("ana"), rotation("ana"))), utc("2026-02-01T00:00")) == ("ana",)


def test_a_schedule_without_rotations_has_only_those_who_were_added() -> None:
    added = override("2026-02-01T00:00", "2026-02-02T00:00", responder="dora")
    assert resolve.on_call(Roster(schedule(), (added,)), utc("2026-02-01T12:00")) == ("dora",)


def test_the_time_asked_for_may_be_in_any_zone_but_must_have_one() -> None:
    tokyo = datetime(2026, 1, 12, 18, 0, tzinfo=timezone(timedelta(hours=9)))
    assert resolve.on_call(Roster(WEEKLY), tokyo) == ("bo",)
    with pytest.raises(ValueError, match="aware"):
        resolve.on_call(Roster(WEEKLY), datetime(2026, 1, 12, 18, 0))


# The nights on which the clocks change


def test_a_weekly_handoff_stays_at_nine_in_lisbon_when_summer_time_starts_and_ends() -> None:
    weekly = schedule(rotation("ana", "bo", starts="2026-03-23T09:00"), timezone="Europe/Lisbon")
    spring = resolve.shifts(Roster(weekly), utc("2026-03-23T09:00"), utc("2026-04-13T08:00"))
    assert [shift.starts_at for shift in spring] == [
        utc("2026-03-23T09:00"),
        utc("2026-03-30T08:00"),
        utc("2026-04-06T08:00"),
    ]
    autumn = resolve.shifts(Roster(weekly), utc("2026-10-19T08:00"), utc("2026-11-02T09:00"))
    assert [shift.starts_at for shift in autumn] == [utc("2026-10-19T08:00"), utc("2026-10-26T09:00")]


def test_a_handoff_at_a_time_that_the_clocks_skip_happens_as_much_after_the_gap() -> None:
    # In Lisbon 01:00 becomes 02:00 on 2026-03-29, so that 01:30 is read as 02:30.
    daily = schedule(rotation("ana", "bo", starts="2026-03-28T01:30", turn=(1, "d")), timezone="Europe/Lisbon")
    assert resolve.on_call(Roster(daily), datetime(2026, 3, 29, 2, 29, 59, tzinfo=LISBON)) == ("ana",)
    assert resolve.on_call(Roster(daily), datetime(2026, 3, 29, 2, 30, tzinfo=LISBON)) == ("bo",)
    assert resolve.on_call(Roster(daily), datetime(2026, 3, 30, 1, 30, tzinfo=LISBON)) == ("ana",)


def test_a_handoff_at_a_time_that_comes_twice_happens_the_first_time() -> None:
    # In Lisbon 02:00 becomes 01:00 on 2026-10-25.
    daily = schedule(rotation("ana", "bo", starts="2026-10-24T01:30", turn=(1, "d")), timezone="Europe/Lisbon")
    assert resolve.on_call(Roster(daily), datetime(2026, 10, 25, 1, 29, 59, tzinfo=LISBON)) == ("ana",)
    assert resolve.on_call(Roster(daily), datetime(2026, 10, 25, 1, 30, tzinfo=LISBON)) == ("bo",)
    assert resolve.on_call(Roster(daily), datetime(2026, 10, 25, 1, 10, tzinfo=LISBON, fold=1)) == ("bo",)


def test_turns_of_hours_count_hours_that_pass() -> None:
    shifts_of_12 = schedule(rotation("ana", "bo", starts="2026-03-28T20:00", turn=(12, "h")), timezone="Europe/Lisbon")
    assert resolve.next_change_at(Roster(shifts_of_12), utc("2026-03-28T21:00")) == utc("2026-03-29T08:00")
    assert utc("2026-03-29T08:00").astimezone(LISBON).hour == 9


def test_a_day_that_a_zone_skips_is_nobodys_turn_and_leaves_no_gap() -> None:
    # Samoa went from 2011-12-29 to 2011-12-31: bo's day did not exist.
    daily = schedule(rotation("ana", "bo", "cy", starts="2011-12-29T00:00", turn=(1, "d")), timezone="Pacific/Apia")
    since, until = utc("2011-12-29T10:00"), utc("2011-12-31T10:00")
    assert [(shift.responder, shift.starts_at) for shift in resolve.shifts(Roster(daily), since, until)] == [
        ("ana", utc("2011-12-29T10:00")),
        ("cy", utc("2011-12-30T10:00")),
    ]
    assert resolve.gaps(Roster(daily), since, until) == []


# Shifts, gaps, changes


def test_shifts_are_whole_turns_cut_to_the_span_and_say_where_they_come_from() -> None:
    added = override("2026-01-10T00:00", "2026-01-13T00:00", responder="dora")
    assert resolve.shifts(Roster(WEEKLY, (added,)), utc("2026-01-06T00:00"), utc("2026-01-14T00:00")) == [
        Shift("ana", utc("2026-01-06T00:00"), utc("2026-01-12T09:00"), "rotation 1"),
        Shift("dora", utc("2026-01-10T00:00"), utc("2026-01-13T00:00"), "override"),
        Shift("bo", utc("2026-01-12T09:00"), utc("2026-01-14T00:00"), "rotation 1"),
    ]


def test_turns_of_one_person_that_touch_are_one_shift() -> None:
    alone = schedule(rotation("ana", turn=(1, "d")))
    since, until = utc("2026-01-05T09:00"), utc("2026-02-05T09:00")
    assert resolve.shifts(Roster(alone), since, until) == [Shift("ana", since, until, "rotation 1")]


def test_a_replacement_within_a_turn_cuts_it_in_three() -> None:
    stand_in = override("2026-01-07T00:00", "2026-01-08T00:00", responder="bo", replaces="ana")
    found = resolve.shifts(Roster(WEEKLY, (stand_in,)), utc("2026-01-05T09:00"), utc("2026-01-12T09:00"))
    assert [(shift.responder, shift.source) for shift in found] == [
        ("ana", "rotation 1"),
        ("bo", "override"),
        ("ana", "rotation 1"),
    ]


def test_an_override_that_is_under_way_when_the_span_starts_or_ends_is_in_it() -> None:
    stand_in = override("2026-01-07T00:00", "2026-01-08T00:00", responder="bo", replaces="ana")
    assert resolve.shifts(Roster(WEEKLY, (stand_in,)), utc("2026-01-07T23:00"), utc("2026-01-08T01:00")) == [
        Shift("bo", utc("2026-01-07T23:00"), utc("2026-01-08T00:00"), "override"),
        Shift("ana", utc("2026-01-08T00:00"), utc("2026-01-08T01:00"), "rotation 1"),
    ]
    assert (
        resolve.shifts(Roster(WEEKLY, (stand_in,)), utc("2026-01-06T23:00"), utc("2026-01-07T01:00"))[-1].responder
        == "bo"
    )


def test_an_empty_span_has_no_shifts_and_no_gaps() -> None:
    at = utc("2025-01-01T00:00")
    assert resolve.shifts(Roster(WEEKLY), at, at) == []
    assert resolve.gaps(Roster(WEEKLY), at, at) == []


def test_a_span_of_more_than_two_years_is_refused() -> None:
    with pytest.raises(ValueError, match="732 days"):
        resolve.shifts(Roster(WEEKLY), utc("2026-01-01T00:00"), utc("2029-01-01T00:00"))


def test_gaps_are_the_time_before_the_start_and_the_time_somebody_was_taken_off() -> None:
    removed = override("2026-01-08T00:00", "2026-01-09T00:00", replaces="ana")
    assert resolve.gaps(Roster(WEEKLY, (removed,)), utc("2026-01-05T00:00"), utc("2026-01-19T00:00")) == [
        (utc("2026-01-05T00:00"), utc("2026-01-05T09:00")),
        (utc("2026-01-08T00:00"), utc("2026-01-09T00:00")),
    ]


def test_gaps_that_touch_are_one() -> None:
    removed = [
        override("2026-01-08T00:00", "2026-01-09T00:00", replaces="ana"),
        override("2026-01-09T00:00", "2026-01-10T00:00", replaces="ana"),
    ]
    assert resolve.gaps(Roster(WEEKLY, tuple(removed)), utc("2026-01-06T00:00"), utc("2026-01-11T00:00")) == [
        (utc("2026-01-08T00:00"), utc("2026-01-10T00:00"))
    ]


def test_the_next_change_is_the_handoff_or_the_edge_of_an_override_before_it() -> None:
    added = override("2026-01-10T00:00", "2026-01-11T00:00", responder="dora")
    assert resolve.next_change_at(Roster(WEEKLY, (added,)), utc("2026-01-06T00:00")) == utc("2026-01-10T00:00")
    assert resolve.next_change_at(Roster(WEEKLY, (added,)), utc("2026-01-10T00:00")) == utc("2026-01-11T00:00")
    assert resolve.next_change_at(Roster(WEEKLY, (added,)), utc("2026-01-11T00:00")) == utc("2026-01-12T09:00")


def test_an_override_that_changes_nothing_is_no_change() -> None:
    for_bo = override("2026-01-06T00:00", "2026-01-07T00:00", responder="dora", replaces="bo")
    assert resolve.next_change_at(Roster(WEEKLY, (for_bo,)), utc("2026-01-05T12:00")) == utc("2026-01-12T09:00")


def test_a_rotation_of_one_person_changes_when_it_starts_and_never_again() -> None:
    alone = schedule(rotation("ana", turn=(1, "h")))
    assert resolve.next_change_at(Roster(alone), utc("2026-01-01T00:00")) == utc("2026-01-05T09:00")
    assert resolve.next_change_at(Roster(alone), utc("2026-01-05T09:00")) is None


# The cost


class CountingZone(tzinfo):
    """UTC, counting how often it is asked."""

    asked = 0

    def utcoffset(self, moment: datetime | None) -> timedelta:
        self.asked += 1
        return timedelta(0)

    def dst(self, moment: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:
        return "counting"


@pytest.mark.parametrize("unit", ["h", "d", "w"])
def test_a_rotation_of_fifty_years_costs_no_more_than_a_young_one(unit: TurnUnit) -> None:
    asked = []
    for starts in ("1976-01-05T00:00", "2026-01-01T00:00"):
        zone = CountingZone()
        turns.index_at(rotation("ana", "bo", starts=starts, turn=(1, unit)), zone, utc("2026-01-20T00:30"))
        asked.append(zone.asked)
    assert asked[0] == asked[1] > 0
