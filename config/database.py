"""The database: engines, and `transaction()`, the only place that commits.

SQLite runs in WAL mode with synchronous FULL (a commit survives a power cut), foreign keys on, writers under
BEGIN IMMEDIATE and in fair turns. PostgreSQL runs at READ COMMITTED with bounded waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from config.turns import Turns

SQLITE_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY")
BUSY_TIMEOUT_SECONDS = 30
LOCK_TIMEOUT_MS = 8_000
STATEMENT_TIMEOUT_MS = 30_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000
POOL_SIZE = 10
POOL_WAIT_SECONDS = 10

BeforeCommit = Callable[[Session], None]


class Database:
    """One database. `before_commit` runs last in every writing transaction: the timeline is appended there,
    so that its serialising lock is taken after all row locks and held for the commit only."""

    def __init__(self, url: str, *, before_commit: BeforeCommit | None = None) -> None:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.before_commit = before_commit
        self.turns: Turns | None = None
        self.engine = self._sqlite() if self.is_sqlite else self._postgresql()
        self._writing = self.engine.execution_options(tocsin_writes=True)
        # At READ COMMITTED a reading transaction sees no more than its statements would alone, and costs two round
        # trips. SQLite's gives one consistent moment, and costs nothing.
        self._reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def _sqlite(self) -> Engine:
        in_memory = self.url.database in (None, "", ":memory:")
        if not in_memory:
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
        self.turns = Turns(None if in_memory else Path(str(self.url.database)))
        pool: dict[str, Any] = (
            {"poolclass": StaticPool}
            if in_memory
            else {"pool_size": POOL_SIZE, "max_overflow": POOL_SIZE, "pool_timeout": POOL_WAIT_SECONDS}
        )
        # isolation_level None: the driver begins nothing by itself; `_begin` below decides how.
        connect_args = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None}
        engine = create_engine(self.url, connect_args=connect_args, hide_parameters=True, **pool)

        @event.listens_for(engine, "connect")
        def _pragmas(connection: Any, _: Any) -> None:
            for pragma in SQLITE_PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get("tocsin_writes")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _postgresql(self) -> Engine:
        options = (
            f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS} -c jit=off -c timezone=UTC"
        )
        return create_engine(
            self.url,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,  # errors are logged, and values may be anybody's words
            connect_args={"options": options, "connect_timeout": 5, "prepare_threshold": 1},
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A writing transaction: commits at the end of the block, rolls back on any error."""
        with self._turn(), Session(self._writing, expire_on_commit=False) as session:
            yield session
            session.flush()
            if self.before_commit is not None:
                self.before_commit(session)
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read that never waits for writers; on SQLite of one moment, on PostgreSQL each statement of its own."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self.turns is None:
            yield
        else:
            with self.turns.turn():
                yield

    def ping(self) -> None:
        """Raises when the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()
        if self.turns is not None:
            self.turns.close()
