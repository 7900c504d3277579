"""A simulated course in words, for a terminal and for whoever cannot see its picture; and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config import durations
from config.clock import utc_text
from escalation.channels import names
from escalation.channels.base import Purpose
from escalation.plan import LAST_RESORT_EVERY_SECONDS, Stage, Urgency
from escalation.simulate import ASKED, Course, Taken, Woken
from escalation.stretches import Stretch


def table(course: Course, title: str) -> str:
    """One line a message, by time."""
    opened_at = course.case.opened_at
    lines = [f"{title}. Opened {moment(opened_at)}.", ""]
    if not course.steps:
        return "\n".join([*lines, "Nobody is told: it is recorded only."])
    rows: list[tuple[str, ...]] = [("after", "UTC", "", "who", "by", "", "where they are")]
    rows += [_row(course, each) for each in course.woken]
    lines += _aligned(rows)
    notes = [note for taken in course.steps if (note := _note(taken))]
    return "\n".join([*lines, *([""] if notes else []), *notes, "", then(course)])


def stretches_table(found: Sequence[Stretch], title: str) -> str:
    """One line a stretch of time in which the answer is the same."""
    rows = [("from (UTC)", "to", "who, in order")]
    rows += [(moment(each.since), moment(each.until), in_short(each.course)) for each in found]
    return "\n".join([f"{title}. Whom an incident would wake, by when it opens:", "", *_aligned(rows)])


def in_short(course: Course) -> str:
    """Ana Lima (phone call, SMS); 5m Bo Chen (Slack): who hears of it first when, and by what."""
    if not course.woken:
        return "nobody"
    ways: dict[str, dict[str, None]] = {}
    for each in course.woken:
        ways.setdefault(each.person.key, {})[names.name(each.channel)] = None
    told: dict[timedelta, list[str]] = {}
    for person in course.people:
        first = next(each.at for each in course.woken if each.person.key == person.key)
        said = f"{person.name} ({', '.join(ways[person.key])})"
        told.setdefault(first - course.case.opened_at, []).append(said)
    return "; ".join(f"{_after(after)} {', '.join(who)}".strip() for after, who in told.items())


def then(course: Course) -> str:
    """What comes after the end of the course."""
    if course.acknowledged_at is not None:
        return f"Acknowledged {moment(course.acknowledged_at)}: nobody is woken any more."
    if not course.steps:
        return "Nobody is told: it is recorded only."
    if course.case.urgency is Urgency.LOW:
        return "It is told again each business day until somebody acknowledges."
    if course.steps[-1].step.stage is Stage.LAST_RESORT:
        every = durations.to_text(LAST_RESORT_EVERY_SECONDS)
        return f"From then on the last resort is called every {every} until somebody acknowledges."
    return "It goes on until somebody acknowledges."


def as_json(course: Course, title: str) -> dict[str, Any]:
    """Times as texts, in UTC."""
    return {
        "title": title,
        "policy": course.case.policy.key,
        "urgency": course.case.urgency,
        "opened_at": utc_text(course.case.opened_at),
        "acknowledged_at": utc_text(course.acknowledged_at) if course.acknowledged_at else None,
        "then": then(course),
        "steps": [_step(taken) for taken in course.steps],
        "messages": [_message(course, each) for each in course.woken],
    }


def stretch_as_json(stretch: Stretch) -> dict[str, Any]:
    return {
        "since": utc_text(stretch.since),
        "until": utc_text(stretch.until),
        "summary": in_short(stretch.course),
        "messages": [_message(stretch.course, each) for each in stretch.course.woken],
    }


def _step(taken: Taken) -> dict[str, Any]:
    step = taken.step
    return {
        "at": utc_text(taken.at),
        "level": step.level.level,
        "stage": step.stage,
        "round": taken.cycle + 1,
        "reached": [each.person.key for each in step.people],
        "unreachable": [person.key for person in step.unreachable],
        "shadows": [each.person.key for each in step.shadows],
        "passed_over": step.passed_over,
        "note": _note(taken),
    }


def _message(course: Course, each: Woken) -> dict[str, Any]:
    return {
        "at": utc_text(each.at),
        "after_seconds": int((each.at - course.case.opened_at).total_seconds()),
        "responder": each.person.key,
        "name": each.person.name,
        "channel": each.channel,
        "purpose": each.purpose,
        "level": each.level,
        "stage": each.stage,
        "shadow": each.shadow,
        "local_time": each.at.astimezone(ZoneInfo(each.person.timezone)).isoformat(timespec="minutes"),
    }


def where(each: Woken) -> str:
    """Level 2, last resort, told first: why this message is sent."""
    if each.step == ASKED:
        return "asked about a halt"
    if each.shadow:
        return "shadow"
    if each.stage is Stage.LAST_RESORT:
        return "last resort"
    return "told first" if each.stage is Stage.NOTIFYING else f"level {each.level}"


def _row(course: Course, each: Woken) -> tuple[str, ...]:
    zone = ZoneInfo(each.person.timezone)
    there = each.at.astimezone(zone)
    local = "" if there.utcoffset() == timedelta(0) else f"{there:%a %H:%M} {each.person.timezone}"
    quietly = "" if each.purpose is Purpose.PAGE else "notification"
    return (
        _after(each.at - course.case.opened_at) or "0s",
        _clock(each.at, course.case.opened_at),
        where(each),
        each.person.name,
        names.name(each.channel),
        quietly,
        local,
    )


def _note(taken: Taken) -> str:
    step, at = taken.step, moment(taken.at)
    if step.passed_over:
        return f"{at}: level {step.level.level} is passed over ({step.level.hours})."
    if step.unreachable:
        names = ", ".join(person.name for person in step.unreachable)
        return f"{at}: no usable way to reach {names}."
    if not step.people:
        what = "the last resort" if step.stage is Stage.LAST_RESORT else f"level {step.level.level}"
        return f"{at}: {what} reaches nobody ({', '.join(map(str, step.level.page)) or 'names nobody'})."
    return f"{at}: the turn of {step.people[0].person.name} at level {step.level.level}." if step.turn else ""


def _after(passed: timedelta) -> str:
    return durations.to_text(passed.total_seconds()) if passed else ""


def moment(at: datetime) -> str:
    """Mon 16 Nov 2026 03:00 UTC."""
    at = at.astimezone(UTC)
    return f"{at:%a} {at.day} {at:%b %Y %H:%M} UTC"


def _clock(at: datetime, beside: datetime) -> str:
    at, beside = at.astimezone(UTC), beside.astimezone(UTC)
    day = "" if at.date() == beside.date() else f"{at:%a} {at.day} {at:%b} "
    return f"{day}{at:%H:%M:%S}".removesuffix(":00") if at.second == 0 else f"{day}{at:%H:%M:%S}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
