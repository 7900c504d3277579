"""What an on-call schedule is: rotations of people in a time zone, and overrides on top. Values only. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast
from zoneinfo import available_timezones

TurnUnit = Literal["h", "d", "w"]
TURN_UNITS: dict[TurnUnit, timedelta] = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
TURN_DAYS_MAX = 366
STARTS_YEARS = range(1970, 3000)  # keeps every turn within what datetime can count
NOT_A_PLACE = {"localtime", "Factory"}  # what these mean depends on the machine


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone that a schedule or a responder can have. Looks at the zone files once."""
    return frozenset(available_timezones() - NOT_A_PLACE)


def turn_problem(count: int, unit: str) -> str:
    """Empty if a rotation can have turns of this length."""
    for known, length in TURN_UNITS.items():
        if unit == known and 1 <= count <= timedelta(days=TURN_DAYS_MAX) // length:
            return ""
    return (
        f"a turn is a number of {', '.join(TURN_UNITS)}, at least 1 and at most {TURN_DAYS_MAX} days; not {count}{unit}"
    )


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns, in the order listed, for ever.

    `starts` is wall time in the schedule's zone, without an offset. Turns of days and weeks hand over at that wall
    time whatever the clocks do in between; turns of hours count hours that really pass.
    A person listed twice takes two turns a cycle.
    """

    members: tuple[str, ...]  # responder keys
    starts: datetime
    turn_count: int
    turn_unit: TurnUnit

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("a rotation needs at least one member")
        if self.starts.tzinfo is not None:
            raise ValueError("a rotation starts at a local wall time: leave the offset out")
        if problem := turn_problem(self.turn_count, self.turn_unit):
            raise ValueError(problem)
        if self.starts.year not in STARTS_YEARS:
            raise ValueError(f"a rotation starts in {STARTS_YEARS[0]} to {STARTS_YEARS[-1]}, not in {self.starts.year}")

    @property
    def turn(self) -> str:
        """As tocsin.yaml writes it: `1w`."""
        return f"{self.turn_count}{self.turn_unit}"

    @property
    def turn_length(self) -> timedelta:
        """Of elapsed time for hours; of wall time for days and weeks."""
        return self.turn_count * TURN_UNITS[self.turn_unit]

    def to_json(self) -> dict[str, Any]:
        return {
            "members": list(self.members),
            "starts": self.starts.isoformat(),
            "turn_count": self.turn_count,
            "turn_unit": self.turn_unit,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Rotation:
        return cls(
            members=tuple(stored["members"]),
            starts=datetime.fromisoformat(stored["starts"]),
            turn_count=stored["turn_count"],
            turn_unit=cast(TurnUnit, stored["turn_unit"]),
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everyone whose turn it is in any rotation is on call; the first rotation's person comes first."""

    key: str
    timezone: str  # IANA name
    rotations: tuple[Rotation, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "timezone": self.timezone,
            "rotations": [rotation.to_json() for rotation in self.rotations],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Schedule:
        return cls(
            key=stored["key"],
            timezone=stored["timezone"],
            rotations=tuple(Rotation.from_json(rotation) for rotation in stored["rotations"]),
        )


@dataclass(frozen=True, slots=True)
class Override:
    """A change to one schedule from `starts_at` until just before `ends_at`.

    `responder` alone is added; `responder` with `replaces` takes over that person's turns; `replaces` alone is
    taken off.
    """

    schedule: str
    starts_at: datetime  # aware
    ends_at: datetime
    responder: str | None
    replaces: str | None

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("an override's times are aware")
        if self.ends_at <= self.starts_at:
            raise ValueError("an override ends after it starts")
        if self.responder is None and self.replaces is None:
            raise ValueError("an override adds, replaces or takes off somebody")


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's unbroken time on call, for one reason."""

    responder: str
    starts_at: datetime  # aware, UTC
    ends_at: datetime
    source: str  # "rotation 1", "rotation 2", …, "override"
