"""The record changed as somebody would who owns the database: past triggers, constraints and foreign keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy import delete as delete_rows

from config.database import Database
from incidents.models import Incident
from incidents.proof import chain
from incidents.proof.models import TimelineEntry

ENTRY: Any = TimelineEntry.__table__
SQLITE_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'timeline_entries'"


@contextmanager
def tampering(database: Database) -> Iterator[Connection]:
    """A connection that nothing in the database resists."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")  # before the transaction begins
            for name in connection.execute(text(SQLITE_TRIGGERS)).scalars().all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
        connection.commit()
        if database.is_sqlite:
            connection.connection.cursor().execute("PRAGMA foreign_keys = ON")


def change(database: Database, at: int, /, **values: Any) -> None:
    with tampering(database) as connection:
        connection.execute(update(ENTRY).where(ENTRY.c.global_seq == at).values(**values))


def remove(database: Database, condition: Any) -> None:
    with tampering(database) as connection:
        connection.execute(delete_rows(ENTRY).where(condition))


def remove_incident(database: Database, incident_id: int) -> None:
    with tampering(database) as connection:
        connection.execute(delete_rows(Incident).where(Incident.id == incident_id))


def row(database: Database, global_seq: int) -> dict[str, Any]:
    with database.engine.connect() as connection:
        return dict(connection.execute(select(ENTRY).where(ENTRY.c.global_seq == global_seq)).one()._mapping)


def rewrite(database: Database, from_seq: int, falsify: Callable[[dict[str, Any]], None]) -> None:
    """Falsifies one entry and recomputes every digest from there on: the forgery of somebody who knows how."""
    with tampering(database) as connection:
        rows = [dict(each._mapping) for each in connection.execute(select(ENTRY).order_by(ENTRY.c.global_seq))]
        falsify(rows[from_seq - 1])
        global_prev, prev = chain.GENESIS, dict.fromkeys((each["incident_id"] for each in rows), chain.GENESIS)
        for each in rows:
            facts = json.loads(each["payload"])["facts"]
            each["payload"] = chain.payload(each["text"], facts)
            each["payload_sha256"] = chain.payload_sha256(each["salt"], each["payload"])
            each["prev"], each["global_prev"] = prev[each["incident_id"]], global_prev
            names = {name: each[name] for name in chain.Header.__dataclass_fields__ if name != "incident"}
            each["canonical"] = chain.canonical(chain.Header(incident=each["incident_id"], **names))
            each["entry_hash"] = chain.entry_hash(each["canonical"])
            each["global_hash"] = chain.global_hash(global_prev, each["entry_hash"])
            global_prev, prev[each["incident_id"]] = each["global_hash"], each["entry_hash"]
        connection.execute(delete_rows(ENTRY))
        connection.execute(ENTRY.insert(), rows)
