"""Wall times that people give for something that happens once: each must name one instant. Pure.

A rotation's turns are read by RFC 5545's rule instead (`resolve`): they come again every day, and one of them may fall
on such a night without anybody having chosen it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class WallTimeError(ValueError):
    """No instant, or two. The message is for people, and says what to write instead."""


def instant(wall: datetime, zone_name: str) -> datetime:
    """UTC. `wall` is naive. Raises WallTimeError for a time that the clocks of that zone skip, or that comes twice."""
    zone = ZoneInfo(zone_name)
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    said = f"{wall:%H:%M} on {wall:%Y-%m-%d}"
    # fold=0 reads a skipped time with the offset before the gap; going through UTC shows what the clocks show then.
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        later = first.astimezone(UTC).astimezone(zone)
        raise WallTimeError(f"{said} does not exist in {zone_name}: the clocks go forward over it, to {later:%H:%M}")
    offsets = " or ".join(f"{each:%H:%M}{_offset(each)}" for each in (first, second))
    raise WallTimeError(f"{said} comes twice in {zone_name}: say which, with its offset, {offsets}")


def _offset(moment: datetime) -> str:
    written = f"{moment:%z}"
    return f"{written[:3]}:{written[3:5]}"
