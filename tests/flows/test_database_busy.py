"""The database is there and lets nobody write: each way in says 503 before it accepts anything, and when to ask again.

Why none of them says 429: docs/adr/0018.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

from config import database as database_settings
from config import http
from config.database import Database
from incidents.models import Alert
from incidents.proof import timeline
from tests.calling import Edge
from tests.fakes import certificate
from tests.fakes.serving import served
from tests.world import KEY, World, team

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what they were written for is older than Python's newest warnings
    import opsgenie_sdk
    import pagerduty

GENIE_KEY, HOOK_KEY, BEAT_KEY = "11111111-2222-3333-4444-555555555555", "c3" * 16, "b0" * 16
TEAM = team().replace(
    "checkout: {policy: standard, integrations: [",
    f'checkout: {{policy: standard, heartbeats: [{{name: nightly, key: "{BEAT_KEY}"}}], integrations: ['
    f'{{source: opsgenie, key: "{GENIE_KEY}"}}, {{source: generic, key: "{HOOK_KEY}"}}, ',
)
EVENT = {
    "routing_key": KEY,
    "event_action": "trigger",
    "payload": {"summary": "down", "source": "s", "severity": "error"},
}
WAYS_IN: dict[str, tuple[str, Any, dict[str, str]]] = {
    "pagerduty": ("/v2/enqueue", EVENT, {}),
    "pagerduty's older one": (
        "/generic/2010-04-15/create_event.json",
        {"service_key": KEY, "event_type": "trigger", "description": "down"},
        {},
    ),
    "pagerduty's changes": ("/v2/change/enqueue", {"routing_key": KEY, "payload": {"summary": "deployed"}}, {}),
    "opsgenie": ("/v2/alerts", {"message": "down"}, {"Authorization": f"GenieKey {GENIE_KEY}"}),
    "opsgenie's close": ("/v2/alerts/a/close?identifierType=alias", {}, {"Authorization": f"GenieKey {GENIE_KEY}"}),
    "opsgenie's heartbeat": ("/v2/heartbeats/nightly/ping", {}, {"Authorization": f"GenieKey {GENIE_KEY}"}),
    "native": (f"/alerts/generic/{HOOK_KEY}", {"title": "down"}, {}),
    "oncall": (f"/integrations/v1/webhook/{HOOK_KEY}/", {"title": "down too"}, {}),
    "oncall's heartbeat": (f"/integrations/v1/nightly/{HOOK_KEY}/heartbeat/", {}, {}),
    "heartbeat": (f"/heartbeats/{BEAT_KEY}", {}, {}),
}
Busy = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def edge(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """Whose database is waited for a moment, not half a minute."""
    monkeypatch.setattr(database_settings, "BUSY_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(database_settings, "LOCK_TIMEOUT_MS", 50)
    database = Database(database_url, before_commit=timeline.write)
    yield Edge(World(database, config=TEAM))
    database.close()


@pytest.fixture
def busy(edge: Edge) -> Busy:
    """Somebody else holds what every writer needs: a program in the file, a migration or a backup in PostgreSQL."""
    url = edge.world.database.url

    @contextmanager
    def held() -> Iterator[None]:
        if edge.world.database.is_sqlite:
            other = sqlite3.connect(str(url.database), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
        else:
            other = psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
            for table in ("incidents", "alerts", "timers", "heartbeats", "change_events"):
                other.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            other.rollback()
            other.close()

    return held


def taken(edge: Edge) -> int:
    with edge.world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Alert)) or 0


def test_every_way_in_says_503_and_when_to_ask_again_and_takes_it_then(edge: Edge, busy: Busy) -> None:
    with busy():
        for name, (path, body, headers) in WAYS_IN.items():
            answer = edge.client.post(path, json=body, headers=headers)
            assert answer.status_code == 503, (name, answer.text)
            assert answer.headers["Retry-After"] == str(http.RETRY_AFTER_SECONDS), name
            assert len(answer.text) > 30, name
    before = taken(edge)
    assert before == 0
    for name, (path, body, headers) in WAYS_IN.items():
        answer = edge.client.post(path, json=body, headers=headers)
        assert answer.status_code in (200, 202), (name, answer.text)
    assert taken(edge) == 5


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the clients' own
@pytest.mark.parametrize("sender", ["pagerduty", "opsgenie"])
def test_unmodified_clients_try_again_by_themselves(
    sqlite_url: str, sender: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_settings, "BUSY_TIMEOUT_SECONDS", 0.05)
    database = Database(sqlite_url, before_commit=timeline.write)
    edge = Edge(World(database, config=TEAM))
    other = sqlite3.connect(str(database.url.database), isolation_level=None, check_same_thread=False)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        """What a client waits before it asks again; meanwhile the database can be written again."""
        waits.append(seconds)
        if other.in_transaction:
            other.rollback()

    other.execute("BEGIN IMMEDIATE")
    secure = certificate.made(tmp_path) if sender == "pagerduty" else None
    with served(sqlite_url, certificate=secure) as app:
        if secure is not None:
            monkeypatch.setattr(pagerduty.api_client.time, "sleep", wait)
            pagerduty.EventsApiV2Client(KEY, base_url=app.url, verify=secure.trust).trigger(
                "down", "lb-1", severity="error"
            )
        else:
            configuration = opsgenie_sdk.Configuration()
            configuration.host, configuration.api_key["Authorization"] = app.url, GENIE_KEY
            client = opsgenie_sdk.ApiClient(configuration=configuration)
            client.retrying.sleep = wait
            opsgenie_sdk.AlertApi(api_client=client).create_alert(opsgenie_sdk.CreateAlertPayload(message="down"))
    assert waits, "it did not ask again"
    assert taken(edge) == 1
    other.close()
    database.close()
