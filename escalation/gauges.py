"""Figures about paging that must be right whichever process answers: read from the database, not counted in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.database import Database
from config.health import Readiness
from escalation.models import Attempt, EnginePulse, Page, Timer
from escalation.paging import reconciled

ENGINE_SILENT_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class EngineState:
    engines: int  # that have given a sign of life lately
    lag_seconds: float  # how late the oldest due timer is, seen from here
    parked: int
    oldest_started_at: datetime | None = None  # of those engines


def engine_state(session: Session, now: datetime) -> EngineState:
    engines, started_at = session.execute(
        select(func.count(), func.min(EnginePulse.started_at)).where(EnginePulse.seen_at > now - ENGINE_SILENT_AFTER)
    ).one()
    oldest = session.scalar(select(func.min(Timer.visible_at)).where(Timer.parked_at.is_(None)))
    parked = session.scalar(select(func.count()).where(Timer.parked_at.is_not(None))) or 0
    lag = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    return EngineState(engines, lag, parked, started_at)


def pages_by_state(session: Session) -> dict[tuple[str, str], int]:
    """(channel, state) -> how many pages there have been."""
    rows = session.execute(select(Page.channel, Page.state, func.count()).group_by(Page.channel, Page.state))
    return {(channel, state): count for channel, state, count in rows}


def attempts_by_outcome(session: Session) -> dict[str, int]:
    rows = session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome))
    return {outcome or "in flight": count for outcome, count in rows}


def readiness_at(session: Session, now: datetime) -> Readiness:
    """Whether somebody relying on being paged may do so: an engine keeps up, and the reconciler vouches for it."""
    state = engine_state(session, now)
    newest = reconciled.newest(session, now)
    return Readiness(
        database_ok=True,
        engine_lag_seconds=state.lag_seconds,
        engines=state.engines,
        engine_age_seconds=(now - state.oldest_started_at).total_seconds() if state.oldest_started_at else 0.0,
        timers_parked=state.parked,
        reconciliation=newest.state,
        reconciled_at=newest.at,
        unmended=len(newest.unmended),
    )


def readiness(database: Database, read_clock: Callable[[], datetime]) -> Callable[[], Readiness]:
    def ask() -> Readiness:
        with database.reading() as session:
            return readiness_at(session, read_clock())

    return ask


def collector(database: Database, read_clock: Callable[[], datetime]) -> Callable[[], Iterable[Metric]]:
    def collect() -> Iterable[Metric]:
        now = read_clock()
        with database.reading() as session:
            state = engine_state(session, now)
            newest = reconciled.newest(session, now)
            pages = pages_by_state(session)
            attempts = attempts_by_outcome(session)
        yield GaugeMetricFamily("tocsin_engines", "Engines that gave a sign of life lately", state.engines)
        yield GaugeMetricFamily("tocsin_engine_lag_seconds", "How late the oldest due timer is", state.lag_seconds)
        yield GaugeMetricFamily("tocsin_timers_parked", "Timers put aside because they kept failing", state.parked)
        yield from _of_reconciliation(newest, now)
        by_state = GaugeMetricFamily("tocsin_pages", "Pages there have been", labels=("channel", "state"))
        for labels, count in pages.items():
            by_state.add_metric(labels, count)
        yield by_state
        by_outcome = GaugeMetricFamily("tocsin_page_attempts", "Tries to hand a page over", labels=("outcome",))
        for outcome, count in attempts.items():
            by_outcome.add_metric([outcome], count)
        yield by_outcome

    return collect


def _of_reconciliation(newest: reconciled.Reconciled, now: datetime) -> Iterable[Metric]:
    sound = newest.state in (reconciled.PASSED, reconciled.REPAIRED)
    yield GaugeMetricFamily(
        "tocsin_reconciliation_passed", "Whether nothing is wrong that nobody has put right, as of lately", int(sound)
    )
    if newest.at is not None:
        age = max(0.0, (now - newest.at).total_seconds())
        yield GaugeMetricFamily("tocsin_reconciliation_age_seconds", "How long ago the reconciler looked", age)
    found = CounterMetricFamily("tocsin_reconciliation_findings", "What the reconciler has ever found")
    found.add_metric([], newest.found_total)
    yield found
