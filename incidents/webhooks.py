"""The ways in for monitoring. A 2xx is answered only after the alert is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from config import http, ids, logs, security
from config.database import Database
from config.errors import InvalidInputError, NotAllowedError, NotFoundError, TooLargeError
from incidents import intake
from incidents.compat import pagerduty
from incidents.compat.pagerduty import Refusal
from incidents.desk import Desk
from incidents.intake import Door, Received
from incidents.sources import reading
from incidents.sources.base import IncomingAlert, PayloadRefusedError
from incidents.sources.table import SOURCES, Source

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
OTHER_METHODS = ["GET", "PUT", "PATCH", "DELETE"]

log = logs.get("webhooks")


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes are given by `wsgi.py`."""

    database: Database
    desk: Desk
    read_clock: Callable[[], datetime]
    wake: Callable[[], None]  # tells a sleeping engine
    counted: Callable[[str], None]  # an alert of this source was accepted


def blueprint(edge: Edge) -> Blueprint:
    routes = Blueprint("webhooks", __name__)

    @routes.post("/alerts/<source>/<key>", strict_slashes=False)
    @security.public
    def native(source: str, key: str) -> tuple[Response, int]:
        """A monitoring system's own webhook."""
        if source not in SOURCES:
            raise NotFoundError(f"Tocsin reads no source called {source}. It reads: {', '.join(sorted(SOURCES))}.")
        now = edge.read_clock()
        door = _door(edge, key, source)
        if door is None:
            log.warning("alert with an unknown key refused", source=source)
            raise NotAllowedError(f"No {source} integration has this key. Check the URL against tocsin.yaml.")
        try:
            alerts = SOURCES[source].parse(_content(SOURCES[source]), now=now)
        except PayloadRefusedError as refused:
            # Whoever sends this will not send it again better: it may be a page that nobody gets.
            log.error("alert refused", source=source, field=refused.field, problem=refused.problem)
            raise InvalidInputError(
                f"This is not an alert as {source} sends it. {refused}",
                fields={refused.field or "body": refused.problem},
            ) from refused
        received = _receive(edge, door, alerts, now)
        numbers = sorted({each.incident_id for each in received if each.incident_id is not None})
        return jsonify(accepted=len(alerts), incidents=numbers), 202

    @routes.post("/v2/enqueue")
    @security.public
    def enqueue() -> tuple[Response, int]:
        """PagerDuty Events API v2."""
        now = edge.read_clock()
        try:
            event = pagerduty.read_event(request.get_data(), now=now, new_dedup_key=ids.new_key)
        except RequestEntityTooLarge:
            return _refused(pagerduty.too_large())
        if isinstance(event, Refusal):
            log.error("event refused", source="pagerduty", answer=event.body)
            return _refused(event)
        try:
            door = _door(edge, event.routing_key, "pagerduty")
            if door is None:
                log.warning("event with an unknown routing key refused", source="pagerduty")
                return _refused(pagerduty.unknown_key())
            _receive(edge, door, [event.alert], now)
        except http.DATABASE_AWAY as away:
            log.error("event not taken, the database does not answer", error=str(away))
            return _refused(pagerduty.unavailable())
        return jsonify(pagerduty.accepted(event.dedup_key)), 202

    @routes.route("/v2/enqueue", methods=OTHER_METHODS)
    @security.public
    def wrong_method() -> tuple[Response, int]:
        answer, status = _refused(pagerduty.wrong_method())
        answer.headers["Allow"] = "POST"
        return answer, status

    security.exempt(routes)
    return routes


def _door(edge: Edge, key: str, source: str) -> Door | None:
    with edge.database.reading() as session:
        return intake.door(session, ids.secret_hash(key), source)


def _receive(edge: Edge, door: Door, alerts: Sequence[IncomingAlert], now: datetime) -> list[Received]:
    received = []
    for alert in alerts:
        with edge.database.transaction() as session:
            received.append(intake.receive(session, edge.desk, door, alert, now))
        edge.wake()
        edge.counted(door.source)
    return received


def _content(source: Source) -> Any:
    """What the source's parser takes, from the body as it came."""
    body = _body()
    if source.content == "form" or (source.content == "any" and request.mimetype in FORMS):
        return request.form.to_dict()
    try:
        return reading.json_value(body)
    except PayloadRefusedError:
        if source.content == "any" and request.mimetype == "text/plain":
            return reading.clean(body.decode("utf-8", errors="replace"))
        raise


def _body() -> bytes:
    try:
        return request.get_data()
    except RequestEntityTooLarge as large:
        raise TooLargeError("The body is over 1 MiB. Send fewer alerts at once; none of these was taken.") from large


def _refused(refusal: Refusal) -> tuple[Response, int]:
    return jsonify(refusal.body), refusal.status
