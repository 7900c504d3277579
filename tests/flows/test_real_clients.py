"""Unmodified clients of PagerDuty and Opsgenie, and a real Alertmanager, against the real app on a loopback port."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from incidents.models import Alert, ChangeEvent, Incident
from tests.fakes import certificate
from tests.fakes.serving import served
from tests.world import KEY, World, team

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what they were written for is older than Python's newest warnings
    import opsgenie_sdk
    import pagerduty

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the clients' own

GENIE_KEY, HOOK_KEY, BEAT_KEY = "11111111-2222-3333-4444-555555555555", "a1" * 16, "b0" * 16
TEAM = team().replace(
    "checkout: {policy: standard, integrations: [",
    f'checkout: {{policy: standard, heartbeats: [{{name: nightly, key: "{BEAT_KEY}"}}], integrations: ['
    f'{{source: opsgenie, key: "{GENIE_KEY}"}}, {{source: alertmanager, key: "{HOOK_KEY}"}}, ',
)
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PATIENCE_SECONDS = 20


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=TEAM)


def alerts(world: World, source: str = "") -> list[Alert]:
    with world.database.reading() as session:
        found = session.scalars(select(Alert).order_by(Alert.id))
        return [alert for alert in found if source in ("", alert.source)]


def url_of(world: World) -> str:
    return world.database.url.render_as_string(hide_password=False)


def test_pagerdutys_own_client_triggers_acknowledges_resolves_and_submits_a_change(
    world: World, tmp_path: Path
) -> None:
    secure = certificate.made(tmp_path)
    with served(url_of(world), certificate=secure) as app:
        client = pagerduty.EventsApiV2Client(KEY, base_url=app.url, verify=secure.trust)
        key = client.trigger(
            "Checkout is down",
            "lb-1",
            severity="error",
            custom_details={"code": 502},
            links=[{"href": "https://wiki.example.org/checkout", "text": "Wiki"}],
            images=[{"src": "https://graphs.example.org/1.png", "alt": "Graph"}],
        )
        assert client.trigger("Checkout is down", "lb-1", dedup_key=key, severity="error") == key
        assert client.acknowledge(key) == key
        assert world.incident(1).status == "acknowledged"
        assert client.resolve(key) == key
        client.submit("v42 is out", source="ci", timestamp="2026-11-16T09:00:00Z", custom_details={"build": 42})
        with pytest.raises(pagerduty.HttpError, match="severity"):
            client.trigger("Checkout is down", "lb-1", severity="fatal")
        client.close()
    (alert,) = alerts(world)
    assert (alert.count, alert.status, alert.dedup_key) == (2, "resolved", key)
    with world.database.reading() as session:
        assert list(session.scalars(select(ChangeEvent.summary))) == ["v42 is out"]


def test_opsgenies_own_sdk_does_all_it_can_do_to_an_alert(world: World) -> None:
    with served(url_of(world)) as app:
        configuration = opsgenie_sdk.Configuration()
        configuration.host, configuration.api_key = app.url, {"Authorization": GENIE_KEY}
        configuration.retry_enabled = False
        client = opsgenie_sdk.ApiClient(configuration)
        api = opsgenie_sdk.AlertApi(client)
        alias = "db1/disk full?"
        by_alias = {"identifier": alias, "identifier_type": "alias"}

        def outcome(answer: Any) -> str:
            data = api.get_request_status(answer.request_id).data
            assert data.is_success, data.status
            return str(data.status)

        created = api.create_alert(
            opsgenie_sdk.CreateAlertPayload(message="Tür offen — 磁盘 🔥", alias=alias, priority="P2", tags=["disk"])
        )
        assert outcome(created) == "Created alert"
        assert outcome(api.acknowledge_alert(**by_alias)) == "Acknowledged alert"
        assert outcome(api.un_acknowledge_alert(**by_alias)) == "Unacknowledged alert"
        note = opsgenie_sdk.AddNoteToAlertPayload(note="looking", user="Ana")
        assert outcome(api.add_note(add_note_to_alert_payload=note, **by_alias)) == "Added note to alert"
        tags = opsgenie_sdk.AddTagsToAlertPayload(tags=["urgent"])
        assert outcome(api.add_tags(add_tags_to_alert_payload=tags, **by_alias)) == "Updated tags of alert"
        words = opsgenie_sdk.UpdateAlertMessagePayload(message="Disk of db1 is full")
        assert outcome(api.update_alert_message(update_alert_message_payload=words, **by_alias))
        shown = api.get_alert(**by_alias).data
        assert (shown.message, shown.status, shown.count, shown.tags) == (
            "Disk of db1 is full",
            "open",
            1,
            ["disk", "urgent"],
        )
        assert [each.id for each in api.list_alerts(query="status: open").data] == [shown.id]
        assert outcome(api.close_alert(identifier=shown.id)) == "Closed alert"
        again = api.get_request_status(api.close_alert(**by_alias).request_id).data
        assert (again.is_success, again.status) == (False, "Alert does not exist")
        assert opsgenie_sdk.HeartbeatApi(client).ping("nightly").result.startswith("PONG")
        configuration.api_key = {"Authorization": "wrong"}
        with pytest.raises(opsgenie_sdk.exceptions.AuthenticationException):
            opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration)).get_alert(shown.id)
        client.rest_client.pool_manager.clear()
    (alert,) = alerts(world)
    assert (alert.dedup_key, alert.status) == (alias, "resolved")


CONFIG = """
global: {{resolve_timeout: 1m}}
route:
  receiver: webhook
  group_by: [alertname]
  group_wait: 10ms
  group_interval: 100ms
  repeat_interval: 1h
  routes:
    - {{receiver: webhook, continue: true}}
    - {{receiver: pagerduty, continue: true}}
    - {{receiver: opsgenie}}
