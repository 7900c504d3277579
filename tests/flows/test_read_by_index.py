"""What is asked every few seconds, or for each alert, must not cost more with everything that ever happened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from config.database import Database
from incidents import noise_gauges, queries, reconciling, silence_gauges, silence_rows
from incidents.queries import Wanted
from tests.world import World

EVER_GROWING = "alerts|escalations|event_deliveries|incidents|pages|silenced_incidents|silences|timeline_entries"
WHOLE = re.compile(rf"SCAN ({EVER_GROWING})(?: AS \w+)?$")


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


@contextmanager
def read_whole(database: Database) -> Iterator[list[str]]:
    """The statements of the block that read a table from its first row to its last, each with that step of its plan."""
    found: list[str] = []

    def explain(connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith("SELECT"):
            plan = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(f"{row[3]}: {statement}" for row in plan if WHOLE.search(row[3]))

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


READ: dict[str, Callable[[World, Session], object]] = {
    "the reconciler": lambda world, session: reconciling.suspects(session, world.now),
    "silences that go on": lambda world, session: silence_rows.live(session, world.now),
    "incidents held back": lambda world, session: queries.incidents(session, Wanted(silenced=True), world.now, limit=5),
    "figures about noise": lambda world, _: list(noise_gauges.collector(world.database, lambda: world.now)()),
    "figures about silences": lambda world, _: list(silence_gauges.collector(world.database, lambda: world.now)()),
}


@pytest.mark.parametrize("what", READ)
def test_it_reads_by_an_index(world: World, what: str) -> None:
    world.alert()
    with world.database.reading() as session, read_whole(world.database) as found:
        READ[what](world, session)
    assert found == []


def test_a_table_that_is_read_whole_would_be_seen(world: World) -> None:
    with world.database.reading() as session, read_whole(world.database) as found:
        session.connection().exec_driver_sql("SELECT title FROM alerts ORDER BY id")
    assert len(found) == 1
