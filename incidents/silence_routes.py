"""Silences over the HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from config import auth
from config.database import Database
from config.errors import InvalidInputError
from config.routes import Routes
from config.schemas import NUMBER_MAX, paged
from incidents import maintaining, silence_queries, silence_schemas
from incidents.schemas_hands import ReasonBody

NUMBER = f"/silences/<int(max={NUMBER_MAX}):number>"


def api(database: Database, clock: Callable[[], datetime], wake: Callable[[], None]) -> Blueprint:
    """`wake` is called after each commit: whom a silence held back is paged at once."""
    routes = Routes("silences", "For whom nobody is woken, and when")

    @routes.get("/silences", query=silence_schemas.SilencesQuery, gives=silence_schemas.SilencePage)
    def listed(query: dict[str, Any]) -> dict[str, Any]:
        """Silences, the newest first."""
        limit = query["limit"]
        with database.reading() as session:
            found = silence_queries.silences(
                session, clock(), state=query["state"], before=query["cursor"], limit=limit + 1
            )
        return paged(found, limit, "silences", lambda each: each.id)

    @routes.post("/silences", takes=silence_schemas.SilenceBody, gives=silence_schemas.SilenceMade)
    def made(body: dict[str, Any]) -> dict[str, Any]:
        """Hold back paging for what fits; what is open already is held back too."""
        now = clock()
        with database.transaction() as session:
            value = silence_schemas.value(body, now)
            new = maintaining.make(session, auth.acting("api"), value, now, reason=body["reason"])
            answer = _detail(session, new.id, now) | {"holds_now": new.holds_now}
        wake()
        return answer

    @routes.get(NUMBER, gives=silence_schemas.SilenceDetail)
    def one(number: int) -> dict[str, Any]:
        """One silence, with the incidents that it held."""
        with database.reading() as session:
            return _detail(session, number, clock())

    @routes.post(f"{NUMBER}/end", takes=ReasonBody, gives=silence_schemas.SilenceDetail)
    def end(body: dict[str, Any], number: int) -> dict[str, Any]:
        """End it now; whom it held back is paged, unless another silence fits."""
        now = clock()
        with database.transaction() as session:
            maintaining.end(session, auth.acting("api"), number, now, reason=body["reason"])
            answer = _detail(session, number, now)
        wake()
        return answer

    @routes.post(f"{NUMBER}/extend", takes=silence_schemas.ExtendSilenceBody, gives=silence_schemas.SilenceDetail)
    def extend(body: dict[str, Any], number: int) -> dict[str, Any]:
        """Let it go on for longer."""
        now = clock()
        ends_at = silence_schemas.end_of(body, now)
        if ends_at is None:
            raise InvalidInputError("Until when?", fields={"ends_at": "or duration is missing"})
        with database.transaction() as session:
            maintaining.extend(session, auth.acting("api"), number, now, ends_at=ends_at)
            answer = _detail(session, number, now)
        wake()
        return answer

    return routes.blueprint


def _detail(session: Session, number: int, now: datetime) -> dict[str, Any]:
    shown, incidents = silence_queries.silence(session, number, now)
    return asdict(shown) | {"incidents": incidents}
