"""Grouping and flapping, whatever way an alert comes in by; and what the senders' own words do to one of several."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from escalation.models import Timer, TimerKind
from incidents import noise_gauges
from incidents.models import Alert
from tests.calling import Edge
from tests.world import KEY, World, team

GENIE_KEY = "11111111-2222-3333-4444-555555555555"
PROM_KEY, BEAT_KEY = "a0" * 16, "b0" * 16
PLAIN = "checkout: {policy: standard, integrations: ["
WAYS = (
    f'checkout: {{{{policy: standard, {{noise}}, heartbeats: [{{{{name: nightly, every: 1m, key: "{BEAT_KEY}"}}}}], '
    f'integrations: [{{{{source: opsgenie, key: "{GENIE_KEY}"}}}}, {{{{source: alertmanager, key: "{PROM_KEY}"}}}}, '
)
GROUP, FLAP = "group: {within: 1h}", "flap: {toggles: 1, within: 10m}"


def edge_of(database: Database, noise: str) -> Edge:
    return Edge(World(database, config=team().replace(PLAIN, WAYS.format(noise=noise))))


@pytest.fixture
def grouped(sqlite_database: Database) -> Edge:
    return edge_of(sqlite_database, GROUP)


def alerts(world: World) -> dict[str, Alert]:
    with world.database.reading() as session:
        return {alert.dedup_key: alert for alert in session.scalars(select(Alert).order_by(Alert.id))}


def pagerduty(edge: Edge, key: str, action: str = "trigger") -> None:
    payload = {"summary": "Observer API down", "source": "obs", "severity": "error"}
    body = {"routing_key": KEY, "event_action": action, "dedup_key": key, "payload": payload}
    assert edge.client.post("/v2/enqueue", json=body).status_code == 202
    edge.world.run()


def opsgenie(edge: Edge, path: str, body: Any, *, status: int = 202, method: str = "POST") -> Any:
    headers = {"Authorization": f"GenieKey {GENIE_KEY}"}
    answer = edge.client.open(f"/v2/alerts{path}", method=method, json=body, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    edge.world.run()
    return answer.get_json()


def act(edge: Edge, verb: str, alias: str, body: Any = None) -> str:
    answer = opsgenie(edge, f"/{alias}/{verb}?identifierType=alias", body or {})
    return str(opsgenie(edge, f"/requests/{answer['requestId']}", None, method="GET", status=200)["data"]["status"])


def alertmanager(edge: Edge, status: str) -> None:
    one = {"status": status, "labels": {"alertname": "Down"}, "annotations": {}, "startsAt": "2026-11-16T10:00:00Z"}
    ends_at = "2026-11-16T10:00:30Z" if status == "resolved" else "0001-01-01T00:00:00Z"
    body = {"version": "4", "status": status, "alerts": [{**one, "endsAt": ends_at, "fingerprint": "f0"}]}
    assert edge.client.post(f"/alerts/alertmanager/{PROM_KEY}", json=body).status_code in (200, 202)
    edge.world.run()


def of(edge: Edge, alias: str) -> dict[str, Any]:
    found: dict[str, Any] = opsgenie(edge, f"/{alias}?identifierType=alias", None, method="GET", status=200)["data"]
    return found


def test_alerts_of_several_senders_of_a_service_join_one_incident_and_each_ends_its_own(grouped: Edge) -> None:
    world = grouped.world
    pagerduty(grouped, "pd")
    opsgenie(grouped, "", {"message": "Queue is late", "alias": "og"})
    alertmanager(grouped, "firing")
    world.fast_forward(minutes=1)  # and the heartbeat is missing
    assert {alert.incident_id for alert in alerts(world).values()} == {1}
    assert len(alerts(world)) == 4
    assert grouped.get("/heartbeats")["items"][0]["incident"] == 1
    pagerduty(grouped, "pd", "resolve")
    alertmanager(grouped, "resolved")
    assert act(grouped, "close", "og") == "Closed alert"
    assert world.incident(1).status == "open"
    assert sorted(key for key, alert in alerts(world).items() if alert.status == "firing") == ["nightly"]
    assert grouped.client.post(f"/heartbeats/{BEAT_KEY}").status_code == 200
    assert world.incident(1).status == "resolved"


def test_an_acknowledgement_of_one_alert_is_one_of_the_incident(grouped: Edge) -> None:
    opsgenie(grouped, "", {"message": "Observer API down", "alias": "a"})
    opsgenie(grouped, "", {"message": "Observer API down", "alias": "b"})
    assert act(grouped, "acknowledge", "b") == "Acknowledged alert"
    assert grouped.world.incident(1).status == "acknowledged"
    assert act(grouped, "acknowledge", "a") == "Alert is already acknowledged."
    assert (of(grouped, "a")["acknowledged"], of(grouped, "b")["acknowledged"]) == (True, True)
    pagerduty(grouped, "pd")
    pagerduty(grouped, "pd", "acknowledge")
    assert grouped.world.incident(1).status == "acknowledged"
    assert act(grouped, "notes", "b", {"note": "the rack lost power"}) == "Added note to alert"
    assert any("the rack lost power" in entry.text for entry in grouped.world.timeline(1))
    until = (grouped.world.now + timedelta(hours=1)).isoformat()
    assert act(grouped, "snooze", "a", {"endTime": until}) == "Snoozed alert"
    assert grouped.world.incident(1).snoozed_until is not None
    assert act(grouped, "close", "b") == "Closed alert"
    assert (of(grouped, "a")["status"], alerts(grouped.world)["b"].status) == ("open", "resolved")
    assert grouped.world.incident(1).status == "acknowledged"
    assert act(grouped, "unacknowledge", "a") == "Unacknowledged alert"
    assert grouped.world.incident(1).status == "open"


def test_what_flaps_is_held_by_whatever_way_its_sender_ends_it(sqlite_database: Database) -> None:
    edge = edge_of(sqlite_database, FLAP)
    world = edge.world

    def ping() -> None:
        assert edge.client.post(f"/heartbeats/{BEAT_KEY}").status_code == 200
        world.run()

    for last in (False, False, True):
        pagerduty(edge, "pd")
        opsgenie(edge, "", {"message": "Queue is late", "alias": "og"})
        alertmanager(edge, "firing")
        world.fast_forward(minutes=1)
        held = {key for key, alert in alerts(world).items() if alert.flapping}
        assert len(held) == (4 if last else 0)
        pagerduty(edge, "pd", "resolve")
        alertmanager(edge, "resolved")
        assert act(edge, "close", "og") == "Closed alert"
        ping()
    settling = alerts(world).values()
    assert [(alert.status, alert.settles_at is not None) for alert in settling] == [("firing", True)] * 4
    assert of(edge, "og")["status"] == "closed"  # as its sender said
    assert opsgenie(edge, "?query=status:open", None, method="GET", status=200)["data"] == []
    assert act(edge, "close", "og") == "Closed alert"
    assert act(edge, "notes", "og", {"note": "again"}) == "Added note to alert"
    for _ in range(12):
        world.fast_forward(seconds=50)
        ping()
    assert {alert.status for alert in alerts(world).values()} == {"resolved"}
    with world.database.reading() as session:
        assert session.scalars(select(Timer).where(Timer.kind == TimerKind.SETTLE)).all() == []


def test_what_is_held_down_is_counted(database: Database) -> None:
    edge = edge_of(database, f"{GROUP}, {FLAP}")
    collect = noise_gauges.collector(database, lambda: edge.world.now)

    def figures() -> dict[str, float]:
        return {metric.name: metric.samples[0].value for metric in collect()}

    assert set(figures().values()) == {0}
    pagerduty(edge, "steady")
    for _ in range(2):
        pagerduty(edge, "flaps")
        pagerduty(edge, "flaps", "resolve")
    pagerduty(edge, "flaps")
    assert figures() == {"tocsin_alerts_joined": 3, "tocsin_alerts_flapping": 1, "tocsin_alerts_settling": 0}
    pagerduty(edge, "flaps", "resolve")
    assert figures() == {"tocsin_alerts_joined": 3, "tocsin_alerts_flapping": 1, "tocsin_alerts_settling": 1}
    edge.world.resolve(1)
    assert set(figures().values()) == {0}
