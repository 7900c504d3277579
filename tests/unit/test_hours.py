"""Office hours, quiet hours, and the nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from escalation.oncall import public_holidays
from escalation.oncall.hours import Hours, Window
from escalation.plan import BusinessDays, next_business_day

LISBON = "Europe/Lisbon"
OFFICE = Hours("office", LISBON, Window(time(9), time(18)), (0, 1, 2, 3, 4), "PT")
NIGHTS = Hours("nights", LISBON, Window(time(22), time(7)), (4, 5))


def wall(day: int, hour: int, minute: int = 0, *, month: int = 12, zone: str = LISBON, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        (wall(2, 8, 59), False),
        (wall(2, 9), True),
        (wall(2, 17, 59), True),
        (wall(2, 18), False),
        (wall(5, 12), False),  # Saturday
        (wall(8, 12), False),  # Immaculate Conception
        (wall(9, 12), True),
    ],
)
def test_office_hours_are_those_of_working_days(at: datetime, covered: bool) -> None:
    assert OFFICE.covers(at.astimezone(UTC)) is covered


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        (wall(4, 21, 59), False),
        (wall(4, 22), True),  # Friday
        (wall(5, 6, 59), True),
        (wall(5, 7), False),
        (wall(6, 3), True),  # Sunday morning belongs to Saturday's night
        (wall(7, 3), False),
        (wall(4, 3), False),  # and Friday morning to Thursday's
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(at: datetime, covered: bool) -> None:
    assert NIGHTS.covers(at.astimezone(UTC)) is covered


def test_an_hour_that_comes_twice_counts_twice_and_one_that_is_skipped_not_at_all() -> None:
    early = Window(time(1), time(2))
    autumn = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(3)]
    assert [early.covers(at, LISBON) for at in autumn] == [True, True, False]
    spring = [datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(3)]
    assert [early.covers(at, LISBON) for at in spring] == [False, False, False]


def test_hours_survive_json() -> None:
    assert Hours.from_json(OFFICE.to_json()) == OFFICE
    assert OFFICE.to_json()["days"] == ["mon", "tue", "wed", "thu", "fri"]


def test_a_place_is_a_country_or_a_region_with_known_holidays() -> None:
    assert public_holidays.place_problem("DE-BE") == "" == public_holidays.place_problem("PT")
    assert public_holidays.name("DE-BE", wall(8, 0, month=3).date()) != ""  # Women's Day, in Berlin only
    assert public_holidays.name("DE", wall(8, 0, month=3).date()) == ""
    assert public_holidays.name("", wall(25, 0).date()) == ""
    assert public_holidays.name("Atlantis", wall(25, 0).date()) == ""


def test_a_public_holiday_is_no_business_day() -> None:
    thursday_evening = wall(24, 18, zone="Europe/Berlin").astimezone(UTC)  # Christmas Eve; the 25th and 26th are off
    monday = wall(28, 9, zone="Europe/Berlin").astimezone(UTC)
    assert next_business_day(thursday_evening, BusinessDays("Europe/Berlin", "DE")) == monday
    assert next_business_day(thursday_evening, BusinessDays("Europe/Berlin")) == wall(25, 9, zone="Europe/Berlin")
