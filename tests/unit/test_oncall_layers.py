"""Layers, restrictions, shadows, months and calendars: the cases a person can check against a calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from escalation.oncall import resolve
from escalation.oncall.restrictions import Restriction, minutes_of
from escalation.oncall.schedules import CalendarShift, Override, Roster, Rotation, Schedule, Shift, as_written

MONDAY = datetime(2026, 1, 5)
URL = "https://calendar.example.org/oncall.ics"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def only(*days: int, begins: str = "00:00", ends: str = "24:00") -> Restriction:
    return Restriction(days or tuple(range(7)), minutes_of(begins), minutes_of(ends))


def roster(*rotations: Rotation, overrides: tuple[Override, ...] = (), timezone: str = "UTC") -> Roster:
    return Roster(Schedule("primary", timezone, rotations), overrides)


def on_call(found: Roster, at: str) -> tuple[str, ...]:
    return resolve.on_call(found, utc(at))


BASE = Rotation(("ana",), MONDAY)
NIGHTS = Rotation(("bo",), MONDAY, layer=2, only=(only(0, 1, 2, 3, begins="22:00", ends="06:00"),))


# Layers


def test_a_higher_layer_counts_alone_while_somebody_is_on_duty_in_it() -> None:
    found = roster(BASE, NIGHTS)
    assert on_call(found, "2026-01-05T21:59") == ("ana",)
    assert on_call(found, "2026-01-05T22:00") == ("bo",)
    assert on_call(found, "2026-01-06T05:59") == ("bo",)
    assert on_call(found, "2026-01-06T06:00") == ("ana",)


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    found = roster(BASE, NIGHTS)
    assert on_call(found, "2026-01-09T03:00") == ("bo",)  # Friday morning, of Thursday's night
    assert on_call(found, "2026-01-09T23:00") == ("ana",)
    assert on_call(found, "2026-01-05T03:00") == ("ana",)  # Monday morning, of Sunday's night


def test_rotations_of_one_layer_are_on_call_together() -> None:
    beside = Rotation(("cy",), MONDAY, layer=2)
    assert on_call(roster(BASE, NIGHTS, beside), "2026-01-05T23:00") == ("bo", "cy")


def test_if_the_only_one_of_a_layer_is_taken_off_the_layer_below_stands_in() -> None:
    removed = Override("primary", utc("2026-01-05T00:00"), utc("2026-01-07T00:00"), None, "bo")
    assert on_call(roster(BASE, NIGHTS, overrides=(removed,)), "2026-01-05T23:00") == ("ana",)


def test_somebody_added_is_on_call_beside_any_layer() -> None:
    added = Override("primary", utc("2026-01-05T00:00"), utc("2026-01-07T00:00"), "dora", None)
    found = roster(BASE, NIGHTS, overrides=(added,))
    assert on_call(found, "2026-01-05T12:00") == ("ana", "dora")
    assert on_call(found, "2026-01-05T23:00") == ("bo", "dora")


# Restrictions


def test_outside_a_restriction_there_is_a_gap() -> None:
    found = roster(Rotation(("ana",), MONDAY, only=(only(0, 1, begins="09:00", ends="17:00"), only(5, 6))))
    assert resolve.gaps(found, utc("2026-01-05T00:00"), utc("2026-01-12T00:00")) == [
        (utc("2026-01-05T00:00"), utc("2026-01-05T09:00")),
        (utc("2026-01-05T17:00"), utc("2026-01-06T09:00")),
        (utc("2026-01-06T17:00"), utc("2026-01-10T00:00")),
    ]


def test_the_next_change_is_where_a_restriction_opens_or_closes() -> None:
    found = roster(BASE, NIGHTS)
    assert resolve.next_change_at(found, utc("2026-01-05T12:00")) == utc("2026-01-05T22:00")
    assert resolve.next_change_at(found, utc("2026-01-05T22:00")) == utc("2026-01-06T06:00")
    assert resolve.next_change_at(found, utc("2026-01-09T06:00")) == utc("2026-01-12T22:00")


@pytest.mark.parametrize(
    ("days", "begins", "ends", "problem"),
    [
        ((0,), 540, 540, "empty"),
        ((0,), 1440, 60, "times of day"),
        ((), 0, 60, "days of the week"),
        ((7,), 0, 60, "days of the week"),
    ],
)
def test_a_restriction_that_is_never_or_never_ends_is_refused(
    days: tuple[int, ...], begins: int, ends: int, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Restriction(days, begins, ends)


# Shadows


def test_a_shadow_is_neither_on_call_nor_coverage() -> None:
    found = roster(Rotation(("newbie",), MONDAY, shadow=True))
    at = utc("2026-01-06T00:00")
    assert (resolve.on_call(found, at), resolve.shadows(found, at)) == ((), ("newbie",))
    assert resolve.gaps(found, at, utc("2026-01-07T00:00")) == [(at, utc("2026-01-07T00:00"))]


def test_who_is_on_call_does_not_shadow_too() -> None:
    found = roster(Rotation(("ana", "bo"), MONDAY), Rotation(("bo", "cy"), MONDAY, shadow=True))
    at = utc("2026-01-06T00:00")
    assert (resolve.on_call(found, at), resolve.shadows(found, at)) == (("ana",), ("bo",))
    at = utc("2026-01-13T00:00")
    assert (resolve.on_call(found, at), resolve.shadows(found, at)) == (("bo",), ("cy",))


def test_shifts_say_which_are_shadows() -> None:
    found = roster(Rotation(("ana",), MONDAY), Rotation(("newbie",), MONDAY, shadow=True))
    since, until = utc("2026-01-06T00:00"), utc("2026-01-07T00:00")
    assert resolve.shifts(found, since, until) == [
        Shift("ana", since, until, "rotation 1"),
        Shift("newbie", since, until, "rotation 2", shadow=True),
    ]


# Months


def test_turns_of_months_begin_on_the_last_day_where_there_is_no_such_day_and_do_not_drift() -> None:
    found = roster(Rotation(("ana", "bo"), datetime(2026, 1, 31, 9, 0), 1, "mo"), timezone="Europe/Lisbon")
    shifts = resolve.shifts(found, utc("2026-01-31T09:00"), utc("2026-06-15T00:00"))
    assert [(shift.responder, shift.starts_at) for shift in shifts] == [
        ("ana", utc("2026-01-31T09:00")),
        ("bo", utc("2026-02-28T09:00")),
        ("ana", utc("2026-03-31T08:00")),
        ("bo", utc("2026-04-30T08:00")),
        ("ana", utc("2026-05-31T08:00")),
    ]


# Calendars


def test_a_calendar_says_who_is_on_call() -> None:
    schedule = Schedule(
        "primary", "UTC", (Rotation((), calendar=URL), Rotation(("cy",), MONDAY, layer=2, only=(only(2),)))
    )
    shifts = (
        CalendarShift(URL, "ana", utc("2026-01-05T00:00"), utc("2026-01-08T00:00")),
        CalendarShift(URL, "bo", utc("2026-01-06T00:00"), utc("2026-01-09T00:00")),
        CalendarShift("https://elsewhere.example.org", "eve", utc("2026-01-05T00:00"), utc("2026-01-09T00:00")),
    )
    found = Roster(schedule, calendars=shifts)
    assert on_call(found, "2026-01-05T12:00") == ("ana",)
    assert on_call(found, "2026-01-06T12:00") == ("ana", "bo")
    assert on_call(found, "2026-01-07T12:00") == ("cy",)
    assert on_call(found, "2026-01-08T12:00") == ("bo",)
    assert on_call(found, "2026-01-09T00:00") == ()


# As values


EVERYTHING = Schedule(
    "primary",
    "Europe/Lisbon",
    (
        Rotation(("ana", "bo"), datetime(2026, 11, 2, 9, 0), 1, "mo"),
        Rotation(
            ("cy", "di"), datetime(2026, 11, 2, 9, 0), 1, "d",
            layer=2, only=(only(0, 1, begins="09:00", ends="24:00"), only(5)), at_once=2,
        ),
        Rotation(("newbie",), datetime(2026, 11, 2, 9, 0, 30), 1, "w", shadow=True),
        Rotation((), calendar=URL, layer=9),
    ),
    slack_usergroup="S0123ABC",
)  # fmt: skip


def test_everything_survives_json() -> None:
    assert Schedule.from_json(EVERYTHING.to_json()) == EVERYTHING


def test_a_schedule_is_written_as_the_file_writes_it() -> None:
    assert as_written(EVERYTHING) == {
        "timezone": "Europe/Lisbon",
        "slack_usergroup": "S0123ABC",
        "rotations": [
            {"members": ["ana", "bo"], "starts": "2026-11-02T09:00", "turn": "1mo"},
            {
                "members": ["cy", "di"],
                "starts": "2026-11-02T09:00",
                "turn": "1d",
                "layer": 2,
                "only": [{"days": ["mon", "tue"], "from": "09:00", "to": "24:00"}, {"days": ["sat"]}],
                "at_once": 2,
            },
            {"members": ["newbie"], "starts": "2026-11-02T09:00:30", "turn": "1w", "shadow": True},
            {"calendar": URL, "layer": 9},
        ],
    }
