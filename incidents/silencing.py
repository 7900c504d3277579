"""Silences as values: whom each holds back, and when it goes on. Pure.

One that happens once goes on from its start to its end. One that recurs goes on at its hours between the two, by the
wall clock of its zone: where clocks go back, an hour that comes twice counts both times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from escalation.oncall.hours import ALL_DAYS, Hours

ONCE_MAX = timedelta(days=31)
LOOKED_AHEAD = timedelta(days=400)  # a fifth Monday may be three months away; a year has each of them
BREAK_MIN = timedelta(hours=1)  # in a day, of what recurs each day: people can be woken in it level by level
WEEKS = range(1, 6)
SERVICES_MAX = 50
LABELS_MAX = 20
PATTERN_CHARACTERS_MAX = 200
ANYTHING = "*"
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # long before anything here began


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be told of: an alert, as far as silences look at it."""

    service: str
    labels: Mapping[str, Any]
    title: str


@dataclass(frozen=True, slots=True)
class Silence:
    """`services`, `labels` and `title` must all fit; what is empty fits anything."""

    services: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)  # label -> pattern
    title: str = ""
    starts_at: datetime = ALWAYS
    ends_at: datetime | None = None  # not included; None: recurring for ever
    hours: Hours | None = None  # None: it happens once
    weeks: tuple[int, ...] = ()  # of the month, by the day it begins on: 2 with Tuesday is the second Tuesday

    def fits(self, subject: Subject) -> bool:
        if self.services and subject.service not in self.services:
            return False
        if self.title and not is_like(self.title.casefold(), subject.title.casefold()):
            return False
        return all(
            name in subject.labels and is_like(pattern, str(subject.labels[name]))
            for name, pattern in self.labels.items()
        )

    def is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now

    def until(self, now: datetime) -> datetime | None:
        """When it stops going on; None if it does not go on now. What goes on without a break counts as one."""
        if not self._covers(now):
            return None
        if self.hours is None:
            return self.ends_at
        for edge in self._edges(now):
            if edge > now and not self._covers(edge):
                return edge if self.ends_at is None else min(edge, self.ends_at)
        return self.ends_at or now + LOOKED_AHEAD

    def next_begin(self, after: datetime) -> datetime | None:
        """The first moment after `after` at which it begins to go on; None if there is none within LOOKED_AHEAD."""
        if self.is_over(after):
            return None
        if self.hours is None or (after < self.starts_at and self._covers(self.starts_at)):
            return self.starts_at if after < self.starts_at else None
        since = max(after, self.starts_at)
        covered = self._covers(since)
        for edge in self._edges(since):
            if edge <= since:
                continue
            before, covered = covered, self._covers(edge)
            if covered and not before:
                return edge
        return None

    def next_change(self, now: datetime) -> datetime | None:
        """When it is to be looked at next: it begins, or is over; None once it is over."""
        if self.is_over(now):
            return None
        moments = (self.next_begin(now), self.ends_at, now + LOOKED_AHEAD if self.hours else None)
        return min((moment for moment in moments if moment is not None), default=None)

    def _covers(self, at: datetime) -> bool:
        if at < self.starts_at or self.is_over(at):
            return False
        if self.hours is None:
            return True
        day = self.hours.day_of(at)
        return day is not None and self._is_in_week(day)

    def _is_in_week(self, day: date) -> bool:
        return not self.weeks or (day.day - 1) // 7 + 1 in self.weeks

    def _counts(self, day: date) -> bool:
        return self.hours is not None and self.hours.counts(day) and self._is_in_week(day)

    def _edges(self, since: datetime) -> Iterator[datetime]:
        """In order, the moments from about `since` on at which it may begin or cease."""
        assert self.hours is not None  # noqa: S101  only what recurs has edges
        zone = ZoneInfo(self.hours.timezone)
        times = {time(), self.hours.window.begins, self.hours.window.ends}
        first = since.astimezone(zone).date() - timedelta(days=2)
        waiting: set[datetime] = set()
        for number in range(LOOKED_AHEAD.days + 3):
            day = first + timedelta(days=number)
            if self._counts(day) or self._counts(day - timedelta(days=1)):
                waiting |= _moments(day, times, zone)
            # What is of later days comes later than this, in any zone.
            passed = datetime.combine(day, time(8), UTC)
            yield from sorted(edge for edge in waiting if edge < passed)
            waiting = {edge for edge in waiting if edge >= passed}
        yield from sorted(waiting)


