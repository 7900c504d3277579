"""Heartbeats over HTTP: the ping in Tocsin's own form, the list for programs, and the page for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from marshmallow import fields
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import durations, logs, security
from config.clock import utc_text
from config.database import Database
from config.errors import NotAllowedError
from config.routes import Routes
from config.schemas import Cursor, Moment, Strict, limit_field, paged
from escalation.web_reader import times_of_reader
from incidents import heartbeats
from incidents.edge_in import Edge, stranger
from incidents.lifecycle import UNSETTLED
from incidents.models import Alert, Heartbeat, Incident, Integration, Service
from incidents.sources.base import AlertStatus

PING_METHODS = ["GET", "POST", "PUT", "PATCH"]
SHOWN_MAX = 1_000  # on the page

log = logs.get("heartbeats")


@dataclass(frozen=True, slots=True)
class Beat:
    id: int
    name: str
    service: str
    state: str  # new: not heard of yet and not due; up; missing
    every: str
    grace: str
    severity: str | None
    key_hint: str
    pinged_at: datetime | None
    expected_by: datetime
    missing_since: datetime | None
    incident: int | None  # the open one that its silence opened


class HeartbeatsQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="heartbeats", position=int, load_default=0)


class HeartbeatShown(Strict):
    name = fields.String()
    service = fields.String()
    state = fields.String(metadata={"description": "new (not heard of yet, and not due), up, or missing"})
    every = fields.String()
    grace = fields.String()
    severity = fields.String(allow_none=True, metadata={"description": "null: as the rules judge its silence"})
    key_hint = fields.String(metadata={"description": "the last characters of its key"})
    pinged_at = Moment(allow_none=True)
    expected_by = Moment()
    missing_since = Moment(allow_none=True)
    incident = fields.Integer(allow_none=True, metadata={"description": "the open one that its silence opened"})


class HeartbeatPage(Strict):
    items = fields.List(fields.Nested(HeartbeatShown))
    next = fields.String(allow_none=True)


def blueprint(edge: Edge) -> Blueprint:
    routes = Blueprint("heartbeat_pings", __name__)

    @routes.route("/heartbeats/<key>", methods=PING_METHODS, strict_slashes=False)
    def ping(key: str) -> tuple[Response, int]:
        """A sign of life."""
        now = edge.read_clock()
        with edge.database.transaction() as session:
            found = heartbeats.by_key(session, key)
            if found is None:
                log.warning("ping with an unknown key refused", **stranger(key))
                raise NotAllowedError("No heartbeat has this key. Check the URL against tocsin.yaml.")
            due_by = heartbeats.ping(session, edge.desk, found, now)
        edge.wake()
        return jsonify(heartbeat=found.name, next_by=utc_text(due_by)), 200

    security.exempt(routes)
    return security.public(routes)


def api(database: Database) -> Blueprint:
    routes = Routes("heartbeats", "What must be heard of every so often")

    @routes.get("/heartbeats", query=HeartbeatsQuery, gives=HeartbeatPage)
    def listed(query: dict[str, Any]) -> dict[str, Any]:
        """Heartbeats, in the order they were declared."""
        with database.reading() as session:
            found = shown(session, after=query["cursor"], limit=query["limit"] + 1)
        return paged(found, query["limit"], "heartbeats", lambda beat: beat.id)

    return routes.blueprint


def pages(database: Database, clock: Callable[[], datetime]) -> Blueprint:
    drawn = Blueprint("heartbeat_pages", __name__, template_folder="templates")

    @drawn.get("/heartbeats")
    def listed() -> str:
        with database.reading() as session:
            found = shown(session, after=0, limit=SHOWN_MAX)
            times = times_of_reader(session, clock())
        worst_first = sorted(found, key=lambda beat: (beat.state != "missing", beat.service, beat.name))
        return render_template("incidents/heartbeats.html", heartbeats=worst_first, times=times)

    return drawn


def shown(session: Session, *, after: int, limit: int) -> list[Beat]:
    rows = session.execute(
        select(Heartbeat, Service.key)
        .join(Service, Service.id == Heartbeat.service_id)
        .where(Heartbeat.id > after)
        .order_by(Heartbeat.id)
        .limit(limit)
    ).all()
    opened = _opened(session, [row for row, _ in rows if row.missing_since is not None])
    return [
        Beat(
            id=row.id,
            name=row.name,
            service=service,
            state="missing" if row.missing_since else "up" if row.pinged_at else "new",
            every=durations.to_text(row.every_seconds),
            grace=durations.to_text(row.grace_seconds),
            severity=row.severity or None,
            key_hint=row.key_hint,
            pinged_at=row.pinged_at,
            expected_by=heartbeats.expected_by(row),
            missing_since=row.missing_since,
            incident=opened.get((row.service_id, row.name)),
        )
        for row, service in rows
    ]


def _opened(session: Session, missing: list[Heartbeat]) -> dict[tuple[int, str], int]:
    if not missing:
        return {}
    statement = (
        select(Integration.service_id, Alert.dedup_key, func.max(Alert.incident_id))
        .join(Integration, Integration.id == Alert.integration_id)
        .join(Incident, Incident.id == Alert.incident_id)
        .where(
            Integration.source == heartbeats.SOURCE,
            Alert.status == AlertStatus.FIRING,
            Alert.dedup_key.in_([row.name for row in missing]),
            Incident.status.in_(UNSETTLED),
        )
        .group_by(Integration.service_id, Alert.dedup_key)
    )
    return {(service_id, name): number for service_id, name, number in session.execute(statement)}
