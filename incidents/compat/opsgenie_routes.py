"""Opsgenie's Alert API v2 over HTTP. Each answer is a JSON object with `took` and `requestId`, errors too.

An identifier is the rest of the path whatever it holds: an alias may have slashes in it, also two in a row, and a
redirect to a tidier address would lose the alert.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from flask import Blueprint, Response, g, jsonify, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from config import clock, http, ids, logs, security
from config.errors import NotFoundError, TocsinError, UnavailableError
from incidents import edge_in, heartbeat_routes, heartbeats, intake
from incidents.arrivals import Verdict
from incidents.compat import opsgenie, opsgenie_lists, opsgenie_requests, opsgenie_verbs
from incidents.compat.opsgenie import Refusal
from incidents.compat.opsgenie_verbs import NEEDED, VERBS, Asked
from incidents.edge_in import Edge, door
from incidents.intake import Door
from incidents.sources import opsgenie as source
from incidents.sources import reading

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PATHS = "/v2/alerts"
HEARTBEATS = "/v2/heartbeats"

log = logs.get("opsgenie")

Answer = tuple[Response, int]


class Anything(BaseConverter):
    """At least one character, slashes too."""

    regex = ".+?"
    part_isolating = False
    weight = 300  # after everything that is more particular


class RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def blueprint(edge: Edge) -> Blueprint:
    routes = Blueprint("opsgenie", __name__)
    routes.record_once(_know_anything)
    routes.before_request(_begin)
    _errors(routes)
    _requests(routes, edge)
    _intake(routes, edge)
    _reading(routes, edge)
    _acting(routes, edge)
    _heartbeats(routes, edge)
    _elsewhere(routes)
    security.exempt(routes)
    security.public(routes)
    return routes


def _know_anything(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["anything"] = Anything


def _route(routes: Blueprint, path: str, methods: list[str]) -> Callable[[Any], Any]:
    return routes.route(path, methods=methods, strict_slashes=False, merge_slashes=False)


def _requests(routes: Blueprint, edge: Edge) -> None:
    @_route(routes, f"{PATHS}/requests/<request_id>", ["GET"])
    def request_status(request_id: str) -> Answer:
        """What came of an earlier call."""
        way_in = _door(edge)
        with edge.database.reading() as session:
            found = opsgenie_requests.find(session, way_in, request_id)
            if found is None:
                raise RefusedError(opsgenie.NO_REQUEST)
            return _answer(200, {"data": opsgenie_requests.shown(found)})


def _intake(routes: Blueprint, edge: Edge) -> None:
    @_route(routes, PATHS, ["POST"])
    def create() -> Answer:
        """Open an alert, or count a repeat of one that is open."""
        now, way_in = edge.read_clock(), _door(edge)
        alert = opsgenie.read_alert(request.get_data(), now=now, new_alias=ids.new_key())
        if isinstance(alert, Refusal):
            # Whoever sends this will not send it again better: it may be a page that nobody gets.
            log.error("alert refused", source=source.NAME, answer=alert.body())
            said = "; ".join(f"{field}: {problem}" for field, problem in (alert.errors or {}).items()) or alert.message
            edge_in.refused(edge, way_in, Verdict.REFUSED, said, now)
            raise RefusedError(alert)
        with edge.database.transaction() as session:
            received = intake.receive(session, edge.desk, way_in, alert, now)
            session.flush()
            stored = opsgenie_requests.alert_of(session, way_in, alert.dedup_key, "alias")
            opsgenie_requests.record(
                session, way_in, g.request_id, opsgenie_requests.CREATE, now,
                succeeded=True, status="Created alert", alert=stored,
            )  # fmt: skip
        edge.wake()
        edge.counted(source.NAME)
        edge_in.note(edge, way_in, [alert], [received], now)
        return _accepted()


def _reading(routes: Blueprint, edge: Edge) -> None:
    @_route(routes, PATHS, ["GET"])
    def listed() -> Answer:
        """The integration's alerts, the newest first."""
        way_in, terms = _door(edge), _terms()
        limit = min(max(request.args.get("limit", 20, type=int), 1), opsgenie.LIST_MAX)
        offset = min(max(request.args.get("offset", 0, type=int), 0), 20_000)
        with edge.database.reading() as session:
            found = opsgenie_lists.several(session, way_in, terms, limit=limit, offset=offset)
        return _answer(200, {"data": [opsgenie.alert(each) for each in found], "paging": {}})

    @_route(routes, f"{PATHS}/count", ["GET"])
    def counted() -> Answer:
        way_in, terms = _door(edge), _terms()
        with edge.database.reading() as session:
            return _answer(200, {"data": {"count": opsgenie_lists.count(session, way_in, terms)}})

    @_route(routes, f"{PATHS}/<anything:identifier>", ["GET", "DELETE"])
    def one(identifier: str) -> Answer:
        """Read an alert, or end it as its sender wants it deleted."""
        way_in = _door(edge)
        if request.method == "DELETE":
            return _act(edge, way_in, identifier, "")
        with edge.database.reading() as session:
            alert = opsgenie_requests.alert_of(session, way_in, identifier, _identifier_type())
            if alert is None:
                raise RefusedError(opsgenie.NO_ALERT)
            return _answer(200, {"data": opsgenie.alert(opsgenie_lists.one(session, alert))})


