"""Bring a database to a revision. Several processes may try at once: one works, the others wait and find it done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from config.database import Database

MIGRATION_LOCK = 0x746F6373_6D696772  # "tocsmigr": PostgreSQL's advisory locks are named by a number
WAIT_FOR_OTHERS_MS = 300_000
STATEMENT_TIMEOUT_MS = 3_600_000  # a step over a long table may take its time


def upgrade(database: Database, revision: str = "head") -> None:
    """All steps up to `revision` in one transaction: they all happen, or none does."""
    with _alone(database) as (config, _):
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    """Back to `revision`; "base" removes every table, "-1" is one step."""
    with _alone(database) as (config, _):
        command.downgrade(config, revision)


def current(database: Database) -> str | None:
    """The revision the database is at; None: nothing was ever migrated."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision that this Tocsin knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("migrations/versions is empty; this Tocsin was packed without its migrations")
    return revision


def is_current(database: Database) -> bool:
    return current(database) == head()


@contextmanager
def _alone(database: Database) -> Iterator[tuple[Config, Connection]]:
    """A transaction that no other migration runs beside, and the alembic configuration bound to it."""
    with ExitStack() as stack:
        if database.turns is not None:
            stack.enter_context(database.turns.turn())
        engine = database.engine.execution_options(tocsin_writes=True)
        connection = stack.enter_context(engine.begin())
        if not database.is_sqlite:
            connection.execute(text(f"SET LOCAL lock_timeout = {WAIT_FOR_OTHERS_MS}"))
            connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        yield _config(connection), connection


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
