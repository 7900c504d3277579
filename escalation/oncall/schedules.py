"""What an on-call schedule is: rotations of people in a time zone, overrides on top, and time off. Values only. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast
from zoneinfo import available_timezones

from escalation.oncall.restrictions import Restriction

TurnUnit = Literal["h", "d", "w", "mo"]
TURN_UNITS: tuple[TurnUnit, ...] = ("h", "d", "w", "mo")
TURN_LENGTHS: dict[TurnUnit, timedelta] = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
AHEAD_DAYS = 90  # how far gaps are looked for, and moved shifts told
TURN_DAYS_MAX = 366
TURN_MONTHS_MAX = 12
LAYERS = range(1, 10)
YEARS = range(1970, 3000)  # keeps every turn within what datetime can count
NO_STARTS = datetime.fromisoformat(f"{YEARS[0]}-01-01")  # of what has no turns
NOT_A_PLACE = {"localtime", "Factory"}  # what these mean depends on the machine


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone that a schedule or a responder can have. Looks at the zone files once."""
    return frozenset(available_timezones() - NOT_A_PLACE)


def turn_problem(count: int, unit: str) -> str:
    """Empty if a rotation can have turns of this length."""
    most: dict[str, int] = {each: timedelta(days=TURN_DAYS_MAX) // length for each, length in TURN_LENGTHS.items()}
    if 1 <= count <= {**most, "mo": TURN_MONTHS_MAX}.get(unit, 0):
        return ""
    return (
        "a turn is a number of h, d, w or mo (hours, days, weeks, months), "
        f"at least 1 and at most {TURN_DAYS_MAX} days or {TURN_MONTHS_MAX} months; not {count}{unit}"
    )


@dataclass(frozen=True, slots=True)
class Rotation:
    """People who take turns, in the order listed, for ever; or, with `calendar`, whoever that calendar names.

    `starts` is wall time in the schedule's zone, without an offset. Turns of days, weeks and months hand over at that
    wall time whatever the clocks do in between; turns of hours count hours that really pass. In a month that has no
    such day, a turn of months begins on its last.
    A person listed twice takes two turns a cycle. `at_once` people have each turn together.
    Of all layers that have somebody at an instant only the highest counts. A shadow learns: no pages, no coverage.
    """

    members: tuple[str, ...]  # responder keys
    starts: datetime = NO_STARTS
    turn_count: int = 1
    turn_unit: TurnUnit = "w"
    layer: int = LAYERS[0]
    only: tuple[Restriction, ...] = ()  # empty: always
    at_once: int = 1
    shadow: bool = False
    calendar: str = ""  # a URL; its rotation has no members and no turns

    def __post_init__(self) -> None:
        if self.layer not in LAYERS:
            raise ValueError(f"a layer is a number from {LAYERS[0]} to {LAYERS[-1]}, not {self.layer}")
        if self.calendar:
            if self.members:
                raise ValueError("a rotation has members or a calendar, not both")
            return
        if not self.members:
            raise ValueError("a rotation needs at least one member")
        if self.starts.tzinfo is not None:
            raise ValueError("a rotation starts at a local wall time: leave the offset out")
        if problem := turn_problem(self.turn_count, self.turn_unit):
            raise ValueError(problem)
        if self.starts.year not in YEARS:
            raise ValueError(f"a rotation starts in {YEARS[0]} to {YEARS[-1]}, not in {self.starts.year}")
        if problem := at_once_problem(self.at_once, self.members):
            raise ValueError(problem)

    @property
    def turn(self) -> str:
        """As tocsin.yaml writes it: `1w`."""
        return f"{self.turn_count}{self.turn_unit}"

    def to_json(self) -> dict[str, Any]:
        stored: dict[str, Any] = {"calendar": self.calendar}
        if not self.calendar:
            stored = {
                "members": list(self.members),
                "starts": self.starts.isoformat(),
                "turn_count": self.turn_count,
                "turn_unit": self.turn_unit,
            }
        return stored | self._beside_turns()

    def as_written(self) -> dict[str, Any]:
        """As tocsin.yaml writes it."""
        written: dict[str, Any] = {"calendar": self.calendar}
        if not self.calendar:
            starts = self.starts.isoformat(timespec="auto" if self.starts.second else "minutes")
            written = {"members": list(self.members), "starts": starts, "turn": self.turn}
        return written | self._beside_turns()

    def _beside_turns(self) -> dict[str, Any]:
        """Without what is as it is when nothing is said: rows and files from before it could be said stay as they are."""
        said: dict[str, Any] = {}
        if self.layer != LAYERS[0]:
            said["layer"] = self.layer
        if self.only:
            said["only"] = [restriction.to_json() for restriction in self.only]
        if self.at_once != 1:
            said["at_once"] = self.at_once
        if self.shadow:
            said["shadow"] = True
        return said

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Rotation:
        beside = {
            "layer": stored.get("layer", LAYERS[0]),
            "only": tuple(Restriction.from_json(each) for each in stored.get("only", ())),
            "shadow": stored.get("shadow", False),
        }
        if stored.get("calendar"):
            return cls((), calendar=stored["calendar"], **beside)
        return cls(
            members=tuple(stored["members"]),
            starts=datetime.fromisoformat(stored["starts"]),
            turn_count=stored["turn_count"],
            turn_unit=cast(TurnUnit, stored["turn_unit"]),
            at_once=stored.get("at_once", 1),
            **beside,
        )


def at_once_problem(at_once: int, members: tuple[str, ...]) -> str:
    """Empty if so many of these can have one turn together."""
    if not 1 <= at_once <= len(members):
        return f"between 1 and all {len(members)} members are on call at once, not {at_once}"
    if at_once > 1 and len(set(members)) < len(members):
        return "where several are on call at once, each member is listed once"
    return ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everyone whose turn it is in any rotation of the highest layer is on call; the first rotation's people first."""

    key: str
    timezone: str  # IANA name
    rotations: tuple[Rotation, ...]
    slack_usergroup: str = ""  # kept in step with who is on call

    def to_json(self) -> dict[str, Any]:
        beside = {"slack_usergroup": self.slack_usergroup} if self.slack_usergroup else {}
        return {
            "key": self.key,
            "timezone": self.timezone,
            "rotations": [rotation.to_json() for rotation in self.rotations],
        } | beside

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Schedule:
        return cls(
            key=stored["key"],
            timezone=stored["timezone"],
            rotations=tuple(Rotation.from_json(rotation) for rotation in stored["rotations"]),
            slack_usergroup=stored.get("slack_usergroup", ""),
        )


def as_written(schedule: Schedule) -> dict[str, Any]:
    """The schedule as tocsin.yaml writes it below its key."""
    written: dict[str, Any] = {"timezone": schedule.timezone}
    if schedule.slack_usergroup:
        written["slack_usergroup"] = schedule.slack_usergroup
    return written | {"rotations": [rotation.as_written() for rotation in schedule.rotations]}


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
        _require_span(self.starts_at, self.ends_at, "an override")
        if self.responder is None and self.replaces is None:
            raise ValueError("an override adds, replaces or takes off somebody")


@dataclass(frozen=True, slots=True)
class Absence:
    """From `starts_at` until just before `ends_at` somebody is off: hard (time off) never on call, soft (a public
    holiday) not if somebody else is free."""

    responder: str
    starts_at: datetime  # aware
    ends_at: datetime
    hard: bool = True

    def __post_init__(self) -> None:
        _require_span(self.starts_at, self.ends_at, "an absence")


@dataclass(frozen=True, slots=True)
class CalendarShift:
    """Somebody's time in a calendar that serves as a rotation."""

    calendar: str  # the rotation's URL
    responder: str
    starts_at: datetime  # aware
    ends_at: datetime

    def __post_init__(self) -> None:
        _require_span(self.starts_at, self.ends_at, "a calendar's shift")


@dataclass(frozen=True, slots=True)
class Roster:
    """All that decides who is on call on one schedule.

    Absences reach back to the start of the rotations: who was off then decides whose turn it is now. Those that
    begin after a moment never decide about it.
    """

    schedule: Schedule
    overrides: tuple[Override, ...] = ()  # in order of their making
    absences: tuple[Absence, ...] = ()
    calendars: tuple[CalendarShift, ...] = ()


def _require_span(starts_at: datetime, ends_at: datetime, what: str) -> None:
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError(f"{what}'s times are aware")
    if ends_at <= starts_at:
        raise ValueError(f"{what} ends after it starts")
    if starts_at.year not in YEARS or ends_at.year not in YEARS:
        raise ValueError(f"{what} lies in the years {YEARS[0]} to {YEARS[-1]}")


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's unbroken time on call, for one reason."""

    responder: str
    starts_at: datetime  # aware, UTC
    ends_at: datetime
    source: str  # "rotation 1", "rotation 2", …, "override"
    shadow: bool = False
