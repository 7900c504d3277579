"""What tocsin.yaml says of responders, schedules, policies and the last resort, as values. Pure.

Everything that would keep somebody from being woken and that the file alone can show is refused here, all at once.
Whether a schedule has gaps or a role has holders today is a question of readiness, not of form; only the last resort
must name somebody outright, because there is nothing behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from config import declaration, durations, fields
from config.declaration import Document, Problems
from config.fields import Fields
from escalation import addresses, policies
from escalation.addresses import WAYS
from escalation.oncall.schedules import STARTS_YEARS, Rotation, Schedule, TurnUnit, turn_problem, zone_names
from escalation.policies import ROLES, Announcement, Level, Policy, Target

KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
URGENCIES = ("high", "low")
DEFAULT_HIGH_AFTER_SECONDS = {"slack": 0, "sms": 60, "voice": 180, "email": 300}
DEFAULT_LOW_FIRST_OF = ("slack", "email", "sms")  # the quietest way there is, and only that one
STEPS_MAX = 15
STEP_AFTER_SECONDS_MAX = 86_400
DEFAULT_REPEAT = 1
DEFAULT_ROLES = ("responder",)


@dataclass(frozen=True, slots=True)
class PageStep:
    after_seconds: int  # from when the page is decided
    by: str  # a key of WAYS

    def to_json(self) -> dict[str, int | str]:
        return {"after_seconds": self.after_seconds, "by": self.by}


@dataclass(frozen=True, slots=True)
class DeclaredResponder:
    key: str
    name: str
    email: str | None  # in lower case
    timezone: str
    roles: tuple[str, ...]
    slack: str | None  # member id
    phone: str | None  # E.164
    page_by: Mapping[str, tuple[PageStep, ...]]  # "high" and "low", by time

    @property
    def ways(self) -> dict[str, str]:
        """Every way to reach this person, with the address: {"sms": "+351910000001", …}."""
        own = {"slack": self.slack, "phone": self.phone, "email": self.email}
        return {way: address for way, key in WAYS.items() if (address := own[key])}


@dataclass(frozen=True, slots=True)
class Declared:
    responders: tuple[DeclaredResponder, ...]
    schedules: tuple[Schedule, ...]
    policies: tuple[Policy, ...]
    last_resort: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class _Names:
    """The names that the file declares, also those whose declaration has problems of its own."""

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


def read_declared(document: Document, problems: Problems) -> Declared:
    """Read this package's sections. What has problems is left out: raise them before using the result."""
    top = fields.root(document, problems)
    people, schedules, levelled = (top.entries(name) for name in ("responders", "schedules", "policies"))
    for section in (*people.values(), *schedules.values(), *levelled.values()):
        if not KEY.fullmatch(section.name):
            section.refuse_at(section.path, "a name has up to 64 lower-case letters, digits and . _ -")
    if not people and not problems.touch(("responders",)):
        top.refuse("responders", "is missing: without responders nobody can be woken")
    names = _Names(responder=frozenset(people), schedule=frozenset(schedules))
    owners: dict[tuple[str, str], str] = {}
    declared = Declared(
        responders=tuple(person for section in people.values() if (person := _responder(section, owners))),
        schedules=tuple(plan for section in schedules.values() if (plan := _schedule(section, names))),
        policies=tuple(policy for section in levelled.values() if (policy := _policy(section, names))),
        last_resort=_targets(top, "last_resort", names, required=True),
    )
    if not problems.touch(("responders",)) and not problems.touch(("last_resort",)):
        _refuse_empty_last_resort(declared, top)
    return declared


def _responder(section: Fields, owners: dict[tuple[str, str], str]) -> DeclaredResponder | None:
    """`owners` collects whose each address is: an answer from one must name exactly one person."""
    own = {key: _address(section, key, owners) for key in addresses.READERS}
    if not any(section.has(key) for key in own):
        section.refuse("email", f"{section.name} cannot be reached: declare email, slack or phone")
    ways = [way for way, key in WAYS.items() if own[key]]
    page_by = section.inner("page_by")
    responder = DeclaredResponder(
        key=section.name,
        name=section.text("name", required=True),
        email=own["email"],
        timezone=_timezone(section, default="UTC"),
        roles=_roles(section),
        slack=own["slack"],
        phone=own["phone"],
        page_by={urgency: _steps(page_by, urgency, section) or _default_steps(urgency, ways) for urgency in URGENCIES},
    )
    return responder if section.sound else None


