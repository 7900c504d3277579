"""The HTTP API of what is to come: shifts, gaps, and the calendars that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from config import auth
from config.clock import utc_text
from config.database import Database
from config.routes import Routes
from config.schemas import Moment, paged_whole
from escalation.oncall import coverage, feeds, schemas, whose
from escalation.oncall.calendar import Entry
from escalation.oncall.coverage import Gap
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
        return _shifts(found, query, since, until)

    @routes.get("/me/shifts", query=schemas.ShiftsQuery, gives=schemas.Shifts, refuses=[403])
    def own_shifts(query: dict[str, Any]) -> dict[str, Any]:
        """Your own shifts on every schedule."""
        own, (since, until) = own_key(), _span(edge, query)
        with edge.database.reading() as session:
            found = feeds.own_shifts(session, own, since, until)
        return _shifts(found, query, since, until)

    @routes.get("/coverage", query=schemas.CoverageQuery, gives=schemas.Coverage)
    def gaps(query: dict[str, Any]) -> dict[str, Any]:
        """When nobody will be on call, in the next 90 days, on the schedules in use."""
        now = edge.clock()
        with edge.database.reading() as session:
            found = coverage.ahead(session, now)
        return {"until": now + coverage.LOOKED_AHEAD} | paged_whole(found, query, "coverage", _place)


def _place(gap: Gap) -> str:
    """In the order that gaps have."""
    return f"{utc_text(gap.starts_at)} {gap.schedule}"


def _feeds(routes: Routes, edge: Edge) -> None:
    @routes.get("/me/feeds", query=schemas.FeedsQuery, gives=schemas.Feeds, refuses=[403])
    def own_feeds(query: dict[str, Any]) -> dict[str, Any]:
        """Your calendar addresses. The addresses themselves are not kept."""
        with edge.database.reading() as session:
            return paged_whole(feeds.own(session, auth.acting("api")), query, "feeds", lambda feed: feed.id)

    @routes.post("/me/feeds", takes=schemas.FeedTaken, gives=schemas.FeedGiven, refuses=[404])
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


def _shifts(found: Sequence[Entry], query: Mapping[str, Any], since: datetime, until: datetime) -> dict[str, Any]:
    """The cursor tells the times too: a shift that is going on begins at `since`, which without it would be now."""

    def place(entry: Entry) -> str:
        span = f"{utc_text(since)} {utc_text(until)} {utc_text(entry.starts_at)} {utc_text(entry.ends_at)}"
        return f"{span} {entry.schedule} {entry.responder} {entry.shadow:d}"

    return {"since": since, "until": until} | paged_whole(found, query, "shifts", place)


def _times_of(cursor: str | None) -> tuple[datetime, datetime] | None:
    if cursor is None:
        return None
    try:
        since, until = (Moment().deserialize(word) for word in cursor.split(" ")[:2])
    except (ValueError, ValidationError) as error:
        raise whose.refused("cursor", "is not a cursor of this list; take it from `next` of the page before") from error
    return since, until


def _span(edge: Edge, query: Mapping[str, Any]) -> tuple[datetime, datetime]:
    since, until = _times_of(query["cursor"]) or (query["since"] or edge.clock(), query["until"])
    until = until or since + SHIFTS_DEFAULT
    if until <= since:
        raise whose.refused("until", "must be after since")
    if until - since > timedelta(days=SHIFTS_DAYS_MAX):
        raise whose.refused("until", f"must be within {SHIFTS_DAYS_MAX} days of since")
    return since, until
