"""What holds an incident, and what of its checklists and runbook is done, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidents import briefing, checklists
from incidents.models import HoldRow
from incidents.phases import CHECKLISTS, Hold
from runbook_links.document import Runbook
from runbook_links.models import RunbookLink, StepTick


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


@dataclass(frozen=True, slots=True)
class StepShown:
    number: int
    title: str
    label: str
    done_by: str  # "": not ticked
    done_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class EmergencyShown:
    """The emergency runbook beside the incident's own."""

    id: str
    title: str
    version: str
    url: str
    reason: str
    attached_at: datetime


def steps(book: Runbook | None, ticks: dict[int, StepTick]) -> tuple[StepShown, ...]:
    """Ticked steps that the file no longer has stay: somebody did them."""
    written = {step.number: (step.title, step.label) for step in (book.steps if book else ())}
    shown = []
    for number in sorted({*written, *ticks}):
        (title, label), tick = written.get(number, ("", "")), ticks.get(number)
        done = (tick.ticked_by, tick.ticked_at, tick.note) if tick else ("", None, "")
        shown.append(StepShown(number, title, label, *done))
    return tuple(shown)


def emergency(link: RunbookLink, base_url: str) -> EmergencyShown | None:
    known = link.emergency
    if not known:
        return None
    url, attached_at = briefing.runbook_url(base_url, known["id"]), datetime.fromisoformat(known["attached_at"])
    return EmergencyShown(known["id"], known["title"], known["version"], url, known["reason"], attached_at)


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
