"""The hours of the week to which a rotation is restricted. Pure.

Both ends are wall times and become instants by the rule of `instants`. A restriction that passes midnight belongs to
the day it begins on. Several together mean all the time that any of them covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from escalation.oncall.instants import instant

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
Span = tuple[datetime, datetime]  # [start, end), in UTC

# A zone that skips a whole day moves what would begin then to the next one; clocks that go back at midnight show the
# end of a day again when the next one has begun.
_DAYS_BEFORE, _DAYS_AFTER = 2, 1
# The next edge is mostly near. Each restriction comes every week, except where the clocks skip it.
_LOOKED_AHEAD_DAYS = (1, 7, 15)


def minutes_of(written: str) -> int:
    """Since midnight: `09:30` is 570, `24:00` is 1440. Raises ValueError."""
    if written == "24:00":
        return DAY_MINUTES
    at = time.fromisoformat(written) if len(written) == len("09:30") else None
    if at is None or at.tzinfo is not None:
        raise ValueError(f'"{written}" is not a time of day such as 09:00')
    return at.hour * 60 + at.minute


def as_written(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True, slots=True)
class Restriction:
    days: tuple[int, ...] = tuple(range(len(DAYS)))  # 0 is Monday, as in datetime.weekday()
    from_minutes: int = 0  # since midnight
    to_minutes: int = DAY_MINUTES  # not after from_minutes: on the next day

    def __post_init__(self) -> None:
        if not self.days or any(day not in range(len(DAYS)) for day in self.days):
            raise ValueError("a restriction names days of the week")
        if not (0 <= self.from_minutes < DAY_MINUTES and 0 <= self.to_minutes <= DAY_MINUTES):
            raise ValueError("a restriction's times are times of day, from 00:00 to 24:00")
        if self.from_minutes == self.to_minutes:
            raise ValueError('a restriction that ends when it begins is empty; for the whole day write to "24:00"')

    def to_json(self) -> dict[str, Any]:
        """Also as tocsin.yaml writes it; what is left out there is left out here."""
        written: dict[str, Any] = {}
        if len(self.days) < len(DAYS):
            written["days"] = [DAYS[day] for day in self.days]
        if (self.from_minutes, self.to_minutes) != (0, DAY_MINUTES):
            written |= {"from": as_written(self.from_minutes), "to": as_written(self.to_minutes)}
        return written

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Restriction:
        return cls(
            days=tuple(DAYS.index(day) for day in stored.get("days", DAYS)),
            from_minutes=minutes_of(stored.get("from", "00:00")),
            to_minutes=minutes_of(stored.get("to", "24:00")),
        )

    def on(self, day: date, zone: tzinfo) -> Span | None:
        """Of the time that begins on this day. None: on this day of the week, or on a night such as the clocks skip,
        there is none."""
        if day.weekday() not in self.days:
            return None
        midnight = datetime.combine(day, time())
        to_minutes = self.to_minutes + (DAY_MINUTES if self.to_minutes <= self.from_minutes else 0)
        starts_at = instant(midnight + timedelta(minutes=self.from_minutes), zone)
        ends_at = instant(midnight + timedelta(minutes=to_minutes), zone)
        return (starts_at, ends_at) if starts_at < ends_at else None


def cover(only: Sequence[Restriction], zone: tzinfo, at: datetime) -> bool:
    """True also if there are no restrictions."""
    return not only or any(starts_at <= at < ends_at for starts_at, ends_at in _around(only, zone, at, 0))


def next_edge_at(only: Sequence[Restriction], zone: tzinfo, at: datetime) -> datetime | None:
    """The first instant after `at` at which a restriction begins or ends; None if there are none."""
    for days in _LOOKED_AHEAD_DAYS if only else ():
        edges = [edge for span in _around(only, zone, at, days) for edge in span if edge > at]
        if edges and min(edges) <= at + timedelta(days=days):
            return min(edges)
    return None


def spans(only: Sequence[Restriction], zone: tzinfo, since: datetime, until: datetime) -> tuple[Span, ...]:
    """What they cover of [since, until), in order and without overlaps; all of it if there are no restrictions."""
    if not only:
        return ((since, until),) if since < until else ()
    days = (until.astimezone(zone).date() - since.astimezone(zone).date()).days
    return union(
        (max(starts_at, since), min(ends_at, until)) for starts_at, ends_at in _around(only, zone, since, days)
    )


def union(found: Iterator[Span]) -> tuple[Span, ...]:
    """In order and without overlaps; what is empty is left out."""
    joined: list[Span] = []
    for starts_at, ends_at in sorted(found):
        if starts_at >= ends_at:
            continue
        if joined and starts_at <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends_at))
        else:
            joined.append((starts_at, ends_at))
    return tuple(joined)


def _around(only: Sequence[Restriction], zone: tzinfo, at: datetime, days: int) -> Iterator[Span]:
    """All that can have begun by `days` days after `at`, and more."""
    today = at.astimezone(zone).date()
    for offset in range(-_DAYS_BEFORE, days + _DAYS_AFTER + 1):
        day = today + timedelta(days=offset)
        for restriction in only:
            if span := restriction.on(day, zone):
                yield span
