"""The pages on a world of their own: what a person's browser gets, with the clock in the test's hand."""

from __future__ import annotations

import html
import re
from datetime import datetime
from string import Template

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import auth, http, security, web
from config.database import Database
from escalation import responders, web_shifts
from escalation import web as escalation_web
from escalation.channels.console import Console
from escalation.console_log import ConsoleLog
from escalation.paging.engine import Engine
from incidents import configuration_routes, demo, engine_work, heartbeat_routes
from incidents import web as incidents_web
from runbook_links import web as runbooks_web
from tests.edge import BROWSER, SECRET_KEY
from tests.world import HOOK_SECRET, World

_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")


class Pages:
    def __init__(self, world: World, *, is_demo: bool = False) -> None:
        self.world = world
        self.woken = 0
        self.app = app = Flask(__name__, static_folder=None)
        app.testing = True
        http.install(app, world.database)
        security.install(app, base_url="http://localhost")
        auth.install(app, world.database, responders, secret_key=SECRET_KEY, clock=self._now)
        web.install(app, world.database, responders, demo=is_demo)
        app.register_blueprint(incidents_web.blueprint(world.database, world.desk, self._now, self._wake, demo=is_demo))
        app.register_blueprint(escalation_web.blueprint(world.database, self._now, self._wake, demo=is_demo))
        app.register_blueprint(heartbeat_routes.pages(world.database, self._now))
        configuration_routes.register(
            app, None, world.database, world.desk, self._now, wake=self._wake, channels=world.channels
        )
        app.register_blueprint(
            web_shifts.blueprint(world.database, self._now, self._wake, base_url=world.desk.base_url)
        )
        app.register_blueprint(runbooks_web.blueprint(world.desk.shelf, self._now))

    def by(self, key: str = "ana", *, role: str = "") -> FlaskClient:
        """A browser of this person, or a program with this role."""
        with self.world.database.transaction() as session:
            person = responders.by_key(session, key)
            assert person is not None, key
            token = auth.create_token(
                session,
                name=f"{key} {role}",
                now=self.world.now,
                responder_id=None if role else person.id,
                role=role or None,
            )
        client = self.stranger()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def stranger(self) -> FlaskClient:
        client = self.app.test_client()
        client.environ_base["HTTP_ACCEPT"] = BROWSER["Accept"]
        return client

    def lives_in(self, key: str, timezone: str) -> None:
        with self.world.database.transaction() as session:
            person = responders.by_key(session, key)
            assert person is not None, key
            person.timezone = timezone

    def _now(self) -> datetime:
        return self.world.now

    def _wake(self) -> None:
        self.woken += 1


def demo_world(database: Database) -> World:
    """The sample team, and the console in place of every provider."""
    world = World(database, config=Template(demo.text()).substitute(demo.environment(SECRET_KEY)))
    kept = ConsoleLog(database, lambda: world.now)
    channels = {
        name: Console(name, kept.record, base_url=world.desk.base_url) for name in ("slack", "sms", "voice", "email")
    }
    world.engine = Engine(
        database,
        channels,
        world.desk.journal,
        name="engine of the demo",
        read_clock=lambda: world.now,
        submit=lambda send: send(),
        acts=engine_work.acts(world.desk),
        errands=engine_work.errands(world.desk, channels, secret=HOOK_SECRET),
    )
    return world


def words(page: TestResponse | str) -> str:
    """What a reader sees of it: no tags, entities resolved, single spaces."""
    text = page if isinstance(page, str) else page.text
    body = text.partition("<main")[2]
    return _SPACE.sub(" ", html.unescape(_TAG.sub(" ", f"<main{body}"))).strip()


def section(page: TestResponse, heading: str) -> str:
    """The words from this heading to the next of the same depth."""
    after = page.text.partition(heading)[2]
    return words(f"<main>{after.partition('<h2')[0]}")
