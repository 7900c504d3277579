"""Who has which turn of a rotation when people are off. Pure.

Members stand in a line. Whoever is first in it and free takes the turn and goes to the end; those who are off keep
their place. Free means: off for at most half of the time on duty in this turn. Only if nobody is free of public
holidays (soft absences) do they not count. While the holder of a turn is off, the next in line who is there stands in
for just those hours, and keeps their place.

An absence that begins during a turn moves what is then left of it: nothing before an absence ever changes by it, so
that time off entered today cannot say that somebody else was on call yesterday. The turn is then counted as had by
whoever took over; the one who is off, and had only its beginning, is first in line for another.

While the same people are off, the line only turns: its state repeats, and is looked up instead of counted out. So the
cost grows with the number of absences, and not with the age of the rotation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from escalation.oncall import restrictions, turns
from escalation.oncall.restrictions import Span
from escalation.oncall.schedules import Absence, Rotation

SCHEDULES_KEPT_MAX = 512
# How far somebody is from free, least first: who is off less comes before who is off more.
_FREE, _HOLIDAY, _PARTLY_OFF, _OFF = range(4)
_Slots = tuple[int, ...]  # places among the members, in the order of the line


@dataclass(frozen=True, slots=True)
class Seat:
    holder: str | None  # who sits there; None: nobody can
    scheduled: str  # whose turn it is


class Absences:
    """By person, for looking up who is off at a time."""

    def __init__(self, absences: Iterable[Absence]) -> None:
        mine: defaultdict[str, list[Absence]] = defaultdict(list)
        for absence in absences:
            mine[absence.responder].append(absence)
        self._own = {person: sorted(found, key=lambda each: each.starts_at) for person, found in mine.items()}
        self._starts = {person: [each.starts_at for each in found] for person, found in self._own.items()}
        self._last_ends = {
            person: list(accumulate((each.ends_at for each in found), max)) for person, found in self._own.items()
        }

    def __bool__(self) -> bool:
        return bool(self._own)

    def edges(self) -> set[datetime]:
        return {edge for found in self._own.values() for each in found for edge in (each.starts_at, each.ends_at)}

    def touching(self, person: str, since: datetime, until: datetime) -> list[Absence]:
        """Those that begin before `until`, and end after `since`."""
        if person not in self._own:
            return []
        begun = bisect_left(self._starts[person], until)
        first = bisect_right(self._last_ends[person], since, 0, begun)
        return [each for each in self._own[person][first:begun] if each.ends_at > since]

    def at(self, person: str, at: datetime) -> tuple[bool, bool]:
        """Is this person off now: on time off, on a public holiday?"""
        found = self.touching(person, at, at + timedelta.resolution)
        return any(each.hard for each in found), any(not each.hard for each in found)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Turns in a row in which the same people are free, or one turn in which that changes."""

    lines: tuple[_Slots, ...]  # before its first turn, its second, …
    repeats_from: int  # after the last of `lines` comes this one again


@lru_cache(maxsize=SCHEDULES_KEPT_MAX)
def worked_out(
    rotations: tuple[Rotation, ...], timezone: str, absences: tuple[Absence, ...]
) -> tuple[Absences, tuple[Line | None, ...]]:
    """Everybody's absences, and the line of each rotation; None for a calendar's. Kept, because a level that fires asks
    for the same again."""
    zone = ZoneInfo(timezone)
    lines = (None if rotation.calendar else Line(rotation, zone, absences) for rotation in rotations)
    return Absences(absences), tuple(lines)


