"""One tick: claim what is due, advance escalations, hand over pages, edit messages. Keeps no durable state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from config import logs
from config.clock import monotonic_seconds
from config.database import Database
from escalation import escalate
from escalation.channels.base import Channel, ChannelError
from escalation.journal import Journal
from escalation.models import TimerKind
from escalation.paging import delivery, showing, timers
from escalation.paging.timers import ENGINE_LANE, Claimed

BATCH_MAX = 100  # timers claimed in one statement
SENDS_AT_ONCE_MAX = 8  # in one lane: a slow provider holds up its own pages only
CRASH_BACKOFF_SECONDS_MAX = 60
LET_PASS_SECONDS = 0.05

log = logs.get("engine")

Submit = Callable[[Callable[[], None]], None]


class Observer(Protocol):
    """What the engine tells of itself for metrics."""

    def page_handed_over(self, channel: str, lateness_seconds: float) -> None: ...

    def page_failed(self, channel: str) -> None: ...

    def timer_parked(self, kind: str) -> None: ...


Act = Callable[[Session, Claimed, datetime], None]


class Errand(Protocol):
    """Something for a provider that is neither a page nor a living message: read, close, carry out, record."""

    def begin(self, session: Session, claimed: Claimed, now: datetime) -> Any:
        """What is to be carried out; None when there is nothing to do any more, and the timer is finished."""

    def carry_out(self, work: Any) -> Any:
        """Without a transaction, and within a bounded time. Raises ChannelError only."""

    def record(self, session: Session, claimed: Claimed, work: Any, outcome: Any, now: datetime) -> None:
        """`outcome` is what carry_out gave, or the ChannelError. Finishes the timer or puts it back."""


class Engine:
    """`read_clock` is read at the end of a send only; everything else uses the tick's `now`.

    `submit` runs a send: at once in tests and simulations, in a pool in the worker. `acts` are done in one transaction
    each, which finishes its timer; `errands` call somebody.
    """

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        journal: Journal,
        *,
        name: str,
        read_clock: Callable[[], datetime],
        submit: Submit,
        acts: Mapping[TimerKind, Act] | None = None,
        errands: Mapping[TimerKind, Errand] | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.name = name
        self._database = database
        self._channels = channels
        self._journal = journal
        self._read_clock = read_clock
        self._submit = submit
        self._acts = {TimerKind.ADVANCE: self._advance, **(acts or {})}
        self._errands = dict(errands or {})
        self._observer = observer
        self._in_flight: dict[str, int] = {}
        self._mutex = threading.Lock()
        self._pages_done = threading.Condition(self._mutex)
        self._pages_under_way = 0

    def tick(self, now: datetime) -> int:
        """Act on what is due at `now`; how many timers were claimed. Costs one indexed read when nothing is due."""
        lanes = self._free_lanes()
        due_at = self.next_due_at(lanes)
        if due_at is None or due_at > now:
            return 0
        with self._database.transaction() as session:
            claimed = timers.claim(session, self.name, now, lanes=lanes, limit=self._capacity(lanes))
        for timer in claimed:
            self._act(timer, now)
        return len(claimed)

    def next_due_at(self, lanes: list[str] | None = None) -> datetime | None:
        with self._database.reading() as session:
            return timers.next_due_at(session, lanes if lanes is not None else self._free_lanes())

    def _free_lanes(self) -> list[str]:
        with self._mutex:
            busy = {lane for lane, sends in self._in_flight.items() if sends >= SENDS_AT_ONCE_MAX}
        # A lane without a channel is served too: its pages fail at once and fall back.
        return [lane for lane in (ENGINE_LANE, *KNOWN_LANES) if lane not in busy]

    def _capacity(self, lanes: list[str]) -> int:
        """What can be begun now: claims must not wait in a queue while their leases run out."""
        with self._mutex:
            free = [SENDS_AT_ONCE_MAX - self._in_flight.get(lane, 0) for lane in lanes]
        return min(BATCH_MAX, min(free))

    def _act(self, timer: Claimed, now: datetime) -> None:
        if timer.tries > timers.TRIES_MAX:
            self._guarded(timer, now, lambda: self._park(timer, now))
        elif act := self._acts.get(timer.kind):
            self._guarded(timer, now, lambda: self._in_one_transaction(act, timer, now))
        else:
            with self._mutex:
                self._in_flight[timer.lane] = self._in_flight.get(timer.lane, 0) + 1
                self._pages_under_way += timer.kind is TimerKind.DELIVER
            self._submit(lambda: self._send(timer, now))

    def _in_one_transaction(self, act: Act, timer: Claimed, now: datetime) -> None:
        with self._database.transaction() as session:
            act(session, timer, now)

    def _advance(self, session: Session, timer: Claimed, now: datetime) -> None:
        escalate.advance(session, self._journal, timer, now)

    def _send(self, timer: Claimed, now: datetime) -> None:
        try:
            if timer.kind is TimerKind.DELIVER:
                self._guarded(timer, now, lambda: self._deliver(timer, now))
            else:
                self._let_pages_pass()
                send = self._show if timer.kind is TimerKind.SHOW else self._run_errand
                self._guarded(timer, now, lambda: send(timer, now))
        finally:
            with self._mutex:
                self._in_flight[timer.lane] -= 1
                self._pages_under_way -= timer.kind is TimerKind.DELIVER
                self._pages_done.notify_all()

    def _let_pages_pass(self) -> None:
        """An announcement waits a moment for pages that are being handed over: both want the same processor."""
        with self._pages_done:
            self._pages_done.wait_for(lambda: not self._pages_under_way, timeout=LET_PASS_SECONDS)

    def _deliver(self, timer: Claimed, now: datetime) -> None:
        with self._database.transaction() as session:
            handover = delivery.begin(session, self._journal, timer, now)
        if handover is None:
            return
        try:
            sent = self._channel(handover.channel).send(handover.address, handover.message)
        except ChannelError as error:
            at = self._read_clock()
            with self._database.transaction() as session:
                delivery.record_failure(session, self._journal, timer, handover, error, at)
            if self._observer:
                self._observer.page_failed(handover.channel)
            log.warning("page not taken", page=handover.page_id, channel=handover.channel, error=str(error))
            return
        at = self._read_clock()
        with self._database.transaction() as session:
            delivery.record_sent(session, self._journal, timer, handover, sent, at)
        if self._observer:
            self._observer.page_handed_over(handover.channel, (at - handover.due_at).total_seconds())

    def _show(self, timer: Claimed, now: datetime) -> None:
        with self._database.transaction() as session:
            edit = showing.begin(session, timer)
        if edit is None:
            return
        channel = None
        try:
            channel = self._channel(edit.channel)
            if edit.ref:
                sent = channel.update(edit.address, edit.ref, edit.message)
            else:
                sent = channel.send(edit.address, edit.message)
        except ChannelError as error:
            with self._database.transaction() as session:
                showing.record_failure(session, self._journal, timer, edit, error, self._read_clock())
            log.warning("message not shown", channel=edit.channel, address=edit.address, error=str(error))
            return
        with self._database.transaction() as session:
            showing.record_shown(session, self._journal, timer, edit, sent, self._read_clock())

    def _run_errand(self, timer: Claimed, now: datetime) -> None:
        errand = self._errands[timer.kind]
        with self._database.transaction() as session:
            work = errand.begin(session, timer, now)
        if work is None:
            return
        outcome: Any
        try:
            outcome = errand.carry_out(work)
        except ChannelError as error:
            outcome = error
            log.warning("errand failed", kind=timer.kind, lane=timer.lane, error=str(error))
        with self._database.transaction() as session:
            errand.record(session, timer, work, outcome, self._read_clock())

    def _channel(self, name: str) -> Channel:
        if name not in self._channels:
            raise ChannelError(f"{name} is not configured here.", permanent=True, code="not_configured")
        return self._channels[name]

    def _guarded(self, timer: Claimed, now: datetime, act: Callable[[], None]) -> None:
        """The one place that survives any fault: it is logged, and the timer is tried again after its lease."""
        started = monotonic_seconds()
        try:
            act()
        except DBAPIError as error:
            # The database went away or chose this transaction as a deadlock's victim; the lease brings it back.
            log.warning("timer put off by the database", timer=timer.id, kind=timer.kind, error=str(error.orig))
            self._put_back(timer, now, str(error.orig))
        except Exception as error:
            log.exception("timer failed", timer=timer.id, kind=timer.kind, seconds=monotonic_seconds() - started)
            self._put_back(timer, now, repr(error))

    def _put_back(self, timer: Claimed, now: datetime, error: str) -> None:
        wait = timedelta(seconds=min(CRASH_BACKOFF_SECONDS_MAX, 2 ** min(timer.tries, 6) / 2))
        try:
            with self._database.transaction() as session:
                timers.put_back(session, timer, now + wait, error=error)
        except (DBAPIError, PoolTimeoutError) as again:
            log.warning("timer waits for its lease to end", timer=timer.id, error=str(again))

    def _park(self, timer: Claimed, now: datetime) -> None:
        error = f"given up after {timer.tries - 1} claims that never ended"
        with self._database.transaction() as session:
            if timer.kind is TimerKind.DELIVER:
                delivery.give_up(session, self._journal, timer, error, now)
            timers.park(session, timer, now, error)
            self._tell_of_parked(session, timer, error, now)
        if self._observer:
            self._observer.timer_parked(timer.kind)
        log.error("timer parked", timer=timer.id, kind=timer.kind, incident=timer.incident_id, error=error)

    def _tell_of_parked(self, session: Session, timer: Claimed, error: str, now: datetime) -> None:
        if timer.incident_id is None:
            return
        text = f"A timer ({timer.kind}) was parked: {error}. An administrator must look at it."
        facts = {"timer": timer.id}
        self._journal(session, timer.incident_id, "timer.parked", text, occurred_at=now, payload=facts)


# Every channel a page or an announcement can wait for, configured here or not, and the teams' own endpoints.
KNOWN_LANES = ("slack", "sms", "voice", "email", "webhook", "apprise", "hook")
