"""The reconciler's rounds: look, mend, keep what was found, and tell administrators. Runs beside the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import text

from config import http, logs
from config.database import Database
from escalation import alarm_words
from escalation.alarms import Alarms
from escalation.findings import Finding, Kind, Outcome
from escalation.paging import reconcile
from escalation.paging.models import Reconciliation
from incidents import reconciling
from incidents.desk import Desk

EVERY_SECONDS = 15.0
AGAIN_SECONDS = 5.0  # while something stands
LOCK = 7_166_003  # of PostgreSQL's advisory locks: whoever holds it is at work
STUCK_AFTER = timedelta(seconds=60)  # then another looks all the same; each finding is looked at under its lock anyway
KEPT_FINDINGS_MAX = 100
ROW = 1
MAY_PASS = frozenset({Kind.ENGINE_NONE, Kind.DATABASE_AWAY})  # a restart takes a moment

log = logs.get("reconciler")


class Reconciler:
    """`patience`: for how long what MAY_PASS does so before people are told; by default until the next round."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        alarms: Alarms,
        *,
        every_seconds: float = EVERY_SECONDS,
        patience: timedelta | None = None,
    ) -> None:
        self._database = database
        self._desk = desk
        self._alarms = alarms
        self._every_seconds = every_seconds
        self._patience = timedelta(seconds=every_seconds) if patience is None else patience
        self._recorded_at: datetime | None = None
        self._told: dict[str, str] | None = None  # None: as the database has it
        self._since: dict[Kind, datetime] = {}  # of MAY_PASS

    def run(self, stopping: threading.Event, read_clock: Callable[[], datetime]) -> None:
        """Round after round, until `stopping` is set. Survives whatever happens in one."""
        while not stopping.is_set():
            wait = AGAIN_SECONDS
            try:
                outcomes = self.turn(read_clock())
                if all(outcome.done for outcome in outcomes):
                    wait = self._every_seconds
            except Exception:
                log.exception("a round of the reconciler failed")
            stopping.wait(min(wait, self._every_seconds))

    def turn(self, now: datetime) -> list[Outcome]:
        """One round of a loop; nothing when another machine's is at it or has just been."""
        try:
            with _alone(self._database) as alone:
                return [] if self._is_done_elsewhere(now, alone=alone) else self.look(now)
        except http.DATABASE_AWAY as error:
            log.warning("the reconciler cannot look: the database does not answer", error=str(error))
            return self._without_database(now)

    def look(self, now: datetime) -> list[Outcome]:
        """Look at everything, mend what can be, keep the result, tell of it. Raises when the database is away."""
        with self._database.reading() as session:
            self._alarms.remember(session, now)
            engines = reconcile.engines(session, now)
        outcomes = [*map(Outcome, engines), *reconciling.run(self._database, self._desk, now)]
        for outcome in outcomes:
            log.error(
                "the reconciler found something",
                kind=outcome.finding.kind.value,
                incident=outcome.finding.incident_id,
                text=outcome.finding.text,
                done=outcome.done or "nothing could be",
            )
        told_before = self._told if self._told is not None else self._stored_told()
        told = self._tell(outcomes, told_before, now)
        self._record(outcomes, told, now)
        self._told = None
        return outcomes

    def _tell(self, outcomes: list[Outcome], told: dict[str, str], now: datetime) -> dict[str, str]:
        for kind in MAY_PASS - {outcome.finding.kind for outcome in outcomes}:
            self._since.pop(kind, None)
        lasting = [outcome for outcome in outcomes if self._lasts(outcome.finding.kind, now)]
        telling, after = alarm_words.decide(lasting, told, now)
        if telling is not None:
            self._alarms.tell(telling, now)
        elif all(outcome.done for outcome in lasting):
            self._alarms.rest()
        else:
            self._alarms.go_on(now)
        return after

    def _lasts(self, kind: Kind, now: datetime) -> bool:
        if kind not in MAY_PASS:
            return True
        return self._since.setdefault(kind, now) <= now - self._patience

    def _without_database(self, now: datetime) -> list[Outcome]:
        """Whoever was to be told when the database last answered is told that it does not."""
        away = Finding(
            Kind.DATABASE_AWAY, "The database does not answer: no alert is taken, and nobody is being paged."
        )
        outcomes = [Outcome(away)]
        self._told = self._tell(outcomes, self._told or {}, now)
        return outcomes

    def _is_done_elsewhere(self, now: datetime, *, alone: bool) -> bool:
        with self._database.reading() as session:
            newest = session.get(Reconciliation, ROW)
        if newest is None or newest.checked_at == self._recorded_at:
            return False
        age = now - newest.checked_at
        return age < timedelta(seconds=self._every_seconds / 2) or (not alone and age < STUCK_AFTER)

    def _stored_told(self) -> dict[str, str]:
        with self._database.reading() as session:
            newest = session.get(Reconciliation, ROW)
        return dict(newest.told) if newest is not None else {}

    def _record(self, outcomes: list[Outcome], told: dict[str, str], now: datetime) -> None:
        with self._database.transaction() as session:
            newest = session.get(Reconciliation, ROW, with_for_update=True)
            if newest is None:
                newest = Reconciliation(id=ROW, found_total=0)
                session.add(newest)
            newest.checked_at = now
            newest.passed = not outcomes
            newest.findings = [outcome.to_json() for outcome in outcomes[:KEPT_FINDINGS_MAX]]
            newest.found_total += len(outcomes)
            newest.told = told
        self._recorded_at = now


@contextmanager
def _alone(database: Database) -> Iterator[bool]:
    """Whether no other is at work on this PostgreSQL; on SQLite there is one machine, and two do no harm."""
    if database.is_sqlite:
        yield True
        return
    with database.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}))
        try:
            yield alone
        finally:
            if alone:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
