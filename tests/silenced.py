"""Silences for tests: made by people of a `World`, and what came of them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from escalation.findings import Kind
from escalation.models import Timer, TimerKind
from escalation.oncall.hours import ALL_DAYS, Hours, Window
from incidents import maintaining, reconciling
from incidents.silence_models import SilencedIncident, SilenceRow
from incidents.silencing import Silence
from tests.world import World


def silence(world: World, *, by: str = "bo", lasts_hours: float = 2, run: bool = True, **fields: Any) -> int:
    """One of the service checkout, for two hours from now; its number."""
    defaults = {"services": ("checkout",), "starts_at": world.now, "ends_at": world.now + timedelta(hours=lasts_hours)}
    with world.database.transaction() as session:
        made = maintaining.make(
            session, world.actor(by), Silence(**defaults | fields), world.now, reason="patching db-1"
        )
    if run:
        world.run()
    return made.id


def recurring(begins: int, ends: int, *, zone: str = "UTC", days: tuple[int, ...] = ALL_DAYS) -> dict[str, Any]:
    return {"hours": Hours("maintenance", zone, Window(time(begins), time(ends)), days), "ends_at": None}


def end(world: World, number: int, *, by: str = "bo") -> None:
    with world.database.transaction() as session:
        maintaining.end(session, world.actor(by), number, world.now, reason="done early")
    world.run()


def extend(world: World, number: int, ends_at: datetime) -> None:
    with world.database.transaction() as session:
        maintaining.extend(session, world.actor("bo"), number, world.now, ends_at=ends_at)
    world.run()


def held(world: World, number: int) -> list[tuple[int, str]]:
    """Which silences held it, and what came of it."""
    with world.database.reading() as session:
        rows = session.scalars(
            select(SilencedIncident).where(SilencedIncident.incident_id == number).order_by(SilencedIncident.id)
        ).all()
    return [(row.silence_id, row.outcome) for row in rows]


def row(world: World, number: int) -> SilenceRow:
    with world.database.reading() as session:
        return session.get_one(SilenceRow, number)


def release_at(world: World, number: int) -> datetime | None:
    with world.database.reading() as session:
        return session.scalar(select(Timer.due_at).where(Timer.kind == TimerKind.SILENCE, Timer.subject_id == number))


def suspected(world: World) -> list[Kind]:
    with world.database.reading() as session:
        return [finding.kind for finding in reconciling.suspects(session, world.now)]
