"""Which state an incident may go to from which, and at whose word. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CLOSED = "closed"


UNSETTLED = (Status.OPEN, Status.ACKNOWLEDGED)


class Move(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"  # the severity rose, or nobody went on with it
    RESOLVE = "resolve"


class By(StrEnum):
    PERSON = "person"
    SOURCE = "source"  # the monitoring that raised the alert
    APPROVAL = "approval"  # two distinct keepers, neither of whom asked


@dataclass(frozen=True, slots=True)
class Moved:
    to: Status


@dataclass(frozen=True, slots=True)
class Already:
    """It was so before; said, and nothing done."""

    status: Status


@dataclass(frozen=True, slots=True)
class Withheld:
    """It is not for this one to decide."""

    why: str


Verdict = Moved | Already | Withheld

SOURCES_DO_NOT_DECIDE = "a source never closes or quiets a constitutional incident"
ONE_OF_SEVERAL = "a worse alert of the incident fires too, or one of another integration"
ONE_PERSON_IS_NOT_ENOUGH = "a constitutional incident is resolved by two keepers who did not ask for it"


def move(status: Status, move: Move, by: By, *, constitutional: bool) -> Verdict:
    """What comes of a move. A resolve wins over a racing acknowledgement: resolved is never left again."""
    ended = status in (Status.RESOLVED, Status.CLOSED)
    if move is Move.RESOLVE:
        if ended:
            return Already(status)
        if constitutional and by is not By.APPROVAL:
            return Withheld(SOURCES_DO_NOT_DECIDE if by is By.SOURCE else ONE_PERSON_IS_NOT_ENOUGH)
        return Moved(Status.RESOLVED)
    if ended:
        return Already(status)
    if move is Move.UNACKNOWLEDGE:
        return Moved(Status.OPEN) if status is Status.ACKNOWLEDGED else Already(status)
    if status is Status.ACKNOWLEDGED:
        return Already(status)
    if constitutional and by is By.SOURCE:
        return Withheld(SOURCES_DO_NOT_DECIDE)
    return Moved(Status.ACKNOWLEDGED)
