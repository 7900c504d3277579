"""Databases crowded with open incidents: one that came in through the real corridor, and copies of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, cast, delete, func, insert, join, literal, select, text, true, update
from sqlalchemy.orm import Session

import runbook_links
from config.database import Database
from config.ids import secret_hash
from config.orm import Base
from config.settings import SHIPPED_RULES
from escalation.channels.base import Message, Sent
from escalation.models import Timer
from escalation.paging.engine import Engine
from incidents import configuration, intake, rules
from incidents.desk import Desk
from incidents.proof import timeline
from incidents.sources.base import AlertStatus, IncomingAlert
from incidents.sources.table import SOURCES
from migrations import run as migrations
from runbook_links.shelf import Shelf

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
FAR = NOW + timedelta(days=365)
KEY = "b0" * 16
# Table -> the columns that hold the incident's number in a copy.
COPIED: Mapping[str, tuple[str, ...]] = {
    "incidents": ("id",),
    "alerts": ("id", "incident_id", "dedup_key"),
    "escalations": ("id", "incident_id"),
    "pages": ("id", "incident_id", "escalation_id"),
    "timers": ("id", "incident_id", "subject_id"),
}

TEAM = f"""
responders:
  ana:
    name: Ana Lima
    phone: "+15005550101"
    page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: sms}}]}}
schedules:
  primary: {{timezone: UTC, rotations: [{{members: [ana], starts: "2026-01-05T00:00", turn: 1w}}]}}
policies:
  standard:
    levels:
      - {{level: 1, after: 0m, page: ["schedule:primary"]}}
      - {{level: 2, after: 5m, page: ["schedule:primary"]}}
services:
  checkout: {{policy: standard, integrations: [{{source: pagerduty, key: "{KEY}"}}]}}
last_resort: ["responder:ana"]
"""


@contextmanager
def crowd(url: str, open_incidents: int) -> Iterator[Database]:
    """So many open incidents, each with its alert, a page that went out, and its next level in a year."""
    database = Database(url, before_commit=timeline.write)
    try:
        migrations.upgrade(database)
        configuration.apply_text(
            database, TEAM, env={}, file_name="team", now=NOW, sources=SOURCES, runbook_ids=frozenset()
        )
        with database.transaction() as session:
            session.execute(delete(Timer))  # what there is to do beside incidents is not measured here
        receive(database, desk(), alert("Observer API down: health check failing on all replicas", "1"))
        _page(database)
        with database.transaction() as session:
            session.execute(update(Timer).values(id=1, due_at=FAR, visible_at=FAR))
            for name, numbered in COPIED.items():
                _copy(session, Base.metadata.tables[name], numbered, open_incidents)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        yield database
    finally:
        database.close()


def desk() -> Desk:
    shelf = Shelf(Path(runbook_links.__file__).parent / "library")
    return Desk(timeline.append, rules.load(SHIPPED_RULES), shelf, "https://tocsin.example.org")


def alert(title: str, dedup_key: str) -> IncomingAlert:
    return IncomingAlert(source="pagerduty", dedup_key=dedup_key, status=AlertStatus.FIRING, title=title)


def receive(database: Database, at: Desk, incoming: IncomingAlert) -> None:
    """Take one alert in, as `/v2/enqueue` does after it has read the event."""
    with database.reading() as session:
        door = intake.door(session, secret_hash(KEY))
    assert door is not None
    with database.transaction() as session:
        intake.receive(session, at, door, incoming, NOW)


class _Taker:
    """A channel that takes everything and sends nothing."""

    name = "sms"

    def send(self, address: str, message: Message) -> Sent:
        return Sent(provider_id="taken")

    def update(self, address: str, ref: dict[str, Any], message: Message) -> Sent:
        return Sent()


def _page(database: Database) -> None:
    engine = Engine(
        database,
        {"sms": _Taker()},
        timeline.append,
        name="bench",
        read_clock=lambda: NOW,
        submit=lambda send: send(),
    )
    while engine.tick(NOW):
        pass


def _copy(session: Session, table: Table, numbered: tuple[str, ...], until: int) -> None:
    """Copies 2 to `until` of the table's one row."""
    first = select(literal(2).label("number")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.columns.number + 1).where(first.columns.number < until))
    number = numbers.columns.number
    values = [cast(number, each.type) if each.name in numbered else each for each in table.columns]
    copies = select(*values).select_from(join(table, numbers, true()))
    session.execute(insert(table).from_select([each.name for each in table.columns], copies))
    if session.get_bind().dialect.name == "postgresql":  # what comes next must not be given a number that is taken
        sequence = func.pg_get_serial_sequence(table.name, "id")
        session.execute(select(func.setval(sequence, until)))