def problems(silence: Silence) -> dict[str, str]:
    """What keeps it from being one, by field; empty if nothing does."""
    found: dict[str, str] = {}
    if len(silence.services) > SERVICES_MAX:
        found["services"] = f"at most {SERVICES_MAX}; leave it empty and say a label"
    if len(silence.labels) > LABELS_MAX:
        found["labels"] = f"at most {LABELS_MAX}"
    if any(not name or not pattern for name, pattern in silence.labels.items()):
        found["labels"] = "each needs a name and a value, or * for any value"
    if any(len(each) > PATTERN_CHARACTERS_MAX for each in (*silence.labels, *silence.labels.values())):
        found["labels"] = f"at most {PATTERN_CHARACTERS_MAX} characters each"
    if len(silence.title) > PATTERN_CHARACTERS_MAX:
        found["title"] = f"at most {PATTERN_CHARACTERS_MAX} characters"
    if not silence.services and not silence.labels and not silence.title.strip(ANYTHING):
        found["services"] = "must be named, or a label, or a title: what fits everything would silence everything"
    return found | _problems_of_time(silence)


def _problems_of_time(silence: Silence) -> dict[str, str]:
    if silence.ends_at is not None and silence.ends_at <= silence.starts_at:
        return {"ends_at": "must be after its start"}
    if silence.hours is None:
        if silence.ends_at is None:
            return {"ends_at": "is missing: what happens once has an end"}
        if silence.ends_at - silence.starts_at > ONCE_MAX:
            return {"ends_at": f"must be at most {ONCE_MAX.days} days after its start"}
        return {"weeks": "are for what recurs"} if silence.weeks else {}
    if any(week not in WEEKS for week in silence.weeks):
        return {"weeks": "are the weeks of a month, 1 to 5"}
    every_week = not silence.weeks or set(silence.weeks) == set(WEEKS)
    if every_week and set(silence.hours.days) == set(ALL_DAYS) and _break(silence.hours) < BREAK_MIN:
        return {"hours": "would hardly ever end: leave out days, or at least an hour of the day"}
    if silence.until(silence.starts_at) is None and silence.next_begin(silence.starts_at) is None:
        return {"hours": "never come"}
    return {}


def _break(hours: Hours) -> timedelta:
    """Between the end of one day's window and the beginning of the next; none if it is the whole day."""
    begins, ends = (timedelta(hours=at.hour, minutes=at.minute) for at in (hours.window.begins, hours.window.ends))
    return (begins - ends) % timedelta(days=1)


def is_like(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says, in which each `*` stands for anything, nothing included."""
    first, *others = pattern.split(ANYTHING)
    if not others:
        return pattern == text
    *middle, last = others
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def _moments(day: date, times: set[time], zone: tzinfo) -> set[datetime]:
    """When the clocks of the zone show these times on this day, and when they are changed."""
    walls = [datetime.combine(day, each, zone) for each in times]
    found = {wall.replace(fold=fold).astimezone(UTC) for wall in walls for fold in (0, 1)}
    begins = datetime.combine(day, time(), zone).astimezone(UTC)
    ends = datetime.combine(day + timedelta(days=1), time(), zone).replace(fold=1).astimezone(UTC)
    if begins.astimezone(zone).utcoffset() != ends.astimezone(zone).utcoffset():
        found.add(_change(begins, ends, zone))
    return found


def _change(begins: datetime, ends: datetime, zone: tzinfo) -> datetime:
    """The moment between the two at which the offset changes, to the second."""
    offset = begins.astimezone(zone).utcoffset()
    while ends - begins > timedelta(seconds=1):
        middle = begins + timedelta(seconds=int((ends - begins).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            begins = middle
        else:
            ends = middle
    return ends
