"""The two statements that ask what is due: when the next timer is, and claiming those that are.

Built once, as everything on the way of a page is: building one was measured to cost more than running it. The tick
looks where something is due soonest; only then does the claim sort what is due, so that its cost follows that.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from escalation.models import Timer
from escalation.paging import bundling, lanes

_TABLE = cast(Table, Timer.__table__)

_BEING_TOLD = _TABLE.c.lane + "|" + _TABLE.c.party + "|" + _TABLE.c.rank.cast(String)  # as lanes.key writes it
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
_IS_FREE = _TABLE.c.lane.in_(bindparam("lanes", expanding=True)) & _BEING_TOLD.not_in(
    bindparam("being_told", expanding=True)
)
_HAS_PARTY: ColumnElement[bool] = literal_column("timers.party <> ''")  # written out, so that the index fits
_BY_ITSELF = case((_TABLE.c.party == "", _TABLE.c.id))
# What is due, one row for each person in each lane; what is for nobody is by itself.
_WAITING = (
    select(
        _TABLE.c.lane,
        _TABLE.c.party,
        func.count().label("timers"),
        func.min(_TABLE.c.rank).label("rank"),
        func.min(_TABLE.c.visible_at).label("since"),
        func.min(_TABLE.c.id).label("id"),
    )
    .where(_IS_DUE, _IS_FREE)
    .group_by(_TABLE.c.lane, _TABLE.c.party, _BY_ITSELF)
    .cte("waiting")
)
_URGENCY = (_WAITING.c.rank, _WAITING.c.since, _WAITING.c.id)
_PLACED = select(
    *_WAITING.c, func.row_number().over(partition_by=_WAITING.c.lane, order_by=_URGENCY).label("place")
).cte("placed")
# As many of them as there is room for in their lane.
_CHOSEN = (
    select(_PLACED)
    .where(or_(*((_PLACED.c.lane == lane) & (_PLACED.c.place <= bindparam(f"room {lane}")) for lane in lanes.LANES)))
    .cte("chosen")
    # PostgreSQL must pick the rows once, and lock them once, not once for each row it updates.
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
# And all that waits for each. Only few are looked up here: that of all of them was measured to take most of the time.
_TOGETHER = (
    select(
        _TABLE.c.id,
        func.row_number()
        .over(partition_by=(_TABLE.c.lane, _TABLE.c.party), order_by=(_TABLE.c.rank, _TABLE.c.visible_at, _TABLE.c.id))
        .label("turn"),
    )
    .join(_CHOSEN, (_CHOSEN.c.lane == _TABLE.c.lane) & (_CHOSEN.c.party == _TABLE.c.party))
    .where(_CHOSEN.c.timers > 1, _HAS_PARTY, _IS_DUE, _IS_FREE)
    .cte("together")
)
_PICKED = (
    union_all(
        select(_CHOSEN.c.id).where(_CHOSEN.c.timers == 1),
        select(_TOGETHER.c.id).where(_TOGETHER.c.turn <= 1 + bundling.OTHERS_MAX),
    )
    .cte("picked")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_DUE = (
    select(_TABLE.c.id)
    # What is due is asked once more: PostgreSQL looks at this again when another engine was faster.
    .where(_TABLE.c.id.in_(select(_PICKED.c.id)), _IS_DUE)
    .with_for_update(skip_locked=True)
    .cte("due")
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
