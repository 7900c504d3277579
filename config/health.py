"""Is the process alive (`/healthz`), and can this Tocsin page people (`/readyz`)?

A load balancer looks at `/healthz`: a web process whose engine is late must go on taking alerts and acknowledgements.
Monitoring looks at `/readyz`, which says in words what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, jsonify

from config import http, security

ENGINE_LAG_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """`engines`: how many were seen lately. `engine_lag_seconds`: by how much the most overdue timer is late; 0: none
    is; None: not known."""

    database_ok: bool
    engine_lag_seconds: float | None = None
    engines: int = 0

    @property
    def reasons(self) -> list[str]:
        """Why nobody should rely on being paged; empty when all is well."""
        if not self.database_ok:
            return ["The database does not answer."]
        found = []
        if self.engines == 0:
            found.append("No engine has been seen lately: nobody is being paged. Start `tocsin engine`.")
        if self.engine_lag_seconds is not None and self.engine_lag_seconds > ENGINE_LAG_SECONDS_MAX:
            found.append(f"The engine is {self.engine_lag_seconds:.0f} seconds late: pages go out late.")
        return found


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
        )
        return answer, 503 if found.reasons else 200
