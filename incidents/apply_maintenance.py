"""Bringing maintenance windows to what is declared; see `apply`.

A window that is changed is another silence from then on: what the old one holds is looked at at once, and stays held
back if the new one fits it. Written last of all that is applied: whoever holds back an incident has locked its service
before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.changes import Changes
from escalation.models import HoursRow
from incidents import maintaining, silence_rows, silences
from incidents.declared_maintenance import DeclaredWindow
from incidents.silence_models import SilencedIncident, SilenceRow
from incidents.silencing import ALWAYS

THE_FILE = "the declared file"


def write(session: Session, declared: Collection[DeclaredWindow], changes: Changes, now: datetime) -> None:
    silence_rows.alone(session, session.scalars(_declared().with_only_columns(SilenceRow.id)).all())
    stored = {row.name: row for row in session.scalars(_declared().with_for_update(key_share=True))}
    for wanted in declared:
        row = stored.pop(wanted.name, None)
        what = f"maintenance {wanted.name}"
        if wanted.silence.is_over(now):
            changes.warn(f"{what}: its last day is past; take it out of the file")
            continue
        after = _wanted(wanted)
        before = _stored(row) if row is not None else None
        if row is None:
            changes.added(what, after=after)
            _add(session, wanted, now)
        elif before != after or row.hours != _stored_hours(wanted):
            changes.changed(what, before, after, otherwise="the hours it refers to")
            maintaining.finish(session, row, now, by=THE_FILE)
            _carry_over(session, row, _add(session, wanted, now), now)
    for row in stored.values():
        maintaining.finish(session, row, now, by=THE_FILE)
        changes.removed(f"maintenance {row.name}", before=_stored(row))
    session.flush()


def as_written(session: Session) -> dict[str, dict[str, Any]]:
    """Name -> a window as the file writes it. Hours of a name that there is are named."""
    names: dict[str, Any] = {row.key: row.definition for row in session.scalars(select(HoursRow))}
    found = {}
    for row in session.scalars(_declared()):
        written = _stored(row)
        if row.hours["key"] and names.get(row.hours["key"]) != row.hours:
            written = _written(row, {key: value for key, value in row.hours.items() if key != "key"})
        found[row.name] = {key: value for key, value in written.items() if value}
    return found


def _declared() -> Any:
    return select(SilenceRow).where(SilenceRow.ended_at.is_(None), SilenceRow.name != "").order_by(SilenceRow.id)


def _add(session: Session, wanted: DeclaredWindow, now: datetime) -> SilenceRow:
    silence = wanted.silence
    if silence.starts_at == ALWAYS:
        silence = replace(silence, starts_at=now)
    return maintaining.add(session, silence, now, reason=wanted.reason, created_by=THE_FILE, name=wanted.name)


def _carry_over(session: Session, old: SilenceRow, new: SilenceRow, now: datetime) -> None:
    """Incidents for which people asked for people in spite of the old one."""
    numbers = session.scalars(
        select(SilencedIncident.incident_id).where(
            SilencedIncident.silence_id == old.id, SilencedIncident.outcome == silence_rows.OVERRIDDEN
        )
    ).all()
    session.add_all(silences.overridden(new.id, number, now) for number in numbers)


def _wanted(wanted: DeclaredWindow) -> dict[str, Any]:
    silence = wanted.silence
    return {
        "services": list(silence.services),
        "labels": dict(silence.labels),
        "title": silence.title,
        **_hours(_stored_hours(wanted)),
        "weeks": list(silence.weeks),
        "from_date": wanted.dates.get("from_date"),
        "until": wanted.dates.get("until"),
        "reason": wanted.reason,
    }


def _stored_hours(wanted: DeclaredWindow) -> dict[str, Any]:
    return wanted.silence.hours.to_json() if wanted.silence.hours else {}


def _stored(row: SilenceRow) -> dict[str, Any]:
    return _written(row, _hours(row.hours))


def _written(row: SilenceRow, hours: dict[str, Any]) -> dict[str, Any]:
    zone = ZoneInfo(row.hours["timezone"])
    begins = None if row.starts_at == row.created_at else row.starts_at.astimezone(zone).date()
    last = None if row.ends_at is None else (row.ends_at - timedelta(seconds=1)).astimezone(zone).date()
    return {
        "services": list(row.services),
        "labels": dict(row.labels),
        "title": row.title,
        **hours,
        "weeks": list(row.weeks),
        "from_date": begins and begins.isoformat(),
        "until": last and last.isoformat(),
        "reason": row.reason,
    }


def _hours(stored: dict[str, Any]) -> dict[str, Any]:
    """Named ones by their name: what they are is told where they are declared."""
    own = {key: value for key, value in stored.items() if key != "key"}
    return {"hours": stored["key"]} if stored["key"] else own
