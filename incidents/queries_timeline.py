"""An incident's timeline for people: the newest first, and what a monitor says again and again in one place."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from incidents import queries
from incidents.proof.models import TimelineEntry
from incidents.queries import Entry
from incidents.reviews.chronicle import ALIKE


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`entries` are the newest first; `standing_for[i]` are the older repeats that entry i stands for. `before` is the
    number to ask on with; None: there is nothing older."""

    entries: tuple[Entry, ...]
    standing_for: tuple[int, ...]
    before: int | None


def newest(session: Session, number: int, *, before: int, limit: int) -> Excerpt:
    """Of repeats one after another, and of alerts that joined, the last. The others are not read: there may be thousands."""
    of_incident = TimelineEntry.incident_id == number
    alike = case(ALIKE, value=TimelineEntry.kind, else_="")
    following = func.lead(alike).over(order_by=TimelineEntry.seq).label("following")
    kinds = (
        select(TimelineEntry.seq, alike.label("alike"), following)
        .where(of_incident, TimelineEntry.seq < before)
        .subquery()
    )
    is_last = or_(kinds.c.alike == "", kinds.c.following.is_(None), kinds.c.following != kinds.c.alike)
    told = select(kinds.c.seq).where(is_last).order_by(kinds.c.seq.desc()).limit(limit + 1)
    numbers = session.scalars(told).all()
    rows = session.scalars(
        select(TimelineEntry)
        .where(of_incident, TimelineEntry.seq.in_(numbers[:limit]))
        .order_by(TimelineEntry.seq.desc())
    ).all()
    olders = [*numbers[1:], 0]  # of each, the next that is told; numbers begin with 1 and leave none out
    standing_for = (row.seq - older - 1 if row.kind in ALIKE else 0 for row, older in zip(rows, olders, strict=False))
    rest = numbers[limit] + 1 if len(numbers) > limit else None
    return Excerpt(tuple(map(queries.entry, rows)), tuple(standing_for), rest)
