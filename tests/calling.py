"""The HTTP API over a `World`: the real edge, and callers with tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from config import auth, http, openapi, security
from config.database import Database
from escalation import api as escalation_api
from escalation import responders
from escalation.oncall import api as oncall_api
from escalation.oncall import api_ahead
from incidents import api, configuration_routes, edge_in, ways_in
from tests.world import World


@dataclass
class Edge:
    """`wakes` counts how often the engine was woken; `received` are the sources of the alerts taken in."""

    world: World
    wakes: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    newest_before: int = 0  # the newest alert when a test of a shared world began

    def __post_init__(self) -> None:
        self.app = Flask("tocsin")
        self.app.testing = True
        database, base_url = self.world.database, self.world.desk.base_url
        http.install(self.app, database)
        security.install(self.app, base_url=base_url)
        auth.install(self.app, database, responders, secret_key="s" * 64, clock=lambda: self.world.now)
        documented = openapi.make_api(self.app)
        documented.register_blueprint(api.blueprint(database, self.world.desk, lambda: self.world.now, self._wake))
        documented.register_blueprint(escalation_api.blueprint(database, lambda: self.world.now, self._wake))
        documented.register_blueprint(
            oncall_api.blueprint(database, lambda: self.world.now, self._wake, base_url=base_url)
        )
        self.app.register_blueprint(api_ahead.calendars(database, lambda: self.world.now, base_url=base_url))
        counted = lambda source: self.received.append(source)  # noqa: E731  the metric
        way_in = edge_in.Edge(database, self.world.desk, lambda: self.world.now, self._wake, counted)
        ways_in.register(self.app, documented, way_in)
        channels = self.world.channels
        now = lambda: self.world.now  # noqa: E731  the clock
        desk, wake = self.world.desk, self._wake
        configuration_routes.register(self.app, documented, database, desk, now, wake=wake, channels=channels)
        self.client: FlaskClient = self.app.test_client()

    def _wake(self) -> None:
        self.wakes += 1

    def token(self, by: str) -> str:
        """`ana`: acts as her. `program:responder`: a program with that role."""
        if by not in self.tokens:
            kind, _, role = by.rpartition(":")
            with self.world.database.transaction() as session:
                person = None if kind else responders.by_key(session, by)
                assert kind or person is not None, by
                self.tokens[by] = auth.create_token(
                    session,
                    name=f"{by}'s token",
                    now=self.world.now,
                    responder_id=person.id if person else None,
                    role=role if kind else None,
                )
        return self.tokens[by]

    def call(self, method: str, path: str, body: Any = None, *, by: str = "ana", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token(by)}"} if by else {}
        sent = {} if body is None else {"json": body}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **sent, **more)

    def get(self, path: str, *, by: str = "ana") -> Any:
        answer = self.call("GET", path, by=by)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def post(self, path: str, body: Any = None, *, by: str = "ana", status: int = 200) -> Any:
        answer = self.call("POST", path, body, by=by)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements executed inside the block, without those that begin a transaction."""
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
