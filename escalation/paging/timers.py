"""Durable timers: set, cancel, claim, still_held, finish.

A claim moves `visible_at` to the end of its lease and leaves a random mark. Whoever acts re-checks the mark
first: a timer that was set anew, cancelled or claimed again by another engine is no longer theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from escalation.channels.base import Purpose
from escalation.models import Timer, TimerKind
from escalation.paging import due, lanes
from escalation.paging.lanes import ENGINE_LANE

LEASE_SECONDS = 30  # longer than the longest send (10 s) and its recording
TRIES_MAX = 20  # claims without an end before a timer is parked: something kills whoever acts on it
UNCLAIMED = {"claim": "", "claimed_by": "", "tries": 0, "parked_at": None, "error": ""}

_TABLE = cast(Table, Timer.__table__)

# Statements of the hot path are built once: building one was measured to cost more than running it.
_HELD = select(Timer.id).where(Timer.id == bindparam("timer"), Timer.claim == bindparam("mark")).with_for_update()
_FINISH = delete(_TABLE).where(_TABLE.c.id == bindparam("timer"), _TABLE.c.claim == bindparam("mark"))


@dataclass(frozen=True, slots=True)
class Claimed:
    id: int
    kind: TimerKind
    subject_id: int
    incident_id: int | None
    lane: str
    due_at: datetime
    tries: int
    claim: str
    party: str = ""
    rank: int = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A timer to be set: one of its kind and subject."""

    kind: TimerKind
    subject_id: int
    incident_id: int | None
    due_at: datetime
    lane: str = ENGINE_LANE  # the channel; what yields to pages is moved to its other lane when it is set
    rank: int = 5
    party: str = ""  # whom the message is for (`party`); what one party waits for may be told together


def party(responder_id: int, purpose: str, *, alone: int | None = None) -> str:
    """`alone`: a page with words of its own, which belong in no list."""
    return f"{responder_id}:{purpose}" if alone is None else f"{responder_id}/{alone}:{purpose}"


def set_all(session: Session, wanted: Sequence[Wanted]) -> None:
    """Set these timers, replacing those that are there and taking them from whoever has claimed them.

    A message that is being edited right now is left to whoever does it: they look again before they finish.
    """
    if not wanted:
        return
    rows = [
        {
            "kind": timer.kind,
            "subject_id": timer.subject_id,
            "incident_id": timer.incident_id,
            "lane": lanes.lane(timer.lane, page=_is_page(timer)),
            "party": timer.party,
            "rank": timer.rank,
            "due_at": timer.due_at,
            "visible_at": timer.due_at,
            **UNCLAIMED,
        }
        for timer in wanted
    ]
    session.execute(_upsert(session.get_bind().dialect.name), rows)


