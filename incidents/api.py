"""The HTTP API of incidents: lists, one incident, its timeline, the verbs; services and runbooks.

A caller who is known may read. Verbs take a role that acts; what needs a person, the verbs themselves refuse programs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from config import auth
from config.database import Database
from config.routes import Routes
from config.schemas import paged
from incidents import (
    actions,
    api_hands,
    api_reviews,
    governance,
    queries,
    queries_alerts,
    queries_detail,
    queries_runbooks,
    queries_services,
    reclassifying,
    schemas,
    schemas_taken,
)
from incidents.api_edge import NUMBER, Answer, Edge
from incidents.desk import Actor, Desk, Outcome
from incidents.queries import Wanted


def blueprint(database: Database, desk: Desk, clock: Callable[[], datetime], wake: Callable[[], None]) -> Blueprint:
    """`wake` is called after each commit, so that the engine need not wait for its tick."""
    routes = Routes("incidents", "Incidents, the response to them, and their reviews")
    edge = Edge(database, desk, clock, wake)
    _reading(routes, edge)
    _response(routes, edge)
    _governing(routes, edge)
    api_hands.add(routes, edge)
    api_reviews.add(routes, edge)
    _surroundings(routes, edge)
    return routes.blueprint


def _reading(routes: Routes, edge: Edge) -> None:
    @routes.get("/incidents", query=schemas_taken.ListQuery, gives=schemas.IncidentPage)
    def incidents(query: dict[str, Any]) -> dict[str, Any]:
        """Incidents, the newest first."""
        limit, before = query.pop("limit"), query.pop("cursor")
        wanted = Wanted(tuple(query.pop("statuses")), tuple(query.pop("severities")), **query)
        with edge.database.reading() as session:
            found = queries.incidents(session, wanted, edge.clock(), before=before, limit=limit + 1)
        return paged(found, limit, "incidents", lambda line: line.number)

    @routes.get(NUMBER, gives=schemas.Incident)
    def incident(number: int) -> queries_detail.IncidentDetail:
        """One incident with its alerts, pages, runbook, classification and pending approvals."""
        with edge.database.reading() as session:
            return queries_detail.incident(session, edge.desk, number, edge.clock())

    @routes.get(f"{NUMBER}/alerts", query=schemas_taken.AlertsQuery, gives=schemas.AlertPage)
    def alerts(query: dict[str, Any], number: int) -> dict[str, Any]:
        """All its alerts, the newest first."""
        limit, before = query["limit"], query["cursor"]
        with edge.database.reading() as session:
            found = queries_alerts.page(session, number, before=before, status=query["status"], limit=limit + 1)
        return paged(found, limit, "alerts", lambda alert: alert.id)

    @routes.get(f"{NUMBER}/timeline", query=schemas_taken.TimelineQuery, gives=schemas.TimelinePage)
    def timeline(query: dict[str, Any], number: int) -> dict[str, Any]:
        """What happened, in order, each entry with its hash in the chain."""
        with edge.database.reading() as session:
            found = queries.entries(session, number, after_seq=query["cursor"], limit=query["limit"] + 1)
        return paged(found, query["limit"], "timeline", lambda entry: entry.seq)


def _response(routes: Routes, edge: Edge) -> None:
    desk = edge.desk

    @routes.post(f"{NUMBER}/acknowledge", takes=schemas_taken.Nothing, gives=schemas.Answer)
    def acknowledge(_: dict[str, Any], number: int) -> Answer:
        """Stop the escalation."""
        return edge.act(number, lambda session, who, now: actions.acknowledge(session, desk, number, who, now))

    @routes.post(f"{NUMBER}/escalate", takes=schemas_taken.Nothing, gives=schemas.Answer)
    def escalate(_: dict[str, Any], number: int) -> Answer:
        """Fire the next level now."""
        return edge.act(number, lambda session, who, now: actions.escalate_now(session, desk, number, who, now))

    @routes.post(f"{NUMBER}/milestones", takes=schemas_taken.MilestoneBody, gives=schemas.Answer, may_wait=True)
    def milestones(body: dict[str, Any], number: int) -> Answer:
        """Mark the incident contained, recovered or resolved."""
        reached = body["milestone"]

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return actions.reach_milestone(session, desk, number, reached, who, now)

        return edge.act(number, verb, asks_to="resolve" if reached == "resolved" else "")

    @routes.post(f"{NUMBER}/notes", takes=schemas_taken.NoteBody, gives=schemas.Answer)
    def notes(body: dict[str, Any], number: int) -> Answer:
        """Add a note to the timeline."""
        return edge.act(number, lambda session, who, now: actions.add_note(session, desk, number, who, now, **body))


def _governing(routes: Routes, edge: Edge) -> None:
    desk = edge.desk

    @routes.post(f"{NUMBER}/resolve", takes=schemas_taken.ResolveBody, gives=schemas.Answer, may_wait=True)
    def resolve(body: dict[str, Any], number: int) -> Answer:
        """Resolve; of a constitutional incident, ask for it."""

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return actions.resolve(session, desk, number, who, now, **body)

        return edge.act(number, verb, asks_to="resolve")

    @routes.post(f"{NUMBER}/reclassify", takes=schemas_taken.ReclassifyBody, gives=schemas.Answer, may_wait=True)
    def reclassify(body: dict[str, Any], number: int) -> Answer:
        """Change severity, class or both; lowering a constitutional incident's, ask for it."""

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return reclassifying.reclassify(
                session,
                desk,
                number,
                who,
                now,
                new_severity=body["severity"],
                new_class=body["incident_class"],
                reason=body["reason"],
            )

        return edge.act(number, verb, asks_to="reclassify")

    @routes.post(f"{NUMBER}/approvals", takes=schemas_taken.ApprovalBody, gives=schemas.Answer)
    def approvals(body: dict[str, Any], number: int) -> Answer:
        """Approve or decline what somebody else asked for. Keepers only, and only in person."""
        auth.require("approve")
        return edge.act(number, lambda session, who, now: governance.decide(session, desk, number, who, now, **body))


def _surroundings(routes: Routes, edge: Edge) -> None:
    @routes.get("/services", query=schemas_taken.ServicesQuery, gives=schemas.ServicePage)
    def services(query: dict[str, Any]) -> dict[str, Any]:
        """Services, and by which integrations their alerts come in."""
        with edge.database.reading() as session:
            found = queries_services.services(session, after=query["cursor"], limit=query["limit"] + 1)
        return paged(found, query["limit"], "services", lambda service: service.key)

    @routes.get("/runbooks", query=schemas_taken.RunbooksQuery, gives=schemas.RunbookPage)
    def runbooks(query: dict[str, Any]) -> dict[str, Any]:
        """The runbook library."""
        books = queries_runbooks.runbooks(edge.desk.shelf.library, edge.clock().date(), edge.desk.base_url)
        found = [book for book in books if book.id > query["cursor"]]
        return paged(found, query["limit"], "runbooks", lambda book: book.id)
