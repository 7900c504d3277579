"""What tocsin.yaml says of escalation policies, and of the hours that they refer to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from config import declaration
from config.fields import Fields
from escalation import declared_names, policies
from escalation.declared_names import Names
from escalation.oncall.hours import ALL_DAYS, DAYS, Hours, Window
from escalation.policies import Announcement, Level, Policy

DEFAULT_REPEAT = 1
ANY_TIME = time(0)


def hours(section: Fields) -> Hours:
    """What has problems is given back all the same, so that those who refer to it are not blamed too."""
    window = declared_names.window(section)
    if window is None and section.sound:
        section.refuse("from", 'is missing: hours begin and end at a time of day, such as from: "09:00", to: "18:00"')
    written = section.texts("days", required=section.has("days"))
    for path, day in written.items():
        if day.lower() not in DAYS:
            section.refuse_at(path, f'"{declaration.shown(day)}" is not a day; write {", ".join(DAYS)}')
    days = sorted({DAYS.index(day.lower()) for day in written.values() if day.lower() in DAYS})
    return Hours(
        key=section.name,
        timezone=declared_names.timezone(section),
        window=window or Window(ANY_TIME, ANY_TIME),
        days=tuple(days) or ALL_DAYS,
        holidays=declared_names.place(section),
    )


def hours_named(section: Fields, key: str, known: Mapping[str, Hours]) -> Hours | None:
    """The hours that `during` or `outside` names; None if it is absent or there are none of this name."""
    written = section.text(key)
    if written and written not in known:
        suggestion = declaration.suggestion(written, known)
        section.refuse(key, f'no hours "{declaration.shown(written)}" are declared; {suggestion}')
    return known.get(written)


def policy(section: Fields, names: Names, known: Mapping[str, Hours]) -> Policy | None:
    """`known` are the hours that its levels may refer to."""
    sections = section.each("levels", required=True)
    levels = [_level(level, names, known) for level in sections]
    repeat = section.integer("repeat", default=DEFAULT_REPEAT, maximum=policies.REPEAT_MAX)
    ack_timeout_seconds = section.seconds("ack_timeout", default=policies.ACK_TIMEOUT_SECONDS)
    unack_after_seconds = section.seconds("unack_after", default=policies.UNACK_AFTER_SECONDS, minimum=1)
    acknowledgements = section.integer("acknowledgements", default=1, minimum=1, maximum=policies.ACKNOWLEDGEMENTS_MAX)
    has_repeat_after = section.has("repeat_after")
    repeat_after_seconds = section.seconds("repeat_after", minimum=1) if has_repeat_after else 0
    if all(level.sound for level in sections):
        for index, key, problem in policies.level_problems(levels):
            sections[index].refuse(key, problem)
        if levels and not any(level.page for level in levels):
            section.refuse("levels", "no level pages anybody")
    if not section.sound:
        return None
    by_number = tuple(sorted(levels, key=lambda level: level.level))
    return Policy(
        section.name,
        by_number,
        repeat,
        ack_timeout_seconds,
        repeat_after_seconds,
        unack_after_seconds=unack_after_seconds,
        acknowledgements=acknowledgements,
    )


def _level(section: Fields, names: Names, known: Mapping[str, Hours]) -> Level:
    announce: dict[Announcement, None] = {}
    for path, written in section.texts("announce", characters_max=policies.ADDRESS_CHARACTERS_MAX).items():
        try:
            announce[Announcement.parse(written)] = None
        except ValueError as refused:
            section.refuse_at(path, str(refused))
    return Level(
        level=section.integer("level", minimum=policies.LEVELS[0], maximum=policies.LEVELS[-1]),
        after_seconds=section.seconds("after"),
        page=declared_names.targets(section, "page", names),
        announce=tuple(announce),
        round_robin=section.boolean("round_robin", default=False),
        during=hours_named(section, "during", known),
        outside=hours_named(section, "outside", known),
        runbook=section.text("runbook"),
    )
