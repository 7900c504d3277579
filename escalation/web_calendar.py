"""A month or a week of on-call, day by day on one clock. Pure.

Days begin at midnight of the reader's zone; on the night the clocks change, one of them is an hour shorter or longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from escalation.oncall.schedules import Shift

COLORS = 8  # kinds of a piece's edge in the stylesheet; people beyond share them
WEEK_DAYS = 7
NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class View:
    """Which days are shown: whole weeks, Monday first."""

    kind: str  # "month" or "week"
    first: date
    weeks: int
    month: int  # the one in question; other months' days are shown paler
    title: str
    before: date  # a day of the view before this one
    after: date

    @property
    def before_name(self) -> str:
        return f"{self.before:%B}" if self.kind == "month" else "Week before"

    @property
    def after_name(self) -> str:
        return f"{self.after:%B}" if self.kind == "month" else "Week after"

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.weeks * WEEK_DAYS - 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one person, or nobody, has of one day on one schedule."""

    schedule: str
    person: str  # key; "": nobody
    name: str
    starts_at: datetime  # of the whole shift, UTC
    ends_at: datetime
    begins: str  # "09:00"; "": it began on a day before
    ends: str  # "18:00"; "": it goes on the day after
    color: int
    shadow: bool = False

    @property
    def is_gap(self) -> bool:
        return not self.person

    @property
    def hours(self) -> str:
        """When on this day: "all day", "from 09:00", "until 09:00", "09:00 to 17:00"."""
        if self.begins and self.ends:
            return f"{self.begins} to {self.ends}"
        return f"from {self.begins}" if self.begins else f"until {self.ends}" if self.ends else "all day"


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    is_today: bool
    is_past: bool
    is_other_month: bool
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        return f"{NAMES[self.date.weekday()]} {self.date.day}"


def view(kind: str, of: date) -> View:
    """The month or the week that a day lies in."""
    if kind == "week":
        first = _monday(of)
        title = f"Week of {first.day} {first:%B %Y}"
        return View("week", first, 1, of.month, title, first - timedelta(days=1), first + timedelta(days=WEEK_DAYS))
    begins = of.replace(day=1)
    next_month = (begins + timedelta(days=32)).replace(day=1)
    first = _monday(begins)
    weeks = (next_month - first + timedelta(days=WEEK_DAYS - 1)).days // WEEK_DAYS
    return View("month", first, weeks, of.month, f"{of:%B %Y}", begins - timedelta(days=1), next_month)


def span(shown: View, zone: str) -> tuple[datetime, datetime]:
    """What must be known to fill it, in UTC."""
    return _midnight(shown.first, zone), _midnight(shown.last + timedelta(days=1), zone)


def weeks(
    shown: View,
    zone: str,
    today: date,
    shifts: Mapping[str, Sequence[Shift]],
    gaps: Mapping[str, Sequence[tuple[datetime, datetime]]],
    names: Mapping[str, str],
) -> list[list[Day]]:
    """`shifts` and `gaps` by schedule, for the span; `names`: responder key -> name. A color is one person's
    wherever they appear."""
    colors = _colors(shift.responder for found in shifts.values() for shift in found)
    whole: list[Piece] = []
    for schedule, found in shifts.items():
        whole += [
            Piece(
                schedule,
                shift.responder,
                names.get(shift.responder, shift.responder),
                shift.starts_at,
                shift.ends_at,
                "",
                "",
                colors[shift.responder],
                shadow=shift.shadow,
            )
            for shift in found
        ]
    for schedule, holes in gaps.items():
        whole += [Piece(schedule, "", "Nobody", starts_at, ends_at, "", "", 0) for starts_at, ends_at in holes]
    order = {schedule: place for place, schedule in enumerate(dict.fromkeys((*shifts, *gaps)))}
    whole.sort(key=lambda piece: (order[piece.schedule], piece.starts_at, piece.shadow, piece.name))
    days = [shown.first + timedelta(days=number) for number in range(shown.weeks * WEEK_DAYS)]
    filled = [_day(day, zone, today, shown, whole) for day in days]
    return [filled[start : start + WEEK_DAYS] for start in range(0, len(filled), WEEK_DAYS)]


def _day(day: date, zone: str, today: date, shown: View, whole: Sequence[Piece]) -> Day:
    begins_at, ends_at = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    pieces = tuple(
        Piece(
            piece.schedule,
            piece.person,
            piece.name,
            piece.starts_at,
            piece.ends_at,
            _clock(piece.starts_at, zone) if piece.starts_at > begins_at else "",
            _clock(piece.ends_at, zone) if piece.ends_at < ends_at else "",
            piece.color,
            piece.shadow,
        )
        for piece in whole
        if piece.starts_at < ends_at and piece.ends_at > begins_at
    )
    return Day(day, day == today, day < today, shown.kind == "month" and day.month != shown.month, pieces)


def _colors(people: Iterable[str]) -> dict[str, int]:
    return {key: place % COLORS for place, key in enumerate(sorted(set(people)))}


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"
