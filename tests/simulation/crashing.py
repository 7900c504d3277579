"""A database whose process dies at a commit: just before it, so that nothing is kept, or just after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy.orm import Session

from config.database import Database


class Crash(BaseException):
    """The process is gone. Nothing in Tocsin may catch it."""


class Moment(StrEnum):
    BEFORE = "before"  # everything is written, the timeline too, and the commit never comes
    AFTER = "after"  # it is committed, and nobody lives to hear of it


class FragileDatabase(Database):
    """`crash_at(3, Moment.BEFORE)`: the third commit from now on is the one."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._commits_left = 0
        self._moment = Moment.BEFORE
        self._sturdy = False

    def crash_at(self, commits: int, moment: Moment = Moment.BEFORE) -> None:
        """0 calls it off."""
        self._commits_left, self._moment = commits, moment

    @contextmanager
    def elsewhere(self, crash: Moment | None = None) -> Iterator[None]:
        """Commits in this block are another process's: they do not count, and all crash as given or not at all."""
        before = self._sturdy, self._commits_left, self._moment
        self._sturdy, self._commits_left = crash is None, int(crash is not None)
        self._moment = crash or Moment.BEFORE
        try:
            yield
        finally:
            self._sturdy, self._commits_left, self._moment = before

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        moment = self._fate()
        with super().transaction() as session:
            yield session
            if moment is Moment.BEFORE:
                session.flush()
                if self.before_commit is not None:
                    self.before_commit(session)
                raise Crash
        if moment is Moment.AFTER:
            raise Crash

    def _fate(self) -> Moment | None:
        if self._sturdy or not self._commits_left:
            return None
        self._commits_left -= 1
        return None if self._commits_left else self._moment
