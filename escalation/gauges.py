"""Figures about paging that must be right whichever process answers: read from the database, not counted in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.database import Database
from config.health import Readiness
from escalation.models import Attempt, EnginePulse, Page, Timer

ENGINE_SILENT_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class EngineState:
    engines: int  # that have given a sign of life lately
    lag_seconds: float  # how late the oldest due timer is, seen from here
    parked: int


def engine_state(session: Session, now: datetime) -> EngineState:
    engines = session.scalar(select(func.count()).where(EnginePulse.seen_at > now - ENGINE_SILENT_AFTER)) or 0
    oldest = session.scalar(select(func.min(Timer.visible_at)).where(Timer.parked_at.is_(None)))
    parked = session.scalar(select(func.count()).where(Timer.parked_at.is_not(None))) or 0
    lag = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    return EngineState(engines, lag, parked)


def pages_by_state(session: Session) -> dict[tuple[str, str], int]:
    """(channel, state) -> how many pages there have been."""
    rows = session.execute(select(Page.channel, Page.state, func.count()).group_by(Page.channel, Page.state))
    return {(channel, state): count for channel, state, count in rows}


def attempts_by_outcome(session: Session) -> dict[str, int]:
    rows = session.execute(select(Attempt.outcome, func.count()).group_by(Attempt.outcome))
    return {outcome or "in flight": count for outcome, count in rows}


def readiness(database: Database, read_clock: Callable[[], datetime]) -> Callable[[], Readiness]:
    """Whether somebody relying on being paged may do so: the database answers, and an engine keeps up."""

    def ask() -> Readiness:
        with database.reading() as session:
            state = engine_state(session, read_clock())
        return Readiness(database_ok=True, engine_lag_seconds=state.lag_seconds, engines=state.engines)

    return ask


def collector(database: Database, read_clock: Callable[[], datetime]) -> Callable[[], Iterable[Metric]]:
    def collect() -> Iterable[Metric]:
        with database.reading() as session:
            state = engine_state(session, read_clock())
            pages = pages_by_state(session)
            attempts = attempts_by_outcome(session)
        yield GaugeMetricFamily("tocsin_engines", "Engines that gave a sign of life lately", state.engines)
        yield GaugeMetricFamily("tocsin_engine_lag_seconds", "How late the oldest due timer is", state.lag_seconds)
        yield GaugeMetricFamily("tocsin_timers_parked", "Timers put aside because they kept failing", state.parked)
        by_state = GaugeMetricFamily("tocsin_pages", "Pages there have been", labels=("channel", "state"))
        for labels, count in pages.items():
            by_state.add_metric(labels, count)
        yield by_state
        by_outcome = GaugeMetricFamily("tocsin_page_attempts", "Tries to hand a page over", labels=("outcome",))
        for outcome, count in attempts.items():
            by_outcome.add_metric([outcome], count)
        yield by_outcome

    return collect
