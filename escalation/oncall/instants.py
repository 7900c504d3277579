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


def both(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """What a time that comes twice, or that the clocks skip, may be read as, in UTC; None for any other time."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return None if first == second else (first, second)


def problem(wall: datetime, timezone: str) -> str:
    """Empty if the clocks of that zone show this time once. Otherwise a sentence that says what to write instead."""
    zone = ZoneInfo(timezone)
    read = both(wall, zone)
    if read is None:
        return ""
    shown = wall_time(read[0], zone)
    if shown != wall:
        said, instead = "is skipped", shown
    else:
        said, instead = "comes twice", wall + (read[1] - read[0])
    return (
        f"{said} in {timezone}, where the clocks change then; write {instead.isoformat(timespec='minutes')}, "
        "or the same time on another day"
    )
