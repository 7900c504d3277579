"""The HTTP API of changes to who is on call, of shifts and gaps, and of calendars that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import auth
from config.actor import Actor
from config.clock import utc_text
from config.database import Database
from config.routes import Routes
from config.schemas import paged, paged_whole
from escalation import responders
from escalation.models import OverrideRow, ScheduleRow
from escalation.oncall import api_ahead, changes, schemas, swap_rows, swaps, time_off
from escalation.oncall.edge import NUMBER, Edge, own_key, span, zone, zone_of
from escalation.oncall.swap_rows import Swap


def blueprint(
    database: Database, clock: Callable[[], datetime], wake: Callable[[], None], *, base_url: str
) -> Blueprint:
    """`wake` is called after each commit, so that what it causes is told at once."""
    routes = Routes("oncall", "Changes to who is on call: overrides, time off, swaps; shifts, gaps and calendars")
    edge = Edge(database, clock, wake, base_url)
    _overrides(routes, edge)
    _time_off(routes, edge)
    _swaps(routes, edge)
    api_ahead.add(routes, edge)
    return routes.blueprint


def _overrides(routes: Routes, edge: Edge) -> None:
    @routes.get("/schedules/<key>/overrides", query=schemas.OverridesQuery, gives=schemas.Overrides)
    def overrides(query: dict[str, Any], key: str) -> dict[str, Any]:
        """The overrides of a schedule that are not over, in order of time."""
        with edge.database.reading() as session:
            zone_of(session, key)
            rows = session.scalars(
                select(OverrideRow)
                .join(ScheduleRow, ScheduleRow.id == OverrideRow.schedule_id)
                .where(ScheduleRow.key == key, OverrideRow.ends_at > edge.clock())
                .order_by(OverrideRow.starts_at, OverrideRow.id)
            ).all()
            page = paged_whole(rows, query, "overrides", _place)
            return page | {"items": [_override(session, key, row) for row in page["items"]]}

    @routes.post("/schedules/<key>/overrides", takes=schemas.OverrideTaken, gives=schemas.OverrideGiven)
    def add_override(body: dict[str, Any], key: str) -> dict[str, Any]:
        """Add somebody to a schedule, let somebody take over from another, or take somebody off, for a while."""

        def add(session: Session, who: Actor, now: datetime) -> dict[str, Any]:
            clocks = zone(body, zone_of(session, key))
            times = span(body, "starts_at", "ends_at", clocks)
            wanted = changes.Wanted(key, *times, body["responder"], body["replaces"], body["reason"])
            return _override(session, key, changes.add_override(session, wanted, who, now, base_url=edge.base_url))

        return edge.act(add)

    @routes.delete(f"/schedules/<key>/overrides/{NUMBER}", gives=schemas.OnCallChangeDone)
    def remove_override(key: str, number: int) -> dict[str, str]:
        """Take an override back. One that has begun ends now."""
        edge.act(
            lambda session, who, now: changes.remove_override(session, key, number, who, now, base_url=edge.base_url)
        )
        return {"sentence": "Taken back. Who is on call follows the schedule again."}


def _time_off(routes: Routes, edge: Edge) -> None:
    def listed(key: str, query: dict[str, Any]) -> dict[str, Any]:
        with edge.database.reading() as session:
            return paged_whole(time_off.coming(session, key, edge.clock()), query, "time-off", _place)

    def added(key: str, body: dict[str, Any]) -> Any:
        def add(session: Session, who: Actor, now: datetime) -> time_off.TimeOff:
            person = responders.by_key(session, key)
            clocks = zone(body, person.timezone if person else "UTC")
            off = span(body, "starts_at", "ends_at", clocks, days=True)
            return time_off.add(session, key, *off, who, now, reason=body["reason"], base_url=edge.base_url)

        return edge.act(add)

    def removed(key: str, number: int) -> dict[str, str]:
        edge.act(lambda session, who, now: time_off.remove(session, key, number, who, now, base_url=edge.base_url))
        return {"sentence": "Taken back."}

    @routes.get("/me/time-off", query=schemas.TimeOffQuery, gives=schemas.TimesOff, refuses=[403])
    def own_time_off(query: dict[str, Any]) -> dict[str, Any]:
        """When you are off, as far as it is not over."""
        return listed(own_key(), query)

    @routes.post("/me/time-off", takes=schemas.TimeOffTaken, gives=schemas.TimeOffGiven)
    def add_own_time_off(body: dict[str, Any]) -> Any:
        """You are on call on no schedule then; turns go on without you."""
        return added(own_key(), body)

    @routes.delete(f"/me/time-off/{NUMBER}", gives=schemas.OnCallChangeDone)
    def remove_own_time_off(number: int) -> dict[str, str]:
        """Take time off back. What has begun ends now."""
        return removed(own_key(), number)

    @routes.get("/responders/<key>/time-off", query=schemas.TimeOffQuery, gives=schemas.TimesOff)
    def time_off_of(query: dict[str, Any], key: str) -> dict[str, Any]:
        """When somebody is off, as far as it is not over."""
        return listed(key, query)

    @routes.post("/responders/<key>/time-off", takes=schemas.TimeOffTaken, gives=schemas.TimeOffGiven)
    def add_time_off(body: dict[str, Any], key: str) -> Any:
        """For managers and administrators: somebody else's time off."""
        return added(key, body)

    @routes.delete(f"/responders/<key>/time-off/{NUMBER}", gives=schemas.OnCallChangeDone)
    def remove_time_off(key: str, number: int) -> dict[str, str]:
        """For managers and administrators: take somebody's time off back."""
        return removed(key, number)


