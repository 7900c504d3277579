"""The only place that reads the wall clock.

Everything else takes `now` as a parameter: aware, UTC. The edge (a request, a tick, a command) reads it once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """For measuring how long something took; says nothing of the time of day."""
    return time.monotonic()


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: one fixed width, so that texts sort as the times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
