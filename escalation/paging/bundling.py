"""When many pages wait for one person: what is said at once, what is held for a moment and told together. Pure.

The first messages of a run go at once, one by one. After them, what comes shortly after the last message is held to
the end of a window that began with it, and told in one message. A page that is worse than everything the person was
told in this run goes at once whatever came before; and none is held longer than one window after it was due. Pages
are measured against pages alone: what a person is merely notified of never delays a page, and neither does another
channel or another person's message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config import per_channel
from escalation import brief
from escalation.channels.base import Message

BURST_MESSAGES = 2
RUN_SECONDS = 300  # a run is what somebody was told, on one channel, in the last five minutes
OTHERS_MAX = 200  # pages that one message tells of besides the first
ALONE_AFTER_TRIES = 3  # a page whose claims keep ending badly is handed over alone: it may be what kills the engine


@dataclass(frozen=True, slots=True)
class Told:
    """What this person was told lately on this channel, in messages of this kind. `worst`: the lowest rank of it."""

    messages: int = 0
    last_at: datetime | None = None
    worst: int | None = None


NOTHING = Told()


def window_seconds(channel: str, configured: Mapping[str, float]) -> float:
    """How long a message is followed by silence: about as long as it takes to read, or to hear."""
    return configured.get(channel, per_channel.WINDOWS.usual.get(channel, 0.0))


def held_until(told: Told, rank: int, due_at: datetime, now: datetime, window_seconds: float) -> datetime | None:
    """Until when a page of this rank waits for company; None: it goes now."""
    if told.messages < BURST_MESSAGES or told.last_at is None:
        return None
    if told.worst is None or rank < told.worst:
        return None
    window = timedelta(seconds=window_seconds)
    until = min(told.last_at + window, due_at + window)
    # A clock that was set back must not make the window longer.
    return until if now < until <= now + window else None


def one_message(pages: Sequence[Message]) -> Message:
    """What tells of all these pages to one person; `pages` begins with the one that carries the others.

    Several pages about one incident (two steps of the person's rules that fell due together) are one line in it.
    """
    by_incident = {each.brief.incident_id: each for each in reversed(pages)}
    worst, *others = sorted(
        by_incident.values(),
        key=lambda each: (brief.rank(each.brief.incident_class, each.brief.severity), each.brief.incident_id),
    )
    return replace(
        pages[0],
        brief=worst.brief,
        standing=worst.standing,
        level=max(each.level for each in pages),
        repeat=any(each.repeat for each in pages),
        last_resort=any(each.last_resort for each in pages),
        others=tuple(each.brief for each in others),
    )
