"""The HTTP API of who can be woken, when and how: on call, responders, schedules, policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint

from config import auth
from config.database import Database
from config.routes import Routes
from config.schemas import paged
from escalation import api_me, directory, schemas


def blueprint(database: Database, clock: Callable[[], datetime], wake: Callable[[], None]) -> Blueprint:
    """`wake` is called after each commit that has something sent."""
    routes = Routes("escalation", "Who is on call, who can be woken, and by which policies")
    api_me.add(routes, database, clock, wake)
    _people(routes, database, clock)
    _plans(routes, database, clock)
    return routes.blueprint


def _people(routes: Routes, database: Database, clock: Callable[[], datetime]) -> None:
    @routes.get("/oncall", query=schemas.OnCallQuery, gives=schemas.WatchPage)
    def oncall(query: dict[str, Any]) -> dict[str, Any]:
        """Who is on call on each schedule, until when, and where nobody will be."""
        at = query["at"] or clock()
        with database.reading() as session:
            found = directory.watches(session, at, after=query["cursor"], limit=query["limit"] + 1)
        return {"at": at} | paged(found, query["limit"], "oncall", lambda watch: watch.key)

    @routes.get("/responders", query=schemas.RespondersQuery, gives=schemas.ResponderPage)
    def responders(query: dict[str, Any]) -> dict[str, Any]:
        """Everybody who can be paged. Addresses are whole only for their owner and for administrators."""
        caller = auth.caller()
        with database.reading() as session:
            found = directory.members(
                session,
                after=query["cursor"],
                limit=query["limit"] + 1,
                reader_id=caller.responder_id,
                reads_all=caller.may("administer"),
            )
        return paged(found, query["limit"], "responders", lambda member: member.key)


def _plans(routes: Routes, database: Database, clock: Callable[[], datetime]) -> None:
    @routes.get("/schedules", query=schemas.SchedulesQuery, gives=schemas.SchedulePage)
    def schedules(query: dict[str, Any]) -> dict[str, Any]:
        """On-call schedules with the overrides that have not ended."""
        with database.reading() as session:
            found = directory.schedules(session, clock(), after=query["cursor"], limit=query["limit"] + 1)
        return paged(found, query["limit"], "schedules", lambda schedule: schedule.key)

    @routes.get("/policies", query=schemas.PoliciesQuery, gives=schemas.PolicyPage)
    def policies(query: dict[str, Any]) -> dict[str, Any]:
        """Escalation policies: who is paged at which level, and when."""
        reads_all = auth.caller().may("administer")
        with database.reading() as session:
            found = directory.policies(session, after=query["cursor"], limit=query["limit"] + 1, reads_all=reads_all)
        return paged(found, query["limit"], "policies", lambda policy: policy.key)
