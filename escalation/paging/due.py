"""The two statements that ask what is due: when the next timer is, and claiming those that are.

Built once, as everything on the way of a page is: building one was measured to cost more than running it. The tick
looks where something is due soonest; only then does the claim sort what is due, so that its cost follows that.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Function, Over, String, Table, bindparam, case, func, or_, select, update

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
_PARTY = case((_TABLE.c.party == "", _TABLE.c.id.cast(String)), else_=_TABLE.c.party)


def _of_the_party(function: Function[Any]) -> Over[Any]:
    urgency = (_TABLE.c.rank, _TABLE.c.visible_at, _TABLE.c.id)
    return function.over(partition_by=(_TABLE.c.lane, _PARTY), order_by=urgency)


# Everything that is due, each with its place among what the same person waits for in the same lane, and with the most
# urgent of that. No table is joined with itself: what PostgreSQL expects of such a join was measured to be far off.
_WAITING = (
    select(
        _TABLE.c.id,
        _TABLE.c.lane,
        _of_the_party(func.row_number()).label("turn"),
        _of_the_party(func.first_value(_TABLE.c.rank)).label("first_rank"),
        _of_the_party(func.first_value(_TABLE.c.visible_at)).label("first_at"),
        _of_the_party(func.first_value(_TABLE.c.id)).label("first_id"),
    )
    .where(
        _IS_DUE,
        _TABLE.c.lane.in_(bindparam("lanes", expanding=True)),
        _BEING_TOLD.not_in(bindparam("being_told", expanding=True)),
    )
    .cte("waiting")
)
_PLACED = select(
    _WAITING.c.id,
    _WAITING.c.lane,
    _WAITING.c.turn,
    func.dense_rank()
    .over(partition_by=_WAITING.c.lane, order_by=(_WAITING.c.first_rank, _WAITING.c.first_at, _WAITING.c.first_id))
    .label("place"),
).cte("placed")
# As many people as there is room for in their lane, each with all that waits for them there.
_CHOSEN = (
    select(_PLACED.c.id)
    .where(
        or_(*((_PLACED.c.lane == lane) & (_PLACED.c.place <= bindparam(f"room {lane}")) for lane in lanes.LANES)),
        _PLACED.c.turn <= 1 + bundling.OTHERS_MAX,
    )
    .cte("chosen")
    # PostgreSQL must pick the rows once, and lock them once, not once for each row it updates.
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_DUE = (
    select(_TABLE.c.id)
    # What is due is asked once more: PostgreSQL looks at this again when another engine was faster.
    .where(_TABLE.c.id.in_(select(_CHOSEN.c.id)), _IS_DUE)
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
