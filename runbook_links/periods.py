"""ISO 8601 durations as runbooks use them: how long a certification lasts, how long a hold must last. Pure."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_ISO = re.compile(
    r"^P(?=[\dT])(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?)?$"
)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Period:
    """`P1M`, `P2D`, `P1Y`, `PT48H`. Months and years are the calendar's; the rest is a fixed time."""

    text: str  # as written
    months: int = 0
    fixed: timedelta = timedelta()

    def __str__(self) -> str:
        return self.text

    def after(self, day: date) -> date:
        """The day this period after `day`: 31 January and P1M give the last day of February."""
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        if year > date.max.year:
            return date.max
        last = calendar.monthrange(year, month + 1)[1]
        moved = date(year, month + 1, min(day.day, last))
        return moved + self.fixed if date.max - moved > self.fixed else date.max

    @property
    def as_timedelta(self) -> timedelta | None:
        """None when months or years make the length depend on the calendar."""
        return None if self.months else self.fixed


def period(text: str) -> Period | None:
    """None when the text is no duration, or one of no length."""
    match = _ISO.match(text)
    if match is None:
        return None
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    found = Period(
        text=text,
        months=years * 12 + months,
        fixed=timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes),
    )
    return found if found.months or found.fixed else None


def day(text: str) -> date | None:
    """A date written YYYY-MM-DD; None for anything else, including a day that the calendar lacks."""
    if not _DAY.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
