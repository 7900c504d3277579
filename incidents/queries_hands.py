"""What holds an incident and what of its checklists is ticked, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidents import checklists
from incidents.models import HoldRow
from incidents.phases import CHECKLISTS, Hold


@dataclass(frozen=True, slots=True)
class HoldShown:
    id: int
    reason: str
    authority: str
    opened_by: str
    started_at: datetime
    min_end_at: datetime
    ended_at: datetime | None
    ended_by: str

    @property
    def value(self) -> Hold:
        return Hold(self.reason, self.authority, self.opened_by, self.started_at, self.min_end_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class ItemShown:
    key: str
    phase: str
    group: str
    text: str
    ticked_by: str  # "": not ticked
    ticked_at: datetime | None


def holds(session: Session, number: int) -> tuple[HoldShown, ...]:
    """In the order they began."""
    rows = session.scalars(select(HoldRow).where(HoldRow.incident_id == number).order_by(HoldRow.id))
    return tuple(
        HoldShown(
            id=row.id,
            reason=row.reason,
            authority=row.authority,
            opened_by=row.opened_by,
            started_at=row.started_at,
            min_end_at=row.min_end_at,
            ended_at=row.ended_at,
            ended_by=row.ended_by,
        )
        for row in rows
    )


def checklist(session: Session, number: int) -> tuple[ItemShown, ...]:
    """Every item of every phase, ticked or not."""
    made = {tick.item: tick for tick in checklists.ticks(session, number)}
    return tuple(
        ItemShown(
            key=item.key,
            phase=item.phase.value,
            group=item.group,
            text=item.text,
            ticked_by=made[item.key].ticked_by if item.key in made else "",
            ticked_at=made[item.key].ticked_at if item.key in made else None,
        )
        for items in CHECKLISTS.values()
        for item in items
    )
