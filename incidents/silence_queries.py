"""Silences as lists and pages show them, with the incidents that each holds or held. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.errors import NotFoundError
from escalation.oncall.hours import DAYS
from incidents import silence_rows
from incidents.lifecycle import Status
from incidents.models import Incident
from incidents.silence_models import SilencedIncident, SilenceRow

GOING_ON, TO_COME, OVER = STATES = ("going_on", "to_come", "over")
HELD_MAX = 100  # the newest of one silence


@dataclass(frozen=True, slots=True)
class SilenceShown:
    id: int
    name: str  # its key in the declared file; empty: a person's
    state: str
    services: tuple[str, ...]
    labels: dict[str, Any]
    title: str
    reason: str
    starts_at: datetime
    ends_at: datetime | None
    repeats: dict[str, Any] | None
    until: datetime | None  # while it goes on
    next_at: datetime | None  # when it goes on next, if it does not now
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str
    holding: int  # incidents that it holds back now
    held: int  # that it ever held


@dataclass(frozen=True, slots=True)
class IncidentHeld:
    number: int
    title: str
    severity: str
    status: str
    since: datetime
    until: datetime
    ended_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class HeldBy:
    """What holds one incident back."""

    silence: int
    name: str
    by: str
    reason: str
    until: datetime


def silences(
    session: Session, now: datetime, *, state: str = "", before: int | None = None, limit: int
) -> list[SilenceShown]:
    """The newest first; `before` is the last number of the page before. Of one state, if it is given."""
    statement = select(SilenceRow).order_by(SilenceRow.id.desc())
    if before is not None:
        statement = statement.where(SilenceRow.id < before)
    if state == OVER:
        statement = statement.where(or_(SilenceRow.ended_at.is_not(None), SilenceRow.ends_at <= now))
    elif state:  # whether one that recurs goes on, its hours say; there are few that are not over
        statement = statement.where(SilenceRow.ended_at.is_(None)).limit(silence_rows.LIVE_MAX)
        rows = [row for row in session.scalars(statement) if state_of(row, now) == state]
        return _shown(session, rows[:limit], now)
    return _shown(session, session.scalars(statement.limit(limit)).all(), now)


def silence(session: Session, number: int, now: datetime) -> tuple[SilenceShown, tuple[IncidentHeld, ...]]:
    """With the newest incidents that it held. Raises NotFoundError."""
    row = session.get(SilenceRow, number)
    if row is None:
        raise NotFoundError(f"There is no silence {number}.")
    return _shown(session, [row], now)[0], held(session, [number]).get(number, ())


def held(session: Session, numbers: Collection[int], *, now_only: bool = False) -> dict[int, tuple[IncidentHeld, ...]]:
    """Silence -> the incidents it held, the newest first; of many silences the newest of all."""
    statement = (
        select(SilencedIncident, Incident)
        .join(Incident, Incident.id == SilencedIncident.incident_id)
        .where(SilencedIncident.silence_id.in_(numbers))
        .order_by(SilencedIncident.id.desc())
        .limit(HELD_MAX)
    )
    if now_only:
        statement = statement.where(SilencedIncident.outcome == "")
    found: dict[int, tuple[IncidentHeld, ...]] = {}
    for row, incident in session.execute(statement):
        shown = IncidentHeld(
            incident.id,
            incident.title,
            incident.severity,
            incident.status,
            row.since,
            row.until,
            row.ended_at,
            row.outcome,
        )
        found[row.silence_id] = (*found.get(row.silence_id, ()), shown)
    return found


def holders(session: Session, incident_ids: Collection[int]) -> dict[int, tuple[HeldBy, ...]]:
    """Incident -> what holds it back now."""
    if not incident_ids:
        return {}
    statement = (
        select(SilencedIncident.incident_id, SilencedIncident.until, SilenceRow)
        .join(SilenceRow, SilenceRow.id == SilencedIncident.silence_id)
        .where(SilencedIncident.incident_id.in_(incident_ids), SilencedIncident.outcome == "")
        .order_by(SilencedIncident.id)
    )
    found: dict[int, tuple[HeldBy, ...]] = {}
    for number, until, row in session.execute(statement):
        by = HeldBy(row.id, row.name, row.created_by, row.reason, until)
        found[number] = (*found.get(number, ()), by)
    return found


def figures(session: Session, now: datetime) -> tuple[int, int]:
    """How many silences go on, and how many incidents are held back."""
    going_on = sum(silence_rows.value(row).until(now) is not None for row in silence_rows.live(session, now))
    is_held_back = (Incident.status == Status.OPEN, Incident.silenced_until.is_not(None))
    held_back = session.scalar(select(func.count()).select_from(Incident).where(*is_held_back))
    return going_on, held_back or 0


def state_of(row: SilenceRow, now: datetime) -> str:
    value = silence_rows.value(row)
    if row.ended_at is not None or value.is_over(now):
        return OVER
    return TO_COME if value.until(now) is None else GOING_ON


def repeats(row: SilenceRow) -> dict[str, Any] | None:
    if not row.hours:
        return None
    kept = {key: row.hours[key] for key in ("from", "to", "timezone", "holidays")}
    return kept | {"days": row.hours.get("days", list(DAYS)), "weeks": list(row.weeks)}


def _shown(session: Session, rows: Sequence[SilenceRow], now: datetime) -> list[SilenceShown]:
    counted = select(
        SilencedIncident.silence_id,
        func.count(SilencedIncident.incident_id.distinct()).label("ever"),
        func.count().filter(SilencedIncident.outcome == "").label("now"),
    )
    of_these = counted.where(SilencedIncident.silence_id.in_([row.id for row in rows]))
    counts = {row.silence_id: row for row in session.execute(of_these.group_by(SilencedIncident.silence_id))}
    return [_one(row, counts.get(row.id), now) for row in rows]


def _one(row: SilenceRow, counts: Any, now: datetime) -> SilenceShown:
    state, value = state_of(row, now), silence_rows.value(row)
    return SilenceShown(
        id=row.id,
        name=row.name,
        state=state,
        services=tuple(row.services),
        labels=dict(row.labels),
        title=row.title,
        reason=row.reason,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        repeats=repeats(row),
        until=value.until(now) if state == GOING_ON else None,
        next_at=value.next_begin(now) if state == TO_COME else None,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        holding=counts.now if counts else 0,
        held=counts.ever if counts else 0,
    )
