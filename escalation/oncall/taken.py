"""Times as people write them over HTTP. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from escalation.oncall import instants, wall_times
from escalation.oncall.schedules import YEARS, zone_names
from escalation.oncall.wall_times import WallTimeError


class TakenError(ValueError):
    """What is written names no instant. The message goes on from the field's name."""


def zone(written: str, otherwise: str) -> str:
    """Raises TakenError."""
    if not written:
        return otherwise
    if written not in zone_names():
        raise TakenError("is no time zone by its IANA name, such as Europe/Lisbon")
    return written


def instant(written: str, timezone: str, *, days: bool, last_day: bool = False) -> datetime:
    """UTC. With `days` a date does too: it means its beginning, or its end if it is the last day. Raises TakenError."""
    try:
        if days and len(written) == len("2026-11-02"):
            return _day(date.fromisoformat(written), timezone, last_day)
        moment = datetime.fromisoformat(written if "T" in written.upper() else "")
    except ValueError:
        raise TakenError("is not a time such as 2026-11-02T09:00+01:00 or 2026-11-02T09:00") from None
    if moment.year not in YEARS:
        raise TakenError(f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    try:
        return wall_times.instant(moment, timezone)
    except WallTimeError as refused:
        raise TakenError(f"{refused}") from refused


def _day(day: date, timezone: str, last_day: bool) -> datetime:
    if day.year not in YEARS:
        raise TakenError(f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    first = day + timedelta(days=1) if last_day else day
    # A day begins even where the clocks skip its midnight.
    return instants.instant(datetime.combine(first, time()), ZoneInfo(timezone))