def _address(section: Fields, key: str, owners: dict[tuple[str, str], str]) -> str | None:
    written = section.text(key, characters_max=addresses.EMAIL_CHARACTERS_MAX)
    if not written:
        return None
    try:
        address = addresses.READERS[key](written)
    except ValueError as refused:
        section.refuse(key, str(refused))
        return None
    owner = owners.setdefault((key, address), section.name)
    if owner != section.name:
        section.refuse(key, f"{declaration.shown(address)} is already {owner}'s")
    return address


def _steps(page_by: Fields, urgency: str, responder: Fields) -> tuple[PageStep, ...]:
    """By time. Empty if the urgency is not there."""
    steps: list[PageStep] = []
    sections = page_by.each(urgency, required=page_by.has(urgency))
    for section in sections:
        step = PageStep(section.seconds("after", maximum=STEP_AFTER_SECONDS_MAX), section.choice("by", WAYS))
        if step.by and not responder.has(WAYS[step.by]):
            section.refuse("by", f"{responder.name} has no {WAYS[step.by]} to be reached by {step.by}")
        elif step in steps:
            section.refuse("by", f"{step.by} after {durations.to_text(step.after_seconds)} is there twice")
        steps.append(step)
    if len(sections) > STEPS_MAX:
        page_by.refuse(urgency, f"has more than {STEPS_MAX} steps")
    return tuple(sorted(steps, key=lambda step: step.after_seconds))


def _default_steps(urgency: str, ways: Sequence[str]) -> tuple[PageStep, ...]:
    """High: every way there is, more insistent by the minute, the first one at once."""
    if urgency == "low":
        quietest = next((way for way in DEFAULT_LOW_FIRST_OF if way in ways), None)
        return (PageStep(0, quietest),) if quietest else ()
    after_seconds = {way: after for way, after in DEFAULT_HIGH_AFTER_SECONDS.items() if way in ways}
    first_seconds = min(after_seconds.values(), default=0)
    return tuple(PageStep(after - first_seconds, way) for way, after in after_seconds.items())


def _roles(section: Fields) -> tuple[str, ...]:
    written = section.texts("roles", required=section.has("roles"))
    for path, role in written.items():
        if role not in ROLES:
            section.refuse_at(path, f'no role "{declaration.shown(role)}"; {declaration.suggestion(role, ROLES)}')
    return tuple(dict.fromkeys(written.values())) or DEFAULT_ROLES


def _timezone(section: Fields, *, default: str = "") -> str:
    """Required if there is no default."""
    written = section.text("timezone", required=not default)
    zones = zone_names()
    if written and written not in zones:
        shown = declaration.shown(written)
        section.refuse("timezone", f'there is no time zone "{shown}"; {declaration.suggestion(written, zones)}')
    return written or default


def _schedule(section: Fields, names: _Names) -> Schedule | None:
    zone = _timezone(section)
    rotations = [_rotation(rotation, names) for rotation in section.each("rotations", required=True)]
    if not section.sound:
        return None
    return Schedule(section.name, zone, tuple(rotation for rotation in rotations if rotation))


def _rotation(section: Fields, names: _Names) -> Rotation | None:
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
    elif starts.year not in STARTS_YEARS:
        section.refuse("starts", f"must lie in the years {STARTS_YEARS[0]} to {STARTS_YEARS[-1]}")
    return starts


def _policy(section: Fields, names: _Names) -> Policy | None:
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


def _level(section: Fields, names: _Names) -> Level:
    announce: dict[Announcement, None] = {}
    for path, written in section.texts("announce", characters_max=policies.ADDRESS_CHARACTERS_MAX).items():
        try:
            announce[Announcement.parse(written)] = None
        except ValueError as refused:
            section.refuse_at(path, str(refused))
    return Level(
        level=section.integer("level", minimum=policies.LEVELS[0], maximum=policies.LEVELS[-1]),
        after_seconds=section.seconds("after"),
        page=_targets(section, "page", names),
        announce=tuple(announce),
    )


def _targets(section: Fields, key: str, names: _Names, *, required: bool = False) -> tuple[Target, ...]:
    """Each once, in the order written."""
    targets: dict[Target, None] = {}
    for path, written in section.texts(key, required=required).items():
        try:
            target = Target.parse(written)
        except ValueError as refused:
            section.refuse_at(path, str(refused))
            continue
        if problem := names.problem(target):
            section.refuse_at(path, problem)
        targets[target] = None
    return tuple(targets)


def _refuse_empty_last_resort(declared: Declared, top: Fields) -> None:
    """Nothing stands behind the last resort: it must not be only a schedule with gaps or a role that nobody has."""
    held = {role for responder in declared.responders for role in responder.roles}
    sure = {"responder:" + responder.key for responder in declared.responders} | {"role:" + role for role in held}
    if not any(str(target) in sure for target in declared.last_resort):
        top.refuse("last_resort", "must name a responder, or a role that somebody has: nothing stands behind it")
