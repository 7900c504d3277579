"""When a wall time that comes again is: the rule of RFC 5545 §3.3.5. Pure.

A time that the clocks skip is read with the offset before the gap, and so falls after it; a time that comes twice
means the first. Nobody chose such a night, so nothing is refused: what is said of each day is done on each day.
Times that follow one another without a break, as 09:00-17:00 and 17:00-09:00 do, leave none on those nights either.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def instant(wall: datetime, zone: tzinfo) -> datetime:
    """UTC. `wall` is naive."""
    # fold=0 is RFC 5545's rule for both nights (PEP 495).
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def wall_time(at: datetime, zone: tzinfo) -> datetime:
    """What the clocks of the zone show, naive."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def problem(wall: datetime, timezone: str) -> str:
    """Empty if the clocks of that zone show this time once. Otherwise a sentence that says what to write instead."""
    zone = ZoneInfo(timezone)
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    offsets = first.utcoffset(), second.utcoffset()
    if offsets[0] is None or offsets[1] is None or offsets[0] == offsets[1]:
        return ""
    shown = wall_time(instant(wall, zone), zone)
    if shown != wall:
        said, instead = "is skipped", shown
    else:
        said, instead = "comes twice", wall + (offsets[0] - offsets[1])
    return (
        f"{said} in {timezone}, where the clocks change then; write {instead.isoformat(timespec='minutes')}, "
        "or the same time on another day"
    )
