"""The HTTP API's own description: an OpenAPI document at /api/openapi.json, written when somebody first asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from importlib import metadata

from flask import Flask, Response
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import Schema, fields

from config import security
from config.http import PROBLEM


class ProblemSchema(Schema):
    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What happened and what to do, in a sentence"})
    instance = fields.String(required=True, metadata={"description": "The path that was asked for"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Field -> what is wrong with it; a field within a field is written `levels.0.after`"},
    )
    request_id = fields.String(required=True, metadata={"description": "Under which the log knows this request"})


class _Api(Api):  # type: ignore[misc]  # flask-smorest comes without types
    """flask-smorest documents and parses; what a refusal looks like is said in config.http alone."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self._unwritten: list[Callable[[], None]] = []
        self._pen = threading.Lock()
        super().__init__(app)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Its routes are there at once. What the document says of them is written when somebody asks for it: doing
        that first took longer than all the rest of making the app."""
        name = blueprint.name
        self._app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        self._app.register_blueprint(blueprint)

        def write() -> None:
            blueprint.register_views_in_doc(self, self._app, self.spec, name=name, parameters=None)
            self.spec.tag({"name": name, "description": blueprint.description})

        self._unwritten.append(write)

    def _register_error_handlers(self) -> None:
        pass

    def _register_pagination_header(self) -> None:
        pass  # a list says in its body where it goes on

    def _register_responses(self) -> None:
        self._unwritten.append(self._write_responses)

    def _write_responses(self) -> None:
        phrases = {status.name: status.phrase for status in HTTPStatus}
        phrases[self.DEFAULT_ERROR_RESPONSE_NAME] = "Refused, with the reason"
        for name, phrase in phrases.items():
            response = {"description": phrase, "schema": ProblemSchema}
            prepare_response(response, self.spec, PROBLEM)
            self.spec.components.response(name, response, lazy=True)

    @security.public
    def _openapi_json(self) -> Response:
        with self._pen:
            while self._unwritten:
                self._unwritten[0]()  # left there if it fails: the next who asks is told as well
                self._unwritten.pop(0)
            document: Response = super()._openapi_json()
        return document


def make_api(app: Flask) -> Api:
    """Serves the OpenAPI document at /api/openapi.json. The API's blueprints are registered with what this returns."""
    app.config.update(
        API_TITLE="Tocsin",
        API_VERSION=_version(),
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        API_SPEC_OPTIONS={"security": [{"token": []}]},
    )
    api = _Api(app)
    scheme = {"type": "http", "scheme": "bearer", "description": "An API token, from `tocsin token create`"}
    api.spec.components.security_scheme("token", scheme)
    return api


def _version() -> str:
    try:
        return metadata.version("tocsin")
    except metadata.PackageNotFoundError:
        return "0"  # run from a checkout that was never installed
