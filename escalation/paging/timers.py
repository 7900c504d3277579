"""Durable timers: set, cancel, claim, still_held, finish.

A claim moves `visible_at` to the end of its lease and leaves a random mark. Whoever acts re-checks the mark
first: a timer that was set anew, cancelled or claimed again by another engine is no longer theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from escalation.models import Timer, TimerKind

LEASE_SECONDS = 30  # longer than the longest send (10 s) and its recording
TRIES_MAX = 20  # claims without an end before a timer is parked: something kills whoever acts on it
ENGINE_LANE = "engine"


@dataclass(frozen=True, slots=True)
class Claimed:
    id: int
    kind: TimerKind
    subject_id: int
    incident_id: int
    lane: str
    due_at: datetime
    tries: int
    claim: str


def set_timer(
    session: Session,
    kind: TimerKind,
    subject_id: int,
    incident_id: int,
    due_at: datetime,
    *,
    lane: str = ENGINE_LANE,
    rank: int = 5,
) -> None:
    """Set the one timer of this kind and subject, replacing it and taking it from whoever has claimed it."""
    fresh = {
        "incident_id": incident_id,
        "lane": lane,
        "rank": rank,
        "due_at": due_at,
        "visible_at": due_at,
        "claim": "",
        "claimed_by": "",
        "tries": 0,
        "parked_at": None,
        "error": "",
    }
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Timer).values(kind=kind, subject_id=subject_id, **fresh)
    session.execute(statement.on_conflict_do_update(index_elements=["kind", "subject_id"], set_=fresh))


def cancel(session: Session, incident_id: int, kinds: Collection[TimerKind]) -> None:
    session.execute(delete(Timer).where(Timer.incident_id == incident_id, Timer.kind.in_(kinds)))


def next_due_at(session: Session, lanes: Collection[str]) -> datetime | None:
    """When the first timer of these lanes becomes visible; None when there is none."""
    found: datetime | None = session.scalar(
        select(Timer.visible_at)
        .where(Timer.parked_at.is_(None), Timer.lane.in_(lanes))
        .order_by(Timer.visible_at)
        .limit(1)
    )
    return found


def claim(session: Session, owner: str, now: datetime, *, lanes: Collection[str], limit: int) -> list[Claimed]:
    """Claim up to `limit` due timers of these lanes for a lease, the most urgent first, skipping others' claims."""
    mark = secrets.token_hex(16)
    due = (
        select(Timer.id)
        .where(Timer.visible_at <= now, Timer.parked_at.is_(None), Timer.lane.in_(lanes))
        .order_by(Timer.rank, Timer.visible_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # MATERIALIZED: PostgreSQL must pick and lock the rows once, not once for each row it updates.
    chosen = due.cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
    rows = session.execute(
        update(Timer)
        .where(Timer.id.in_(select(chosen.c.id)))
        .values(claim=mark, claimed_by=owner, tries=Timer.tries + 1, visible_at=now + timedelta(seconds=LEASE_SECONDS))
        .returning(
            Timer.id, Timer.kind, Timer.subject_id, Timer.incident_id, Timer.lane, Timer.due_at, Timer.tries, Timer.rank
        )
        .execution_options(synchronize_session=False)
    ).all()
    ordered = sorted(rows, key=lambda row: (row.rank, row.due_at, row.id))
    return [
        Claimed(
            id=row.id,
            kind=TimerKind(row.kind),
            subject_id=row.subject_id,
            incident_id=row.incident_id,
            lane=row.lane,
            due_at=row.due_at,
            tries=row.tries,
            claim=mark,
        )
        for row in ordered
    ]


def still_held(session: Session, claimed: Claimed) -> bool:
    """Whether the claim still stands; locks the timer until the transaction ends if so."""
    held = session.scalar(
        select(Timer.id).where(Timer.id == claimed.id, Timer.claim == claimed.claim).with_for_update()
    )
    return held is not None


def finish(session: Session, claimed: Claimed) -> None:
    """Done: remove the timer, unless it was set anew meanwhile."""
    session.execute(delete(Timer).where(Timer.id == claimed.id, Timer.claim == claimed.claim))


def put_back(session: Session, claimed: Claimed, visible_at: datetime, *, error: str = "") -> None:
    """Try again at `visible_at`, unless it was set anew meanwhile."""
    session.execute(
        update(Timer)
        .where(Timer.id == claimed.id, Timer.claim == claimed.claim)
        .values(claim="", claimed_by="", visible_at=visible_at, error=error)
    )


def park(session: Session, claimed: Claimed, now: datetime, error: str) -> None:
    """Keep it for people to look at; it is not acted on again until it is set anew."""
    session.execute(
        update(Timer)
        .where(Timer.id == claimed.id, Timer.claim == claimed.claim)
        .values(claim="", claimed_by="", parked_at=now, error=error)
    )


def release(session: Session, owners: Sequence[str], now: datetime) -> int:
    """Give back what engines had claimed that are known to be dead, without waiting for their leases."""
    released = session.execute(
        update(Timer)
        .where(Timer.claimed_by.in_(owners), Timer.claimed_by != "")
        .values(claim="", claimed_by="", visible_at=now)
        .returning(Timer.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(released)
