"""Databases of both kinds. A test that takes `database` runs twice: on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.database import Database
from incidents.proof import timeline
from tests import databases, statements

KINDS = ["sqlite", "postgresql"]

databases.do_not_wait_for_the_disk()
statements.share()


def pytest_collection_finish() -> None:
    """What is imported stays; looking through it again and again for what to free was a tenth of the tests' time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[databases.PostgresqlServer]:
    with databases.postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.migrated_sqlite_file(tmp_path_factory.mktemp("migrated"))


@pytest.fixture
def sqlite_url(migrated_sqlite_file: Path, tmp_path: Path) -> str:
    file = tmp_path / "tocsin.db"
    shutil.copyfile(migrated_sqlite_file, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgresql_url(postgresql_server: databases.PostgresqlServer) -> Iterator[str]:
    url = postgresql_server.lend()
    yield url
    postgresql_server.take_back(url)


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url, before_commit=timeline.write)
    yield database
    database.close()


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url, before_commit=timeline.write)
    yield database
    database.close()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind, for tests that open it themselves."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Nothing in it yet, not even tables."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/empty.db")
        yield database
        database.close()
        return
    server: databases.PostgresqlServer = request.getfixturevalue("postgresql_server")
    url = server.create(migrated=False)
    database = Database(url)
    yield database
    database.close()
    server.drop(url)