def _swaps(routes: Routes, edge: Edge) -> None:
    @routes.get("/swaps", query=schemas.SwapsQuery, gives=schemas.Swaps)
    def own_swaps(query: dict[str, Any]) -> dict[str, Any]:
        """Swaps that you have a part in, the newest first; or everybody's. A program sees everybody's."""
        mine = None if query["all"] else auth.caller().responder_id
        limit = query["limit"]
        with edge.database.reading() as session:
            found = swap_rows.listed(session, responder_id=mine, before_id=query["cursor"], limit=limit + 1)
        return paged(found, limit, "swaps", lambda swap: swap.id)

    @routes.post("/swaps", takes=schemas.SwapTaken, gives=schemas.SwapGiven, refuses=[404])
    def propose_swap(body: dict[str, Any]) -> Any:
        """Ask somebody to take your time on call, perhaps for some of theirs. Nothing changes until they agree."""

        def propose(session: Session, who: Actor, now: datetime) -> Swap:
            clocks = zone(body, zone_of(session, body["schedule"]))
            gives = span(body, "gives_starts_at", "gives_ends_at", clocks)
            takes = None
            if body["takes_starts_at"] or body["takes_ends_at"]:
                takes = span(body, "takes_starts_at", "takes_ends_at", clocks)
            wanted = swaps.Wanted(body["schedule"], body["other"], gives, takes)
            return swaps.propose(session, wanted, who, now, base_url=edge.base_url)

        return edge.act(propose)

    def decision(path: str, verb: Callable[..., Swap], summary: str) -> None:
        def decide(_body: dict[str, Any], number: int) -> Any:
            return edge.act(lambda session, who, now: verb(session, number, who, now, base_url=edge.base_url))

        decide.__name__, decide.__doc__ = f"{path}_swap", summary
        routes.post(f"/swaps/{NUMBER}/{path}", takes=schemas.SwapDecisionTaken, gives=schemas.SwapGiven)(decide)

    decision("confirm", swaps.confirm, "Agree to a swap that you were asked for. Both turns change hands at once.")
    decision("decline", swaps.decline, "Do not agree to a swap that you were asked for.")
    decision("withdraw", swaps.withdraw, "Take back a swap that you proposed.")


def _place(span: OverrideRow | time_off.TimeOff) -> str:
    return f"{utc_text(span.starts_at)} {span.id:019d}"


def _override(session: Session, key: str, row: OverrideRow) -> dict[str, Any]:
    said = changes.as_written(session, key, row)
    times = {"starts_at": row.starts_at, "ends_at": row.ends_at}
    return said | times | {"id": row.id, "sentence": changes.sentence(session, key, row)}
