"""Handing over all that waits for one person on one channel: each page its own transactions, one send for them all.

Every page is begun before the send and recorded after it, in a transaction of its own. Whatever dies in between, a
page of a message that told of many is in the same case as any other: nobody knows whether it arrived, so it is sent
again and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config import logs
from config.database import Database
from escalation.channels.base import Channel, ChannelError, Message, Sent
from escalation.journal import Journal
from escalation.paging import bundling, delivery, lanes
from escalation.paging.delivery import Company, Handover, Held
from escalation.paging.timers import Claimed

log = logs.get("engine")

Guard = Callable[[Sequence[Claimed], datetime, Callable[[], None]], None]
Begun = tuple[Claimed, Handover]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address, and the pages that it tells of; the first carries the others."""

    pages: Sequence[Begun]
    message: Message

    @property
    def carrier(self) -> Handover:
        return self.pages[0][1]


class HandingOver:
    """`windows`: how long, in seconds, a message on a channel is followed by silence, where that is not the usual
    time. `guard` does something for claims and survives any fault of it."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        journal: Journal,
        *,
        read_clock: Callable[[], datetime],
        guard: Guard,
        windows: Mapping[str, float],
    ) -> None:
        self._database, self._channels, self._journal = database, channels, journal
        self._read_clock, self._guard, self._windows = read_clock, guard, windows

    def hand_over(
        self, group: Sequence[Claimed], now: datetime, told: Callable[[Handover, datetime, bool], None]
    ) -> int:
        """How many messages were handed to the provider, or refused by it. `told` is called for each page."""
        letters = _letters(self._begun(group, now))
        for letter in letters:
            self._send(letter, now, told)
        return len(letters)

    def _begun(self, group: Sequence[Claimed], now: datetime) -> list[Begun]:
        """Begin with the most urgent page, which decides whether they are held; the others follow by incident."""
        waiting = list(group)
        window_seconds = bundling.window_seconds(lanes.channel(group[0].lane), self._windows)
        begun: list[Begun] = []
        while waiting and not begun:
            first = waiting[0]
            company = Company(waiting, window_seconds)
            with self._database.transaction() as session:
                found = delivery.begin(session, self._journal, first, now, company=company)
            if isinstance(found, Held):
                return []
            if found is not None:
                begun.append((first, found))
            waiting = waiting[1:]
        for claimed in sorted(waiting, key=lambda each: (each.incident_id or 0, each.id)):
            # One that cannot be begun comes again by itself; the others do not wait for it.
            self._guard([claimed], now, lambda claimed=claimed: self._begin_beside(claimed, begun, now))  # type: ignore[misc]  # the default binds the loop's value
        return begun

    def _begin_beside(self, claimed: Claimed, begun: list[Begun], now: datetime) -> None:
        carrier_id = begun[0][1].page_id
        with self._database.transaction() as session:
            found = delivery.begin(session, self._journal, claimed, now, carrier_id=carrier_id)
        if isinstance(found, Handover):
            begun.append((claimed, found))

    def _send(self, letter: Letter, now: datetime, told: Callable[[Handover, datetime, bool], None]) -> None:
        carrier = letter.carrier
        error: ChannelError | None = None
        sent = Sent()
        try:
            sent = channel(self._channels, carrier.channel).send(carrier.address, letter.message)
        except ChannelError as refused:
            error = refused
            log.warning("page not taken", page=carrier.page_id, channel=carrier.channel, error=str(error))
        at = self._read_clock()
        for claimed, handover in letter.pages:
            self._guard(
                [claimed],
                now,
                lambda claimed=claimed, handover=handover: self._record(letter, claimed, handover, error or sent, at),  # type: ignore[misc]  # as above
            )
            told(handover, at, error is None)

    def _record(
        self, letter: Letter, claimed: Claimed, handover: Handover, outcome: Sent | ChannelError, at: datetime
    ) -> None:
        with self._database.transaction() as session:
            if isinstance(outcome, ChannelError):
                delivery.record_failure(session, self._journal, claimed, handover, outcome, at)
                return
            delivery.record_sent(
                session,
                self._journal,
                claimed,
                handover,
                outcome,
                at,
                carrier=None if handover is letter.carrier else letter.carrier,
                incidents=1 + len(letter.message.others),
            )


def channel(channels: Mapping[str, Channel], name: str) -> Channel:
    if name not in channels:
        raise ChannelError(f"{name} is not configured here.", permanent=True, code="not_configured")
    return channels[name]


def _letters(begun: Sequence[Begun]) -> list[Letter]:
    """One for each address: somebody may have two telephones."""
    by_address: dict[str, list[Begun]] = {}
    for each in begun:
        by_address.setdefault(each[1].address, []).append(each)
    return [
        Letter(
            pages, pages[0][1].message if len(pages) == 1 else bundling.one_message([one.message for _, one in pages])
        )
        for pages in by_address.values()
    ]
