"""Entries in the timeline, for tests that are about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from config.database import Database
from incidents.proof import timeline
from tests.factories import make_incident

NOW = datetime(2026, 11, 2, 3, 12, tzinfo=UTC)


def open_incident(database: Database, title: str = "Checkout answers with 500") -> int:
    with database.transaction() as session:
        incident = make_incident(session, now=NOW, title=title)
        timeline.append(session, incident.id, "incident.opened", f"Opened: {title}", occurred_at=NOW)
    return incident.id


def note(database: Database, incident_id: int, words: str, **more: Any) -> None:
    with database.transaction() as session:
        timeline.append(session, incident_id, "note.added", words, occurred_at=NOW, **more)


def texts(database: Database, incident_id: int) -> list[str]:
    with database.reading() as session:
        return [entry.text for entry in timeline.entries(session, incident_id)]
