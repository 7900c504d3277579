"""The two statements that ask what is due: when the next timer is, and claiming those that are.

Built once, as everything on the way of a page is: building one was measured to cost more than running it. The tick
looks where something is due soonest; only then does the claim sort what is due, so that its cost follows that.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import String, Table, bindparam, case, func, or_, select, update

from escalation.models import Timer
from escalation.paging import bundling, lanes

_TABLE = cast(Table, Timer.__table__)

_BEING_TOLD = _TABLE.c.lane + "|" + _TABLE.c.party  # as lanes.key writes it
NEXT = (
    select(Timer.visible_at)
    .where(
        Timer.parked_at.is_(None),
        Timer.lane.in_(bindparam("lanes", expanding=True)),
        _BEING_TOLD.not_in(bindparam("being_told", expanding=True)),
    )
    .order_by(Timer.visible_at)
    .limit(1)
)
_IS_DUE = (_TABLE.c.visible_at <= bindparam("now")) & _TABLE.c.parked_at.is_(None)
_URGENCY = (_TABLE.c.rank, _TABLE.c.visible_at, _TABLE.c.id)
_PARTY = case((_TABLE.c.party == "", _TABLE.c.id.cast(String)), else_=_TABLE.c.party)
# Everything that is due, each with its place among what the same person waits for on the same channel.
_WAITING = (
    select(
        _TABLE.c.id,
        _TABLE.c.lane,
        _TABLE.c.rank,
        _TABLE.c.visible_at,
        _PARTY.label("party"),
        func.row_number().over(partition_by=(_TABLE.c.lane, _PARTY), order_by=_URGENCY).label("turn"),
    )
    .where(
        _IS_DUE,
        _TABLE.c.lane.in_(bindparam("lanes", expanding=True)),
        _BEING_TOLD.not_in(bindparam("being_told", expanding=True)),
    )
    .cte("waiting")
)
_FIRST = (
    select(
        _WAITING.c.lane,
        _WAITING.c.party,
        func.row_number()
        .over(partition_by=_WAITING.c.lane, order_by=(_WAITING.c.rank, _WAITING.c.visible_at, _WAITING.c.id))
        .label("place"),
    )
    .where(_WAITING.c.turn == 1)
    .cte("first")
)
# As many people as there is room for in their lane, each with all that waits for them there.
_CHOSEN = (
    select(_WAITING.c.id)
    .join(_FIRST, (_FIRST.c.lane == _WAITING.c.lane) & (_FIRST.c.party == _WAITING.c.party))
    .where(
        or_(*((_FIRST.c.lane == lane) & (_FIRST.c.place <= bindparam(f"room {lane}")) for lane in lanes.LANES)),
        _WAITING.c.turn <= 1 + bundling.OTHERS_MAX,
    )
)
_DUE = (
    select(_TABLE.c.id)
    # What is due is asked once more: PostgreSQL looks at this again when another engine was faster.
    .where(_TABLE.c.id.in_(_CHOSEN), _IS_DUE)
    .with_for_update(skip_locked=True)
    .cte("due")
    # PostgreSQL must pick and lock the rows once, not once for each row it updates.
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
CLAIM = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(select(_DUE.c.id)))
    .values(
        claim=bindparam("mark"),
        claimed_by=bindparam("owner"),
        tries=_TABLE.c.tries + 1,
        visible_at=bindparam("until"),
    )
    .returning(
        _TABLE.c.id,
        _TABLE.c.kind,
        _TABLE.c.subject_id,
        _TABLE.c.incident_id,
        _TABLE.c.lane,
        _TABLE.c.party,
        _TABLE.c.due_at,
        _TABLE.c.tries,
        _TABLE.c.rank,
    )
)
