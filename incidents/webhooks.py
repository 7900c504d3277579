"""Monitoring systems' own webhooks. A 2xx is answered only after the alert is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from config import logs, security
from config.errors import InvalidInputError, NotAllowedError, NotFoundError, NotSignedInError, UnavailableError
from incidents import edge_in, transports
from incidents.arrivals import Verdict
from incidents.edge_in import Edge, door, receive
from incidents.intake import Door, Received
from incidents.sources import mapping
from incidents.sources.base import IncomingAlert, PayloadRefusedError
from incidents.sources.table import SOURCES, Source

Repair = Callable[[Any], Any]

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
            log.warning("alert with an unknown key refused", source=source, **edge_in.stranger(key))
            raise NotAllowedError(f"No {source} integration has this key. Check the URL against tocsin.yaml.")
        received = take(edge, way_in, [SOURCES[source]], edge.read_clock())
        numbers = sorted({each.incident_id for each in received if each.incident_id is not None})
        return jsonify(accepted=len(received), incidents=numbers), 202

    security.exempt(routes)
    return routes


def take(
    edge: Edge, way_in: Door, readers: Sequence[Source], now: datetime,
    *, repair: Repair = lambda payload: payload,
) -> list[Received]:  # fmt: skip
    """What the current request holds, read by the first of these sources that can, and stored. `repair` is for the
    payload of a sender that is not quite a source's own. What is not the integration's sender's is refused unread."""
    _refuse_forged(edge, way_in, now)
    for source in readers[:-1]:
        with suppress(PayloadRefusedError):
            return receive(edge, way_in, _read(edge, way_in, source, repair, now), now)
    source = readers[-1]
    try:
        alerts = _read(edge, way_in, source, repair, now)
    except PayloadRefusedError as refused:
        # Whoever sends this will not send it again better: it may be a page that nobody gets.
        log.error("alert refused", source=source.name, field=refused.field, problem=refused.problem)
        edge_in.refused(edge, way_in, Verdict.REFUSED, str(refused), now)
        raise InvalidInputError(
            f"This is not an alert as {source.name} sends it. {refused}",
            fields={refused.field or "body": refused.problem},
        ) from refused
    return receive(edge, way_in, alerts, now)


def _read(edge: Edge, way_in: Door, source: Source, repair: Repair, now: datetime) -> list[IncomingAlert]:
    payload = repair(transports.content(source))
    if source.confirm is not None and (address := source.confirm(payload)):
        edge.fetch(address)
        log.info("subscription confirmed", source=source.name, integration=way_in.key_hint)
        return []
    if source.content == "bytes":
        payload = {"letter": payload, "senders": way_in.senders, "origin": edge.desk.base_url}
    if way_in.mapping:
        return mapping.parse(payload, way_in.mapping, now=now)
    return source.parse(payload, now=now)


def _refuse_forged(edge: Edge, way_in: Door, now: datetime) -> None:
    """Nothing is asked of an integration without a secret, unless its sender signs always."""
    source = SOURCES[way_in.source]
    if source.check is None or not (way_in.signing_secret or source.is_always_checked):
        return
    secret = _opened(edge, way_in) if way_in.signing_secret else way_in.topic
    if problem := source.check(transports.sent(edge.certificates), secret, now):
        log.error("alert refused, not its sender's", source=source.name, integration=way_in.key_hint, problem=problem)
        edge_in.refused(edge, way_in, Verdict.FORGED, problem, now)
        raise NotSignedInError(f"This is not taken as {source.name}'s: {problem}.")


def _opened(edge: Edge, way_in: Door) -> str:
    secret = edge.desk.vault.open(way_in.signing_secret) if edge.desk.vault else None
    if secret is None:
        log.error("a signing secret cannot be read", source=way_in.source, integration=way_in.key_hint)
        raise UnavailableError(
            "The secret of this integration cannot be read: TOCSIN_SECRET_KEY is another one than when tocsin.yaml was "
            "applied. Apply it again."
        )
    return secret
