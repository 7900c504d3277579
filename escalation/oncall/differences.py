"""Whose time on call differs between two versions of the schedules. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from escalation.oncall.schedules import Shift

Span = tuple[datetime, datetime]  # [start, end), aware


@dataclass(frozen=True, slots=True)
class Moved:
    """One person's time on one schedule that came, or went."""

    schedule: str
    starts_at: datetime
    ends_at: datetime
    comes: bool


def moved(before: Mapping[str, Iterable[Shift]], after: Mapping[str, Iterable[Shift]]) -> dict[str, list[Moved]]:
    """By responder, in order of time, what went before what came. Both are schedule key -> shifts over the same span.

    Somebody who stays on call for another reason has not moved.
    """
    found: defaultdict[str, list[Moved]] = defaultdict(list)
    for schedule in sorted(before.keys() | after.keys()):
        had, has = _spans(before.get(schedule, ())), _spans(after.get(schedule, ()))
        for responder in sorted(had.keys() | has.keys()):
            old, new = had.get(responder, []), has.get(responder, [])
            found[responder] += [Moved(schedule, *span, comes=False) for span in without(old, new)]
            found[responder] += [Moved(schedule, *span, comes=True) for span in without(new, old)]
    return {
        responder: sorted(moves, key=lambda move: (move.starts_at, move.comes, move.schedule))
        for responder, moves in found.items()
        if moves
    }


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible, in order."""
    found: list[Span] = []
    for starts_at, ends_at in sorted(spans):
        if found and starts_at <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends_at))
        else:
            found.append((starts_at, ends_at))
    return found


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What is left of `spans` outside `taken`; both as `joined` gives them."""
    left: list[Span] = []
    for starts_at, ends_at in spans:
        at = starts_at
        for taken_starts_at, taken_ends_at in taken:
            if taken_ends_at <= at or taken_starts_at >= ends_at:
                continue
            if taken_starts_at > at:
                left.append((at, taken_starts_at))
            at = taken_ends_at
        if at < ends_at:
            left.append((at, ends_at))
    return left


def _spans(shifts: Iterable[Shift]) -> dict[str, list[Span]]:
    of_each: defaultdict[str, list[Span]] = defaultdict(list)
    for shift in shifts:
        of_each[shift.responder].append((shift.starts_at, shift.ends_at))
    return {responder: joined(spans) for responder, spans in of_each.items()}
