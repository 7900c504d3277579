"""What tocsin.yaml says of escalation policies. Pure."""

from __future__ import annotations

from config.fields import Fields
from escalation import declared_names, policies
from escalation.declared_names import Names
from escalation.policies import Announcement, Level, Policy

DEFAULT_REPEAT = 1


def policy(section: Fields, names: Names) -> Policy | None:
    sections = section.each("levels", required=True)
    levels = [_level(level, names) for level in sections]
    repeat = section.integer("repeat", default=DEFAULT_REPEAT, maximum=policies.REPEAT_MAX)
    ack_timeout_seconds = section.seconds("ack_timeout", default=policies.ACK_TIMEOUT_SECONDS, minimum=1)
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
    return Policy(section.name, by_number, repeat, ack_timeout_seconds, repeat_after_seconds)


def _level(section: Fields, names: Names) -> Level:
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
    )
