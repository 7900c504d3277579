"""Grafana OnCall's addresses, so that its senders move by a change of DNS alone. The token is an integration's key.

Always the address as it is written, with and without a slash at its end: a POST that is redirected loses its alert.
"""

from __future__ import annotations

from flask import Blueprint, Response

from config import ids, logs, security
from config.errors import NotAllowedError
from incidents import heartbeats, intake, webhooks
from incidents.compat import grafana_oncall
from incidents.edge_in import Edge, door
from incidents.heartbeat_routes import PING_METHODS
from incidents.sources import reading
from incidents.sources.table import SOURCES

PATH = "/integrations/v1/<kind>/<token>"

log = logs.get("grafana_oncall")


def blueprint(edge: Edge) -> Blueprint:
    routes = Blueprint("grafana_oncall", __name__)

    @routes.post(PATH, strict_slashes=False)
    def integration(kind: str, token: str) -> Response:
        """An alert, or several."""
        way_in = door(edge, token, None)
        if way_in is None:
            log.warning("alert with an unknown token refused", type=kind)
            raise _unknown()
        readers = [SOURCES[name] for name in grafana_oncall.readers(kind, way_in.source, SOURCES)]
        webhooks.take(edge, way_in, readers, edge.read_clock(), repair=grafana_oncall.titled)
        return _ok()

    @routes.route(f"{PATH}/heartbeat", methods=PING_METHODS, strict_slashes=False)
    def heartbeat(kind: str, token: str) -> Response:
        """A sign of life: of the heartbeat with this key, or of the one named as the type of the integration's
        service."""
        with edge.database.transaction() as session:
            found = heartbeats.by_key(session, token)
            if found is None:
                way_in = intake.door(session, ids.secret_hash(token))
                if way_in is None:
                    raise _unknown()
                found = heartbeats.by_name(session, kind, way_in.service.id)
            if found is not None:
                heartbeats.ping(session, edge.desk, found, edge.read_clock())
        if found is None:
            log.warning(
                "ping of a heartbeat that is not declared, or of several services", heartbeat=reading.name_of(kind)
            )
        edge.wake()
        return _ok()

    security.exempt(routes)
    return security.public(routes)


def _unknown() -> NotAllowedError:
    return NotAllowedError("No integration has this token as its key. Check the URL against tocsin.yaml.")


def _ok() -> Response:
    return Response("Ok.", content_type="text/plain; charset=utf-8")