class Line:
    """Of a rotation with members, for as long as its absences are known."""

    def __init__(self, rotation: Rotation, zone: tzinfo, absences: Iterable[Absence]) -> None:
        self._rotation = rotation
        self._zone = zone
        self._members = rotation.members
        self._people = dict.fromkeys(rotation.members)
        self._absences = Absences(absence for absence in absences if absence.responder in self._people)
        self._firsts: list[int] = []
        self._stretches: list[_Stretch] = []
        if self._absences:
            self._walk()

    def seats(self, at: datetime) -> tuple[Seat, ...]:
        """In the order of the line. Empty before the rotation starts."""
        index = turns.index_at(self._rotation, self._zone, at)
        if index < 0:
            return ()
        slots = self._slots(index)
        if not self._absences:
            holders = (self._members[slot] for slot in slots[: self._rotation.at_once])
            return tuple(Seat(holder, holder) for holder in holders)
        picked = self._picked(slots, self._ranks(index, at + timedelta.resolution))
        holders_in_line = list(dict.fromkeys(self._members[slot] for slot in picked))
        waiting = dict.fromkeys(self._members[slot] for slot in slots)
        return self._seated(holders_in_line, [person for person in waiting if person not in holders_in_line], at)

    def _walk(self) -> None:
        changed, divided = {0}, set()
        for edge in self._absences.edges():
            index = turns.index_at(self._rotation, self._zone, edge)
            if index < 0:
                continue
            changed.add(index)
            if turns.starts_at(self._rotation, self._zone, index) < edge:
                changed.add(index + 1)
                divided.add(index)
        self._firsts = sorted(changed)
        slots: _Slots = tuple(range(len(self._members)))
        for first, following in zip(self._firsts, [*self._firsts[1:], None], strict=True):
            ranks = self._ranks(first) if first in divided else self._ranks_throughout(first)
            stretch = self._stretch(slots, ranks, None if following is None else following - first)
            self._stretches.append(stretch)
            if following is not None:
                slots = self._slots(following)

    def _stretch(self, slots: _Slots, ranks: dict[str, int], count: int | None) -> _Stretch:
        lines = {slots: 0}
        while True:
            picked = self._picked(slots, ranks)
            slots = (*(slot for slot in slots if slot not in picked), *picked)
            if slots in lines:
                return _Stretch(tuple(lines), lines[slots])
            lines[slots] = len(lines)
            if count is not None and len(lines) > count:
                return _Stretch(tuple(lines), 0)

    def _slots(self, index: int) -> _Slots:
        """The line before this turn."""
        if not self._firsts:
            passed = index * self._rotation.at_once % len(self._members)
            slots = range(len(self._members))
            return (*slots[passed:], *slots[:passed])
        # The last stretch is asked for also while there is none after it yet.
        place = min(bisect_right(self._firsts, index), len(self._stretches)) - 1
        stretch, passed = self._stretches[place], index - self._firsts[place]
        if passed >= len(stretch.lines):
            period = len(stretch.lines) - stretch.repeats_from
            passed = stretch.repeats_from + (passed - stretch.repeats_from) % period
        return stretch.lines[passed]

    def _picked(self, slots: _Slots, ranks: dict[str, int]) -> _Slots:
        """Those who have the turn. Nobody who is off for all of it; so it may be fewer, or nobody."""
        if ranks:
            found = [slot for slot in slots if ranks.get(self._members[slot], _FREE) != _OFF]
            slots = tuple(sorted(found, key=lambda slot: ranks.get(self._members[slot], _FREE)))
        return slots[: self._rotation.at_once]

    def _ranks(self, index: int, known_at: datetime | None = None) -> dict[str, int]:
        """Of those who are not free in this turn, by what has begun before `known_at`."""
        since, until = (turns.starts_at(self._rotation, self._zone, each) for each in (index, index + 1))
        begun = min(until, known_at or until)
        found = {person: off for person in self._people if (off := self._absences.touching(person, since, begun))}
        if not found:
            return {}
        # Also a turn without any duty, on a weekend perhaps, goes to somebody who is there: others keep their place.
        duty = restrictions.spans(self._rotation.only, self._zone, since, until) or ((since, until),)
        ranks = {person: _rank(duty, off) for person, off in found.items()}
        return {person: rank for person, rank in ranks.items() if rank != _FREE}

    def _ranks_throughout(self, index: int) -> dict[str, int]:
        """Where nothing changes within the turn."""
        at = turns.starts_at(self._rotation, self._zone, index)
        ranks = {}
        for person in self._people:
            off, on_holiday = self._absences.at(person, at)
            if off or on_holiday:
                ranks[person] = _OFF if off else _HOLIDAY
        return ranks

    def _seated(self, holders: Sequence[str], waiting: Collection[str], at: datetime) -> tuple[Seat, ...]:
        """Who sits where at this moment, with others standing in for those holders who are off."""
        away = {person: self._absences.at(person, at) for person in (*holders, *waiting)}
        there = [person for person in waiting if not any(away[person])]
        on_holiday = [person for person in waiting if away[person] == (False, True)]
        seats = []
        for holder in holders:
            off = away[holder][0]
            sits: str | None = holder
            if any(away[holder]) and there:
                sits = there.pop(0)
            elif off:
                sits = on_holiday.pop(0) if on_holiday else None
            seats.append(Seat(sits, holder))
        return tuple(seats)


def _rank(duty: Sequence[Span], absences: Sequence[Absence]) -> int:
    whole = sum((ends_at - starts_at for starts_at, ends_at in duty), timedelta())
    if 2 * _overlap(duty, absences) <= whole:
        return _FREE
    off = _overlap(duty, [absence for absence in absences if absence.hard])
    if 2 * off <= whole:
        return _HOLIDAY
    return _PARTLY_OFF if off < whole else _OFF


def _overlap(duty: Sequence[Span], absences: Sequence[Absence]) -> timedelta:
    return sum(
        (
            ends_at - starts_at
            for starts_at, ends_at in restrictions.union(
                (max(absence.starts_at, since), min(absence.ends_at, until))
                for since, until in duty
                for absence in absences
            )
        ),
        timedelta(),
    )
