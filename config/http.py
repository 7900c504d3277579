"""The HTTP edge: every refusal is a problem document (RFC 9457), or a page where a person's browser asked.

`install` first of all the edge's parts: what runs before a request runs in the order of installation.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from marshmallow import ValidationError
from sqlalchemy import exc
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import HTTPException, NotFound

from config import bodies, logs
from config.database import Database
from config.errors import InvalidInputError, TocsinError, TooLargeError, UnavailableError

BODY_BYTES_MAX = bodies.BYTES_MAX
RETRY_AFTER_SECONDS = 5
PROBLEM = "application/problem+json"
# Nobody browses below these: they answer programs, whatever their Accept header says.
PATHS_OF_PROGRAMS = ("/api", "/v2", "/alerts", "/integrations", "/replies", "/heartbeats", "/generic")
# The database is away, or so busy that it comes to the same. An IntegrityError is neither: it is a fault of ours.
DATABASE_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
SIGN_IN = "web.sign_in"
NOTHING_HERE = "There is nothing at this address. It may be mistyped, or was cut on its way here."

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PLACES = {"json": "body", "querystring": "query"}  # webargs' word for where a fault lies -> ours

log = logs.get("http")


@dataclass(frozen=True, slots=True)
class Problem:
    """`errors`: field -> what is wrong with it; a field within a field is written `levels.0.after`."""

    status: int
    title: str
    detail: str
    errors: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """RFC 9457: `about:blank` says no more than the status does."""
        if self.title == HTTPStatus(self.status).phrase:
            return "about:blank"
        return f"urn:tocsin:problem:{self.title.lower().replace(' ', '-')}"


def install(app: Flask, database: Database) -> None:
    # Flask's own limit for multipart forms is lower than ours; no body is refused earlier than another.
    app.config.update(MAX_CONTENT_LENGTH=BODY_BYTES_MAX, MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX)
    app.wsgi_app = bodies.Whole(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way

    def away(error: exc.SQLAlchemyError) -> AnyResponse:
        where = database.url.render_as_string(hide_password=True)
        log.warning("The database did not answer; the caller was asked to retry.", database=where, error=_cause(error))
        return answer(unavailable())

    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, away)
    app.register_error_handler(TocsinError, lambda error: answer(_of_refusal(error)))
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(ValidationError, lambda error: answer(_invalid(422, fields_of(error.messages))))
    app.register_error_handler(Exception, _unexpected(app))
    app.before_request(_name_request)
    app.after_request(_tell_name)
    app.teardown_request(_forget_name)


def answer(problem: Problem) -> AnyResponse:
    """The problem as its caller can read it. A browser whose person is not signed in is shown the way in."""
    if not wants_page():
        response = _document(problem)
    elif problem.status == 401:
        return redirect(url_for(SIGN_IN, next=_way_back()))
    else:
        response = Response(render_template("problem.html", problem=problem, request_id=request_id()))
    response.status_code = problem.status
    response.headers.extend(problem.headers)
    return response


def wants_page() -> bool:
    """Whether a person's browser asks, at a place where there is something to browse."""
    if any(request.path.startswith(f"{path}/") for path in PATHS_OF_PROGRAMS):
        return False
    if request.headers.get("Authorization", "").lower().startswith("bearer"):
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
        "The database cannot be reached right now, and nothing was stored. Send the same request again in a moment.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def fields_of(messages: Any, *, whole: str = "body") -> dict[str, str]:
    """marshmallow's nested messages as {field: message}; `whole` names what all the fields are in."""
    return dict(_flat(messages, "", whole))


def _flat(messages: Any, path: str, whole: str) -> Iterator[tuple[str, str]]:
    if not isinstance(messages, Mapping):
        said = messages if isinstance(messages, list | tuple) else [messages]
        yield path or whole, " ".join(str(each) for each in said)
        return
    for name, within in messages.items():
        # `_schema` is marshmallow's word for "all of it".
        deeper = path if name == "_schema" else f"{path}.{name}" if path else str(name)
        yield from _flat(within, deeper, whole)


def _document(problem: Problem) -> Response:
    response = jsonify(
        type=problem.type,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=request.path,
        errors=dict(problem.errors),
        request_id=request_id(),
    )
    response.mimetype = PROBLEM
    if problem.status == 401 and "WWW-Authenticate" not in problem.headers:
        came = "Authorization" in request.headers
        response.headers["WWW-Authenticate"] = 'Bearer realm="tocsin"' + (', error="invalid_token"' if came else "")
    return response


def _of_refusal(error: TocsinError) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, UnavailableError) else {}
    return Problem(error.status, error.title, error.detail, error.fields, headers)


def _of_http(error: HTTPException) -> AnyResponse:
    if error.response is not None:  # whoever raised it has written the answer already
        return error.get_response()
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    found = getattr(error, "data", {}).get("messages")  # webargs: {where: messages}
    if found:
        ((place, messages),) = found.items()
        return answer(_invalid(status, fields_of(messages, whole=_PLACES.get(place, place)), headers))
    if status == 413:
        detail = f"A body may have at most {BODY_BYTES_MAX // 1024} KiB. Send less at once."
        return answer(Problem(status, TooLargeError.title, detail, headers=headers))
    detail = NOTHING_HERE if error.description == NotFound.description else error.description or ""
    return answer(Problem(status, error.name, detail, headers=headers))


def _invalid(status: int, errors: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Problem:
    if status != 422:
        return Problem(status, HTTPStatus(status).phrase, " ".join(errors.values()), errors, headers or {})
    detail = f"The request cannot be used as it is; see {', '.join(errors)}."
    if request.content_length and not request.is_json:
        detail += f" The body came as {request.mimetype or 'no type at all'}; send it as application/json."
    return Problem(status, InvalidInputError.title, detail, errors, headers or {})


def _unexpected(app: Flask) -> Callable[[Exception], AnyResponse]:
    def answer_for(error: Exception) -> AnyResponse:
        if app.testing:
            raise error
        # By its endpoint: a path may hold a key, and keys do not belong in a log.
        log.error("A request failed unexpectedly.", endpoint=request.endpoint, method=request.method, exc_info=error)
        detail = f"Something in Tocsin went wrong. Its log says what, under request id {request_id()}."
        return answer(Problem(500, HTTPStatus(500).phrase, detail))

    return answer_for


def _cause(error: exc.SQLAlchemyError) -> str:
    """The driver's own words. SQLAlchemy's would add the statement and its values."""
    return str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]


def _way_back() -> str | None:
    """Where to go on after signing in: the page asked for, or the one whose form was sent."""
    if request.method in ("GET", "HEAD"):
        query = request.query_string.decode("ascii", "ignore")
        return quote(request.path) + (f"?{query}" if query else "")
    sent_from = urlsplit(request.referrer or "")
    return sent_from.path or None if sent_from.netloc == request.host else None


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _tell_name(response: Response) -> Response:
    if request_id():
        response.headers["X-Request-Id"] = request_id()
    return response


def _forget_name(_: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")