receivers:
  - name: webhook
    webhook_configs: [{{url: "{url}/alerts/alertmanager/{hook}", send_resolved: true}}]
  - name: pagerduty
    pagerduty_configs: [{{url: "{url}/v2/enqueue", routing_key: "{key}", send_resolved: true}}]
  - name: opsgenie
    opsgenie_configs:
      - {{api_url: "{url}/", api_key: "{genie}", send_resolved: true, update_alerts: true, priority: P2}}
"""


@contextmanager
def alertmanager(url: str, directory: Path) -> Iterator[Callable[..., None]]:
    """Gives what fires alerts, or ends them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = directory / "alertmanager.yml"
    config.write_text(CONFIG.format(url=url, hook=HOOK_KEY, key=KEY, genie=GENIE_KEY))
    command = [
        str(ALERTMANAGER),
        f"--config.file={config}",
        f"--storage.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]

    def fire(*instances: str, ended: bool = False) -> None:
        now = datetime.now(UTC)
        ends = {"endsAt": (now - timedelta(seconds=1)).isoformat()} if ended else {}
        sent = [
            {
                "labels": {"alertname": "DiskFull", "instance": instance, "severity": "critical"},
                "annotations": {"summary": f"Disk of {instance} is full — 磁盘"},
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                **ends,
            }
            for instance in instances
        ]
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v2/alerts",
            data=json.dumps(sent).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=5).close()

    with (directory / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as running:
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "Alertmanager to be ready")
            yield fire
        finally:
            running.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    nap = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE_SECONDS} s for {what}"
        nap.wait(0.05)


@pytest.mark.skipif(ALERTMANAGER is None, reason="no Alertmanager is installed (Debian: prometheus-alertmanager)")
def test_a_real_alertmanager_fires_groups_and_resolves_in_each_of_three_ways(world: World, tmp_path: Path) -> None:
    def states(source: str) -> list[str]:
        return [alert.status for alert in alerts(world, source)]

    with served(url_of(world)) as app, alertmanager(app.url, tmp_path) as fire:
        fire("db-1", "db-2")
        until(lambda: states("alertmanager") == ["firing"] * 2, "an alert for each of the group's members")
        until(lambda: states("pagerduty") == states("opsgenie") == ["firing"], "an alert for the group")
        fire("db-1", ended=True)
        until(lambda: sorted(states("alertmanager")) == ["firing", "resolved"], "one member to end")
        until(lambda: alerts(world, "pagerduty")[0].count > 1, "the group to be reported again")
        until(lambda: alerts(world, "opsgenie")[0].title.startswith("[FIRING:1]"), "its message to be changed")
        assert states("pagerduty") == states("opsgenie") == ["firing"]
        fire("db-2", ended=True)
        until(lambda: {alert.status for alert in alerts(world)} == {"resolved"}, "all to end")
    assert len(alerts(world)) == 4
    with world.database.reading() as session:
        assert set(session.scalars(select(Incident.status))) == {"resolved"}
    assert "磁盘" in alerts(world, "opsgenie")[0].body
