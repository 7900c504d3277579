"""The HTTP API of events told to teams' own programs: what became of each, and telling one again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from config import auth
from config.database import Database
from config.routes import Routes
from config.schemas import NUMBER_MAX, Cursor, Moment, Strict, limit_field, paged
from escalation import declared_hooks
from incidents import events
from incidents.event_models import DeliveryState, EventDelivery, EventReceiver
from incidents.schemas_taken import Nothing

READERS = ("admin", "manager")
STATES = [state.value for state in DeliveryState]


class EventQuery(Strict):
    state = fields.String(validate=validate.OneOf(STATES), load_default=None)
    incident = fields.Integer(strict=False, validate=validate.Range(1, NUMBER_MAX), load_default=None)
    limit = limit_field()
    cursor = Cursor(of="events", position=int, load_default=0)


class EventShown(Schema):
    id = fields.Integer(metadata={"description": "of the delivery; what `replay` takes"})
    event_id = fields.String(metadata={"description": "the same for every receiver and every replay"})
    event = fields.String(attribute="kind")
    incident = fields.Integer(attribute="incident_id")
    receiver = fields.String(metadata={"description": "its host"})
    state = fields.String(metadata={"description": ", ".join(STATES)})
    tries = fields.Integer()
    replayed = fields.Boolean()
    occurred_at = Moment()
    queued_at = Moment()
    finished_at = Moment(allow_none=True)
    result = fields.String(metadata={"description": "what the receiver answered to the last try"})


class EventPage(Schema):
    items = fields.List(fields.Nested(EventShown))
    next = fields.String(allow_none=True)


def api(database: Database, clock: Callable[[], datetime], wake: Callable[[], None]) -> Blueprint:
    routes = Routes("events", "What was told to teams' own programs")

    @routes.get("/events", query=EventQuery, gives=EventPage, refuses=[403])
    def deliveries(query: dict[str, Any]) -> dict[str, Any]:
        """Deliveries of events, the newest first. It takes the role admin or manager."""
        auth.require_role(*READERS)
        wanted = select(EventDelivery, EventReceiver.url).join(
            EventReceiver, EventReceiver.id == EventDelivery.receiver_id
        )
        if query["cursor"]:
            wanted = wanted.where(EventDelivery.id < query["cursor"])
        if query["state"]:
            wanted = wanted.where(EventDelivery.state == query["state"])
        if query["incident"]:
            wanted = wanted.where(EventDelivery.incident_id == query["incident"])
        with database.reading() as session:
            rows = session.execute(wanted.order_by(EventDelivery.id.desc()).limit(query["limit"] + 1)).all()
        return paged([_shown(row, url) for row, url in rows], query["limit"], "events", lambda each: each["id"])

    @routes.post(f"/events/<int(max={NUMBER_MAX}):number>/replay", takes=Nothing, gives=EventShown)
    def replay(_body: dict[str, Any], number: int) -> dict[str, Any]:
        """Tell it again, with the id that it had. It takes the role admin or manager."""
        auth.require_role(*READERS)
        with database.transaction() as session:
            row = events.replay(session, number, clock())
            url = session.get_one(EventReceiver, row.receiver_id).url
        wake()
        return _shown(row, url)

    return routes.blueprint


def _shown(row: EventDelivery, url: str) -> dict[str, Any]:
    named = {name: getattr(row, name) for name in EventShown().fields if hasattr(row, name)}
    return named | {"kind": row.kind, "incident_id": row.incident_id, "receiver": declared_hooks.shown(url)}
