"""Whoever's future shift an edit moves is told of it, once, with what came and what went on their own clocks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.actor import Actor
from escalation import notices
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import differences, outlook, upkeep, words
from escalation.oncall.schedules import AHEAD_DAYS, Shift

LOOKED_AHEAD = timedelta(days=AHEAD_DAYS)
KIND = "shift-moved"

Shifts = dict[str, list[Shift]]  # by the schedule's key


@dataclass(slots=True)
class Watch:
    """What was to be before the edit; and whether it makes a hole."""

    keys: Collection[str] | None
    now: datetime
    before: Shifts
    changed: bool = True  # False: the edit turned out to be none

    def opens_gap(self, session: Session) -> bool:
        """Whether the edit as it stands leaves time without anybody that had somebody."""
        session.flush()
        after = ahead(session, self.now, self.keys)
        return any(
            differences.without(_covered(shifts), _covered(after.get(key, ()))) for key, shifts in self.before.items()
        )


def ahead(session: Session, now: datetime, keys: Collection[str] | None = None) -> Shifts:
    """The shifts of the time in which a move is told; of these schedules, or of all."""
    return outlook.shifts(session, now, now + LOOKED_AHEAD, keys)


@contextmanager
def told(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    schedules: Collection[str] | None = None,
    base_url: str = "",
    tells: bool = True,
) -> Iterator[Watch]:
    """Around an edit of schedules, overrides or time off: whose shifts it moved is told, and who is on call is looked
    at anew. `schedules`: the keys of those that it can touch; None: any. `tells` False: whoever it moves is told otherwise.
    """
    watch = Watch(schedules, now, ahead(session, now, schedules))
    yield watch
    if not watch.changed:
        return
    session.flush()
    # A schedule that is new moves nobody's shift: it is told of by whoever sets it up.
    after = {key: shifts for key, shifts in ahead(session, now, schedules).items() if key in watch.before}
    if tells and after != watch.before:
        tell_of_changes(session, watch.before, after, actor, now, base_url=base_url)
    upkeep.look_again(session, now, schedules=schedules)


def tell_of_changes(
    session: Session, before: Shifts, after: Shifts, actor: Actor, now: datetime, *, base_url: str = ""
) -> None:
    """One notice to each whose time on call came or went; not to who did it, who knows. Both are `ahead`'s."""
    moves = differences.moved(before, after)
    moves.pop(actor.key, None)
    if not moves:
        return
    people = session.scalars(select(Responder).where(Responder.key.in_(moves), Responder.active))
    for person in people:
        theirs = moves[person.key]
        notices.queue(
            session,
            person,
            kind=KIND,
            subject="Your shifts have changed",
            text=f"{actor.name} changed who is on call. {words.moved(theirs, person.timezone)}",
            url=f"{base_url}/oncall/mine" if base_url else "",
            now=now,
        )


def _covered(shifts: Iterable[Shift]) -> list[differences.Span]:
    return differences.joined((shift.starts_at, shift.ends_at) for shift in shifts)


def schedules_of(session: Session, person: Responder, now: datetime) -> list[str]:
    """Keys of the schedules that this person's time off can touch: a calendar may name anybody."""
    stands_in = set(
        session.scalars(
            select(OverrideRow.schedule_id).where(OverrideRow.responder_id == person.id, OverrideRow.ends_at > now)
        )
    )
    return [
        row.key
        for row in session.scalars(select(ScheduleRow).order_by(ScheduleRow.key))
        if row.id in stands_in
        or any(each.get("calendar") or person.key in each.get("members", ()) for each in row.definition["rotations"])
    ]
