"""How a route of the HTTP API is declared: path, what it takes, what it gives, in one decorator.

flask-smorest parses, dumps and documents; this is its typed face. What is taken is validated before the view runs,
and comes as its first argument; a refusal names the field (`config.http`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Request
from flask_smorest import Blueprint as DocumentedBlueprint
from marshmallow import RAISE, Schema
from webargs.flaskparser import FlaskParser, abort

View = TypeVar("View", bound=Callable[..., Any])

PREFIX = "/api/v1"

# What a route may refuse with: what is true of all, of those that take a body, and of those that change something.
ANY = (401, 503)
TAKING = (400, 413, 422)
ACTING = (403, 409)


class _Parser(FlaskParser):
    """webargs knows of bodies that are not JSON, and not of those that are and that Python will not read."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        try:
            return super().load_json(req, schema)
        except RecursionError:
            problem = "Nested too deeply."
        except ValueError:  # an integer of more digits than Python reads
            problem = "Holds a number that is far too long."
        return abort(400, messages={"json": [problem]})


class _DocumentedBlueprint(DocumentedBlueprint):  # type: ignore[misc]  # flask-smorest comes without types
    ARGUMENTS_PARSER = _Parser()


@functools.cache
def _kept(schema: type[Schema]) -> Schema:
    """One instance for all routes. With each thing said of a route flask-smorest copies all that was said before, and
    every field of every schema in it; this one is its own copy, as nobody changes it."""
    made = schema()
    made.__deepcopy__ = lambda _: made  # type: ignore[attr-defined]  # copy.deepcopy asks the instance for it
    return made


class Routes:
    """The routes of one blueprint. A view's docstring is its summary in the OpenAPI document."""

    def __init__(self, name: str, description: str) -> None:
        self._declare = _DocumentedBlueprint(name, __name__, url_prefix=PREFIX, description=description)

    @property
    def blueprint(self) -> Blueprint:
        """To be registered with what `openapi.make_api` returns."""
        declared: Blueprint = self._declare
        return declared

    def get(
        self, path: str, *, gives: type[Schema], query: type[Schema] | None = None, refuses: Sequence[int] = ()
    ) -> Callable[[View], View]:
        """`refuses`: with what statuses beside those that its path and its query tell of."""

        def declare(view: View) -> View:
            shown = self._declare.response(200, _kept(gives))(view)
            if query is not None:
                # Said here because webargs would let unknown names in a query pass.
                shown = self._declare.arguments(_kept(query), location="query", unknown=RAISE)(shown)
            return self._declared("GET", path, view, shown, refuses)

        return declare

    def post(
        self, path: str, *, takes: type[Schema], gives: type[Schema], may_wait: bool = False,
        refuses: Sequence[int] = (),
    ) -> Callable[[View], View]:  # fmt: skip
        """`may_wait`: it may answer 202, having only asked for approval."""

        def declare(view: View) -> View:
            shown = self._declare.response(200, _kept(gives))(view)
            if may_wait:
                waits = "Asked for; it waits for approval"
                shown = self._declare.alt_response(202, schema=_kept(gives), description=waits, success=True)(shown)
            shown = self._declare.arguments(_kept(takes), required=bool(_kept(takes).fields))(shown)
            return self._declared("POST", path, view, shown, (*TAKING, *ACTING, *refuses))

        return declare

    def put(self, path: str, *, takes: type[Schema], gives: type[Schema]) -> Callable[[View], View]:
        def declare(view: View) -> View:
            shown = self._declare.arguments(_kept(takes))(self._declare.response(200, _kept(gives))(view))
            return self._declared("PUT", path, view, shown, (*TAKING, *ACTING))

        return declare

    def delete(self, path: str, *, gives: type[Schema]) -> Callable[[View], View]:
        def declare(view: View) -> View:
            return self._declared("DELETE", path, view, self._declare.response(200, _kept(gives))(view), ACTING)

        return declare

    def document(
        self, path: str, *, media_type: str, query: type[Schema] | None = None, refuses: Sequence[int] = ()
    ) -> Callable[[View], View]:
        """GET of something that is not JSON of ours; the view makes the Response."""

        def declare(view: View) -> View:
            is_text = media_type.startswith("text/") or media_type.endswith("+xml")
            schema = {"type": "string" if is_text else "object"}
            shown = self._declare.response(200, schema, content_type=media_type)(view)
            if query is not None:
                shown = self._declare.arguments(_kept(query), location="query", unknown=RAISE)(shown)
            return self._declared("GET", path, view, shown, refuses)

        return declare

    def _declared(
        self, method: str, path: str, view: View, shown: Callable[..., Any], refuses: Sequence[int] = ()
    ) -> View:
        of_the_path = (404,) if "<" in path else ()
        for status in sorted({*ANY, *of_the_path, *refuses}):
            shown = self._declare.alt_response(status, HTTPStatus(status).name)(shown)
        self._declare.route(path, methods=[method])(shown)
        return view
