"""What the HTTP API of on-call has in common: one transaction a change, who asks, and the times that people write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import auth
from config.actor import Actor
from config.database import Database
from config.errors import NotAllowedError, NotFoundError
from config.schemas import NUMBER_MAX
from escalation.models import ScheduleRow
from escalation.oncall import taken, whose
from escalation.oncall.taken import TakenError

NUMBER = f"<int(max={NUMBER_MAX}):number>"
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Edge:
    database: Database
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    base_url: str

    def act(self, verb: Callable[[Session, Actor, datetime], Made]) -> Made:
        with self.database.transaction() as session:
            made = verb(session, auth.acting("api"), self.clock())
        self.wake()
        return made


def own_key() -> str:
    who = auth.caller()
    if who.responder_id is None:
        raise NotAllowedError(f"{who.name} is a program, and is never on call.")
    return who.key


def zone_of(session: Session, key: str) -> str:
    """The schedule's. Raises NotFoundError."""
    row = session.scalar(select(ScheduleRow).where(ScheduleRow.key == key))
    if row is None:
        raise NotFoundError(f"There is no schedule {key}.")
    return str(row.definition["timezone"])


def zone(body: Mapping[str, Any], otherwise: str) -> str:
    try:
        return taken.zone(body["timezone"], otherwise)
    except TakenError as refused:
        raise whose.refused("timezone", str(refused)) from refused


def span(body: Mapping[str, Any], first: str, last: str, zone: str, *, days: bool = False) -> tuple[datetime, datetime]:
    return _instant(body, first, zone, days=days), _instant(body, last, zone, days=days, last_day=days)


def _instant(body: Mapping[str, Any], field: str, zone: str, *, days: bool, last_day: bool = False) -> datetime:
    written = body[field]
    if not written:
        raise whose.refused(field, "is missing")
    try:
        return taken.instant(written, zone, days=days, last_day=last_day)
    except TakenError as refused:
        raise whose.refused(field, str(refused)) from refused
