"""Which schedule and whom a change is about, and whether whoever asks may decide for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.actor import Actor
from config.errors import InvalidInputError, NotAllowedError, NotFoundError
from escalation import responders
from escalation.models import Responder, ScheduleRow

DECIDE_FOR_ALL = frozenset({"manager", "admin"})
ACT = DECIDE_FOR_ALL | {"responder", "keeper"}
AHEAD_DAYS_MAX = 400
JUST_OVER = timedelta(minutes=5)  # "from now" is a moment old when it arrives


def schedule(session: Session, key: str) -> ScheduleRow:
    """Locked until the transaction ends, so that of two changes at once the later one sees the earlier. Raises
    NotFoundError."""
    row = session.scalar(select(ScheduleRow).where(ScheduleRow.key == key).with_for_update(key_share=True))
    if row is None:
        raise NotFoundError(f"There is no schedule {key}.")
    return row


def person(session: Session, key: str, field: str) -> Responder:
    """Who is active. Raises InvalidInputError that names the field."""
    found = responders.by_key(session, key)
    if found is None:
        raise refused(field, f"there is no responder {key}, or they have left")
    return found


def refuse_onlookers(actor: Actor) -> None:
    if not actor.roles & ACT:
        raise NotAllowedError(f"{actor.name} may look, and not change who is on call.")


def decides_for_all(actor: Actor) -> bool:
    return bool(actor.roles & DECIDE_FOR_ALL)


def only_managers(actor: Actor, what: str) -> NotAllowedError:
    return NotAllowedError(f"{actor.name} may not {what}: a manager or an administrator may.")


def refused(field: str, problem: str) -> InvalidInputError:
    return InvalidInputError(f"{field} {problem}" if field else problem, fields={field: problem})


def span(starts_at: datetime, ends_at: datetime, now: datetime, *, days_max: int) -> tuple[datetime, datetime]:
    """Checked; what began just now begins now. Raises InvalidInputError that names the field."""
    if ends_at <= starts_at:
        raise refused("ends_at", "must be after starts_at")
    if ends_at <= now:
        raise refused("ends_at", "is past: what has been cannot be changed")
    if starts_at < now - JUST_OVER:
        raise refused("starts_at", "is past: what has been cannot be changed")
    if ends_at - starts_at > timedelta(days=days_max):
        raise refused("ends_at", f"must be within {days_max} days of starts_at")
    if ends_at > now + timedelta(days=AHEAD_DAYS_MAX):
        raise refused("ends_at", f"must lie within {AHEAD_DAYS_MAX} days from now")
    return max(starts_at, now), ends_at


def names(session: Session, ids: Iterable[int | None]) -> dict[int | None, str]:
    """By the responder's id, also of those who have left; None has none."""
    wanted = {each for each in ids if each is not None}
    rows = session.execute(select(Responder.id, Responder.name).where(Responder.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def when(starts_at: datetime, ends_at: datetime) -> str:
    """For a sentence: 2026-11-17 09:00 to 2026-11-18 09:00 UTC."""
    return f"{starts_at:%Y-%m-%d %H:%M} to {ends_at:%Y-%m-%d %H:%M} UTC"
