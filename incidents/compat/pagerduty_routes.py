"""PagerDuty's Events API, v2 and v1, over HTTP. A 202 is answered only after the event is committed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from config import http, ids, logs, security
from config.errors import UnavailableError
from incidents import change_events, edge_in
from incidents.arrivals import Verdict
from incidents.compat import pagerduty, pagerduty_v1
from incidents.compat.pagerduty import Event, Refusal
from incidents.edge_in import Edge, door, receive, stranger
from incidents.sources import pagerduty as source

OTHER_METHODS = ["GET", "PUT", "PATCH", "DELETE"]

log = logs.get("pagerduty")

Answer = tuple[Response, int]


def blueprint(edge: Edge) -> Blueprint:
    routes = Blueprint("pagerduty", __name__)
    _errors(routes)

    @routes.post("/v2/enqueue", strict_slashes=False)
    def enqueue() -> Answer:
        """An event: trigger, acknowledge or resolve an alert."""
        event = _taken(edge, pagerduty.read_event)
        return _refused(event) if isinstance(event, Refusal) else (jsonify(pagerduty.accepted(event.dedup_key)), 202)

    @routes.post(pagerduty_v1.PATH)
    def create_event() -> Answer:
        """The same in the words of v1."""
        event = _taken(edge, pagerduty_v1.read_event)
        return _refused(event) if isinstance(event, Refusal) else (jsonify(pagerduty_v1.accepted(event.dedup_key)), 200)

    @routes.post("/v2/change/enqueue", strict_slashes=False)
    def change() -> Answer:
        """A change event: kept beside the service's incidents. It wakes nobody."""
        now = edge.read_clock()
        event = pagerduty.read_change_event(request.get_data(), now=now)
        if isinstance(event, Refusal):
            log.warning("change event refused", source=source.NAME, answer=event.body)
            return _refused(event)
        way_in = door(edge, event.routing_key, source.NAME)
        if way_in is None:
            told = stranger(event.routing_key)
            log.warning("change event with an unknown routing key refused", source=source.NAME, **told)
            return _refused(pagerduty.unknown_key())
        with edge.database.transaction() as session:
            change_events.keep(session, way_in, event, now)
        return jsonify(pagerduty.change_accepted()), 202

    @routes.route("/v2/enqueue", methods=OTHER_METHODS)
    @routes.route("/v2/change/enqueue", methods=OTHER_METHODS)
    def wrong_method() -> Answer:
        answer, status = _refused(pagerduty.wrong_method())
        answer.headers["Allow"] = "POST"
        return answer, status

    security.exempt(routes)
    return security.public(routes)


class Read(Protocol):
    def __call__(self, body: bytes, *, now: datetime, new_dedup_key: Callable[[], str]) -> Event | Refusal: ...


def _taken(edge: Edge, read: Read) -> Event | Refusal:
    now = edge.read_clock()
    event = read(request.get_data(), now=now, new_dedup_key=ids.new_key)
    if isinstance(event, Refusal):
        log.error("event refused", source=source.NAME, answer=event.body)
        if event.routing_key and (refused := door(edge, event.routing_key, source.NAME)):
            edge_in.refused(edge, refused, Verdict.REFUSED, "; ".join(event.body["errors"]), now)
        return event
    way_in = door(edge, event.routing_key, source.NAME)
    if way_in is None:
        log.warning("event with an unknown routing key refused", source=source.NAME, **stranger(event.routing_key))
        return pagerduty.unknown_key()
    receive(edge, way_in, [event.alert], now)
    return event


def _errors(routes: Blueprint) -> None:
    routes.register_error_handler(RequestEntityTooLarge, lambda _: _refused(pagerduty.too_large()))

    def away(error: Exception) -> Answer:
        log.error("event not taken, the database does not answer", source=source.NAME, error=str(error))
        return _refused(pagerduty.unavailable())

    for kind in http.DATABASE_AWAY:
        routes.register_error_handler(kind, away)


def _refused(refusal: Refusal) -> Answer:
    answer = jsonify(refusal.body)
    if refusal.status == UnavailableError.status:
        answer.headers["Retry-After"] = str(http.RETRY_AFTER_SECONDS)
    return answer, refusal.status
