"""PagerDuty's Events API v2 as its unmodified senders use it: what is accepted and what is repaired."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from incidents.compat import pagerduty
from incidents.severity import Severity
from incidents.sources.base import AlertStatus

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
KEY = "4f3e2d1c0b9a88776655443322110099"
PAYLOADS = Path(__file__).parent / "payloads" / "pagerduty"
RECORDED = Path(__file__).parents[2].parent / "shared" / "payloads" / "pagerduty-events-v2"
recorded_payloads_needed = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="recorded payloads are not beside the project"
)


def numbered_keys() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"made-{next(numbers)}"


def answer(body: bytes | dict[str, Any]) -> pagerduty.Event | pagerduty.Refusal:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return pagerduty.read_event(sent, now=NOW, new_dedup_key=numbered_keys())


def event(body: bytes | dict[str, Any]) -> pagerduty.Event:
    read = answer(body)
    assert isinstance(read, pagerduty.Event), read
    return read


def refusal(body: bytes | dict[str, Any]) -> pagerduty.Refusal:
    read = answer(body)
    assert isinstance(read, pagerduty.Refusal), read
    return read


def trigger(*, without: str = "", **payload: Any) -> dict[str, Any]:
    content = {"summary": "DISK 99%", "source": "h1", "severity": "critical"} | payload
    content.pop(without, None)
    return {"routing_key": KEY, "event_action": "trigger", "dedup_key": "srv01/mysql", "payload": content}


def load(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def test_a_full_trigger_is_read_whole() -> None:
    read = event(load("trigger_full"))
    assert (read.routing_key, read.action, read.dedup_key) == (KEY, "trigger", "ledger/replica-lag")
    alert = read.alert
    assert (alert.source, alert.dedup_key, alert.status) == ("pagerduty", "ledger/replica-lag", AlertStatus.FIRING)
    assert alert.title == "Replica lag above 90 s"
    assert alert.body == (
        "environment: production\nlag seconds: 93.5\npeers:\n  - ledger-db-1\n  - ledger-db-3\n"
        "last error:\n  timeout\n  while reading WAL"
    )
    assert alert.severity_hint is Severity.HIGH
    assert (alert.service, alert.component, alert.environment) == ("ledger", "postgres", "production")
    assert {"source": "ledger-db-2", "class": "replication", "lag seconds": "93.5"}.items() <= alert.labels.items()
    assert [(link.href, link.text) for link in alert.links] == [
        ("https://runbooks.example.org/replica-lag", "Runbook"),
        ("https://graphs.example.org/lag.png", "Lag, 1 h"),
        ("https://graphs.example.org/lag", "Lag, 1 h"),
        ("https://watch.example.org/checks/17", "Ledger watch"),
    ]
    assert alert.url == "https://watch.example.org/checks/17"
    assert alert.started_at == datetime(2026, 11, 20, 8, 15, 30, 250_000, tzinfo=UTC)


def test_the_routing_key_is_a_credential_and_is_not_kept_with_the_alert() -> None:
    assert KEY not in repr(event(load("trigger_full")).alert)


def test_an_accepted_event_is_answered_with_its_key() -> None:
    assert pagerduty.accepted(event(trigger()).dedup_key) == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "srv01/mysql",
    }


def test_triggers_without_a_key_are_two_alerts_with_two_keys() -> None:
    new_dedup_key = numbered_keys()
    reads = [pagerduty.read_event(load("trigger_minimal"), now=NOW, new_dedup_key=new_dedup_key) for _ in range(2)]
    assert [read.dedup_key for read in reads if isinstance(read, pagerduty.Event)] == ["made-1", "made-2"]
    assert [read.alert.dedup_key for read in reads if isinstance(read, pagerduty.Event)] == ["made-1", "made-2"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("acknowledge", AlertStatus.ACKNOWLEDGED),
        ("resolve", AlertStatus.RESOLVED),
        ("resolve_with_payload", AlertStatus.RESOLVED),
    ],
)
def test_acknowledge_and_resolve_need_only_their_key(name: str, status: AlertStatus) -> None:
    read = event(load(name))
    assert (read.dedup_key, read.alert.dedup_key, read.alert.status) == ("ledger/replica-lag",) * 2 + (status,)


@pytest.mark.parametrize(
    ("severity", "hint"),
    [
        ("critical", Severity.CRITICAL),
        ("error", Severity.HIGH),
        ("warning", Severity.MEDIUM),
        ("info", Severity.LOW),
        (" Critical ", Severity.CRITICAL),
    ],
)
def test_severities_are_hints_by_a_table(severity: str, hint: Severity) -> None:
    assert event(trigger(severity=severity)).alert.severity_hint is hint


def test_an_event_of_512_000_bytes_is_read_and_one_more_is_too_large() -> None:
    empty = len(json.dumps(trigger(custom_details="")))
    largest = json.dumps(trigger(custom_details="x" * (pagerduty.EVENT_BYTES_MAX - empty))).encode()
    assert len(largest) == 512_000
    alert = event(largest).alert
    assert "cut here; the whole text is in the payload as received" in alert.body
    assert len(alert.raw["payload"]["custom_details"]) > 500_000
    assert refusal(largest + b" ").status == 413


def test_an_over_long_summary_is_cut_and_kept_whole_in_the_body() -> None:
    assert event(trigger(summary="é" * 1024)).alert.title == "é" * 1024
    alert = event(trigger(summary="é" * 1025, custom_details="more")).alert
    assert alert.title == "é" * 1023 + "…"
    assert alert.body == "é" * 1025 + "\n\nmore"


def test_line_ends_in_a_summary_are_spaces_in_the_title_and_lines_in_the_body() -> None:
    alert = event(trigger(summary="Disk full\r\ndb1\r99 %")).alert
    assert (alert.title, alert.body) == ("Disk full db1 99 %", "Disk full\ndb1\n99 %")


def test_dedup_keys_up_to_512_characters_are_kept_as_they_are() -> None:
    for length in (255, 256, 512):
        assert event(trigger() | {"dedup_key": "k" * length}).dedup_key == "k" * length


def test_a_longer_dedup_key_is_shortened_so_that_either_form_resolves_it() -> None:
    given = "k" * 600 + "/disk"
    opened = event(trigger() | {"dedup_key": given})
    assert len(opened.dedup_key) == 512
    for key in (given, opened.dedup_key):
        closed = event({"routing_key": KEY, "event_action": "resolve", "dedup_key": key})
        assert closed.alert.dedup_key == opened.alert.dedup_key
    assert event(trigger() | {"dedup_key": "k" * 600 + "/cpu"}).dedup_key != opened.dedup_key


def test_a_number_as_dedup_key_is_the_same_key_as_its_text() -> None:
    assert event(trigger() | {"dedup_key": 12345}).dedup_key == event(trigger() | {"dedup_key": "12345"}).dedup_key


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-20T10:00:00Z", True),
        ("2026-11-20T10:00:00.000+00:00", True),
        ("2026-11-20T12:00:00+0200", True),
        ("2026-11-20T10:00:00.000000+00:00Z", True),
        ("2026-11-20 10:00:00", True),
        (1795168800, True),
        (1795168800.0, True),
        ("1795168800000", True),
        (1795168800000000000, True),
        ("yesterday", False),
        ("0001-01-01T00:00:00Z", False),
        ("9999-12-31T23:59:59-14:00", False),
        (1e300, False),
        (True, False),
        (["2026"], False),
        ({}, False),
        (None, False),
    ],
)
def test_timestamps_of_all_shapes_are_read_or_ignored(timestamp: Any, expected: bool) -> None:
    started_at = event(trigger(timestamp=timestamp)).alert.started_at
    assert started_at == (datetime(2026, 11, 20, 10, tzinfo=UTC) if expected else None)


@pytest.mark.parametrize(
    ("details", "body"),
    [
        (None, ""),
        ("plain text", "plain text"),
        (42, "42"),
        (False, "false"),
        ([], ""),
        (["a", {"b": [1, None]}], "- a\n-\n  b:\n    - 1\n    - null"),
        ({"a": {}, "b": {"c": "d"}}, "a: {}\nb:\n  c: d"),
    ],
)
def test_custom_details_of_any_type_become_readable_text(details: Any, body: str) -> None:
    assert event(trigger(custom_details=details)).alert.body == body


def test_unknown_fields_are_ignored() -> None:
    odd = trigger() | {"service": "x", "nested": {"a": [None, True, 1.5]}}
    assert event(odd).alert.title == "DISK 99%"


def test_links_that_are_not_links_are_left_out_and_never_refuse_the_event() -> None:
    odd = trigger() | {
        "links": [{"href": "javascript:alert(1)"}, "https://a.example.org", None, {"text": "x"}, {"href": "http://["}],
        "images": {"src": "https://b.example.org/1.png"},
        "client_url": "watch.example.org",
    }
    alert = event(odd).alert
    assert [link.href for link in alert.links] == ["https://a.example.org"]
    assert alert.url == ""


def test_text_no_database_takes_is_made_storable() -> None:
    body = json.dumps(trigger(summary="nul \0 here", component="\ud83d", custom_details={"\0": "\udfff"})).encode()
    alert = event(body).alert
    assert (alert.title, alert.component) == ("nul ␀ here", "\ufffd")
    stored = json.dumps(alert.raw, ensure_ascii=False).encode()
    assert b"\\u0000" not in stored


def test_a_change_event_needs_a_summary_and_is_not_an_alert() -> None:
    read = pagerduty.read_change_event(load("change"), now=NOW)
    assert isinstance(read, pagerduty.ChangeEvent)
    assert (read.routing_key, read.summary, read.source, read.body) == (
        KEY,
        "Released ledger 3.4.1",
        "ci",
        "commit: 9c1e",
    )
    assert read.happened_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert [link.text for link in read.links] == ["Run 88"]
    refused = pagerduty.read_change_event(json.dumps({"routing_key": KEY, "payload": {}}).encode(), now=NOW)
    assert isinstance(refused, pagerduty.Refusal)
    assert refused.body["errors"] == ["'payload.summary' is missing or blank"]
    assert pagerduty.change_accepted() == {"status": "success", "message": "Change event processed"}


@recorded_payloads_needed
def test_what_real_senders_sent_is_accepted_and_read_as_the_index_expects() -> None:
    hints = {"critical": Severity.CRITICAL}
    read_count = 0
    for entry in json.loads((RECORDED / "INDEX.json").read_text())["files"]:
        name = entry["file"]
        if not name.startswith(("trigger.", "acknowledge.", "resolve.", "edge/ok.", "edge/odd.", "edge/limit.")):
            continue
        read = event((RECORDED / name).read_bytes())
        sent = json.loads((RECORDED / name).read_bytes())
        assert read.action == sent["event_action"], name
        assert read.dedup_key == sent.get("dedup_key", "made-1"), name
        for expected in entry.get("alerts", []):
            assert (read.alert.status, read.alert.title) == (expected["status"], expected["title"]), name
            assert read.alert.severity_hint is hints[expected["severity_hint"]], name
            if "started_at" in expected:
                assert read.alert.started_at == datetime.fromisoformat(expected["started_at"]), name
        read_count += 1
    assert read_count >= 30