@cache
def _upsert(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(_TABLE)
    replaced = ("incident_id", "lane", "party", "rank", "due_at", "visible_at", *UNCLAIMED)
    return statement.on_conflict_do_update(
        index_elements=["kind", "subject_id"],
        set_={name: statement.excluded[name] for name in replaced},
        # Two edits under way at once could arrive in either order, and two first posts would both stay.
        where=(_TABLE.c.kind != TimerKind.SHOW) | (_TABLE.c.claim == ""),
    )


def _is_page(timer: Wanted) -> bool:
    return timer.kind is TimerKind.DELIVER and timer.party.endswith(f":{Purpose.PAGE}")


def set_timer(
    session: Session,
    kind: TimerKind,
    subject_id: int,
    incident_id: int | None,
    due_at: datetime,
    *,
    lane: str = ENGINE_LANE,
    rank: int = 5,
) -> None:
    set_all(session, [Wanted(kind, subject_id, incident_id, due_at, lane, rank)])


def cancel(session: Session, incident_id: int, kinds: Collection[TimerKind]) -> None:
    session.execute(delete(Timer).where(Timer.incident_id == incident_id, Timer.kind.in_(kinds)))


def cancel_subjects(session: Session, kind: TimerKind, subject_ids: Sequence[int]) -> None:
    if subject_ids:
        session.execute(delete(Timer).where(Timer.kind == kind, Timer.subject_id.in_(subject_ids)))


def next_due_at(session: Session, open_lanes: Collection[str], being_told: Collection[str] = ()) -> datetime | None:
    """When the first timer of these lanes becomes visible; None when there is none. `being_told`: see `claim`."""
    found: datetime | None = session.scalar(due.NEXT, {"lanes": sorted(open_lanes), "being_told": sorted(being_told)})
    return found


def claim(
    session: Session, owner: str, now: datetime, *, rooms: Mapping[str, int], being_told: Collection[str] = ()
) -> list[Claimed]:
    """Claim what is due, the most urgent first, for a lease, skipping others' claims.

    `rooms` says for how many there is room in each lane. Where one person waits for several messages in a lane, all
    of them are claimed together, up to `bundling.OTHERS_MAX` more, and count as one; those of `being_told` are left.
    """
    mark = secrets.token_hex(16)
    chosen = {"now": now, "lanes": sorted(rooms), "being_told": sorted(being_told)}
    room = {f"room {lane}": rooms.get(lane, 0) for lane in lanes.LANES}
    lease = {"mark": mark, "owner": owner, "until": now + timedelta(seconds=LEASE_SECONDS)}
    rows = session.execute(due.CLAIM, chosen | room | lease).all()
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
            party=row.party,
            rank=row.rank,
        )
        for row in ordered
    ]


def still_held(session: Session, claimed: Claimed) -> bool:
    """Whether the claim still stands; locks the timer until the transaction ends if so."""
    return session.scalar(_HELD, {"timer": claimed.id, "mark": claimed.claim}) is not None


def finish(session: Session, claimed: Claimed) -> None:
    """Done: remove the timer, unless it was set anew meanwhile."""
    session.execute(_FINISH, {"timer": claimed.id, "mark": claimed.claim})


def put_back(
    session: Session, claimed: Claimed, visible_at: datetime, *, error: str = "", in_order: bool = False
) -> None:
    """Try again at `visible_at`, unless it was set anew meanwhile. `in_order`: this claim has ended as it should,
    so that it does not count towards parking."""
    session.execute(
        update(Timer)
        .where(Timer.id == claimed.id, Timer.claim == claimed.claim)
        .values(claim="", claimed_by="", visible_at=visible_at, error=error, **({"tries": 0} if in_order else {}))
    )


def hold(session: Session, group: Sequence[Claimed], until: datetime) -> None:
    """Put all of these back until then: they wait for company, and nothing has gone wrong."""
    session.execute(
        update(Timer)
        .where(Timer.id.in_([each.id for each in group]), Timer.claim == group[0].claim)
        .values(claim="", claimed_by="", visible_at=until, tries=Timer.tries - 1)
        .execution_options(synchronize_session=False)
    )


def park(session: Session, claimed: Claimed, now: datetime, error: str) -> None:
    """Keep it for people to look at; it is not acted on again until it is set anew."""
    session.execute(
        update(Timer)
        .where(Timer.id == claimed.id, Timer.claim == claimed.claim)
        .values(claim="", claimed_by="", parked_at=now, error=error)
    )


def release(session: Session, owners: Sequence[str], now: datetime) -> int:
    """Give back what engines had claimed that are known to be dead, without waiting for their leases.

    What somebody else has locked is being cancelled or set anew, and waiting for it here could end in a deadlock.
    """
    theirs = (
        select(Timer.id)
        .where(Timer.claimed_by.in_(owners), Timer.claimed_by != "")
        .with_for_update(skip_locked=True)
        .cte("theirs")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    released = session.execute(
        update(Timer)
        .where(Timer.id.in_(select(theirs.c.id)))
        .values(claim="", claimed_by="", visible_at=now)
        .returning(Timer.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(released)
