"""The HTTP edge: every refusal is a problem document (RFC 9457), or a page where a browser asked for one.

`install` first of all the edge's parts: what runs before a request runs in the order of installation.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from marshmallow import ValidationError
from sqlalchemy import exc
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError as InternalServerError

from config import logs
from config.database import Database
from config.errors import InvalidInputError, TocsinError, TooLargeError, UnavailableError

BODY_BYTES_MAX = 1024 * 1024
RETRY_AFTER_SECONDS = 5
PROBLEM = "application/problem+json"
# Nobody browses here: these answer programs, whatever their Accept header says.
PROGRAMS_PATHS = ("/api", "/v2", "/alerts", "/integrations", "/replies", "/heartbeats")
# The database is away, or so busy that it comes to the same. An IntegrityError is neither: it is a fault of ours.
DATABASE_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
SIGN_IN = "web.sign_in"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Where webargs found a fault -> how people call that place.
_PLACES = {"json": "body", "form": "form", "query": "query", "querystring": "query", "headers": "headers"}

log = logs.get("http")


@dataclass(frozen=True, slots=True)
class Problem:
    """`errors`: field -> what is wrong with it; a field within a field is `levels.0.after`."""

    status: int
    title: str
    detail: str
    errors: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def install(app: Flask, database: Database) -> None:
    # Flask's own limit for forms is lower than ours; a form is refused no earlier than any other body.
    app.config.update(MAX_CONTENT_LENGTH=BODY_BYTES_MAX, MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX)

    def away(error: exc.SQLAlchemyError) -> AnyResponse:
        # Not the exception itself: its text holds the statement and its values.
        where = database.url.render_as_string(hide_password=True)
        log.warning("The database did not answer; the caller was asked to retry.", database=where, error=_cause(error))
        return answer(unavailable())

    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, away)
    app.register_error_handler(TocsinError, lambda error: answer(_of_refusal(error)))
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(ValidationError, lambda error: answer(_invalid(422, error.normalized_messages())))
    app.register_error_handler(Exception, _unexpected(app))
    app.before_request(_name_request)
    app.after_request(_tell_name)
    app.teardown_request(_forget_name)


def answer(problem: Problem) -> AnyResponse:
    """A problem as the caller can read it: JSON for programs, a page for browsers, the way in for who is not signed in."""
    headers = dict(problem.headers)
    if wants_page():
        if problem.status == 401:
            return redirect(url_for(SIGN_IN, next=_way_back()))
        response = Response(render_template("problem.html", problem=problem, request_id=request_id()))
    else:
        if problem.status == 401:
            headers.setdefault("WWW-Authenticate", 'Bearer realm="tocsin"')
        response = jsonify(
            type="about:blank",
            title=problem.title,
            status=problem.status,
            detail=problem.detail,
            instance=request.path,
            errors=dict(problem.errors),
            request_id=request_id(),
        )
        response.mimetype = PROBLEM
    response.status_code = problem.status
    response.headers.extend(headers)
    return response


def wants_page() -> bool:
    """Whether a person's browser asks, at a place where there is something to browse."""
    if any(request.path == path or request.path.startswith(path + "/") for path in PROGRAMS_PATHS):
        return False
    accepts = request.accept_mimetypes
    return accepts["text/html"] > max(accepts["application/json"], accepts[PROBLEM])


def request_id() -> str:
    found: str = g.get("request_id", "")
    return found


def unavailable() -> Problem:
    return Problem(
        UnavailableError.status,
        UnavailableError.title,
        "The database cannot be reached right now. Nothing was stored; send the same request again in a few seconds.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def fields_of(messages: Any) -> dict[str, str]:
    """marshmallow's and webargs' nested messages as {field: message}, without the place they were found in."""
    if isinstance(messages, Mapping) and len(messages) == 1:
        ((place, within),) = messages.items()
        if place in _PLACES:
            return dict(_flat(within, "", whole=_PLACES[place]))
    return dict(_flat(messages, "", whole="body"))


def _flat(messages: Any, path: str, *, whole: str) -> Iterator[tuple[str, str]]:
    if not isinstance(messages, Mapping):
        said = messages if isinstance(messages, list | tuple) else [messages]
        yield path or whole, " ".join(str(each) for each in said)
        return
    for name, within in messages.items():
        # `_schema` is marshmallow's word for "all of it".
        deeper = path if name == "_schema" else f"{path}.{name}" if path else str(name)
        yield from _flat(within, deeper, whole=whole)


def _of_refusal(error: TocsinError) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, UnavailableError) else {}
    return Problem(error.status, error.title, error.detail, error.fields, headers)


def _of_http(error: HTTPException) -> AnyResponse:
    if error.response is not None:
        return error.response  # type: ignore[return-value]  # whoever raised it has written the answer already
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages")  # webargs puts its findings there
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    if messages:
        return answer(_invalid(status, messages, headers))
    if status == 413:
        detail = f"A body may have at most {BODY_BYTES_MAX // 1024} KiB. Send less at once."
        return answer(Problem(status, TooLargeError.title, detail, headers=headers))
    return answer(Problem(status, error.name, error.description or "", headers=headers))


def _invalid(status: int, messages: Any, headers: Mapping[str, str] | None = None) -> Problem:
    errors = fields_of(messages)
    if status != 422:
        return Problem(status, HTTPStatus(status).phrase, " ".join(errors.values()), errors, headers or {})
    detail = f"The request cannot be used as it is: {', '.join(errors)}."
    if request.get_data(cache=True) and not request.is_json:
        detail += f" The body came as {request.mimetype or 'no type'}; send it as application/json."
    return Problem(status, InvalidInputError.title, detail, errors, headers or {})


def _unexpected(app: Flask) -> Any:
    def answer_for(error: Exception) -> AnyResponse:
        if app.testing or app.debug:
            raise error
        # By its endpoint: a path may hold a key, and keys do not belong in a log.
        log.error("A request failed unexpectedly.", endpoint=request.endpoint, method=request.method, exc_info=error)
        detail = f"Something in Tocsin went wrong. Its log tells what, under request id {request_id()}."
        return answer(Problem(500, InternalServerError().name, detail))

    return answer_for


def _cause(error: exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]


def _way_back() -> str | None:
    """Where to go on after signing in: the page asked for, or the one whose form was sent."""
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    sent_from = urlsplit(request.referrer or "")
    return sent_from.path or None if sent_from.netloc == request.host else None


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    g.request_id_binding = structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _tell_name(response: Response) -> Response:
    if request_id():
        response.headers["X-Request-Id"] = request_id()
    return response


def _forget_name(_: BaseException | None) -> None:
    if binding := g.pop("request_id_binding", None):
        structlog.contextvars.reset_contextvars(**binding)
