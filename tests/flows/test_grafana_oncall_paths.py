"""Grafana OnCall's addresses: its senders move by a change of DNS alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import sharing
from tests.calling import Edge
from tests.world import team

TOKEN, PROMETHEUS, BEAT = "tok" * 8, "prom" * 8, "beat" * 8
TEAM = team().replace(
    "checkout: {policy: standard, integrations: [",
    f'checkout: {{policy: standard, heartbeats: [{{name: alertmanager, every: 1d, key: "{BEAT}"}}], integrations: ['
    f'{{source: generic, key: "{TOKEN}"}}, {{source: alertmanager, key: "{PROMETHEUS}"}}, '
    f'{{source: zabbix, key: "{"zab" * 8}"}}, ',
)


@pytest.fixture(scope="module")
def shared(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with sharing.shared(migrated_sqlite_file, tmp_path_factory.mktemp("oncall"), TEAM) as edge:
        yield edge


@pytest.fixture
def edge(shared: Edge) -> Edge:
    shared.newest_before = sharing.begin(shared)
    return shared


def send(edge: Edge, path: str, body: Any, *, status: int = 200) -> None:
    answer = edge.client.post(f"/integrations/v1/{path}", json=body)
    assert (answer.status_code, answer.location) == (status, None), answer.get_data(as_text=True)
    if status == 200:
        assert answer.get_data(as_text=True) == "Ok."


def alerts(edge: Edge) -> list[tuple[str, str, str, str]]:
    found = sharing.since(edge, edge.newest_before)
    return [(alert.source, alert.dedup_key, alert.status, alert.title) for alert in found]


def test_a_formatted_webhook_fires_and_is_ended_with_and_without_the_slash(edge: Edge) -> None:
    alert = {
        "alert_uid": "08d6891a-835c-e661-39fa-96b6a9e26552",
        "title": "The whole system is down",
        "image_url": "https://example.org/dog.jpg",
        "state": "alerting",
        "link_to_upstream_details": "https://example.org/details",
        "message": "Smth happened. Oh no!",
    }
    send(edge, f"formatted_webhook/{TOKEN}/", alert)
    (stored,) = sharing.since(edge, edge.newest_before)
    assert (stored.url, stored.body) == ("https://example.org/details", "Smth happened. Oh no!")
    send(edge, f"formatted_webhook/{TOKEN}", alert | {"state": "OK"})
    assert alerts(edge) == [("generic", alert["alert_uid"], "resolved", "The whole system is down")]
    assert edge.received == ["generic", "generic"]


def test_none_of_its_fields_is_required(edge: Edge) -> None:
    send(edge, f"formatted_webhook/{TOKEN}/", {"alert_uid": "a"})
    send(edge, f"inbound/{TOKEN}/", {"image_url": "https://example.org/dog.jpg"})
    send(edge, f"webhook/{TOKEN}/", {}, status=422)
    assert [alert[3] for alert in alerts(edge)] == ["a", "An alert without a title"]


def test_alertmanagers_group_is_an_alert_for_each_of_its_members(edge: Edge) -> None:
    members = [
        {"status": "firing", "labels": {"alertname": "Down", "instance": name}, "fingerprint": name} for name in "ab"
    ]
    group = {"version": "4", "groupKey": "{}", "status": "firing", "alerts": members, "numFiring": 2}
    for kind in ("alertmanager", "legacy_alertmanager"):
        send(edge, f"{kind}/{PROMETHEUS}/", group)
    assert [(alert[0], alert[2]) for alert in alerts(edge)] == [("alertmanager", "firing")] * 2


def test_what_cannot_be_read_as_declared_is_read_all_the_same(edge: Edge) -> None:
    """A type that nobody knows must not cost a page."""
    send(edge, f"elastalert/{'zab' * 8}/", {"title": "Disk full", "alert_uid": "z"})
    assert [alert[1:3] for alert in alerts(edge)] == [("z", "firing")]


def test_an_unknown_token_is_403(edge: Edge) -> None:
    send(edge, "webhook/nobody/", {"title": "x"}, status=403)
    assert edge.client.post("/integrations/v1/webhook/nobody/heartbeat/").status_code == 403


def test_an_integrations_heartbeat_is_the_one_named_as_its_type(edge: Edge) -> None:
    edge.client.post(f"/heartbeats/{BEAT}")
    for token, method in ((BEAT, "POST"), (PROMETHEUS, "GET"), (PROMETHEUS, "POST"), (TOKEN, "POST")):
        edge.world.fast_forward(hours=20)
        for slash in ("", "/"):
            path = f"/integrations/v1/alertmanager/{token}/heartbeat{slash}"
            assert edge.client.open(path, method=method).get_data(as_text=True) == "Ok."
    assert alerts(edge) == []
    assert edge.client.post(f"/integrations/v1/zabbix/{TOKEN}/heartbeat/").status_code == 200  # and the log says so
