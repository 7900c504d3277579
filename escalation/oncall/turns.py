"""When each turn of a rotation begins. Pure. The cost does not grow with the rotation's age."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, tzinfo

from escalation.oncall.instants import instant, wall_time
from escalation.oncall.schedules import TURN_LENGTHS, Rotation

_MONTHS_A_YEAR = 12


def index_at(rotation: Rotation, zone: tzinfo, at: datetime) -> int:
    """Which turn `at` falls in; 0 is the first, negative: the rotation has not started."""
    if rotation.turn_unit == "h":
        return (at - instant(rotation.starts, zone)) // (rotation.turn_count * TURN_LENGTHS["h"])
    index = _wall_index(rotation, wall_time(at, zone))
    # Between the two passes of a repeated hour, or right after a skipped one, the wall clock names a turn beside
    # the true one. Of months it was only told which one it is.
    while starts_at(rotation, zone, index) > at:
        index -= 1
    while starts_at(rotation, zone, index + 1) <= at:
        index += 1
    return index


def starts_at(rotation: Rotation, zone: tzinfo, index: int) -> datetime:
    """UTC. Never before an earlier turn's start; equal to the next one's only where the zone skips whole days."""
    if rotation.turn_unit == "mo":
        return instant(_months_later(rotation.starts, index * rotation.turn_count), zone)
    passed = index * (rotation.turn_count * TURN_LENGTHS[rotation.turn_unit])
    if rotation.turn_unit == "h":
        return instant(rotation.starts, zone) + passed
    return instant(rotation.starts + passed, zone)


def _wall_index(rotation: Rotation, wall: datetime) -> int:
    if rotation.turn_unit == "mo":
        starts = rotation.starts
        months = (wall.year - starts.year) * _MONTHS_A_YEAR + wall.month - starts.month
        return months // rotation.turn_count
    return (wall - rotation.starts) // (rotation.turn_count * TURN_LENGTHS[rotation.turn_unit])


def _months_later(starts: datetime, months: int) -> datetime:
    """Always reckoned from the first start: after a February the 31st is the 31st again."""
    years, month = divmod(starts.month - 1 + months, _MONTHS_A_YEAR)
    year = starts.year + years
    day = min(starts.day, monthrange(year, month + 1)[1])
    return starts.replace(year=year, month=month + 1, day=day)
