"""The HTTP API of what is to come: shifts, gaps, and the calendars that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response

from config import auth
from config.database import Database
from config.routes import Routes
from escalation.oncall import coverage, feeds, schemas, whose
from escalation.oncall.edge import NUMBER, Edge, own_key, zone_of

SHIFTS_DEFAULT = timedelta(days=30)
SHIFTS_DAYS_MAX = 400


def add(routes: Routes, edge: Edge) -> None:
    _ahead(routes, edge)
    _feeds(routes, edge)


def calendars(database: Database, clock: Callable[[], datetime], *, base_url: str) -> Blueprint:
    """What calendar programs read. They cannot sign in: the address itself is the secret."""
    pages = auth.public(Blueprint("calendars", __name__))

    @pages.get("/calendars/<token>.ics")
    def calendar(token: str) -> Response:
        with database.reading() as session:
            written = feeds.document(session, token, clock(), base_url=base_url)
        response = Response(written, content_type="text/calendar; charset=utf-8")
        response.headers["Cache-Control"] = "private, max-age=300"
        response.headers["Content-Disposition"] = 'inline; filename="oncall.ics"'
        return response

    return pages


def _ahead(routes: Routes, edge: Edge) -> None:
    @routes.get("/schedules/<key>/shifts", query=schemas.ShiftsQuery, gives=schemas.Shifts)
    def shifts(query: dict[str, Any], key: str) -> dict[str, Any]:
        """Who is on call on a schedule, shift by shift."""
        since, until = _span(edge, query)
        with edge.database.reading() as session:
            zone_of(session, key)
            found = feeds.shifts(session, since, until, keys=[key])
        return {"since": since, "until": until, "items": found, "next": None}

    @routes.get("/me/shifts", query=schemas.ShiftsQuery, gives=schemas.Shifts, refuses=[403])
    def own_shifts(query: dict[str, Any]) -> dict[str, Any]:
        """Your own shifts on every schedule."""
        own, (since, until) = own_key(), _span(edge, query)
        with edge.database.reading() as session:
            found = feeds.own_shifts(session, own, since, until)
        return {"since": since, "until": until, "items": found, "next": None}

    @routes.get("/coverage", gives=schemas.Coverage)
    def gaps() -> dict[str, Any]:
        """When nobody will be on call, in the next 90 days, on the schedules in use."""
        now = edge.clock()
        with edge.database.reading() as session:
            return {"until": now + coverage.LOOKED_AHEAD, "items": coverage.ahead(session, now), "next": None}


def _feeds(routes: Routes, edge: Edge) -> None:
    @routes.get("/me/feeds", gives=schemas.Feeds, refuses=[403])
    def own_feeds() -> dict[str, Any]:
        """Your calendar addresses. The addresses themselves are not kept."""
        with edge.database.reading() as session:
            return {"items": feeds.own(session, auth.acting("api")), "next": None}

    @routes.post("/me/feeds", takes=schemas.FeedTaken, gives=schemas.FeedGiven)
    def make_feed(body: dict[str, Any]) -> Any:
        """A secret address that a calendar program reads: your shifts, or a schedule's. It is told this once."""
        return edge.act(
            lambda session, who, now: feeds.make(session, who, body["schedule"], now, base_url=edge.base_url)
        )

    @routes.delete(f"/me/feeds/{NUMBER}", gives=schemas.OnCallChangeDone)
    def revoke_feed(number: int) -> dict[str, str]:
        """Take a calendar address back: whoever reads it finds nothing any more."""
        edge.act(lambda session, who, _now: feeds.revoke(session, who, number))
        return {"sentence": "This calendar address leads nowhere now."}


def _span(edge: Edge, query: Mapping[str, Any]) -> tuple[datetime, datetime]:
    since = query["since"] or edge.clock()
    until = query["until"] or since + SHIFTS_DEFAULT
    if until <= since:
        raise whose.refused("until", "must be after since")
    if until - since > timedelta(days=SHIFTS_DAYS_MAX):
        raise whose.refused("until", f"must be within {SHIFTS_DAYS_MAX} days of since")
    return since, until
