"""The calendar: a month or a week, each day with what everybody has of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from escalation import web_calendar
from escalation.oncall.schedules import Shift
from escalation.web_calendar import Day

LISBON = "Europe/Lisbon"
NAMES = {"ana": "Ana Lima", "bo": "Bo Chen"}


def shift(responder: str, starts_at: datetime, ends_at: datetime, *, shadow: bool = False) -> Shift:
    return Shift(responder, starts_at, ends_at, "rotation 1", shadow=shadow)


def at(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def filled(kind: str, of: date, zone: str, shifts: list[Shift], today: date = date(2026, 11, 16)) -> list[Day]:
    shown = web_calendar.view(kind, of)
    weeks = web_calendar.weeks(shown, zone, today, {"primary": shifts}, {}, NAMES)
    return [day for week in weeks for day in week]


def read(day: Day) -> list[str]:
    return [f"{piece.name} {piece.hours}" for piece in day.pieces]


def test_a_month_is_shown_in_whole_weeks_from_monday() -> None:
    shown = web_calendar.view("month", date(2026, 11, 16))
    assert (shown.title, shown.first, shown.last) == ("November 2026", date(2026, 10, 26), date(2026, 12, 6))
    assert (shown.before.month, shown.after) == (10, date(2026, 12, 1))


@pytest.mark.parametrize(("of", "weeks"), [(date(2027, 2, 10), 4), (date(2026, 8, 1), 6), (date(2026, 11, 30), 6)])
def test_a_month_has_as_many_weeks_as_it_touches(of: date, weeks: int) -> None:
    shown = web_calendar.view("month", of)
    assert shown.weeks == weeks
    assert shown.first <= of.replace(day=1)
    assert shown.last >= of


def test_a_week_begins_on_monday_and_leads_to_its_neighbours() -> None:
    shown = web_calendar.view("week", date(2026, 11, 22))
    assert (shown.first, shown.last, shown.weeks) == (date(2026, 11, 16), date(2026, 11, 22), 1)
    assert web_calendar.view("week", shown.before).last == date(2026, 11, 15)
    assert web_calendar.view("week", shown.after).first == date(2026, 11, 23)


def test_a_hand_over_divides_its_day_between_two_people() -> None:
    days = filled(
        "week", date(2026, 11, 16), LISBON, [shift("ana", at(9, 9), at(16, 9)), shift("bo", at(16, 9), at(23, 9))]
    )
    assert read(days[0]) == ["Ana Lima until 09:00", "Bo Chen from 09:00"]
    assert read(days[1]) == ["Bo Chen all day"]


def test_a_shift_within_a_day_shows_both_its_ends() -> None:
    assert read(filled("week", date(2026, 11, 16), LISBON, [shift("ana", at(17, 9), at(17, 17))])[1]) == [
        "Ana Lima 09:00 to 17:00"
    ]


def test_a_shift_that_ends_at_midnight_is_not_shown_on_the_day_after() -> None:
    days = filled("week", date(2026, 11, 16), LISBON, [shift("ana", at(16), at(17))])
    assert read(days[0]) == ["Ana Lima all day"]
    assert read(days[1]) == []


def test_the_readers_zone_decides_which_day_it_is() -> None:
    days = filled("week", date(2026, 11, 16), "Asia/Tokyo", [shift("ana", at(16, 9), at(16, 20))])
    assert read(days[0]) == ["Ana Lima from 18:00"]
    assert read(days[1]) == ["Ana Lima until 05:00"]


def test_the_day_on_which_the_clocks_go_back_is_whole() -> None:
    """25 hours in Lisbon on 25 October 2026: midnight to midnight is UTC 23:00 to 00:00."""
    sunday = shift("ana", datetime(2026, 10, 24, 23, tzinfo=UTC), at(26, month=10))
    days = filled("week", date(2026, 10, 25), LISBON, [sunday])
    assert [read(day) for day in days[5:]] == [[], ["Ana Lima all day"]]


def test_nobody_is_shown_where_nobody_is() -> None:
    shown = web_calendar.view("week", date(2026, 11, 16))
    weeks = web_calendar.weeks(
        shown, LISBON, date(2026, 11, 16), {"primary": []}, {"primary": [(at(17, 9), at(17, 12))]}, {}
    )
    (piece,) = weeks[0][1].pieces
    assert piece.is_gap
    assert f"{piece.name} {piece.hours}" == "Nobody 09:00 to 12:00"


def test_a_person_keeps_their_color_on_every_schedule() -> None:
    shown = web_calendar.view("week", date(2026, 11, 16))
    mine, theirs = shift("bo", at(16), at(17)), shift("ana", at(16), at(17))
    both = {"primary": [mine], "secondary": [theirs, shift("bo", at(17), at(18))]}
    weeks = web_calendar.weeks(shown, "UTC", date(2026, 11, 16), both, {}, NAMES)
    pieces = [piece for day in weeks[0] for piece in day.pieces]
    assert len({piece.color for piece in pieces if piece.person == "bo"}) == 1
    assert len({piece.color for piece in pieces}) == 2


def test_the_span_covers_every_day_that_is_shown() -> None:
    shown = web_calendar.view("month", date(2026, 11, 16))
    since, until = web_calendar.span(shown, LISBON)
    assert since == datetime(2026, 10, 26, tzinfo=UTC)
    assert until - since == timedelta(days=42)
