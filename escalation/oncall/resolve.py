"""Who is on call, when, and when nobody is. Pure.

Wall times become instants as `instants` says. Of the layers, at each instant only the highest counts in which somebody
is on duty; shadows are in no layer, and cover nothing. Time off is reckoned with as `fairness` says, and nobody is
ever on call during it, not in a calendar and not by an override either: such an override waits until it is over.

Overrides apply in the order given, which callers make the order of their creation: the newest decision wins.
A replacement takes the replaced person's turns even where an earlier override gave them away or somebody stands in for
an hour, and takes over what that person holds for others; somebody taken off loses only what they hold themselves, so
that taking a person off never drops whoever already stands in for them. Overrides of other schedules are ignored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from escalation.oncall import fairness, restrictions, turns
from escalation.oncall.fairness import Seat
from escalation.oncall.schedules import CalendarShift, Override, Roster, Rotation, Shift

SPAN_DAYS_MAX = 732  # how much shifts() and gaps() work out at once
HORIZON_DAYS = 400  # how far next_change_at() looks; longer than any turn
OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class _Place:
    """One seat: whose turn it is by the rotation, and who sits there."""

    holder: str | None
    source: str
    scheduled: str | None = None
    layer: int | None = None  # None: beside all layers
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class _Duty:
    """Responder -> why, in order."""

    on_call: dict[str, str]
    shadows: dict[str, str]


def on_call(roster: Roster, at: datetime) -> tuple[str, ...]:
    """Each responder key once, by rotation, then those whom overrides added. The cost does not grow with the
    rotations' age. Raises ValueError if `at` is naive."""
    return tuple(_Reckoning(roster).duty(_aware(at)).on_call)


def shadows(roster: Roster, at: datetime) -> tuple[str, ...]:
    """Who learns beside those on call, and is not on call too. Otherwise as on_call()."""
    return tuple(_Reckoning(roster).duty(_aware(at)).shadows)


def shifts(roster: Roster, since: datetime, until: datetime) -> list[Shift]:
    """By start, then by rotation (overrides last), then by name; cut to [since, until). Shadows too.

    Turns of one person that touch are one shift. Raises ValueError if the span is longer than SPAN_DAYS_MAX.
    """
    open_since: dict[tuple[str, str, bool], datetime] = {}
    found: list[Shift] = []

    def close(held: tuple[str, str, bool], ends_at: datetime) -> None:
        responder, source, shadow = held
        found.append(Shift(responder, open_since[held], ends_at, source, shadow))

    for starts_at, duty in _segments(roster, since, until):
        held = {(*each, False) for each in duty.on_call.items()} | {(*each, True) for each in duty.shadows.items()}
        for ended in open_since.keys() - held:
            close(ended, starts_at)
        open_since = {each: open_since.get(each, starts_at) for each in held}
    for held_last in open_since:
        close(held_last, until.astimezone(UTC))
    places = [f"rotation {number}" for number in range(1, len(roster.schedule.rotations) + 1)] + [OVERRIDE]
    return sorted(found, key=lambda shift: (shift.starts_at, places.index(shift.source), shift.responder))


