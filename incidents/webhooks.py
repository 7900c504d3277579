"""Monitoring systems' own webhooks. A 2xx is answered only after the alert is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from config import logs, security
from config.errors import InvalidInputError, NotAllowedError, NotFoundError
from incidents import transports
from incidents.edge_in import Edge, door, receive
from incidents.intake import Door, Received
from incidents.sources.base import PayloadRefusedError
from incidents.sources.table import SOURCES, Source

log = logs.get("webhooks")


def blueprint(edge: Edge) -> Blueprint:
    routes = Blueprint("webhooks", __name__)

    @routes.route("/alerts/<source>/<key>", methods=transports.METHODS, strict_slashes=False)
    @security.public
    def native(source: str, key: str) -> tuple[Response, int]:
        """A monitoring system's own webhook."""
        if source not in SOURCES:
            raise NotFoundError(f"Tocsin reads no source called {source}. It reads: {', '.join(sorted(SOURCES))}.")
        way_in = door(edge, key, source)
        if way_in is None:
            log.warning("alert with an unknown key refused", source=source)
            raise NotAllowedError(f"No {source} integration has this key. Check the URL against tocsin.yaml.")
        received = take(edge, way_in, [SOURCES[source]], edge.read_clock())
        numbers = sorted({each.incident_id for each in received if each.incident_id is not None})
        return jsonify(accepted=len(received), incidents=numbers), 202

    security.exempt(routes)
    return routes


def take(
    edge: Edge, way_in: Door, readers: Sequence[Source], now: datetime,
    *, repair: Callable[[Any], Any] = lambda payload: payload,
) -> list[Received]:  # fmt: skip
    """What the current request holds, read by the first of these sources that can, and stored. `repair` is for the
    payload of a sender that is not quite a source's own."""
    for source in readers[:-1]:
        with suppress(PayloadRefusedError):
            return receive(edge, way_in, source.parse(repair(transports.content(source)), now=now), now)
    source = readers[-1]
    try:
        alerts = source.parse(repair(transports.content(source)), now=now)
    except PayloadRefusedError as refused:
        # Whoever sends this will not send it again better: it may be a page that nobody gets.
        log.error("alert refused", source=source.name, field=refused.field, problem=refused.problem)
        raise InvalidInputError(
            f"This is not an alert as {source.name} sends it. {refused}",
            fields={refused.field or "body": refused.problem},
        ) from refused
    return receive(edge, way_in, alerts, now)
