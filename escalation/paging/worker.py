"""The engine's process: sleeps until the next timer is due, wakes at news, and sweeps. APScheduler keeps the beat.

The scheduler's job store is in memory and only ticks; everything durable is a row in `timers`.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from config import clock, logs, news
from config.database import Database
from escalation.models import EnginePulse
from escalation.paging import timers, watchdog
from escalation.paging.engine import Engine, Submit
from escalation.paging.lanes import SENDERS_MAX

TICK_SECONDS = 1.0
PULSE_SECONDS = 2.0
PULSE_FORGOTTEN_AFTER = timedelta(hours=1)
ALIVE_WITHIN = timedelta(seconds=10)  # an engine that gave a sign of life has its part of the budgets
TICKS_IN_A_ROW_MAX = 1_000

log = logs.get("worker")


def engine_name() -> str:
    """host:pid:start, so that a restarted engine never takes its dead self's claims for its own."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}:{_started(os.getpid())}"


class Worker:
    """`build` makes the engine around the worker's own pool of senders; `begin` sets the timers that are always there;
    `ping` tells a watchdog that all is well."""

    def __init__(
        self,
        database: Database,
        build: Callable[[Submit], Engine],
        *,
        begin: Callable[[Session, datetime], None] = lambda _session, _now: None,
        ping: Callable[[], object] | None = None,
    ) -> None:
        self._database = database
        self._begin = begin
        self._pool = ThreadPoolExecutor(SENDERS_MAX, thread_name_prefix="send")
        self._engine = build(self._send)
        self._stopping = threading.Event()
        self._ticking = threading.Lock()
        self._asked = threading.Event()
        self._started_at = clock.now()
        self._ping = ping
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def run(self) -> None:
        """Until `stop`. Timers whose engines on this machine are dead are taken over first."""
        self._take_over()
        self._scheduler.add_job(self.tick, "interval", seconds=TICK_SECONDS, id="tick")
        self._scheduler.add_job(self.pulse, "interval", seconds=PULSE_SECONDS, id="pulse")
        if self._ping is not None:
            first_at = self._started_at + timedelta(seconds=watchdog.FIRST_AFTER_SECONDS)
            self._scheduler.add_job(
                self._ping, "interval", seconds=watchdog.EVERY_SECONDS, next_run_time=first_at, id="watchdog"
            )
        self._scheduler.start()
        self.pulse()
        listener = news.listener(self._database)
        try:
            while not self._stopping.is_set():
                self.tick()
                listener.wait(self._sleep_seconds())
        finally:
            listener.close()
            self._scheduler.shutdown(wait=True)
            self._pool.shutdown(wait=True)  # what is on its way to a provider is recorded before we go
            self._forget()

    def stop(self) -> None:
        self._stopping.set()

    def _send(self, send: Callable[[], None]) -> None:
        self._pool.submit(self._send_and_look, send)

    def _send_and_look(self, send: Callable[[], None]) -> None:
        send()
        self.tick()  # a lane is free again, or a failure has made something else due

    def tick(self) -> None:
        """Act until nothing is due. Two ticks never run at once in a process: who comes meanwhile has the first one
        look once more, for a lane or a person may have become free since it looked."""
        self._asked.set()
        while self._asked.is_set() and self._ticking.acquire(blocking=False):
            self._asked.clear()
            try:
                self._act()
            finally:
                self._ticking.release()

    def _act(self) -> None:
        try:
            for _ in range(TICKS_IN_A_ROW_MAX):
                if self._stopping.is_set() or not self._engine.tick(clock.now()):
                    break
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("the database does not answer; the next tick tries again", error=str(error))
            self._stopping.wait(TICK_SECONDS / 4)

    def pulse(self) -> None:
        """Say that this engine lives, and how late the oldest due timer is."""
        now = clock.now()
        try:
            due_at = self._engine.next_due_at()
            lag = max(0.0, (now - due_at).total_seconds()) if due_at else 0.0
            with self._database.transaction() as session:
                insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
                said = {"seen_at": now, "lag_seconds": lag}
                row = insert(EnginePulse).values(name=self._engine.name, started_at=self._started_at, **said)
                session.execute(row.on_conflict_do_update(index_elements=["name"], set_=said))
                session.execute(delete(EnginePulse).where(EnginePulse.seen_at < now - PULSE_FORGOTTEN_AFTER))
                alive = select(func.count()).where(EnginePulse.seen_at > now - ALIVE_WITHIN)
                self._engine.lanes.share(session.scalar(alive) or 1)
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("pulse not recorded", error=str(error))

    def _sleep_seconds(self) -> float:
        try:
            due_at: datetime | None = self._engine.next_due_at()
        except (DBAPIError, PoolTimeoutError):
            return TICK_SECONDS
        if due_at is None:
            return TICK_SECONDS
        return min(TICK_SECONDS, max(0.0, (due_at - clock.now()).total_seconds()))

    def _take_over(self) -> None:
        """An engine that died on this machine left claims behind; nobody need wait for their leases to end."""
        now = clock.now()
        with self._database.transaction() as session:
            names = session.scalars(select(EnginePulse.name)).all()
            dead = [name for name in names if _is_dead(name)]
            released = timers.release(session, dead, now)
            session.execute(delete(EnginePulse).where(EnginePulse.name.in_(dead)))
            self._begin(session, now)
        if dead:
            log.info("took over from engines that ended", engines=dead, timers=released)

    def _forget(self) -> None:
        try:
            with self._database.transaction() as session:
                session.execute(delete(EnginePulse).where(EnginePulse.name == self._engine.name))
        except (DBAPIError, PoolTimeoutError) as error:
            log.warning("could not sign off", error=str(error))


def _is_dead(name: str) -> bool:
    """Whether an engine of this machine has certainly ended; of other machines nothing is known."""
    host, _, rest = name.partition(":")
    pid, _, started = rest.partition(":")
    if host != socket.gethostname()[:80] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """The process's start in clock ticks since boot, where the system tells; tells a reused pid apart."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
