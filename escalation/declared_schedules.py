"""What tocsin.yaml says of schedules. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from config import declaration, durations
from config.fields import Fields
from escalation import declared_names
from escalation.declared_names import Names
from escalation.oncall.schedules import YEARS, Rotation, Schedule, TurnUnit, turn_problem


def schedule(section: Fields, names: Names) -> Schedule | None:
    zone = declared_names.timezone(section)
    rotations = [_rotation(rotation, names) for rotation in section.each("rotations", required=True)]
    if not section.sound:
        return None
    return Schedule(section.name, zone, tuple(rotation for rotation in rotations if rotation))


def _rotation(section: Fields, names: Names) -> Rotation | None:
    members = section.texts("members", required=True)
    for path, member in members.items():
        if problem := names.problem_with_person(member):
            section.refuse_at(path, problem)
    starts = _starts(section)
    turn = _turn(section)
    if starts is None or turn is None or not section.sound:
        return None
    return Rotation(tuple(members.values()), starts, *turn)


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


def _starts(section: Fields) -> datetime | None:
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
    return starts