def gaps(roster: Roster, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """When nobody is on call, as [start, end) in UTC, cut to [since, until). Raises ValueError as shifts() does."""
    segments = list(_segments(roster, since, until))
    ends = [starts_at for starts_at, _ in segments[1:]] + [until.astimezone(UTC)]
    found: list[tuple[datetime, datetime]] = []
    for (starts_at, duty), ends_at in zip(segments, ends, strict=False):
        if duty.on_call:
            continue
        if found and found[-1][1] == starts_at:
            found[-1] = (found[-1][0], ends_at)
        else:
            found.append((starts_at, ends_at))
    return found


def next_change_at(roster: Roster, at: datetime) -> datetime | None:
    """The first instant after `at` when on_call() answers differently (UTC); None if not within HORIZON_DAYS."""
    reckoning = _Reckoning(roster)
    present = tuple(reckoning.duty(_aware(at)).on_call)
    for moment in reckoning.moments(_aware(at), at + timedelta(days=HORIZON_DAYS)):
        if tuple(reckoning.duty(moment).on_call) != present:
            return moment
    return None


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("who is on call is asked for an aware time")
    return at.astimezone(UTC)


def _segments(roster: Roster, since: datetime, until: datetime) -> Iterator[tuple[datetime, _Duty]]:
    """[since, until) cut wherever something may change: each piece's start, and its holders."""
    if until - since > timedelta(days=SPAN_DAYS_MAX):
        raise ValueError(f"ask for at most {SPAN_DAYS_MAX} days of a schedule at once")
    if since >= until:
        return
    near = tuple(each for each in roster.overrides if each.starts_at < until and each.ends_at > since)
    reckoning = _Reckoning(replace(roster, overrides=near))
    yield _aware(since), reckoning.duty(_aware(since))
    for moment in reckoning.moments(_aware(since), until):
        yield moment, reckoning.duty(moment)


class _Reckoning:
    """A roster, with what is worked out once for all the moments that are asked about."""

    def __init__(self, roster: Roster) -> None:
        schedule = roster.schedule
        self._zone = ZoneInfo(schedule.timezone)
        self._rotations = schedule.rotations
        self._overrides = [override for override in roster.overrides if override.schedule == schedule.key]
        self._absences, lines = fairness.worked_out(schedule.rotations, schedule.timezone, roster.absences)
        self._seats = [
            line.seats if line else self._calendar_reader(rotation.calendar, roster)
            for rotation, line in zip(schedule.rotations, lines, strict=True)
        ]
        self._calendars = roster.calendars

    def duty(self, at: datetime) -> _Duty:
        """`at` in UTC."""
        places = [
            _Place(seat.holder, f"rotation {number}", seat.scheduled, rotation.layer, rotation.shadow)
            for number, (rotation, seats) in enumerate(zip(self._rotations, self._seats, strict=True), start=1)
            if restrictions.cover(rotation.only, self._zone, at)
            for seat in seats(at)
        ]
        for override in self._overrides:
            if override.starts_at <= at < override.ends_at and not self._off(override.responder, at):
                places = _overridden(places, override)
        layers = (place.layer for place in places if place.holder is not None and not place.shadow)
        highest = max((layer for layer in layers if layer is not None), default=None)
        duty = _Duty({}, {})
        for place in places:
            if place.holder is not None and not place.shadow and place.layer in (None, highest):
                duty.on_call.setdefault(place.holder, place.source)
        for place in places:
            if place.holder is not None and place.shadow and place.holder not in duty.on_call:
                duty.shadows.setdefault(place.holder, place.source)
        return duty

    def moments(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Every instant strictly between, in order and once, at which duty() may change. `since` in UTC."""
        spans: list[Override | CalendarShift] = [*self._overrides, *self._calendars]
        edges = {edge.astimezone(UTC) for each in spans for edge in (each.starts_at, each.ends_at)}
        edges |= {edge.astimezone(UTC) for edge in self._absences.edges()}
        coming = sorted(edge for edge in edges if since < edge < until)
        at = since
        while True:
            following = bisect_right(coming, at)
            turning = (_next_turn_at(rotation, self._zone, at) for rotation in self._rotations)
            opening = (restrictions.next_edge_at(rotation.only, self._zone, at) for rotation in self._rotations)
            later = [
                moment
                for moment in (*coming[following : following + 1], *turning, *opening)
                if moment is not None and moment > at
            ]
            at = min(later, default=until)
            if at >= until:
                return
            yield at

    def _calendar_reader(self, url: str, roster: Roster) -> Callable[[datetime], tuple[Seat, ...]]:
        named = [shift for shift in roster.calendars if shift.calendar == url]
        return lambda at: tuple(self._named_by_calendar(named, at))

    def _named_by_calendar(self, named: list[CalendarShift], at: datetime) -> Iterator[Seat]:
        for shift in named:
            if shift.starts_at <= at < shift.ends_at:
                yield Seat(None if self._off(shift.responder, at) else shift.responder, shift.responder)

    def _off(self, responder: str | None, at: datetime) -> bool:
        return responder is not None and self._absences.at(responder, at)[0]


def _overridden(places: list[_Place], override: Override) -> list[_Place]:
    if override.replaces is None:
        return [*places, _Place(override.responder, OVERRIDE)]
    replaces_turn = override.responder is not None
    return [
        replace(place, holder=override.responder, source=OVERRIDE)
        if override.replaces == place.holder or (replaces_turn and override.replaces == place.scheduled)
        else place
        for place in places
    ]


def _next_turn_at(rotation: Rotation, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The next start of a turn that brings another person; None if none ever does."""
    if rotation.calendar:
        return None
    index = turns.index_at(rotation, zone, at)
    if index < 0:
        return turns.starts_at(rotation, zone, 0)
    if all(here == there for here, there in pairwise(rotation.members)):
        return None
    return turns.starts_at(rotation, zone, index + 1)
