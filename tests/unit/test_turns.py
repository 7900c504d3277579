"""Writers of one SQLite file go one after the other, in the order they came, and wait for a bounded time."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from config import turns
from config.turns import Turns


def test_who_waited_in_vain_is_told_and_those_behind_get_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Turns(None)
    hangs, done = threading.Event(), threading.Event()
    written: list[str] = []

    def hang() -> None:
        with queue.turn():
            hangs.set()
            done.wait(10)
        written.append("hung")

    def write() -> None:
        with queue.turn():
            written.append("behind")

    first = threading.Thread(target=hang)
    first.start()
    hangs.wait(10)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(PoolTimeoutError, match="busy with another writer"), queue.turn():
        written.append("never")
    monkeypatch.undo()
    behind = threading.Thread(target=write)
    behind.start()
    done.set()
    first.join(10)
    behind.join(10)
    with queue.turn():
        written.append("after")
    assert written[-1] == "after"
    assert sorted(written) == ["after", "behind", "hung"]
