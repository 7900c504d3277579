"""What tocsin.yaml says of a service's heartbeats, as values. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from config import declaration
from config.fields import Fields
from incidents.severity import Severity

HEARTBEATS_MAX = 100  # of one service
EVERY_SECONDS_MIN = 30
EVERY_SECONDS_DEFAULT = 15 * 60  # what is older is stale
SPAN_SECONDS_MAX = 400 * 24 * 3600  # a yearly one, and its grace
HINT_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class DeclaredHeartbeat:
    name: str
    key: str = field(repr=False)  # a password that its sender carries
    every_seconds: int = EVERY_SECONDS_DEFAULT
    grace_seconds: int = 0
    severity: str = ""  # "": as the rules judge its silence

    @property
    def hint(self) -> str:
        return self.key[-HINT_CHARACTERS:]


def read(service: Fields, key_problem: Callable[[str], str], owners: dict[str, str]) -> tuple[DeclaredHeartbeat, ...]:
    """`owners` collects whose each key is, integrations' too; `key_problem` says why one cannot be used."""
    sections = service.each("heartbeats")
    if len(sections) > HEARTBEATS_MAX:
        service.refuse("heartbeats", f"has more than {HEARTBEATS_MAX} entries")
    names: set[str] = set()
    found = [_heartbeat(section, key_problem, owners, names, service.name) for section in sections]
    return tuple(each for each in found if each)


def _heartbeat(
    section: Fields, key_problem: Callable[[str], str], owners: dict[str, str], names: set[str], service: str
) -> DeclaredHeartbeat | None:
    name = section.text("name", required=True)
    if name and not name.isprintable():
        section.refuse("name", "holds a character that cannot be printed")
    if name in names:
        section.refuse("name", f'is given twice: {service} has a heartbeat "{declaration.shown(name)}" already')
    names.add(name)
    key = section.text("key", required=True)
    if key and (problem := key_problem(key)):
        section.refuse("key", problem)
    if key in owners:
        section.refuse("key", f"is already a key of {owners[key]}; each needs one of its own")
    elif key:
        owners[key] = service
    severity = section.text("severity").upper()
    if severity and severity not in set(Severity):
        suggestion = declaration.suggestion(severity, set(Severity))
        section.refuse("severity", f'there is no severity "{declaration.shown(severity)}"; {suggestion}')
    every = section.seconds("every", default=EVERY_SECONDS_DEFAULT, minimum=EVERY_SECONDS_MIN, maximum=SPAN_SECONDS_MAX)
    grace = section.seconds("grace", default=0, maximum=SPAN_SECONDS_MAX)
    return DeclaredHeartbeat(name, key, every, grace, severity) if section.sound else None
