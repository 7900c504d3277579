"""Who will be on call, and when nobody will, from the database; the reckoning itself is `resolve`'s."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.models import ScheduleRow
from escalation.oncall import differences, resolve, rota
from escalation.oncall.differences import Span
from escalation.oncall.schedules import AHEAD_DAYS, Roster, Shift

END_LOOKED_FOR = timedelta(days=AHEAD_DAYS)


@dataclass(frozen=True, slots=True)
class Present:
    """Who is on call at a moment, until when that is so, and who comes then."""

    on_call: tuple[str, ...]
    next_change_at: datetime | None


def shifts(
    session: Session, since: datetime, until: datetime, keys: Collection[str] | None = None, *, shadows: bool = False
) -> dict[str, list[Shift]]:
    """Schedule key -> shifts, of these schedules or of all; with those of people who only learn if `shadows`."""
    return {
        roster.schedule.key: [each for each in resolve.shifts(roster, since, until) if shadows or not each.shadow]
        for roster in _rosters(session, since, until, keys)
    }


def spans(
    session: Session, since: datetime, until: datetime, keys: Collection[str] | None
) -> list[tuple[str, str, bool, Span]]:
    """(schedule, responder, whether they only learn, when): as shifts(), and one where they touch."""
    found: list[tuple[str, str, bool, Span]] = []
    for schedule, held in shifts(session, since, until, keys, shadows=True).items():
        of_each: dict[tuple[str, bool], list[Span]] = {}
        for each in held:
            of_each.setdefault((each.responder, each.shadow), []).append((each.starts_at, each.ends_at))
        for (responder, shadow), theirs in of_each.items():
            found += [(schedule, responder, shadow, span) for span in differences.joined(theirs)]
    return found


def gaps(
    session: Session, since: datetime, until: datetime, keys: Collection[str] | None = None
) -> dict[str, list[Span]]:
    """Schedule key -> when nobody is on call."""
    return {roster.schedule.key: resolve.gaps(roster, since, until) for roster in _rosters(session, since, until, keys)}


def present(session: Session, row: ScheduleRow, at: datetime) -> Present:
    roster = rota.roster(session, row, at, at + timedelta(days=resolve.HORIZON_DAYS))
    return Present(resolve.on_call(roster, at), resolve.next_change_at(roster, at))


def until(session: Session, row: ScheduleRow, responder: str, now: datetime) -> datetime | None:
    """When somebody who is on call stops being so, for whatever reasons they are; None for no end in sight."""
    horizon = now + END_LOOKED_FOR
    held = shifts(session, now, horizon, [row.key])[row.key]
    spans = differences.joined((each.starts_at, each.ends_at) for each in held if each.responder == responder)
    return spans[0][1] if spans and spans[0][1] < horizon else None


def _rosters(session: Session, since: datetime, until: datetime, keys: Collection[str] | None) -> list[Roster]:
    if keys is None:
        return rota.rosters(session, since, until)
    rows = session.scalars(select(ScheduleRow).where(ScheduleRow.key.in_(keys)).order_by(ScheduleRow.key)).all()
    return rota.rosters(session, since, until, rows=rows)
