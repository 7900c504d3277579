"""What tocsin.yaml says of a responder's time off. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config import declaration
from config.fields import Fields
from escalation.oncall import instants
from escalation.oncall.schedules import YEARS, zone_names

TIME_OFF_MAX = 500  # of one person
REASON_CHARACTERS_MAX = 500
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimeOff:
    starts_at: datetime  # UTC
    ends_at: datetime
    reason: str = ""


def time_off(section: Fields, zone: str) -> tuple[TimeOff, ...]:
    """In order of time, no two that begin together. A date as `from` is that day's beginning; as `to`, its end."""
    sections = section.each("time_off")
    if len(sections) > TIME_OFF_MAX:
        section.refuse("time_off", f"has more than {TIME_OFF_MAX} entries")
    found: list[TimeOff] = []
    for each in sections:
        off = _entry(each, zone)
        if off is None:
            continue
        if any(off.starts_at == other.starts_at for other in found):
            each.refuse("from", "is where another entry begins already")
        found.append(off)
    return tuple(sorted(found, key=lambda off: off.starts_at))


def as_written(off: Iterable[TimeOff], zone: str) -> list[dict[str, str]]:
    """As tocsin.yaml writes it: in dates where whole days are meant."""
    return [_as_written(each, ZoneInfo(zone)) for each in off]


def _as_written(off: TimeOff, zone: ZoneInfo) -> dict[str, str]:
    starts, ends = (instants.wall_time(at, zone) for at in (off.starts_at, off.ends_at))
    if starts.time() == ends.time() == time():
        said = {"from": starts.date().isoformat(), "to": (ends - DAY).date().isoformat()}
    else:
        said = {key: wall.isoformat(timespec="minutes") for key, wall in (("from", starts), ("to", ends))}
    return said | ({"reason": off.reason} if off.reason else {})


def _entry(section: Fields, zone: str) -> TimeOff | None:
    starts, ends = (_moment(section, key, zone) for key in ("from", "to"))
    reason = section.text("reason", characters_max=REASON_CHARACTERS_MAX)
    if starts is None or ends is None or not section.sound:
        return None
    if ends <= starts:
        section.refuse("to", "is not after its beginning")
        return None
    starts_at, ends_at = (instants.instant(wall, ZoneInfo(zone)) for wall in (starts, ends))
    return TimeOff(starts_at, ends_at, reason) if starts_at < ends_at else None


def _moment(section: Fields, key: str, zone: str) -> datetime | None:
    written = section.text(key, required=True)
    if not written:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return _local_time(section, key, written, zone)
    if day.year not in YEARS:
        section.refuse(key, f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
        return None
    midnight = datetime.combine(day, time())
    return midnight + DAY if key == "to" else midnight


def _local_time(section: Fields, key: str, written: str, zone: str) -> datetime | None:
    try:
        wall = datetime.fromisoformat(written)
    except ValueError:
        shown = declaration.shown(written)
        section.refuse(key, f'"{shown}" is neither a date such as 2026-12-20 nor a local time such as 2026-12-20T18:00')
        return None
    if wall.tzinfo is not None:
        section.refuse(key, f"is a local time, in {zone}: leave the offset out")
    elif wall.year not in YEARS:
        section.refuse(key, f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    elif zone in zone_names() and (problem := instants.problem(wall, zone)):
        section.refuse(key, problem)
    return wall
