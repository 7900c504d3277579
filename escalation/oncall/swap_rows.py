"""Swaps as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from escalation.models import Responder, ScheduleRow
from escalation.oncall import whose
from escalation.oncall.differences import Span
from escalation.oncall.models import SwapRow


@dataclass(frozen=True, slots=True)
class Swap:
    """People and the schedule by their keys."""

    id: int
    schedule: str
    proposer: str
    other: str
    gives_starts_at: datetime
    gives_ends_at: datetime
    takes_starts_at: datetime | None
    takes_ends_at: datetime | None
    state: str
    created_at: datetime
    decided_at: datetime | None


def listed(session: Session, *, responder_id: int | None, before_id: int | None, limit: int) -> Sequence[Swap]:
    """The newest first: those this person has a part in, or everybody's."""
    statement = select(SwapRow).order_by(SwapRow.id.desc()).limit(limit)
    if responder_id is not None:
        statement = statement.where(or_(SwapRow.proposer_id == responder_id, SwapRow.other_id == responder_id))
    if before_id is not None:
        statement = statement.where(SwapRow.id < before_id)
    rows = session.scalars(statement).all()
    wanted = {row.proposer_id for row in rows} | {row.other_id for row in rows}
    people = {each.id: each for each in session.scalars(select(Responder).where(Responder.id.in_(wanted)))}
    of_swaps = select(ScheduleRow).where(ScheduleRow.id.in_({row.schedule_id for row in rows}))
    schedules = {each.id: each for each in session.scalars(of_swaps)}
    return [shown(row, schedules[row.schedule_id], people[row.proposer_id], people[row.other_id]) for row in rows]


def gives(row: SwapRow) -> Span:
    return row.gives_starts_at, row.gives_ends_at


def takes(row: SwapRow) -> Span | None:
    if row.takes_starts_at is None or row.takes_ends_at is None:
        return None
    return row.takes_starts_at, row.takes_ends_at


def sentence(row: SwapRow, schedule: ScheduleRow, proposer: Responder, other: Responder) -> str:
    """Ana Lima gives Bo Chen time on primary, 2026-11-17 09:00 to …, for 2026-11-24 09:00 to …"""
    said = f"{proposer.name} gives {other.name} time on {schedule.key}, {whose.when(*gives(row))}"
    taken = takes(row)
    return f"{said}, for {whose.when(*taken)}" if taken else said


def shown(row: SwapRow, schedule: ScheduleRow, proposer: Responder, other: Responder) -> Swap:
    return Swap(
        id=row.id,
        schedule=schedule.key,
        proposer=proposer.key,
        other=other.key,
        gives_starts_at=row.gives_starts_at,
        gives_ends_at=row.gives_ends_at,
        takes_starts_at=row.takes_starts_at,
        takes_ends_at=row.takes_ends_at,
        state=row.state,
        created_at=row.created_at,
        decided_at=row.decided_at,
    )
