"""Time off moves turns, and leaves the rest as it was: the cases a person can check against a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation.oncall import resolve
from escalation.oncall.restrictions import Restriction
from escalation.oncall.schedules import Absence, CalendarShift, Override, Roster, Rotation, Schedule, TurnUnit

STARTS = datetime(2026, 1, 5, 9, 0)  # a Monday
OFFICE = Restriction((0, 1, 2, 3, 4), 9 * 60, 17 * 60)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rotation(*members: str, turn: tuple[int, TurnUnit] = (1, "w"), at_once: int = 1) -> Rotation:
    return Rotation(members, STARTS, *turn, at_once=at_once)


def off(responder: str, starts: str, ends: str, *, hard: bool = True) -> Absence:
    return Absence(responder, utc(starts), utc(ends), hard)


def roster(*rotations: Rotation, absences: tuple[Absence, ...] = (), overrides: tuple[Override, ...] = ()) -> Roster:
    return Roster(Schedule("primary", "UTC", rotations), overrides, absences)


def by_turn(found: Roster, count: int, *, days: int = 7) -> list[str]:
    """Who is on call in the middle of each of the first turns."""
    middle = STARTS.replace(tzinfo=UTC) + timedelta(days=days / 2)
    return ["+".join(resolve.on_call(found, middle + timedelta(days=days * index))) for index in range(count)]


WEEKLY = rotation("ana", "bo", "cy")


def test_whoever_is_off_for_more_than_half_of_a_turn_keeps_their_place_and_has_the_next_one() -> None:
    away = off("bo", "2026-01-11T00:00", "2026-01-20T00:00")
    assert by_turn(roster(WEEKLY, absences=(away,)), 8) == ["ana", "cy", "bo", "ana", "cy", "bo", "ana", "cy"]


def test_after_a_long_time_off_one_turn_is_had_and_not_all_that_were_missed() -> None:
    away = off("bo", "2026-01-11T00:00", "2026-03-01T00:00")
    found = by_turn(roster(WEEKLY, absences=(away,)), 13)
    assert found == ["ana", "cy", "ana", "cy", "ana", "cy", "ana", "cy", "bo", "ana", "cy", "bo", "ana"]


def test_whoever_is_off_for_less_is_stood_in_for_by_the_next_in_line_in_just_those_hours() -> None:
    away = off("ana", "2026-01-07T00:00", "2026-01-09T00:00")
    found = resolve.shifts(roster(WEEKLY, absences=(away,)), utc("2026-01-05T09:00"), utc("2026-01-26T09:00"))
    assert [(shift.responder, shift.starts_at.isoformat()[:13]) for shift in found] == [
        ("ana", "2026-01-05T09"),
        ("bo", "2026-01-07T00"),
        ("ana", "2026-01-09T00"),
        ("bo", "2026-01-12T09"),
        ("cy", "2026-01-19T09"),
    ]


def test_time_off_that_begins_during_a_turn_moves_only_what_is_left_of_it() -> None:
    away = off("ana", "2026-01-06T12:00", "2026-01-18T00:00")
    found = roster(WEEKLY, absences=(away,))
    assert resolve.on_call(found, utc("2026-01-06T11:59")) == ("ana",)
    assert resolve.on_call(found, utc("2026-01-06T12:00")) == ("bo",)
    # bo has had the turn; ana, who had its beginning, is first in line once she is back.
    assert by_turn(found, 5) == ["bo", "cy", "ana", "bo", "cy"]


def test_exactly_half_of_a_turn_is_not_more_than_half() -> None:
    half = off("ana", "2026-01-05T09:00", "2026-01-08T21:00")
    assert by_turn(roster(WEEKLY, absences=(half,)), 3) == ["ana", "bo", "cy"]
    more = off("ana", "2026-01-05T09:00", "2026-01-08T21:01")
    assert by_turn(roster(WEEKLY, absences=(more,)), 3) == ["bo", "ana", "cy"]


def test_half_of_a_turn_is_half_of_its_hours_on_duty() -> None:
    weekdays = Rotation(("ana", "bo"), STARTS, 1, "w", only=(OFFICE,))
    three_of_five_days = off("ana", "2026-01-05T00:00", "2026-01-08T00:00")
    found = roster(weekdays, absences=(three_of_five_days,))
    assert resolve.on_call(found, utc("2026-01-09T12:00")) == ("bo",)
    assert resolve.on_call(found, utc("2026-01-14T12:00")) == ("ana",)


def test_a_public_holiday_moves_a_turn_if_somebody_else_is_free() -> None:
    daily = rotation("ana", "bo", "cy", turn=(1, "d"))
    holiday = off("bo", "2026-01-06T00:00", "2026-01-07T09:00", hard=False)
    assert by_turn(roster(daily, absences=(holiday,)), 4, days=1) == ["ana", "cy", "bo", "ana"]


def test_on_a_public_holiday_of_everybody_the_turn_stays_where_it_is() -> None:
    daily = rotation("ana", "bo", "cy", turn=(1, "d"))
    for_all = tuple(off(person, "2026-01-06T00:00", "2026-01-07T09:00", hard=False) for person in ("ana", "bo", "cy"))
    assert by_turn(roster(daily, absences=for_all), 4, days=1) == ["ana", "bo", "cy", "ana"]
    without_cy = off("cy", "2026-01-06T00:00", "2026-01-07T09:00")
    assert by_turn(roster(daily, absences=(*for_all, without_cy)), 4, days=1) == ["ana", "bo", "cy", "ana"]


def test_when_everybody_has_time_off_there_is_a_gap_and_the_line_stands_still() -> None:
    everybody = tuple(off(person, "2026-01-12T09:00", "2026-01-19T09:00") for person in ("ana", "bo", "cy"))
    found = roster(WEEKLY, absences=everybody)
    assert by_turn(found, 5) == ["ana", "", "bo", "cy", "ana"]
    assert resolve.gaps(found, utc("2026-01-05T09:00"), utc("2026-02-01T00:00")) == [
        (utc("2026-01-12T09:00"), utc("2026-01-19T09:00"))
    ]


def test_if_all_are_off_for_most_of_a_turn_whoever_is_there_has_it_while_they_are() -> None:
    two = rotation("ana", "bo")
    absences = (off("ana", "2026-01-05T00:00", "2026-01-10T09:00"), off("bo", "2026-01-08T09:00", "2026-01-20T00:00"))
    found = roster(two, absences=absences)
    assert resolve.on_call(found, utc("2026-01-06T00:00")) == ("bo",)
    assert resolve.on_call(found, utc("2026-01-09T00:00")) == ()
    assert resolve.on_call(found, utc("2026-01-11T00:00")) == ("ana",)


def test_of_two_on_call_at_once_only_the_one_who_is_off_is_replaced() -> None:
    pairs = rotation("ana", "bo", "cy", "dora", at_once=2)
    assert by_turn(roster(pairs), 3) == ["ana+bo", "cy+dora", "ana+bo"]
    away = off("bo", "2026-01-05T00:00", "2026-01-12T00:00")
    assert by_turn(roster(pairs, absences=(away,)), 4) == ["ana+cy", "bo+dora", "ana+cy", "bo+dora"]


def test_a_stand_in_agreed_on_takes_the_hours_that_somebody_else_would_have_stood_in_for() -> None:
    away = off("ana", "2026-01-07T00:00", "2026-01-08T00:00")
    agreed = Override("primary", utc("2026-01-07T00:00"), utc("2026-01-08T00:00"), "dora", "ana")
    found = roster(WEEKLY, absences=(away,), overrides=(agreed,))
    assert resolve.on_call(found, utc("2026-01-07T12:00")) == ("dora",)


def test_an_override_waits_while_whoever_it_names_has_time_off() -> None:
    for_the_week = Override("primary", utc("2026-01-05T09:00"), utc("2026-01-12T09:00"), "dora", "ana")
    away = off("dora", "2026-01-07T00:00", "2026-01-08T00:00")
    found = roster(WEEKLY, absences=(away,), overrides=(for_the_week,))
    assert resolve.on_call(found, utc("2026-01-06T12:00")) == ("dora",)
    assert resolve.on_call(found, utc("2026-01-07T12:00")) == ("ana",)
    assert resolve.next_change_at(found, utc("2026-01-06T12:00")) == utc("2026-01-07T00:00")


def test_somebody_whom_a_calendar_names_during_their_time_off_is_not_on_call() -> None:
    url = "https://calendar.example.org/oncall.ics"
    named = CalendarShift(url, "ana", utc("2026-01-05T00:00"), utc("2026-01-06T00:00"))
    away = off("ana", "2026-01-05T12:00", "2026-01-05T18:00")
    schedule = Schedule("primary", "UTC", (Rotation((), calendar=url),))
    found = Roster(schedule, absences=(away,), calendars=(named,))
    since, until = utc("2026-01-04T00:00"), utc("2026-01-07T00:00")
    assert [(shift.starts_at, shift.ends_at) for shift in resolve.shifts(found, since, until)] == [
        (utc("2026-01-05T00:00"), utc("2026-01-05T12:00")),
        (utc("2026-01-05T18:00"), utc("2026-01-06T00:00")),
    ]


@pytest.mark.parametrize("years", [1, 60])
def test_time_off_without_end_costs_no_more_for_hourly_turns(years: int) -> None:
    hourly = rotation("ana", "bo", "cy", turn=(1, "h"))
    away = Absence("bo", utc("2026-01-05T09:00"), utc("2026-01-05T09:00").replace(year=2026 + years))
    found = roster(hourly, absences=(away,))
    last = away.ends_at - timedelta(minutes=30)
    assert resolve.on_call(found, last) in {("ana",), ("cy",)}
    assert resolve.on_call(found, away.ends_at) == ("bo",)
