"""Who is on call, when, and when nobody is. Pure.

Wall times become instants by the rule of RFC 5545 §3.3.5: a time that the clocks skip is read with the offset
before the gap, and so falls after it; a time that comes twice means the first.

Overrides apply in the order given, which callers make the order of their creation: the newest decision wins.
A replacement takes the replaced person's turns even where an earlier override gave them away, and takes over what
that person holds for others; somebody taken off loses only what they hold themselves, so that taking a person off
never drops whoever already stands in for them. Overrides of other schedules are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from escalation.oncall.schedules import Override, Rotation, Schedule, Shift

SPAN_DAYS_MAX = 732  # how much shifts() and gaps() work out at once
HORIZON_DAYS = 400  # how far next_change_at() looks; longer than any turn
OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class _Place:
    """One seat that is on call: whose turn it is by the rotation, and who sits there."""

    holder: str | None
    source: str
    scheduled: str | None = None


def on_call(schedule: Schedule, overrides: Sequence[Override], at: datetime) -> tuple[str, ...]:
    """Each responder key once, by rotation, then those whom overrides added. The cost does not grow with the
    rotations' age. Raises ValueError if `at` is naive."""
    return tuple(_holders(schedule, overrides, at))


def shifts(schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime) -> list[Shift]:
    """By start, then by rotation (overrides last), then by name; cut to [since, until).

    Turns of one person that touch are one shift. Raises ValueError if the span is longer than SPAN_DAYS_MAX.
    """
    open_since: dict[tuple[str, str], datetime] = {}
    found: list[Shift] = []
    for starts_at, holders in _segments(schedule, overrides, since, until):
        ended = open_since.keys() - holders.items()
        found += [Shift(responder, open_since[responder, source], starts_at, source) for responder, source in ended]
        open_since = {held: open_since.get(held, starts_at) for held in holders.items()}
    end = until.astimezone(UTC)
    found += [Shift(responder, started_at, end, source) for (responder, source), started_at in open_since.items()]
    places = [f"rotation {number}" for number in range(1, len(schedule.rotations) + 1)] + [OVERRIDE]
    return sorted(found, key=lambda shift: (shift.starts_at, places.index(shift.source), shift.responder))


def gaps(
    schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """When nobody is on call, as [start, end) in UTC, cut to [since, until). Raises ValueError as shifts() does."""
    segments = list(_segments(schedule, overrides, since, until))
    ends = [starts_at for starts_at, _ in segments[1:]] + [until.astimezone(UTC)]
    found: list[tuple[datetime, datetime]] = []
    for (starts_at, holders), ends_at in zip(segments, ends, strict=False):
        if holders:
            continue
        if found and found[-1][1] == starts_at:
            found[-1] = (found[-1][0], ends_at)
        else:
            found.append((starts_at, ends_at))
    return found


def next_change_at(schedule: Schedule, overrides: Sequence[Override], at: datetime) -> datetime | None:
    """The first instant after `at` when on_call() answers differently (UTC); None if not within HORIZON_DAYS."""
    present = on_call(schedule, overrides, at)
    for moment in _moments(schedule, overrides, at, at + timedelta(days=HORIZON_DAYS)):
        if on_call(schedule, overrides, moment) != present:
            return moment
    return None


def turn_index(rotation: Rotation, zone: tzinfo, at: datetime) -> int:
    """Which turn `at` falls in; 0 is the first, negative: the rotation has not started."""
    if rotation.turn_unit == "h":
        return (at - _instant(rotation.starts, zone)) // rotation.turn_length
    wall = at.astimezone(zone).replace(tzinfo=None)
    index = (wall - rotation.starts) // rotation.turn_length
    # Between the two passes of a repeated hour, or right after a skipped one, the wall clock names a turn beside
    # the true one.
    while turn_starts_at(rotation, zone, index) > at:
        index -= 1
    while turn_starts_at(rotation, zone, index + 1) <= at:
        index += 1
    return index


def turn_starts_at(rotation: Rotation, zone: tzinfo, index: int) -> datetime:
    """UTC. Never before an earlier turn's start; equal to the next one's only where the zone skips whole days."""
    if rotation.turn_unit == "h":
        return _instant(rotation.starts, zone) + index * rotation.turn_length
    return _instant(rotation.starts + index * rotation.turn_length, zone)


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    # fold=0 is RFC 5545's rule for both nights (PEP 495).
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _holders(schedule: Schedule, overrides: Sequence[Override], at: datetime) -> dict[str, str]:
    """Responder -> why; in the order of on_call()."""
    if at.tzinfo is None:
        raise ValueError("who is on call is asked for an aware time")
    at = at.astimezone(UTC)
    zone = ZoneInfo(schedule.timezone)
    places: list[_Place] = []
    for number, rotation in enumerate(schedule.rotations, start=1):
        index = turn_index(rotation, zone, at)
        if index >= 0:
            member = rotation.members[index % len(rotation.members)]
            places.append(_Place(member, f"rotation {number}", scheduled=member))
    for override in overrides:
        if override.schedule == schedule.key and override.starts_at <= at < override.ends_at:
            places = _overridden(places, override)
    holders: dict[str, str] = {}
    for place in places:
        if place.holder is not None:
            holders.setdefault(place.holder, place.source)
    return holders


def _overridden(places: list[_Place], override: Override) -> list[_Place]:
    if override.replaces is None:
        return [*places, _Place(override.responder, OVERRIDE)]
    replaces_turn = override.responder is not None
    return [
        _Place(override.responder, OVERRIDE, scheduled=place.scheduled)
        if override.replaces == place.holder or (replaces_turn and override.replaces == place.scheduled)
        else place
        for place in places
    ]


def _segments(
    schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime
) -> Iterator[tuple[datetime, dict[str, str]]]:
    """[since, until) cut wherever something may change: each piece's start, and its holders."""
    if until - since > timedelta(days=SPAN_DAYS_MAX):
        raise ValueError(f"ask for at most {SPAN_DAYS_MAX} days of a schedule at once")
    if since >= until:
        return
    near = [override for override in overrides if override.starts_at < until and override.ends_at > since]
    yield since.astimezone(UTC), _holders(schedule, near, since)
    for moment in _moments(schedule, near, since, until):
        yield moment, _holders(schedule, near, moment)


def _moments(schedule: Schedule, overrides: Sequence[Override], since: datetime, until: datetime) -> Iterator[datetime]:
    """Every instant strictly between, in order and once, at which somebody's turn or an override starts or ends."""
    zone = ZoneInfo(schedule.timezone)
    edges = {
        edge.astimezone(UTC)
        for override in overrides
        if override.schedule == schedule.key
        for edge in (override.starts_at, override.ends_at)
    }
    at = since.astimezone(UTC)
    while True:
        turns = (_next_turn_at(rotation, zone, at) for rotation in schedule.rotations)
        later = [moment for moment in (*edges, *turns) if moment is not None and moment > at]
        at = min(later, default=until)
        if at >= until:
            return
        yield at


def _next_turn_at(rotation: Rotation, zone: tzinfo, at: datetime) -> datetime | None:
    """The next start of a turn that brings another person; None if none ever does."""
    index = turn_index(rotation, zone, at)
    if index < 0:
        return turn_starts_at(rotation, zone, 0)
    if all(here == there for here, there in pairwise(rotation.members)):
        return None
    return turn_starts_at(rotation, zone, index + 1)
