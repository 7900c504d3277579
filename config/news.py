"""Telling a sleeping engine that there is news, within milliseconds.

PostgreSQL: LISTEN/NOTIFY. The notice is sent beside the transactions, not in them (a NOTIFY in every commit was
measured to cost 29 % of the intake), and a burst is told once. SQLite: the engine looks at the file's change
counter, which costs microseconds. Either may be missed; a one-second tick is the net under both.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import logs
from config.database import Database

CHANNEL = "tocsin_news"
LOOK_EVERY_SECONDS = 0.004
RECONNECT_AFTER_SECONDS = 1.0

log = logs.get("news")


class Bell:
    """The writer's side: `ring()` after a commit that an engine should hear of. Never blocks, never raises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._mutex = threading.Lock()

    def ring(self) -> None:
        if self._database.is_sqlite:
            return  # the commit itself is the news
        self._rung.set()
        if self._thread is None:
            with self._mutex:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._tell, name="bell", daemon=True)
                    self._thread.start()

    def _tell(self) -> None:
        while True:
            self._rung.wait()
            if self._stopping:
                return
            self._rung.clear()
            try:
                with self._database.engine.connect() as connection:
                    connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(f"NOTIFY {CHANNEL}"))
            except DBAPIError as error:
                log.warning("engine not told; its own tick will find the news", error=str(error.orig))

    def close(self) -> None:
        self._stopping = True
        self._rung.set()
        if self._thread is not None:
            self._thread.join(timeout=2)


class Listener(Protocol):
    def wait(self, seconds: float) -> None:
        """Return at news, or after `seconds`; sooner is allowed."""
        ...

    def close(self) -> None: ...


def listener(database: Database) -> Listener:
    return SqliteListener(database) if database.is_sqlite else PostgresListener(database)


class SqliteListener:
    def __init__(self, database: Database) -> None:
        self._connection: Any = database.engine.raw_connection()
        self._seen = self._counter()
        self._nap = threading.Event()  # never set: a sleep that `close` could end

    def wait(self, seconds: float) -> None:
        left = seconds
        while left > 0:
            counter = self._counter()
            if counter != self._seen:
                self._seen = counter
                return
            self._nap.wait(min(LOOK_EVERY_SECONDS, left))
            left -= LOOK_EVERY_SECONDS

    def _counter(self) -> int:
        return int(self._connection.driver_connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


class PostgresListener:
    def __init__(self, database: Database) -> None:
        self._address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.Connection[Any] | None = None
        self._nap = threading.Event()

    def wait(self, seconds: float) -> None:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._address, autocommit=True, connect_timeout=5)
                self._connection.execute(f"LISTEN {CHANNEL}")
                return  # news told before we listened: look once
            for _ in self._connection.notifies(timeout=max(seconds, 0.0), stop_after=1):
                pass
        except psycopg.Error as error:
            log.warning("not listening for news; the one-second tick goes on", error=str(error))
            self.close()
            self._nap.wait(min(seconds, RECONNECT_AFTER_SECONDS))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
