"""How long Slack has asked to be left alone, and about what. Pure, but for the clock that it is handed.

Slack counts by method, and posts by channel too. What it said of one channel says nothing of the others, and what it
said of edits nothing of pages; so each is waited for by itself, and nobody else is made to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

CODES = frozenset({"ratelimited", "rate_limited", "http_429"})
SECONDS_MAX = 120.0  # a provider that asks for more is asked again by then
SECONDS_USUAL = 1.0  # where Slack does not say: it allows one message a second in a channel
LANES_MAX = 1000

BY_CHANNEL = frozenset({"chat_postMessage", "chat_postEphemeral"})


def lane(method: str, channel: str) -> tuple[str, str]:
    return (method, channel if method in BY_CHANNEL else "")


class Waits:
    """For several threads. `seconds` is a clock that only goes forward."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._until: dict[tuple[str, str], float] = {}
        self._mutex = threading.Lock()

    def begin(self, lane: tuple[str, str], retry_after_seconds: float | None) -> None:
        wait = SECONDS_USUAL if retry_after_seconds is None else min(retry_after_seconds, SECONDS_MAX)
        with self._mutex:
            if len(self._until) >= LANES_MAX:
                self._until.clear()  # forgetting costs one more refusal each
            self._until[lane] = self._seconds() + wait

    def left(self, lane: tuple[str, str]) -> float:
        """Seconds to wait still; 0 if one may ask."""
        with self._mutex:
            until = self._until.get(lane)
            if until is None:
                return 0.0
            left = until - self._seconds()
            if left <= 0:
                del self._until[lane]
            return max(0.0, left)