def _acting(routes: Blueprint, edge: Edge) -> None:
    verbs = ",".join(sorted({verb for _, verb in VERBS if verb}))

    # With a slash at the end, in a rule of its own: it would go to what takes the rest of a path.
    @_route(routes, f"{PATHS}/<anything:identifier>/<any({verbs}):verb>", ["POST", "PUT", "DELETE"])
    @_route(routes, f"{PATHS}/<anything:identifier>/<any({verbs}):verb>/", ["POST", "PUT", "DELETE"])
    def act(identifier: str, verb: str) -> Answer:
        """Do something with an alert. 202 whether it is there or not: its request says which."""
        return _act(edge, _door(edge), identifier, verb)

    @_route(routes, f"{PATHS}/<anything:identifier>/actions/<action>", ["POST"])
    def custom(identifier: str, action: str) -> Answer:
        """An action of the team's own: noted for people to see."""
        return _act(edge, _door(edge), identifier, "actions", {"action": action})


def _heartbeats(routes: Blueprint, edge: Edge) -> None:
    @_route(routes, f"{HEARTBEATS}/<anything:name>/ping", heartbeat_routes.PING_METHODS)
    def ping(name: str) -> Answer:
        """A sign of life. 202 also for a name that nobody declared, as at Opsgenie; the log says so."""
        key, now = opsgenie.key_in(request.headers.get("Authorization")), edge.read_clock()
        with edge.database.transaction() as session:
            heartbeat = heartbeats.by_key(session, key)
            if heartbeat is None or heartbeat.name != name:
                way_in = intake.door(session, ids.secret_hash(key), source.NAME)
                if way_in is None:
                    raise RefusedError(opsgenie.BAD_KEY)
                heartbeat = heartbeats.by_name(session, name, way_in.service.id)
            if heartbeat is not None:
                heartbeats.ping(session, edge.desk, heartbeat, now)
        if heartbeat is None:
            log.warning(
                "ping of a heartbeat that is not declared, or of several services", heartbeat=reading.name_of(name)
            )
        edge.wake()
        return _answer(202, {"result": "PONG - Heartbeat received"})


def _elsewhere(routes: Blueprint) -> None:
    @_route(routes, PATHS, ["PUT", "PATCH", "DELETE"])
    @_route(routes, f"{PATHS}/<anything:rest>", METHODS)
    def elsewhere(rest: str = "") -> Answer:
        """What there is not, in Opsgenie's own shape."""
        log.info("call of an unknown path refused", source=source.NAME, method=request.method, path=rest)
        raise RefusedError(opsgenie.NO_PATH)

    @_route(routes, f"{HEARTBEATS}/<anything:rest>", METHODS)
    def no_heartbeats(rest: str) -> Answer:
        """They are declared in tocsin.yaml."""
        log.info("call of an unknown path refused", source=source.NAME, method=request.method, path=rest)
        raise RefusedError(opsgenie.NO_PATH)


