"""What an escalation policy is: levels, whom each pages, where it announces. Values only. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from config import durations
from escalation.oncall.hours import Hours

LEVELS = range(1, 5)
REPEAT_MAX = 100
ACK_TIMEOUT_SECONDS = 30 * 60
UNACK_AFTER_SECONDS = 5 * 60
ACKNOWLEDGEMENTS_MAX = 10
REPEAT_AFTER_SECONDS_MIN = 300  # for the default; a team may configure less
ADDRESS_CHARACTERS_MAX = 2_000
ROLES = ("responder", "manager", "keeper", "admin", "observer")

TargetKind = Literal["responder", "schedule", "role"]
TARGET_KINDS: tuple[TargetKind, ...] = get_args(TargetKind)

SLACK_CHANNEL = re.compile(r"#[^\s#@,:]{1,80}|[CG][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to page: one person, whoever is on call on a schedule, or everyone with a role."""

    kind: TargetKind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"

    @classmethod
    def parse(cls, written: str) -> Target:
        """`schedule:primary`. Raises ValueError with what is wrong; whether such a schedule exists is not asked."""
        kind, colon, key = written.partition(":")
        if kind not in TARGET_KINDS or not colon or not key or key != key.strip():
            raise ValueError(f'"{written}" is not a target; write {_alternatives(TARGET_KINDS)}')
        if kind == "role" and key not in ROLES:
            raise ValueError(f'there is no role "{key}"; the roles are {", ".join(ROLES)}')
        return cls(kind, key)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where a level is announced, without asking anyone there to acknowledge."""

    channel: str  # "slack", "webhook", "apprise"
    address: str  # "#incidents", a URL

    def __str__(self) -> str:
        return f"{self.channel}:{self.address}"

    @classmethod
    def parse(cls, written: str) -> Announcement:
        """`slack:#incidents`. Raises ValueError with what is wrong, never quoting a URL: those carry secrets."""
        channel, _, address = written.partition(":")
        if channel not in ADDRESS_PROBLEMS:
            raise ValueError(f'"{channel}" is not a place to announce; write {_alternatives(tuple(ADDRESS_PROBLEMS))}')
        if len(address) > ADDRESS_CHARACTERS_MAX:
            raise ValueError(f"the address is longer than {ADDRESS_CHARACTERS_MAX} characters")
        if problem := ADDRESS_PROBLEMS[channel](address):
            raise ValueError(problem)
        return cls(channel, address)


def _slack_problem(address: str) -> str:
    if SLACK_CHANNEL.fullmatch(address):
        return ""
    return f'"{address}" is not a Slack channel; write slack:#name or its id'


def _webhook_problem(address: str) -> str:
    if _url_scheme(address) in ("http", "https") and urlsplit(address).hostname:
        return ""
    return "webhook: needs an http or https URL with a host"


def _apprise_problem(address: str) -> str:
    return "" if _url_scheme(address) else "apprise: needs a URL such as ntfy://host/topic"


def _url_scheme(address: str) -> str:
    """Empty if it is not a URL."""
    if re.search(r"\s", address):
        return ""
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        return ""
    rest = address[len(scheme) :]
    return scheme if scheme and rest.startswith("://") and len(rest) > len("://") else ""


ADDRESS_PROBLEMS = {"slack": _slack_problem, "webhook": _webhook_problem, "apprise": _apprise_problem}


def _alternatives(prefixes: Sequence[str]) -> str:
    *first, last = (f"{prefix}:…" for prefix in prefixes)
    return f"{', '.join(first)} or {last}"


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the escalation; `after_seconds` counts from its start, not from the level before.

    Hours are kept whole, so that a policy frozen into an incident stays what it was when they are changed.
    """

    level: int
    after_seconds: float
    page: tuple[Target, ...] = ()
    announce: tuple[Announcement, ...] = ()
    round_robin: bool = False  # of all whom it names, one: the next in turn
    during: Hours | None = None  # passed over at any other time
    outside: Hours | None = None  # passed over during these
    runbook: str = ""  # the id of the emergency runbook, attached when the level fires

    def is_open(self, at: datetime) -> bool:
        """Whether it is a level for this hour."""
        return (self.during is None or self.during.covers(at)) and not (self.outside and self.outside.covers(at))

    @property
    def hours(self) -> str:
        """As written: `during office`; "" for a level that is open always."""
        said = (("during", self.during), ("outside", self.outside))
        return ", ".join(f"{word} {hours.key}" for word, hours in said if hours)

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "after_seconds": self.after_seconds,
            "page": [str(target) for target in self.page],
            "announce": [str(announcement) for announcement in self.announce],
            "round_robin": self.round_robin,
            "during": self.during.to_json() if self.during else None,
            "outside": self.outside.to_json() if self.outside else None,
            "runbook": self.runbook,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Level:
        return cls(
            level=stored["level"],
            after_seconds=stored["after_seconds"],
            page=tuple(Target.parse(written) for written in stored["page"]),
            announce=tuple(Announcement.parse(written) for written in stored["announce"]),
            # Absent in what was written before there were any.
            round_robin=stored.get("round_robin", False),
            during=Hours.from_json(stored["during"]) if stored.get("during") else None,
            outside=Hours.from_json(stored["outside"]) if stored.get("outside") else None,
            runbook=stored.get("runbook", ""),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Levels in order of their number, and so of their time (see level_problems).

    `repeat` counts how often the levels begin anew after the first pass, each time `repeat_after_seconds` after the
    last level. Left at 0 that is the gap between the last two levels, at least REPEAT_AFTER_SECONDS_MIN.
    Whoever has acknowledged and does nothing for `ack_timeout_seconds` is asked (0: never), and loses it
    `unack_after_seconds` after that.
    """

    key: str
    levels: tuple[Level, ...]
    repeat: int = 0
    ack_timeout_seconds: int = ACK_TIMEOUT_SECONDS
    repeat_after_seconds: int = 0
    unack_after_seconds: int = UNACK_AFTER_SECONDS
    acknowledgements: int = 1  # how many people must say that they have it

    def __post_init__(self) -> None:
        if not self.repeat_after_seconds:
            object.__setattr__(self, "repeat_after_seconds", default_repeat_after_seconds(self.levels))

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "levels": [level.to_json() for level in self.levels],
            "repeat": self.repeat,
            "ack_timeout_seconds": self.ack_timeout_seconds,
            "repeat_after_seconds": self.repeat_after_seconds,
            "unack_after_seconds": self.unack_after_seconds,
            "acknowledgements": self.acknowledgements,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Policy:
        return cls(
            key=stored["key"],
            levels=tuple(Level.from_json(level) for level in stored["levels"]),
            repeat=stored["repeat"],
            ack_timeout_seconds=stored["ack_timeout_seconds"],
            repeat_after_seconds=stored["repeat_after_seconds"],
            unack_after_seconds=stored.get("unack_after_seconds", UNACK_AFTER_SECONDS),
            acknowledgements=stored.get("acknowledgements", 1),
        )


def default_repeat_after_seconds(levels: Sequence[Level]) -> int:
    gap = levels[-1].after_seconds - levels[-2].after_seconds if len(levels) > 1 else 0
    return max(REPEAT_AFTER_SECONDS_MIN, int(gap))


def level_problems(levels: Sequence[Level]) -> Iterator[tuple[int, str, str]]:
    """What keeps these levels from being a policy: (index, field, message). They may stand in any order."""
    seen: set[int] = set()
    for index, level in enumerate(levels):
        if level.level not in LEVELS:
            yield index, "level", f"levels are {LEVELS[0]} to {LEVELS[-1]}, not {level.level}"
        elif level.level in seen:
            yield index, "level", f"level {level.level} is there twice"
        seen.add(level.level)
        if not level.page and not level.announce:
            yield index, "page", "this level pages nobody and announces nothing"
    by_number = sorted(enumerate(levels), key=lambda numbered: numbered[1].level)
    for (_, before), (index, level) in pairwise(by_number):
        if level.level != before.level and level.after_seconds <= before.after_seconds:
            earlier = durations.to_text(before.after_seconds)
            yield (
                index,
                "after",
                f"level {level.level} must start later than level {before.level}, which does at {earlier}",
            )
