"""Times of the day and of the week, as people keep them: office hours, quiet hours, "by telephone at night". Pure.

All is reckoned by the wall clock of a zone. Where clocks go back, an hour that comes twice counts both times; where
they go forward, one that is skipped does not come that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from escalation.oncall import public_holidays

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAYS = tuple(range(len(DAYS)))


@dataclass(frozen=True, slots=True)
class Window:
    """A part of each day, `begins` included, `ends` not. It may go over midnight; equal ends mean the whole day."""

    begins: time
    ends: time

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"

    @property
    def over_midnight(self) -> bool:
        return self.ends <= self.begins

    def covers(self, at: datetime, timezone: str) -> bool:
        """`at` is aware."""
        wall = at.astimezone(ZoneInfo(timezone)).time()
        if self.over_midnight:
            return wall >= self.begins or wall < self.ends
        return self.begins <= wall < self.ends

    def to_json(self) -> dict[str, str]:
        return {"from": f"{self.begins:%H:%M}", "to": f"{self.ends:%H:%M}"}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Window:
        return cls(time.fromisoformat(stored["from"]), time.fromisoformat(stored["to"]))


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a week with a name, without public holidays. A window over midnight belongs to the day it begins on."""

    key: str
    timezone: str
    window: Window
    days: tuple[int, ...] = ALL_DAYS  # 0 is Monday
    holidays: str = ""  # the place whose public holidays do not count (see public_holidays)

    def __str__(self) -> str:
        return self.key

    def covers(self, at: datetime) -> bool:
        return self.day_of(at) is not None

    def day_of(self, at: datetime) -> date | None:
        """The day, by the clocks of its zone, that what covers `at` belongs to; None outside these hours."""
        if not self.window.covers(at, self.timezone):
            return None
        wall = at.astimezone(ZoneInfo(self.timezone))
        day = wall.date()
        if self.window.over_midnight and wall.time() < self.window.begins:
            day -= timedelta(days=1)  # what began yesterday
        return day if self.counts(day) else None

    def counts(self, day: date) -> bool:
        """Whether there are any on this day."""
        return day.weekday() in self.days and not public_holidays.name(self.holidays, day)

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "timezone": self.timezone,
            "days": [DAYS[day] for day in self.days],
            **self.window.to_json(),
            "holidays": self.holidays,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Hours:
        return cls(
            key=stored["key"],
            timezone=stored["timezone"],
            window=Window.from_json(stored),
            days=tuple(DAYS.index(day) for day in stored["days"]),
            holidays=stored["holidays"],
        )
