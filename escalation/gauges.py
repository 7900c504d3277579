"""Figures about paging that must be right whichever process answers: read from the database, not counted in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escalation.models import Attempt, EnginePulse, Page, Timer

ENGINE_SILENT_AFTER = timedelta(seconds=10)
LAG_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class EngineState:
    engines: int  # that have given a sign of life lately
    lag_seconds: float  # how late the oldest due timer is, seen from here
    parked: int

    @property
    def problems(self) -> list[str]:
        found = []
        if not self.engines:
            found.append("No engine has given a sign of life in the last 10 s. Start one with `tocsin engine`.")
        if self.lag_seconds > LAG_SECONDS_MAX:
            found.append(f"The oldest due timer is {self.lag_seconds:.1f} s late; pages are being delayed.")
        return found


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
