"""The steps lead from nothing to the tables that the models describe, and back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect
from sqlalchemy.engine import make_url

from config.database import Database
from migrations import run
from migrations.all_models import metadata


def differences(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def constraints(database: Database) -> dict[str, Any]:
    """What compare_metadata does not look at: names, conditions, and what a delete does."""
    inspector = inspect(database.engine)
    found: dict[str, Any] = {}
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        foreign = [(key["name"], key["options"]) for key in inspector.get_foreign_keys(table)]
        where = [
            (
                index["name"],
                index["unique"],
                str(index.get("dialect_options", {}).get(f"{database.url.get_backend_name()}_where")),
            )
            for index in inspector.get_indexes(table)
        ]
        found[table] = {
            "primary": inspector.get_pk_constraint(table)["name"],
            "foreign": sorted(foreign, key=str),
            "unique": sorted(str(constraint["name"]) for constraint in inspector.get_unique_constraints(table)),
            "checks": sorted(
                (str(check["name"]), check["sqltext"]) for check in inspector.get_check_constraints(table)
            ),
            "indexes": sorted(where, key=str),
        }
    return found


def test_migrated_tables_are_the_ones_the_models_describe(empty_database: Database) -> None:
    run.upgrade(empty_database)
    assert differences(empty_database) == []
    migrated = constraints(empty_database)
    run.downgrade(empty_database, "base")
    metadata.create_all(empty_database.engine)
    assert migrated == constraints(empty_database)


def test_every_step_goes_forward_back_and_forward_again(empty_database: Database) -> None:
    run.upgrade(empty_database)
    assert run.is_current(empty_database)
    run.downgrade(empty_database, "base")
    assert run.current(empty_database) is None
    assert remains(empty_database) == {"alembic_version"}
    run.upgrade(empty_database)
    assert run.current(empty_database) == run.head()
    assert differences(empty_database) == []


def remains(database: Database) -> set[str]:
    left = MetaData()
    left.reflect(database.engine)
    return set(left.tables)


def test_each_step_can_be_taken_alone_in_both_directions(empty_database: Database) -> None:
    seen = []
    while not run.is_current(empty_database):
        run.upgrade(empty_database, "+1")
        revision = run.current(empty_database)
        run.downgrade(empty_database, "-1")
        run.upgrade(empty_database, "+1")
        assert run.current(empty_database) == revision
        seen.append(revision)
    assert seen == sorted(set(seen), key=str)
    assert seen[-1] == run.head()


def test_four_that_start_at_once_do_not_clash(empty_database: Database) -> None:
    url = make_url(str(empty_database.url.render_as_string(hide_password=False)))
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def start() -> None:
        database = Database(url.render_as_string(hide_password=False))
        ready.wait(timeout=10)
        try:
            run.upgrade(database)
        except Exception as failure:  # noqa: BLE001  the test reports it
            failures.append(failure)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    assert run.is_current(empty_database)


def test_a_step_that_fails_leaves_the_database_as_it_was(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with empty_database.engine.execution_options(tocsin_writes=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE timers (id INTEGER)")  # in the way of step 0003
    with pytest.raises(Exception, match="already exists"):
        run.upgrade(empty_database)
    assert run.current(empty_database) is None
    assert remains(empty_database) == {"timers"}
