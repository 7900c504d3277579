"""What tocsin.yaml says of schedules. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from config import declaration, durations
from config.fields import Fields
from escalation import declared_names
from escalation.declared_names import Names
from escalation.oncall import instants, restrictions, schedules
from escalation.oncall.restrictions import DAY_MINUTES, DAYS, Restriction
from escalation.oncall.schedules import LAYERS, YEARS, Rotation, Schedule, TurnUnit, turn_problem, zone_names

URL_CHARACTERS_MAX = 2_000
RESTRICTIONS_MAX = 50  # of one rotation
MEMBERS_MAX = 500

_USERGROUP = re.compile(r"S[A-Z0-9]{2,20}")
_OF_MEMBERS = ("members", "starts", "turn", "at_once")


def schedule(section: Fields, names: Names) -> Schedule | None:
    zone = declared_names.timezone(section)
    usergroup = section.text("slack_usergroup")
    if usergroup and not _USERGROUP.fullmatch(usergroup):
        section.refuse(
            "slack_usergroup", f'"{declaration.shown(usergroup)}" is not a user group\'s id such as S012AB3CD'
        )
    rotations = [_rotation(each, names, zone) for each in section.each("rotations", required=True)]
    if not section.sound:
        return None
    found = tuple(rotation for rotation in rotations if rotation)
    if all(rotation.shadow for rotation in found):
        section.refuse("rotations", "are all shadows, who are not paged: nobody would be on call")
        return None
    return Schedule(section.name, zone, found, usergroup)


def _rotation(section: Fields, names: Names, zone: str) -> Rotation | None:
    layer = section.integer("layer", default=LAYERS[0], minimum=LAYERS[0], maximum=LAYERS[-1])
    only = _only(section)
    shadow = section.boolean("shadow", default=False)
    if shadow and section.has("layer"):
        section.refuse("layer", "says nothing of a shadow, which is in no layer: leave it out")
    if section.has("calendar"):
        return _of_calendar(section, layer, only, shadow)
    members = section.texts("members", required=True)
    for path, member in members.items():
        if problem := names.problem_with_person(member):
            section.refuse_at(path, problem)
    if len(members) > MEMBERS_MAX:
        section.refuse("members", f"are more than {MEMBERS_MAX}")
    starts = _starts(section, zone)
    turn = _turn(section)
    at_once = section.integer("at_once", default=1, minimum=1, maximum=MEMBERS_MAX)
    if members and (problem := schedules.at_once_problem(at_once, tuple(members.values()))):
        section.refuse("at_once", problem)
    if starts is None or turn is None or not section.sound:
        return None
    return Rotation(tuple(members.values()), starts, *turn, layer, only, at_once, shadow)


def _of_calendar(section: Fields, layer: int, only: tuple[Restriction, ...], shadow: bool) -> Rotation | None:
    url = section.text("calendar", characters_max=URL_CHARACTERS_MAX)
    for key in _OF_MEMBERS:
        if section.has(key):
            section.refuse(key, "does not go with a calendar, which says itself who is on call when")
    try:
        parts = urlsplit(url)
        readable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        readable = False
    if url and not readable:
        # Its address is as good as a password: it is not quoted.
        section.refuse("calendar", "is not an address that begins with https:// (for webcal:// write https://)")
    return Rotation((), layer=layer, only=only, shadow=shadow, calendar=url) if section.sound else None


def _only(section: Fields) -> tuple[Restriction, ...]:
    sections = section.each("only", required=section.has("only"))
    if len(sections) > RESTRICTIONS_MAX:
        section.refuse("only", f"has more than {RESTRICTIONS_MAX} entries")
    return tuple(found for each in sections if (found := _restriction(each)))


def _restriction(section: Fields) -> Restriction | None:
    written = section.texts("days", required=section.has("days"))
    for path, day in written.items():
        if day.lower() not in DAYS:
            section.refuse_at(path, f'"{declaration.shown(day)}" is not a day; write {", ".join(DAYS)}')
    days = tuple(sorted({DAYS.index(day.lower()) for day in written.values() if day.lower() in DAYS}))
    timed = section.has("from") or section.has("to")
    from_minutes, to_minutes = (_minutes(section, key, required=timed) for key in ("from", "to"))
    if not timed and not written and section.sound:
        section.refuse_at(
            section.path, 'restricts nothing: write days, or from and to, such as from: "09:00", to: "17:00"'
        )
    if timed and section.sound:
        if from_minutes == DAY_MINUTES:
            section.refuse("from", 'begins when the day is over; write "00:00" of the next day')
        elif from_minutes == to_minutes:
            section.refuse("to", 'is when it begins, which leaves nothing; the whole day is from: "00:00", to: "24:00"')
    if not section.sound:
        return None
    every_day = tuple(range(len(DAYS)))
    return Restriction(days or every_day, *((from_minutes, to_minutes) if timed else ()))


def _minutes(section: Fields, key: str, *, required: bool) -> int:
    written = section.text(key, required=required)
    if not written:
        return 0
    try:
        return restrictions.minutes_of(written)
    except ValueError:
        section.refuse(key, f'"{declaration.shown(written)}" is not a time of day; write it in quotes: "09:00"')
        return 0


def _turn(section: Fields) -> tuple[int, TurnUnit] | None:
    written = section.text("turn", required=True)
    if not written:
        return None
    try:
        count, unit = durations.split_single(written)
    except durations.DurationError as refused:
        section.refuse("turn", str(refused))
        return None
    if problem := turn_problem(count, unit):
        section.refuse("turn", problem)
    return count, cast(TurnUnit, unit)


def _starts(section: Fields, zone: str) -> datetime | None:
    written = section.text("starts", required=True)
    if not written:
        return None
    try:
        starts = datetime.fromisoformat(written)
    except ValueError:
        section.refuse("starts", f'"{declaration.shown(written)}" is not a local time such as 2026-11-02T09:00')
        return None
    if starts.tzinfo is not None:
        section.refuse("starts", "is a local time in the schedule's zone: leave the offset out")
    elif starts.year not in YEARS:
        section.refuse("starts", f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    elif zone in zone_names() and (problem := instants.problem(starts, zone)):
        section.refuse("starts", problem)
    return starts
