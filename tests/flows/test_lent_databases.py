"""A PostgreSQL database goes from one test to the next, and nothing goes with it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from config.database import Database
from tests.databases import PostgresqlServer
from tests.world import World


def use(url: str) -> None:
    database = Database(url)
    World(database).alert()
    database.close()


def rows(url: str) -> dict[str, int]:
    counted: dict[str, int] = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            counted[table] = _one(connection, f"SELECT count(*) FROM {table}")
    return counted


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    return (connection.execute(query).fetchone() or (None,))[0]


def test_what_one_test_wrote_the_next_does_not_see(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.lend()
    use(url)
    assert rows(url)["timeline_entries"] > 0
    postgresql_server.take_back(url)
    again = postgresql_server.lend()
    assert {table for table, count in rows(again).items() if count} == {"alembic_version"}
    with psycopg.connect(again) as connection:
        assert _one(connection, "SELECT nextval(pg_get_serial_sequence('incidents', 'id'))") == 1
    postgresql_server.take_back(again)


def test_who_outlived_a_test_does_not_reach_the_next_ones_database(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.lend()
    left_open = psycopg.connect(url, autocommit=True)
    postgresql_server.take_back(url)
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE services ADD COLUMN more integer",
        "DROP TRIGGER timeline_entries_append_only ON timeline_entries",
        "ALTER TABLE timeline_entries DISABLE TRIGGER timeline_entries_append_only",
        "CREATE TABLE another (id integer)",
        "UPDATE alembic_version SET version_num = 'of old'",
    ],
)
def test_a_database_whose_tables_were_changed_is_not_lent_again(
    postgresql_server: PostgresqlServer, change: str
) -> None:
    url = postgresql_server.lend()
    before = len(postgresql_server._empty)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(change)
    postgresql_server.take_back(url)
    assert len(postgresql_server._empty) == before
