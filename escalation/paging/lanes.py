"""The ways out and what is free in each: senders, budget, and people who are being told something this moment.

A channel has two lanes. Pages have one to themselves; what yields to them waits in the other, whose senders are its
own, so that neither a slow announcement nor a thousand of them can stand in a page's way.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from config.per_channel import CHANNELS
from escalation.paging import budgets
from escalation.paging.budgets import Bucket

ENGINE_LANE = "engine"  # what the engine does by itself, asking no provider
_YIELDS = ".later"
LANES = (ENGINE_LANE, *CHANNELS, *(f"{channel}{_YIELDS}" for channel in CHANNELS), "hook", "calendar", "event")
RANK_MAX = 12  # no timer of a message is less urgent
ENGINE_ROOM = 100  # what is claimed at once of the engine's own work
SENDS_AT_ONCE_MAX = 8  # in one lane: a slow provider holds up its own pages only
YIELDING_SENDS_AT_ONCE_MAX = 4
SENDERS_MAX = SENDS_AT_ONCE_MAX * (len(CHANNELS) + 3) + YIELDING_SENDS_AT_ONCE_MAX * len(CHANNELS)


def lane(channel: str, *, page: bool) -> str:
    """Where a message for this channel waits. What is no channel (the engine, teams' hooks, calendars and programs) has one lane."""
    return channel if page or channel not in CHANNELS else f"{channel}{_YIELDS}"


def channel(lane: str) -> str:
    return lane.removesuffix(_YIELDS)


def yields(lane: str) -> bool:
    return lane.endswith(_YIELDS)


def key(lane: str, party: str, rank: int) -> str:
    """Messages of one urgency to one person at the end of one lane."""
    return f"{lane}|{party}|{rank}"


class Lanes:
    """What one engine has under way. `rates`: messages a second by channel, for all engines together; a channel
    without one is not limited. Used by several threads."""

    def __init__(self, rates: Mapping[str, float] | None = None) -> None:
        self._rates = dict(rates or {})
        self._engines = 1
        self._buckets: dict[str, Bucket] = {}
        self._in_flight: Counter[str] = Counter()
        self._being_told: Counter[str] = Counter()
        self._mutex = threading.Lock()

    def share(self, engines: int) -> None:
        """So many engines live; each takes its part of every budget."""
        with self._mutex:
            self._engines = max(1, engines)

    def rooms(self, now: datetime) -> dict[str, int]:
        """How much may be begun now, by lane; lanes without room are left out. Claims must not wait in a queue while
        their leases run out."""
        with self._mutex:
            found = {each: min(self._senders(each), self._tokens(each, now)) for each in LANES}
            for each in self._rates.keys() & set(CHANNELS):  # both lanes are offered at once, and share what there is
                beside = max(0, found[lane(each, page=False)])
                found[each] = min(found[each], self._tokens(each, now) - beside)
        return {each: room for each, room in found.items() if room > 0}

    def spent(self, now: datetime) -> dict[str, datetime]:
        """The lanes that only their budget closes, and when each opens."""
        found: dict[str, datetime] = {}
        with self._mutex:
            for each in LANES:
                if self._senders(each) > 0 and self._tokens(each, now) == 0:
                    found[each] = budgets.room_at(self._bucket(channel(each), now), yields=yields(each))
        return found

    def being_told(self) -> list[str]:
        """Who has a message under way, as `key`s: what else there is for them waits until it is known what came of
        that, so that it can be told together. What is worse than that message does not."""
        with self._mutex:
            return list(self._being_told)

    def begin(self, lane: str, party: str, rank: int, now: datetime) -> None:
        with self._mutex:
            self._in_flight[lane] += 1
            if party:
                self._being_told += _keys(lane, party, rank)
            self._take(lane, now, 1)

    def end(self, lane: str, party: str, rank: int, now: datetime, *, messages: int) -> None:
        """`messages` were handed over, or tried; one was reckoned with at the beginning."""
        with self._mutex:
            self._in_flight -= Counter({lane: 1})
            if party:
                self._being_told -= _keys(lane, party, rank)
            if messages != 1:
                self._take(lane, now, messages - 1)

    def _senders(self, lane: str) -> int:
        if lane == ENGINE_LANE:
            return ENGINE_ROOM
        return (YIELDING_SENDS_AT_ONCE_MAX if yields(lane) else SENDS_AT_ONCE_MAX) - self._in_flight[lane]

    def _tokens(self, lane: str, now: datetime) -> int:
        if channel(lane) not in self._rates:
            return ENGINE_ROOM
        return budgets.room(self._bucket(channel(lane), now), yields=yields(lane))

    def _take(self, lane: str, now: datetime, messages: int) -> None:
        name = channel(lane)
        if name in self._rates:
            self._buckets[name] = budgets.taken(self._bucket(name, now), messages)

    def _bucket(self, name: str, now: datetime) -> Bucket:
        rate = self._rates[name] / self._engines
        there = self._buckets.get(name)
        self._buckets[name] = budgets.full(rate, now) if there is None else budgets.filled(there, now, rate)
        return self._buckets[name]


def _keys(lane: str, party: str, rank: int) -> Counter[str]:
    return Counter(key(lane, party, each) for each in range(rank, RANK_MAX + 1))
