"""How many messages a provider's account may be given, and who goes first when that is not enough. Pure.

A bucket fills at a steady rate and holds two seconds' worth; each message takes one token. Pages may empty it. What
yields to pages (notifications, notices, announcements, edits) is let in only while more than half of it is there, so
that it can never use up what the next page needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CAPACITY_SECONDS = 2.0
CAPACITY_MIN = 4.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """`rate` is in messages a second, for this engine; `tokens` is what there was at `at`."""

    rate: float
    tokens: float
    at: datetime

    @property
    def capacity(self) -> float:
        return max(CAPACITY_MIN, self.rate * CAPACITY_SECONDS)


def full(rate: float, now: datetime) -> Bucket:
    empty = Bucket(rate, 0.0, now)
    return replace(empty, tokens=empty.capacity)


def filled(bucket: Bucket, now: datetime, rate: float | None = None) -> Bucket:
    """The bucket at `now`, with another rate from here on if one is given. A clock set back fills nothing."""
    passed_seconds = max(0.0, (now - bucket.at).total_seconds())
    there = bucket.tokens + passed_seconds * bucket.rate
    changed = replace(bucket, rate=bucket.rate if rate is None else rate, at=now)
    return replace(changed, tokens=min(changed.capacity, there))


def taken(bucket: Bucket, messages: int = 1) -> Bucket:
    """After `messages` were handed over; negative: they were not, after all."""
    return replace(bucket, tokens=min(bucket.capacity, bucket.tokens - messages))


def room(bucket: Bucket, *, yields: bool) -> int:
    """How many messages may go now."""
    return max(0, int(bucket.tokens - _kept(bucket, yields=yields)))


def room_at(bucket: Bucket, *, yields: bool) -> datetime:
    """When there is room for one message; the bucket's own time if there is now."""
    missing = _kept(bucket, yields=yields) + 1 - bucket.tokens
    # A hair later than reckoned, so that rounding never leaves the engine awake and with nothing to do.
    return bucket.at + timedelta(seconds=max(0.0, missing) / bucket.rate, milliseconds=1 if missing > 0 else 0)


def _kept(bucket: Bucket, *, yields: bool) -> float:
    return bucket.capacity / 2 if yields else 0.0
