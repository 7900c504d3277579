"""What an escalation owes, reckoned from the policy as the team wrote it, without any of the engine's code.

A `Course` follows one incident. It is told what the world did, and shown each firing that the timeline tells of; it
objects to one that is too early, of the wrong level or to the wrong people, and it knows what is overdue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

GRACE = timedelta(minutes=15)
LAST_RESORT_EVERY = timedelta(minutes=15)
PAGED_AT_ONCE = ("CRITICAL", "HIGH")
WORSE = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")


@dataclass(frozen=True)
class Rules:
    """A team in numbers: who is at each level, and how each of them is reached."""

    levels: tuple[tuple[timedelta, tuple[str, ...]], ...]
    last_resort: tuple[str, ...]
    loud: Mapping[str, tuple[tuple[str, int], ...]]  # person -> (channel, after seconds), …
    quiet: Mapping[str, tuple[tuple[str, int], ...]]
    repeat: int = 0
    keepers: tuple[str, ...] = ()

    @property
    def round_again_after(self) -> timedelta:
        return max(self.levels[-1][0] - self.levels[-2][0], timedelta(minutes=5))


@dataclass(frozen=True)
class Firing:
    """One firing as the timeline tells it."""

    kind: str  # level.reached, last_resort.reached, oncall.notified
    level: int
    people: tuple[str, ...]
    at: datetime


@dataclass
class Course:
    rules: Rules
    mode: str = "off"  # off, told (MEDIUM), daily (LOW), levels, last (resort)
    low: bool = False
    due: datetime | None = None
    start: datetime | None = None  # the levels count from here
    next: int = 0
    round: int = 0
    firings: list[Firing] = field(default_factory=list)
    asked: int = 0  # how often keepers were asked about a halt, beside the levels

    # What the world does

    def begin(self, severity: str, at: datetime) -> None:
        self.low = severity == "LOW"
        self.next = self.round = 0
        if severity in PAGED_AT_ONCE:
            self._levels_from(at)
        elif severity == "MEDIUM":
            self.mode, self.due = "told", at
        elif severity == "LOW":
            self.mode, self.due = "daily", nine_o_clock_after(at)
        else:
            self.stop()

    def stop(self) -> None:
        self.mode, self.due = "off", None

    def hasten(self, at: datetime) -> None:
        """A person asked for the next level now."""
        if self.mode in ("off", "told", "daily"):
            self.begin("HIGH", at)
        else:
            self._now(at)

    def worsen(self, severity: str, at: datetime) -> None:
        """Nobody has answered yet, and it got worse: all who were woken are woken again, and nothing comes later."""
        if self.mode not in ("levels", "last"):
            self.begin(severity, at)
        elif severity not in PAGED_AT_ONCE:
            return  # somebody had it escalated beyond what it was; a rise quiets nothing
        elif self.mode == "last":
            self.next, self.round = 0, self.rules.repeat
            self._levels_from(at - self.rules.levels[-1][0])
        else:
            self.next = 0
            self._now(at)

    def overdue(self, now: datetime) -> bool:
        return self.due is not None and self.due <= now

    # What the engine did

    def fired(self, firing: Firing, *, all_failed_before: bool) -> None:
        """`all_failed_before`: every page of the firing before this one came to nothing."""
        assert self.due is not None, f"{firing} fired, but nothing is to be fired"
        if firing.at < self.due and all_failed_before:
            self._nobody_left(firing.at)
        expected = self._next_kind()
        assert (firing.kind, firing.level) == expected[:2], f"{firing} fired; expected {expected}"
        assert sorted(firing.people) == sorted(expected[2]), f"{firing} fired; expected {expected}"
        assert self.due <= firing.at, f"{firing} fired; it is due at {self.due}"
        self.firings.append(firing)
        self._go_on(firing.at)
        if not firing.people:
            self._nobody_left(firing.at)

    def may_rest_after_failure(self) -> bool:
        """Whether a firing that came to nothing may be followed by waiting."""
        return not self.firings or self.firings[-1].kind == "last_resort.reached" or self.mode == "off"

    def _next_kind(self) -> tuple[str, int, tuple[str, ...]]:
        levels = self.rules.levels
        if self.mode in ("told", "daily"):
            return "oncall.notified", 1, levels[0][1]
        if self.mode == "last":
            both = self.rules.last_resort if self.low else (*self.rules.last_resort, *levels[-1][1])
            return "last_resort.reached", len(levels), tuple(dict.fromkeys(both))
        return "level.reached", self.next + 1, levels[self.next][1]

    def _go_on(self, at: datetime) -> None:
        assert self.due is not None
        if self.mode == "told":
            self._levels_from(self.due + GRACE)
        elif self.low:
            self.mode, self.due = "daily", nine_o_clock_after(max(at, self.due))
        elif self.mode == "last":
            self.due = max(self.due, at) + LAST_RESORT_EVERY
        elif self.next + 1 < len(self.rules.levels):
            self.next += 1
            self._set_due()
        else:
            self._after_the_last_level(at)

    def _after_the_last_level(self, at: datetime) -> None:
        assert self.start is not None
        fired_due = self.start + self.rules.levels[-1][0]
        if self.round < self.rules.repeat:
            self.round += 1
            self.next = 0
            self._levels_from(max(fired_due + self.rules.round_again_after, at))
        else:
            self.mode = "last"
            self.due = max(fired_due + min(self.rules.round_again_after, LAST_RESORT_EVERY), at)

    def _nobody_left(self, at: datetime) -> None:
        """The last firing reached nobody: the next level now, and the last resort after the last one."""
        last = self.firings[-1]
        if last.kind == "last_resort.reached":
            return
        if self.mode == "levels" and (self.next > 0 or last.kind == "oncall.notified"):
            self._now(at)
        else:
            self.mode, self.due = "last", at

    def _levels_from(self, start: datetime) -> None:
        self.mode, self.start = "levels", start
        self._set_due()

    def _set_due(self) -> None:
        assert self.start is not None
        self.due = self.start + self.rules.levels[self.next][0]

    def _now(self, at: datetime) -> None:
        assert self.due is not None
        if self.mode == "levels":
            assert self.start is not None
            self._levels_from(min(self.start, at - self.rules.levels[self.next][0]))
        else:
            self.due = min(self.due, at)


def nine_o_clock_after(at: datetime) -> datetime:
    """The team's days are UTC days here."""
    morning = at.replace(hour=9, minute=0, second=0, microsecond=0)
    while morning <= at or morning.isoweekday() > 5:
        morning += timedelta(days=1)
    return morning
