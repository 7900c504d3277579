"""What the readers of tocsin.yaml's sections share: the names there are, targets among them, and time zones. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from config import declaration
from config.fields import Fields
from escalation.oncall import public_holidays
from escalation.oncall.hours import Hours, Window
from escalation.oncall.schedules import zone_names
from escalation.policies import Target

TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
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
    """What is there beside the file, for the file to refer to."""

    responders: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    hours: tuple[Hours, ...] = ()
    usergroups: tuple[tuple[str, str], ...] = ()  # (Slack's id of it, the schedule that it follows)


NOTHING_BESIDE = Beside()


def usergroup_problem(usergroup: str, schedule: str) -> str:
    return f"is kept in step with the schedule {schedule} already, and {usergroup} cannot follow two: name another"


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


def place(section: Fields, key: str = "holidays") -> str:
    """Whose public holidays: `PT`, `DE-BE`; "" if absent."""
    written = section.text(key).upper()
    if written and (problem := public_holidays.place_problem(written)):
        section.refuse(key, problem)
    return written


def window(section: Fields) -> Window | None:
    """`from` and `to`, both or neither."""
    if not section.has("from") and not section.has("to"):
        return None
    begins, ends = (_time_of_day(section, key) for key in ("from", "to"))
    return Window(begins, ends) if begins is not None and ends is not None else None


def _time_of_day(section: Fields, key: str) -> time | None:
    written = section.text(key, required=True)
    if TIME_OF_DAY.fullmatch(written):
        return time.fromisoformat(written)
    if written == "24:00":
        return time(0)
    if written:
        section.refuse(key, f'"{declaration.shown(written)}" is not a time of day; write it in quotes: "09:00"')
    return None
