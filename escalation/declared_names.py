"""What the readers of tocsin.yaml's sections share: the names there are, targets among them, and time zones. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from config import declaration
from config.fields import Fields
from escalation.oncall.schedules import zone_names
from escalation.policies import Target

KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that the file may refer to, also those whose declaration has problems of its own."""

    responder: frozenset[str]
    schedule: frozenset[str]

    def problem(self, target: Target) -> str:
        """Empty if the file declares it."""
        if target.kind == "responder":
            return self.problem_with_person(target.key)
        if target.kind == "role" or target.key in self.schedule:
            return ""
        return f'no schedule "{target.key}" is declared; {declaration.suggestion(target.key, self.schedule)}'

    def problem_with_person(self, key: str) -> str:
        if key in self.responder:
            return ""
        return f'no responder "{declaration.shown(key)}" is declared; {declaration.suggestion(key, self.responder)}'


@dataclass(frozen=True, slots=True)
class Beside:
    """The names of what is there beside the file, for the file to refer to."""

    responders: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    hours: frozenset[str] = frozenset()


NOTHING_BESIDE = Beside()


def targets(section: Fields, key: str, names: Names, *, required: bool = False) -> tuple[Target, ...]:
    """Each once, in the order written."""
    found: dict[Target, None] = {}
    for path, written in section.texts(key, required=required).items():
        try:
            target = Target.parse(written)
        except ValueError as refused:
            section.refuse_at(path, str(refused))
            continue
        if problem := names.problem(target):
            section.refuse_at(path, problem)
        found[target] = None
    return tuple(found)


def timezone(section: Fields, *, default: str = "") -> str:
    """Required if there is no default."""
    written = section.text("timezone", required=not default)
    zones = zone_names()
    if written and written not in zones:
        shown = declaration.shown(written)
        section.refuse("timezone", f'there is no time zone "{shown}"; {declaration.suggestion(written, zones)}')
    return written or default