def _act(edge: Edge, way_in: Door, identifier: str, verb: str, more: dict[str, Any] | None = None) -> Answer:
    if (request.method, verb) not in VERBS:
        raise RefusedError(opsgenie.NO_PATH)
    name, do = VERBS[request.method, verb]
    payload = opsgenie.read_body(request.get_data())
    if isinstance(payload, Refusal) and (request.method, verb) not in NEEDED:
        payload = {}  # a close says enough by its address, whatever else came with it
    if isinstance(payload, Refusal):
        raise RefusedError(payload)
    asked = {name: value for name, value in request.args.items() if name != "identifierType"}
    payload = {**asked, **payload, **(more or {})}
    if refused := opsgenie_verbs.refused((request.method, verb), payload):
        raise RefusedError(refused)
    now, kind = edge.read_clock(), _identifier_type()
    try:
        with edge.database.transaction() as session:
            alert = opsgenie_requests.alert_of(session, way_in, identifier, kind)
            if alert is None:
                raise NotFoundError("Alert does not exist")
            done = do(session, edge.desk, Asked(way_in, alert, payload, now))
            opsgenie_requests.record(
                session, way_in, g.request_id, name, now, succeeded=done.succeeded, status=done.status, alert=alert
            )
    except UnavailableError:
        raise
    except TocsinError as cannot:
        with edge.database.transaction() as session:
            opsgenie_requests.record(session, way_in, g.request_id, name, now, succeeded=False, status=cannot.detail)
    else:
        edge.wake()
    return _accepted()


def _begin() -> None:
    """One name for the request in the answer, in Opsgenie's form, and in our log."""
    g.request_id = str(uuid.uuid4())
    g.began = clock.monotonic_seconds()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _errors(routes: Blueprint) -> None:
    routes.register_error_handler(RefusedError, lambda error: _refused(error.refusal))
    routes.register_error_handler(RequestEntityTooLarge, lambda _: _refused(opsgenie.TOO_LARGE))
    routes.register_error_handler(TocsinError, lambda error: _refused(Refusal(error.status, error.detail)))

    def away(error: Exception) -> Answer:
        log.error("call not taken, the database does not answer", source=source.NAME, error=str(error))
        return _refused(opsgenie.UNAVAILABLE)

    for kind in http.DATABASE_AWAY:
        routes.register_error_handler(kind, away)


def _door(edge: Edge) -> Door:
    key = opsgenie.key_in(request.headers.get("Authorization"))
    found = door(edge, key, source.NAME) if key else None
    if found is None:
        log.warning("call with an unknown key refused", source=source.NAME, **edge_in.stranger(key or ""))
        raise RefusedError(opsgenie.BAD_KEY)
    return found


def _terms() -> dict[str, str]:
    terms = opsgenie.query_terms(request.args.get("query", ""))
    if isinstance(terms, Refusal):
        raise RefusedError(terms)
    return terms


def _identifier_type() -> str:
    written = request.args.get("identifierType", "id").casefold()
    if written not in opsgenie.IDENTIFIER_TYPES:
        raise RefusedError(opsgenie.unprocessable("identifierType", "Must be one of id, alias and tiny."))
    return written


def _accepted() -> Answer:
    return _answer(202, {"result": "Request will be processed"})


def _refused(refusal: Refusal) -> Answer:
    answer, status = _answer(refusal.status, refusal.body())
    if status == UnavailableError.status:
        answer.headers["Retry-After"] = str(http.RETRY_AFTER_SECONDS)
    return answer, status


def _answer(status: int, body: dict[str, Any]) -> Answer:
    took = round(clock.monotonic_seconds() - g.began, 3)
    answer = jsonify({**body, "took": took, "requestId": g.request_id})
    answer.headers["X-Response-Time"] = str(took)
    answer.headers["X-RateLimit-State"] = "OK"
    return answer, status
