"""Is the process alive (`/healthz`), and can this Tocsin page people (`/readyz`)?

A load balancer looks at `/healthz`: a web process whose engine is late must go on taking alerts and acknowledgements.
Monitoring looks at `/readyz`, which says in words what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, Response, jsonify

from config import clock, http, security

ENGINE_LAG_SECONDS_MAX = 30.0
MINUTES_FROM_SECONDS, MINUTES_MAX = 600, 180  # how a lag is worded
NEVER_RECONCILED_SECONDS_MAX = 60.0
START_IT = "`tocsin reconcile --loop` runs beside every engine that `tocsin up` did not start."


@dataclass(frozen=True, slots=True)
class Readiness:
    """`engines`: how many were seen lately, the eldest `engine_age_seconds` ago. `engine_lag_seconds`: by how much the
    most overdue timer is late; 0: none is; None: not known. `reconciliation`: passed, repaired, failed, stale, never;
    empty: not known. `unmended`: how much it found that only people can put right."""

    database_ok: bool
    engine_lag_seconds: float | None = None
    engines: int = 0
    engine_age_seconds: float = 0.0
    timers_parked: int = 0
    reconciliation: str = ""
    reconciled_at: datetime | None = None
    unmended: int = 0

    @property
    def reasons(self) -> list[str]:
        """Why nobody should rely on being paged; empty when all is well."""
        if not self.database_ok:
            return ["The database does not answer."]
        found = []
        if self.engines == 0:
            found.append("No engine has been seen lately: nobody is being paged. Start `tocsin engine`.")
        if self.engine_lag_seconds is not None and self.engine_lag_seconds > ENGINE_LAG_SECONDS_MAX:
            found.append(f"The engine is {_lately(self.engine_lag_seconds)} late: pages go out late.")
        if self.timers_parked:
            many = f"{self.timers_parked} timers were" if self.timers_parked > 1 else "A timer was"
            found.append(f"{many} put aside because acting on it kept failing; the engine's log says how.")
        return [*found, *self._of_reconciliation()]

    def _of_reconciliation(self) -> list[str]:
        if self.reconciliation == "failed":
            what = f"{self.unmended} things" if self.unmended != 1 else "one thing"
            return [
                f"The reconciler found {what} that only people can put right: `tocsin reconcile --check` says what."
            ]
        if self.reconciliation == "stale" and self.reconciled_at is not None:
            return [f"The reconciler has not looked since {self.reconciled_at:%Y-%m-%d %H:%M:%S} UTC. {START_IT}"]
        if self.reconciliation == "never" and self.engine_age_seconds > NEVER_RECONCILED_SECONDS_MAX:
            return [f"The reconciler has never looked. {START_IT}"]
        return []


def install(app: Flask, readiness: Callable[[], Readiness]) -> None:
    """`readiness` asks the database, briefly."""

    @app.get("/healthz")
    @security.public
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    @security.public
    def readyz() -> tuple[Response, int]:
        try:
            found = readiness()
        except http.DATABASE_AWAY:
            found = Readiness(database_ok=False)
        answer = jsonify(
            status="not ready" if found.reasons else "ready",
            reasons=found.reasons,
            database="ok" if found.database_ok else "away",
            engine_lag_seconds=found.engine_lag_seconds,
            engines=found.engines,
            timers_parked=found.timers_parked,
            reconciliation=found.reconciliation,
            reconciled_at=clock.utc_text(found.reconciled_at) if found.reconciled_at else None,
        )
        return answer, 503 if found.reasons else 200


def _lately(seconds: float) -> str:
    """In seconds while they say something, then in minutes, then in hours."""
    if seconds < MINUTES_FROM_SECONDS:
        return f"{seconds:.0f} seconds"
    minutes = int(seconds // 60)
    return f"{minutes} minutes" if minutes < MINUTES_MAX else f"{minutes // 60} hours"
