"""Whom a silence fits, and when it goes on: over all zones, and on the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from escalation.oncall.hours import ALL_DAYS, Hours, Window
from incidents import silencing
from incidents.silencing import Silence, Subject
from tests.unit.oncall_samples import ZONES, every_zone, fewer, instants

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
DISK = Subject("checkout", {"alertname": "DiskFull", "host": "db-1", "shard": 7}, "Disk FULL on db-1")
NIGHT = Window(time(22), time(2))


def once(hours: float = 2, **fields: Any) -> Silence:
    return Silence(**{"services": ("checkout",), "starts_at": NOW, "ends_at": NOW + timedelta(hours=hours)} | fields)


def recurring(
    window: Window, *, days: tuple[int, ...] = ALL_DAYS, zone: str = "UTC", holidays: str = "", **fields: Any
) -> Silence:
    hours = Hours("maintenance", zone, window, days, holidays)
    return Silence(**{"services": ("checkout",), "hours": hours, "starts_at": NOW, "ends_at": None} | fields)


@pytest.mark.parametrize(
    ("silence", "fits"),
    [
        (Silence(services=("checkout", "search")), True),
        (Silence(services=("search",)), False),
        (Silence(labels={"host": "db-1"}), True),
        (Silence(labels={"host": "db-*"}), True),
        (Silence(labels={"host": "DB-*"}), False),
        (Silence(labels={"host": "db"}), False),
        (Silence(labels={"shard": "7"}), True),
        (Silence(labels={"pod": "*"}), False),
        (Silence(labels={"host": "*", "alertname": "Disk*"}), True),
        (Silence(labels={"host": "*", "alertname": "Cpu*"}), False),
        (Silence(title="disk full*"), True),
        (Silence(title="disk full"), False),
        (Silence(title="*FULL*"), True),
        (Silence(services=("checkout",), labels={"host": "db-1"}, title="*full*"), True),
        (Silence(services=("checkout",), labels={"host": "db-1"}, title="*empty*"), False),
        (Silence(labels={"host": "db-[0-9]"}), False),
    ],
)
def test_services_labels_and_title_must_all_fit(silence: Silence, fits: bool) -> None:
    assert silence.fits(DISK) is fits


@given(pattern=st.text("ab*", max_size=8), text=st.text("ab", max_size=8))
def test_a_pattern_is_read_as_shells_read_it(pattern: str, text: str) -> None:
    assert silencing.is_like(pattern, text) is fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("silence", "field"),
    [
        (once(services=()), "services"),
        (once(services=(), title="**"), "services"),
        (once(services=(), labels={"host": ""}), "labels"),
        (once(labels={"x": "y" * 201}), "labels"),
        (once(title="y" * 201), "title"),
        (once(0), "ends_at"),
        (once(31 * 24 + 1), "ends_at"),
        (once(ends_at=None), "ends_at"),
        (once(weeks=(2,)), "weeks"),
        (recurring(NIGHT, weeks=(6,)), "weeks"),
        (recurring(Window(time(0), time(0))), "hours"),
        (recurring(Window(time(9), time(9)), weeks=(1, 2, 3, 4, 5)), "hours"),
        (recurring(Window(time(0), time(23, 59))), "hours"),  # one minute a day in which anybody could be woken
        (recurring(Window(time(9), time(8, 1))), "hours"),
        (recurring(NIGHT, days=(5,), ends_at=NOW + timedelta(days=2)), "hours"),
    ],
)
def test_what_cannot_be_a_silence_is_refused_by_its_field(silence: Silence, field: str) -> None:
    assert list(silencing.problems(silence)) == [field]


def test_one_that_happens_once_goes_on_from_its_start_to_before_its_end() -> None:
    silence = once(2, starts_at=NOW + timedelta(hours=1))
    assert silencing.problems(silence) == {}
    assert (silence.until(NOW), silence.next_begin(NOW)) == (None, NOW + timedelta(hours=1))
    assert silence.until(silence.starts_at) == NOW + timedelta(hours=2)
    assert (silence.until(NOW + timedelta(hours=2)), silence.next_begin(silence.starts_at)) == (None, None)


def test_patch_tuesday_is_the_second_of_a_month_and_goes_over_midnight() -> None:
    silence = recurring(Window(time(22), time(4)), days=(1,), weeks=(2,), zone="America/New_York")
    begins = silence.next_begin(NOW)
    assert begins == datetime(2026, 12, 9, 3, 0, tzinfo=UTC)  # Tuesday, 8 December, 22:00
    assert silence.until(begins) == begins + timedelta(hours=6)
    assert silence.next_begin(begins) == datetime(2027, 1, 13, 3, 0, tzinfo=UTC)


def test_holidays_are_left_out_and_a_weekend_is_one_piece() -> None:
    weekend = recurring(Window(time(0), time(0)), days=(5, 6))
    begins = weekend.next_begin(NOW)
    assert begins is not None
    assert weekend.until(begins) == begins + timedelta(days=2)
    nights = recurring(Window(time(22), time(23)), zone="Europe/Lisbon", holidays="PT")
    assert nights.next_begin(datetime(2026, 12, 7, 23, 30, tzinfo=UTC)) == datetime(2026, 12, 9, 22, 0, tzinfo=UTC)


def test_it_begins_at_its_start_within_its_hours_and_ends_with_its_last_day() -> None:
    silence = recurring(Window(time(9), time(12)), ends_at=NOW + timedelta(days=1, hours=1))
    assert silence.next_begin(NOW - timedelta(days=3)) == NOW
    assert silence.until(NOW) == datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
    assert silence.until(NOW + timedelta(days=1)) == silence.ends_at
    assert silence.next_change(NOW + timedelta(days=1)) == silence.ends_at
    assert silence.next_change(NOW + timedelta(days=2)) is None


TIMES = st.builds(time, st.integers(0, 23), st.sampled_from((0, 1, 30, 59)))


@st.composite
def silences(draw: st.DrawFn, zone: str, around: datetime) -> Silence:
    return recurring(
        Window(draw(TIMES), draw(TIMES)),
        days=draw(st.sampled_from((ALL_DAYS, (0, 1, 2, 3, 4), (5, 6), (around.weekday(),)))),
        zone=zone,
        weeks=draw(st.sampled_from(((), (), (2,), (1, 3, 5)))),
        starts_at=around - timedelta(days=draw(st.sampled_from((0, 1, 400)))),
        ends_at=draw(st.sampled_from((None, None, around + timedelta(minutes=90)))),
    )


@every_zone
@given(data=st.data(), zone=st.sampled_from(ZONES))
def test_it_goes_on_and_begins_when_the_clocks_of_its_zone_say_so_minute_by_minute(
    data: st.DataObject, zone: str
) -> None:
    at = data.draw(instants(zone)).replace(second=0)
    silence = data.draw(silences(zone, at))
    assume("hours" not in silencing.problems(silence))
    assert silence.hours is not None

    def goes_on(moment: datetime) -> bool:
        day = silence.hours.day_of(moment) if silence.hours else None
        within = silence.starts_at <= moment and (silence.ends_at is None or moment < silence.ends_at)
        return within and day is not None and (not silence.weeks or (day.day + 6) // 7 in silence.weeks)

    minutes = [at + number * MINUTE for number in range(-60, 26 * 60)]
    sampled = [goes_on(minute) for minute in minutes]
    until, begins = silence.until(minutes[0]), silence.next_begin(minutes[0])
    assert (until is not None) is sampled[0]
    # Zones of former days change their clocks within a minute, too.
    ceases = next((m for m, on in zip(minutes, sampled, strict=True) if not on), None)
    if until is not None:
        assert ceases is None or ceases - MINUTE < until <= ceases
        assert ceases is not None or until > minutes[-1]
        assert not goes_on(until)
    risen = [m for m, before, on in zip(minutes[1:], sampled, sampled[1:], strict=False) if on and not before]
    if begins is not None:
        assert goes_on(begins)
        assert not goes_on(begins - timedelta(seconds=1)) or begins == silence.starts_at
    if risen:
        assert begins is not None
        assert risen[0] - MINUTE < begins <= risen[0]
    else:
        assert begins is None or begins > minutes[-1]


@fewer
@given(data=st.data(), zone=st.sampled_from(ZONES))
def test_after_each_moment_there_is_another_at_which_it_is_looked_at(data: st.DataObject, zone: str) -> None:
    at = data.draw(instants(zone))
    silence = data.draw(silences(zone, at))
    following = silence.next_change(at)
    assert silence.is_over(at) if following is None else following > at
