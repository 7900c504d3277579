"""Wall times that people give for something that happens once: each must name one instant. Pure.

What comes again every day is read by RFC 5545's rule instead (`instants`): one of its times may fall on such a night
without anybody having chosen it.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from escalation.oncall import instants


class WallTimeError(ValueError):
    """No instant, or two. The message is for people, and says what to write instead."""


def instant(wall: datetime, zone_name: str) -> datetime:
    """UTC. `wall` is naive. Raises WallTimeError for a time that the clocks of that zone skip, or that comes twice."""
    zone = ZoneInfo(zone_name)
    read = instants.both(wall, zone)
    if read is None:
        return instants.instant(wall, zone)
    said = f"{wall:%H:%M} on {wall:%Y-%m-%d}"
    later = instants.wall_time(read[0], zone)
    if later != wall:
        raise WallTimeError(f"{said} does not exist in {zone_name}: the clocks go forward over it, to {later:%H:%M}")
    offsets = " or ".join(f"{wall:%H:%M}{_offset(each.astimezone(zone))}" for each in read)
    raise WallTimeError(f"{said} comes twice in {zone_name}: say which, with its offset, {offsets}")


def _offset(moment: datetime) -> str:
    written = f"{moment:%z}"
    return f"{written[:3]}:{written[3:5]}"
