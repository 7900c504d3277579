"""A declared team for tests, and applying it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from config.changes import Changes
from config.database import Database
from config.orm import Base
from incidents import configuration

NOW = datetime(2026, 11, 2, 3, 12, tzinfo=UTC)
SOURCES = ("alertmanager", "generic", "pagerduty")
RUNBOOKS = ("backup", "epic-1-event-store")
PAGERDUTY_KEY, OPSGENIE_KEY, ALERTMANAGER_KEY, STORE_KEY = "c0" * 16, "c1" * 16, "c2" * 16, "e0" * 16

TEAM = f"""\
responders:
  ana: {{name: Ana Lima, email: ana@example.org, timezone: Europe/Lisbon, roles: [responder], slack: U0ANA,
        phone: "+15005550101", page_by: {{high: [{{after: 0s, by: sms}}], low: [{{after: 0s, by: slack}}]}}}}
  bo: {{name: Bo Chen, email: bo@example.org, timezone: Asia/Singapore, slack: U0BO, phone: "+15005550102",
        page_by: {{high: [{{after: 0s, by: sms}}, {{after: 2m, by: voice}}], low: [{{after: 0s, by: slack}}]}}}}
  mia: {{name: Mia Berg, roles: [manager], phone: "+15005550103"}}
schedules:
  primary: {{timezone: UTC, rotations: [{{members: [ana], starts: "2026-01-05T00:00", turn: 1w}}]}}
  secondary: {{timezone: UTC, rotations: [{{members: [bo], starts: "2026-01-05T00:00", turn: 1w}}]}}
policies:
  standard:
    repeat: 0
    levels:
      - {{level: 1, after: 0s, page: ["schedule:primary"], announce: ["slack:#incidents"]}}
      - {{level: 2, after: 5m, page: ["schedule:secondary"]}}
      - {{level: 3, after: 15m, page: ["role:manager"]}}
  quiet:
    levels: [{{level: 1, after: 0s, page: ["responder:bo"]}}]
services:
  checkout:
    policy: standard
    integrations:
      - {{source: pagerduty, key: "{PAGERDUTY_KEY}"}}
      - {{source: opsgenie, key: "{OPSGENIE_KEY}"}}
      - {{source: alertmanager, key: "{ALERTMANAGER_KEY}"}}
  event-store:
    protected: true
    policy: quiet
    integrations: [{{source: pagerduty, key: "{STORE_KEY}"}}]
last_resort: ["responder:mia"]
"""


def apply(database: Database, text: str, **more: Any) -> Changes:
    options: dict[str, Any] = {"env": {}, "file_name": "tocsin.yaml", "now": NOW, "sources": SOURCES}
    return configuration.apply_text(database, text, **{**options, "runbook_ids": RUNBOOKS, **more})


def changed(old: str, new: str, text: str = TEAM) -> str:
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the declaration"
    return text.replace(old, new)


def without(text: str, *parts: str) -> str:
    """Each part is cut from where it begins to the end of its line, and the deeper lines below it go too."""
    lines = text.splitlines(keepends=True)
    for part in parts:
        (start,) = (index for index, line in enumerate(lines) if line.strip().startswith(part))
        depth = len(lines[start]) - len(lines[start].lstrip())
        end = start + 1
        while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > depth:
            end += 1
        del lines[start:end]
    return "".join(lines)


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(table.select().order_by(*table.primary_key.columns))]
            for table in Base.metadata.sorted_tables
        }


@contextmanager
def writes(database: Database) -> Iterator[list[str]]:
    """Collects the statements that change something."""
    found: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            found.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield found
    event.remove(database.engine, "before_cursor_execute", note)
