"""A fair lock for writers of one SQLite file, within a process and between the processes of one machine.

SQLite's busy handler is unfair: with two writing processes a waiter was measured to starve for seconds.
Here writers take turns: threads of a process in order of arrival; processes through a turnstile of two file
locks. Whoever holds the turnstile is next, so a process that has just written cannot push in again before it.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

PATIENCE_SECONDS = 20.0  # for the writers before it in its process; a sender who gets to know may try again


class Turns:
    def __init__(self, database_file: Path | None) -> None:
        """`database_file` None: an in-memory database, where only threads take turns."""
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False
        self._file = database_file
        self._descriptors: tuple[int, int] | None = None
        self._owner_pid = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises SQLAlchemy's TimeoutError, as for a connection that is not free in time, after PATIENCE_SECONDS."""
        self._enter_thread_queue()
        try:
            if self._file is None:
                yield
                return
            turnstile, writer = self._open()
            fcntl.flock(turnstile, fcntl.LOCK_EX)
            try:
                fcntl.flock(writer, fcntl.LOCK_EX)
            finally:
                fcntl.flock(turnstile, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(writer, fcntl.LOCK_UN)
        finally:
            self._leave_thread_queue()

    def _enter_thread_queue(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(PATIENCE_SECONDS):
            return
        with self._mutex:
            if mine.is_set():
                return  # it came at the last moment
            self._waiting.remove(mine)
        raise PoolTimeoutError(f"The database was busy with another writer for {PATIENCE_SECONDS:.0f} seconds.")

    def _leave_thread_queue(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()  # hand the turn over; `_taken` stays true
            else:
                self._taken = False

    def _open(self) -> tuple[int, int]:
        # A lock's descriptor must not be shared with a forked child: both would hold the same lock.
        if self._descriptors is None or self._owner_pid != os.getpid():
            assert self._file is not None  # noqa: S101  narrowed by turn()
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptors = (
                os.open(f"{self._file}-turnstile", flags, 0o600),
                os.open(f"{self._file}-writer", flags, 0o600),
            )
            self._owner_pid = os.getpid()
        return self._descriptors

    def close(self) -> None:
        if self._descriptors is not None and self._owner_pid == os.getpid():
            for descriptor in self._descriptors:
                os.close(descriptor)
        self._descriptors = None
