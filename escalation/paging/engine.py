"""One tick: claim what is due, advance escalations, hand over pages, edit messages. Keeps no durable state."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from config import logs
from config.clock import monotonic_seconds
from config.database import Database
from escalation import addresses, escalate
from escalation.channels.base import Channel, ChannelError
from escalation.journal import Journal
from escalation.models import TimerKind
from escalation.paging import bundling, delivery, handing_over, showing, timers
from escalation.paging.delivery import Handover
from escalation.paging.handing_over import HandingOver
from escalation.paging.lanes import Lanes
from escalation.paging.timers import Claimed

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
    each, which finishes its timer; `errands` call somebody. `rates` are the providers' budgets (`Lanes`), `windows`
    the times in which pages to one person are told together (`HandingOver`), where they are not the usual ones.
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
        rates: Mapping[str, float] | None = None,
        windows: Mapping[str, float] | None = None,
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
        self.lanes = Lanes(rates)
        self._handing_over = HandingOver(
            database, channels, journal, read_clock=read_clock, guard=self._guarded, windows=windows or {}
        )
        self._pages_done = threading.Condition()
        self._pages_under_way = 0

    def tick(self, now: datetime) -> int:
        """Act on what is due at `now`; how many timers were claimed. Costs one indexed read when nothing is due."""
        rooms, being_told = self.lanes.rooms(now), self.lanes.being_told()
        with self._database.reading() as session:
            due_at = timers.next_due_at(session, rooms, being_told)
        if due_at is None or due_at > now:
            return 0
        with self._database.transaction() as session:
            claimed = timers.claim(session, self.name, now, rooms=rooms, being_told=being_told)
        for group in _groups(claimed):
            self._act(group, now)
        return len(claimed)

    def next_due_at(self) -> datetime | None:
        """When there is something to do for this engine; a lane whose budget is spent has nothing until it is not."""
        now = self._read_clock()
        rooms, being_told = self.lanes.rooms(now), self.lanes.being_told()
        with self._database.reading() as session:
            found = [timers.next_due_at(session, rooms, being_told)]
            for lane, opens_at in self.lanes.spent(now).items():
                due_at = timers.next_due_at(session, [lane], being_told)
                found.append(max(due_at, opens_at) if due_at else None)
        return min((each for each in found if each), default=None)

    def _act(self, group: Sequence[Claimed], now: datetime) -> None:
        first = group[0]
        if first.tries > timers.TRIES_MAX:
            self._guarded(group, now, lambda: self._park(first, now))
        elif act := self._acts.get(first.kind):
            self._guarded(group, now, lambda: self._in_one_transaction(act, first, now))
        else:
            self.lanes.begin(first.lane, first.party, first.rank, now)
            with self._pages_done:
                self._pages_under_way += first.kind is TimerKind.DELIVER
            self._submit(lambda: self._send(group, now))

    def _in_one_transaction(self, act: Act, timer: Claimed, now: datetime) -> None:
        with self._database.transaction() as session:
            act(session, timer, now)

    def _advance(self, session: Session, timer: Claimed, now: datetime) -> None:
        escalate.advance(session, self._journal, timer, now)

    def _send(self, group: Sequence[Claimed], now: datetime) -> None:
        first = group[0]
        messages = [1]  # what was reckoned with when it began; less if there was nothing to say
        try:
            if first.kind is TimerKind.DELIVER:
                self._guarded(group, now, lambda: self._deliver(group, now, messages))
            else:
                self._let_pages_pass()
                send = self._show if first.kind is TimerKind.SHOW else self._run_errand
                self._guarded(group, now, lambda: send(first, now))
        finally:
            self.lanes.end(first.lane, first.party, first.rank, now, messages=messages[0])
            with self._pages_done:
                self._pages_under_way -= first.kind is TimerKind.DELIVER
                self._pages_done.notify_all()

    def _let_pages_pass(self) -> None:
        """An announcement waits a moment for pages that are being handed over: both want the same processor."""
        with self._pages_done:
            self._pages_done.wait_for(lambda: not self._pages_under_way, timeout=LET_PASS_SECONDS)

    def _deliver(self, group: Sequence[Claimed], now: datetime, messages: list[int]) -> None:
        messages[0] = self._handing_over.hand_over(group, now, self._observe)

    def _observe(self, handover: Handover, at: datetime, taken: bool) -> None:
        if self._observer and taken:
            self._observer.page_handed_over(handover.channel, (at - handover.due_at).total_seconds())
        elif self._observer:
            self._observer.page_failed(handover.channel)

    def _show(self, timer: Claimed, now: datetime) -> None:
        with self._database.transaction() as session:
            edit = showing.begin(session, timer)
        if edit is None:
            return
        channel = None
        try:
            channel = handing_over.channel(self._channels, edit.channel)
            if edit.ref:
                current, *earlier = edit.refs()
                sent = channel.update(edit.address, current, edit.message)
                for ref in earlier:
                    with contextlib.suppress(ChannelError):  # the newest one is what people go by
                        channel.update(edit.address, ref, edit.message)
            else:
                sent = channel.send(edit.address, edit.message)
        except ChannelError as error:
            with self._database.transaction() as session:
                showing.record_failure(session, self._journal, timer, edit, error, self._read_clock())
            log.warning(
                "message not shown",
                channel=edit.channel,
                where=addresses.shown(edit.channel, edit.address),
                error=str(error),
            )
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

    def _guarded(self, group: Sequence[Claimed], now: datetime, act: Callable[[], None]) -> None:
        """The one place that survives any fault: it is logged, and the timers are tried again after a while."""
        started = monotonic_seconds()
        first = group[0]
        try:
            act()
        except DBAPIError as error:
            # The database went away or chose this transaction as a deadlock's victim; the lease brings it back.
            log.warning("timer put off by the database", timer=first.id, kind=first.kind, error=str(error.orig))
            self._put_back(group, now, str(error.orig))
        except Exception as error:
            log.exception("timer failed", timer=first.id, kind=first.kind, seconds=monotonic_seconds() - started)
            self._put_back(group, now, repr(error))

    def _put_back(self, group: Sequence[Claimed], now: datetime, error: str) -> None:
        try:
            with self._database.transaction() as session:
                for timer in group:
                    wait = timedelta(seconds=min(CRASH_BACKOFF_SECONDS_MAX, 2 ** min(timer.tries, 6) / 2))
                    timers.put_back(session, timer, now + wait, error=error)
        except (DBAPIError, PoolTimeoutError) as again:
            log.warning("timer waits for its lease to end", timer=group[0].id, error=str(again))

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


def _groups(claimed: Sequence[Claimed]) -> list[list[Claimed]]:
    """What is acted on together: pages to one person on one channel; everything else is by itself."""
    found: dict[object, list[Claimed]] = {}
    for timer in claimed:
        together = timer.kind is TimerKind.DELIVER and timer.party and timer.tries <= bundling.ALONE_AFTER_TRIES
        found.setdefault((timer.lane, timer.party) if together else timer.id, []).append(timer)
    return list(found.values())
