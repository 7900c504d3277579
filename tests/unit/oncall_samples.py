"""Zones, moments and rotations for property tests, on the nights when clocks change above all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from escalation.oncall.restrictions import Restriction
from escalation.oncall.schedules import TURN_UNITS, Absence, Override, Roster, Rotation, Schedule, TurnUnit, zone_names

ZONES = sorted(zone_names())
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SECOND = timedelta(seconds=1)
YEARS = range(1975, 2045)
PEOPLE = ("ana", "bo", "cy", "dora")

# The first look for a zone's changes takes a while; they are remembered after that.
SLOW_START = [HealthCheck.too_slow]
every_zone = settings(max_examples=80, deadline=None, suppress_health_check=SLOW_START)
a_few = settings(max_examples=25, deadline=None, suppress_health_check=SLOW_START)
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


def wall_of(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def exists_not(wall: datetime, zone: ZoneInfo) -> bool:
    """No instant within a day and a half of it shows this time on the zone's clocks."""
    as_utc = wall.replace(tzinfo=UTC)
    offsets = {(as_utc + hours * HOUR).astimezone(zone).utcoffset() or timedelta() for hours in range(-36, 37)}
    return all(wall_of(as_utc - offset, zone) != wall for offset in offsets)


def restrictions() -> st.SearchStrategy[Restriction]:
    days = st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(lambda found: tuple(sorted(found)))
    times = st.lists(st.sampled_from(range(0, 1_440, 30)), min_size=2, max_size=2, unique=True)
    return st.builds(lambda found, ends: Restriction(found, *ends), days, times)


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Roster, datetime]:
    """Rotations of all kinds that start around an instant, overrides and absences of days after it; that instant."""
    zone_name = draw(st.sampled_from(ZONES))
    around = draw(instants(zone_name))
    made = [draw(_rotation_around(zone_name, around)) for _ in range(draw(st.integers(0, 3)))]
    maybe = st.one_of(st.none(), st.sampled_from(PEOPLE))
    overrides = []
    for _ in range(draw(st.integers(0, 4))):
        responder, replaces, (starts_at, ends_at) = draw(maybe), draw(maybe), draw(_span_after(around))
        if responder or replaces:
            overrides.append(Override("s", starts_at, ends_at, responder, replaces))
    absences = [
        Absence(draw(st.sampled_from(PEOPLE)), *draw(_span_after(around - 20 * DAY)), draw(st.booleans()))
        for _ in range(draw(st.integers(0, 4)))
    ]
    return Roster(Schedule("s", zone_name, tuple(made)), tuple(overrides), tuple(absences)), around


@st.composite
def _rotation_around(draw: st.DrawFn, zone_name: str, around: datetime) -> Rotation:
    plain = draw(rotations(zone_name))
    return replace(
        plain,
        starts=wall_of(around, ZoneInfo(zone_name)) + timedelta(hours=draw(st.integers(-2_000, 200))),
        layer=draw(st.integers(1, 2)),
        only=tuple(draw(st.lists(restrictions(), max_size=2))),
        at_once=draw(st.integers(1, len(plain.members))),
        shadow=draw(st.integers(0, 4)) == 0,
    )


@st.composite
def _span_after(draw: st.DrawFn, around: datetime) -> tuple[datetime, datetime]:
    starts_at = around + timedelta(hours=draw(st.integers(-50, 400)))
    return starts_at, starts_at + timedelta(hours=draw(st.integers(1, 300)))
