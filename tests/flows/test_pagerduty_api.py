"""A sender that speaks PagerDuty's Events API v2 changes one URL: the golden vectors PD1 to PD9, and change events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from config.database import Database
from incidents import change_events
from incidents.models import Alert, ChangeEvent, ReceivedPayload
from tests import sharing
from tests.calling import Edge
from tests.world import KEY, STORE_KEY, World


@pytest.fixture(scope="module")
def shared(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with sharing.shared(migrated_sqlite_file, tmp_path_factory.mktemp("pagerduty")) as edge:
        yield edge


@pytest.fixture
def edge(shared: Edge) -> Edge:
    shared.newest_before = sharing.begin(shared)
    return shared


def event(action: str = "trigger", **more: Any) -> dict[str, Any]:
    found = {"routing_key": KEY, "event_action": action, "dedup_key": "srv01/mysql"} | more
    if action == "trigger":
        found.setdefault("payload", {"summary": "DISK 99%", "source": "h1", "severity": "critical"})
    return found


def send(edge: Edge, sent: Any, *, status: int = 202, path: str = "/v2/enqueue") -> dict[str, Any]:
    answer = edge.client.post(path, **({"data": sent} if isinstance(sent, bytes) else {"json": sent}))
    assert answer.status_code == status, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    edge.world.run()
    return found


def alerts(edge: Edge) -> list[Alert]:
    return sharing.since(edge, edge.newest_before)


def test_pd1_pd2_a_repeat_is_the_same_alert_and_pages_nobody_anew(edge: Edge) -> None:
    assert send(edge, event()) == {"status": "success", "message": "Event processed", "dedup_key": "srv01/mysql"}
    paged = len(edge.world.sent("sms"))
    send(edge, event("acknowledge"))
    send(edge, event())
    (alert,) = alerts(edge)
    assert (alert.count, len(edge.world.sent("sms"))) == (2, paged)
    assert edge.world.incident(alert.incident_id).status == "acknowledged"


def test_pd3_pd4_a_resolve_ends_it_and_what_is_unknown_is_taken_and_dropped(edge: Edge) -> None:
    for action in ("acknowledge", "resolve"):
        assert send(edge, event(action))["status"] == "success"
    assert alerts(edge) == []
    for action in ("trigger", "resolve", "trigger"):
        send(edge, event(action))
    first, second = alerts(edge)
    assert (first.status, second.status, first.incident_id == second.incident_id) == ("resolved", "firing", False)


def test_pd5_pd7_what_is_wrong_is_refused_by_name(edge: Edge) -> None:
    refused = send(edge, event(routing_key=KEY[1:]), status=400)
    assert (refused["status"], refused["errors"]) == (
        "invalid event",
        ["Length of 'routing_key' is incorrect (should be 32 characters)"],
    )
    payload = {"summary": "s", "source": "h1", "severity": "fatal"}
    assert "payload.severity" in send(edge, event(payload=payload), status=400)["errors"][0]
    assert send(edge, b"{", status=400)["status"] == "Unrecognized object"
    assert alerts(edge) == []


@pytest.mark.parametrize(
    ("path", "sent", "told"),
    [
        (
            "/v2/enqueue",
            {"routing_key": KEY, "event_action": "trigger", "payload": {"source": "h1"}},
            "'payload.summary'",
        ),
        ("/generic/2010-04-15/create_event.json", {"service_key": KEY, "event_type": "trigger"}, "'description'"),
    ],
)
def test_what_is_refused_is_seen_on_the_page_of_its_integration(
    sqlite_database: Database, path: str, sent: dict[str, Any], told: str
) -> None:
    edge = Edge(World(sqlite_database))
    edge.client.post(path, json=sent).close()
    with sqlite_database.reading() as session:
        (refused,) = session.scalars(select(ReceivedPayload)).all()
    assert (refused.verdict, told in refused.problem) == ("refused", True)
    assert KEY not in refused.content


def test_of_a_sender_with_an_unknown_key_the_log_says_where_it_is_and_what_its_key_ends_in(edge: Edge) -> None:
    unknown = "0123456789abcdef0123456789abCDEF"
    with capture_logs() as logged:
        send(edge, event(routing_key=unknown), status=400)
        edge.client.post(f"/alerts/alertmanager/{unknown}", json={})
        edge.client.post("/heartbeats/short-key", json={})
        edge.client.post("/v2/alerts", json={"message": "m"}, headers={"Authorization": f"GenieKey {unknown}"})
    told = {line["event"]: (line["address"], line["key_ends_in"]) for line in logged if "key refused" in line["event"]}
    assert told == {
        "event with an unknown routing key refused": ("127.0.0.1", "CDEF"),
        "alert with an unknown key refused": ("127.0.0.1", "CDEF"),
        "ping with an unknown key refused": ("127.0.0.1", ""),
        "call with an unknown key refused": ("127.0.0.1", "CDEF"),
    }
    assert unknown not in repr(logged)


def test_pd6_half_a_megabyte_is_taken_and_more_is_413(edge: Edge) -> None:
    payload = {"summary": "s", "source": "h1", "severity": "error", "custom_details": {"log": "x" * 500_000}}
    send(edge, event(payload=payload))
    for large in (b" " * 512_001, b" " * (1024 * 1024 + 1)):
        for path in ("/v2/enqueue", "/v2/change/enqueue"):
            assert send(edge, large, status=413, path=path)["status"] == "invalid event"
    assert len(alerts(edge)) == 1


def test_pd8_pd9_another_key_or_none_at_all_is_another_alert(sqlite_database: Database) -> None:
    edge = Edge(World(sqlite_database))
    send(edge, event())
    send(edge, event(routing_key=STORE_KEY))
    made = [send(edge, event(dedup_key=None))["dedup_key"] for _ in range(2)]
    assert len({"srv01/mysql", *made}) == 3
    assert len(alerts(edge)) == 4


def change(summary: str = "v42 is out", **more: Any) -> dict[str, Any]:
    return {
        "routing_key": KEY,
        "payload": {"summary": summary, "source": "ci", "custom_details": {"build": 42}} | more,
        "links": [{"href": "https://ci.example.org/42", "text": "Build 42"}],
    }


def test_a_change_is_shown_at_its_services_incidents_and_wakes_nobody(sqlite_database: Database) -> None:
    edge = Edge(World(sqlite_database))
    answer = send(edge, change(), path="/v2/change/enqueue")
    assert answer == {"status": "success", "message": "Change event processed"}
    assert (edge.world.deliveries, alerts(edge), edge.received) == ([], [], [])
    send(edge, change("of last week", timestamp="2026-11-09T10:00:00Z"), path="/v2/change/enqueue")
    send(edge, change("of another service") | {"routing_key": STORE_KEY}, path="/v2/change/enqueue")
    send(edge, event())
    edge.world.fast_forward(minutes=3)
    send(edge, change("rolled back"), path="/v2/change/enqueue/")
    shown = edge.get("/incidents/1")["changes"]
    assert [each["summary"] for each in shown] == ["rolled back", "v42 is out"]
    assert shown[0]["links"] == [{"href": "https://ci.example.org/42", "text": "Build 42"}]
    assert (shown[0]["source"], shown[0]["body"]) == ("ci", "build: 42")
    send(edge, event("resolve"))
    edge.world.now += change_events.BEFORE
    send(edge, change("of the next day"), path="/v2/change/enqueue")
    assert len(edge.get("/incidents/1")["changes"]) == 2


def test_a_change_that_is_none_is_refused_in_the_same_words(edge: Edge) -> None:
    for sent, error in (
        (change() | {"payload": {}}, "'payload.summary' is missing or blank"),
        (change() | {"routing_key": "f" * 32}, "'routing_key' is not the key of any integration here"),
    ):
        refused = send(edge, sent, status=400, path="/v2/change/enqueue")
        assert (refused["status"], refused["errors"]) == ("invalid event", [error])
    assert edge.client.get("/v2/change/enqueue").headers["Allow"] == "POST"


def test_changes_are_kept_for_90_days(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_events, "PRUNED_EVERY", 1)
    send(edge, change(), path="/v2/change/enqueue")
    edge.world.now += change_events.KEPT_FOR * 1.01
    send(edge, change("new"), path="/v2/change/enqueue")
    with edge.world.database.reading() as session:
        assert list(session.scalars(select(ChangeEvent.summary))) == ["new"]


def test_the_older_api_triggers_and_resolves_the_same_alerts(edge: Edge) -> None:
    """As Healthchecks and pd-nagios send it."""
    path = "/generic/2010-04-15/create_event.json"
    sent = {
        "service_key": KEY,
        "event_type": "trigger",
        "incident_key": "check/7",
        "description": "Nightly backup is DOWN",
        "client": "Healthchecks",
        "client_url": "https://hc.example.org",
        "details": {"Period": "1 day"},
        "contexts": [{"type": "link", "href": "https://wiki.example.org", "text": "Wiki"}, "odd"],
    }
    answer = send(edge, sent, path=path, status=200)
    assert answer == {"status": "success", "message": "Event processed", "incident_key": "check/7"}
    (alert,) = alerts(edge)
    assert (alert.title, alert.body, alert.url) == ("Nightly backup is DOWN", "Period: 1 day", "https://hc.example.org")
    assert [link["href"] for link in alert.links] == ["https://wiki.example.org", "https://hc.example.org"]
    send(edge, {"service_key": KEY, "event_type": "resolve", "incident_key": "check/7"}, path=path, status=200)
    assert alerts(edge)[0].status == "resolved"
    refused = send(edge, {"service_key": KEY, "event_type": "trigger"}, path=path, status=400)
    assert refused["errors"] == ["'description' is missing or blank"]
    deep = b'{"description":' + b"[" * 900 + b"]" * 900 + b"}"
    for odd in (b"[", b"[]", b"{}", deep, b'{"service_key": 1, "contexts": {}, "event_type": []}'):
        assert send(edge, odd, path=path, status=400)["status"] in ("invalid event", "Unrecognized object")
