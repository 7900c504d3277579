"""Times on call as a message tells them: on the clocks of whoever reads it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from escalation.oncall.differences import Moved

TOLD_MAX = 6  # of the shifts in one message; a text message holds about four


def moment(at: datetime, zone: str) -> str:
    """Tue 17 Nov 09:00."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%a} {there.day} {there:%b %H:%M}"


def span(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """Tue 17 Nov 09:00 to 17:00; with the day again where it is another."""
    begins, ends = starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))
    said = f"{ends:%H:%M}" if begins.date() == ends.date() else moment(ends_at, zone)
    return f"{moment(starts_at, zone)} to {said}"


def city(zone: str) -> str:
    """What a zone is called among people: Europe/Lisbon is Lisbon."""
    return zone.rpartition("/")[2].replace("_", " ")


def clocks(zone: str) -> str:
    """Whose clocks are meant: UTC, or Lisbon time."""
    return "UTC" if zone == "UTC" else f"{city(zone)} time"


def listed(said: Sequence[str]) -> str:
    """a, b and c."""
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said)


def moved(moves: Sequence[Moved], zone: str) -> str:
    """What came and what went, in sentences; the nearest first."""
    told = [*moves[:TOLD_MAX]]
    sentences = []
    for comes, said in ((True, "You are now on call"), (False, "You are no longer on call")):
        some = [f"{span(move.starts_at, move.ends_at, zone)} ({move.schedule})" for move in told if move.comes == comes]
        if some:
            sentences.append(f"{said}: {'; '.join(some)}.")
    if len(moves) > len(told):
        sentences.append(f"And {len(moves) - len(told)} more changes.")
    return " ".join(sentences) + f" Times are {clocks(zone)}."
