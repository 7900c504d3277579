"""A small application with the whole HTTP edge and a few routes of its own, for tests of the edge."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Blueprint, Flask, Response, render_template, request
from flask.testing import FlaskClient
from flask.views import MethodView
from flask_smorest import Blueprint as ApiBlueprint
from marshmallow import Schema, fields
from werkzeug.test import TestResponse

from config import auth, health, http, openapi, passwords, security, telemetry, web
from config.database import Database
from escalation import responders
from escalation.models import Responder
from tests.factories import make_responder

NOW = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
SECRET_KEY = "a secret key for tests, 32 and more"
PASSWORD = "correct horse battery staple"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class Edge:
    """`readiness` and `metrics` are what the routes of those names tell."""

    database: Database
    base_url: str = "http://localhost"
    clock: Clock = field(default_factory=Clock)
    metrics: telemetry.Metrics = field(default_factory=telemetry.Metrics)
    readiness: health.Readiness = field(default_factory=lambda: health.Readiness(True, 0.0, 1))
    collect: telemetry.Collect | None = None
    before_readiness: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.app = Flask(__name__, static_folder=None)
        self.app.testing = True
        http.install(self.app, self.database)
        telemetry.install(self.app, self.metrics, collect=self.collect)
        security.install(self.app, base_url=self.base_url)
        auth.install(self.app, self.database, responders, secret_key=SECRET_KEY, clock=self.clock)
        web.install(self.app, self.database, responders)
        health.install(self.app, self._ready)
        openapi.make_api(self.app).register_blueprint(_api())
        self.app.register_blueprint(_pages())
        self.app.register_blueprint(_hooks())
        self.app.add_url_rule("/greeting", view_func=Greeting.as_view("greeting"))

    def _ready(self) -> health.Readiness:
        self.before_readiness()
        return self.readiness

    def client(self, **headers: str) -> FlaskClient:
        client = self.app.test_client()
        for name, value in headers.items():
            client.environ_base[f"HTTP_{name.upper()}"] = value
        return client

    def browser(self) -> FlaskClient:
        return self.client(accept=BROWSER["Accept"])

    def person(self, key: str = "ana", *, password: str | None = PASSWORD, **more: Any) -> Responder:
        with self.database.transaction() as session:
            person = make_responder(session, key=key, **more)
            if password is not None:
                passwords.set_password(session, person, password)
        return person

    def leave(self, person: Responder) -> None:
        with self.database.transaction() as session:
            session.merge(person).active = False

    def token(self, *, person: Responder | None = None, role: str | None = None, name: str = "a test") -> str:
        with self.database.transaction() as session:
            return auth.create_token(
                session, name=name, now=NOW, responder_id=None if person is None else person.id, role=role
            )

    def bearer(self, **whose: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**whose)}"}


class CountingHasher:
    """argon2 with the cheapest parameters, which counts how often it had to verify."""

    def __init__(self, passes: int = 1) -> None:
        self.verified = 0
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=8, parallelism=1)

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, stored: str, password: str) -> bool:
        self._hasher.check_needs_rehash(stored)  # raises for what is no hash, which would cost nothing
        self.verified += 1
        return self._hasher.verify(stored, password)

    def check_needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)


def url_of_database_away(kind: str, directory: Path) -> str:
    """A directory where SQLite's file should be; a port where no PostgreSQL listens."""
    if kind == "postgresql":
        return "postgresql://tocsin:pa55word@127.0.0.1:1/tocsin"
    (directory / "away").mkdir()
    return f"sqlite:///{directory}/away"


def form_token(client: FlaskClient, path: str = "/sign-in") -> str:
    """Out of the page, as a browser would send it."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, f"{path} has no form"
    return found[1]


def sign_in(client: FlaskClient, email: str = "ana@example.org", password: str = PASSWORD, **form: str) -> TestResponse:
    sent = {"csrf_token": form_token(client), "email": email, "password": password, **form}
    return client.post("/sign-in", data=sent)


class _Milestone(Schema):
    milestone = fields.String(required=True)


class _Wish(Schema):
    reason = fields.String(required=True)
    count = fields.Integer()
    milestones = fields.List(fields.Nested(_Milestone))


def _api() -> ApiBlueprint:
    api = ApiBlueprint("things", __name__, url_prefix="/api/v1")

    @api.get("/me")
    @api.response(200)
    def me() -> dict[str, Any]:
        who = auth.caller()
        return {"name": who.name, "key": who.key, "roles": sorted(who.roles), "kind": who.kind, "id": who.responder_id}

    @api.post("/wishes")
    @api.arguments(_Wish)
    @api.response(200)
    def wish(wished: dict[str, Any]) -> dict[str, Any]:
        return wished

    @api.post("/loaded")
    def load_by_hand() -> dict[str, Any]:
        loaded: dict[str, Any] = _Wish().load(request.get_json())
        return loaded

    @api.get("/searched")
    @api.arguments(_Wish, location="query")
    @api.response(200)
    def search(wished: dict[str, Any]) -> dict[str, Any]:
        return wished

    @api.post("/decisions")
    @api.response(200)
    def decide() -> dict[str, str]:
        return {"by": auth.require("approve").name}

    @api.post("/settings")
    @auth.requires("admin")
    def set_up() -> dict[str, str]:
        return {}

    return api


def _pages() -> Blueprint:
    pages = Blueprint("pages", __name__)

    @pages.route("/incidents", methods=["GET", "POST"])
    def incidents() -> str:
        return f"incidents for {auth.caller().name}"

    @pages.get("/frame")
    def frame() -> str:
        return render_template("base.html")

    @pages.get("/runbooks")
    @auth.readable_without_database
    def runbooks() -> str:
        return f"runbooks for {auth.caller().name}, who may act: {auth.caller().may('act')}"

    @pages.get("/report")
    @security.self_contained
    def report() -> str:
        return "<style>p { color: red }</style>"

    return pages


def _hooks() -> Blueprint:
    """Programs without a caller: each has its own proof."""
    hooks = security.exempt(auth.public(Blueprint("hooks", __name__)))

    @hooks.post("/alerts/<source>/<key>")
    def receive(source: str, key: str) -> Response:
        return Response(str(len(request.get_data())), 202)

    return hooks


@auth.public
class Greeting(MethodView):
    def get(self) -> str:
        return "hello"
