"""What Alertmanager and Prometheus send becomes the right alerts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents.severity import Severity
from incidents.sources import alertmanager, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads" / "alertmanager"
RECORDED = Path(__file__).parents[2].parent / "shared" / "payloads" / "alertmanager"
recorded_payloads_needed = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="recorded payloads are not beside the project"
)


def parse(payload: Any) -> list[IncomingAlert]:
    return alertmanager.parse(payload, now=NOW)


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def refusal(payload: Any) -> tuple[str, str]:
    with pytest.raises(PayloadRefusedError) as refused:
        parse(payload)
    return refused.value.field, refused.value.problem


def test_a_group_becomes_one_alert_per_fingerprint() -> None:
    first, second = parse(load("group_of_two"))
    assert (first.dedup_key, second.dedup_key) == ("a1b2c3d4e5f60718", "0f1e2d3c4b5a6978")
    assert first.source == "alertmanager"
    assert first.status is AlertStatus.FIRING
    assert first.title == "Queue on w1 has not moved for 5 minutes"
    assert first.body == "Invoices are not being sent.\nOldest entry: 07:41.\n\nimpact: customers wait"
    assert first.severity_hint is Severity.HIGH
    assert (first.service, first.component, first.environment) == ("billing-worker", "", "production")
    assert first.labels["instance"] == "w1"
    assert first.started_at == datetime(2026, 11, 20, 7, 46, 12, 345678, tzinfo=UTC)
    assert first.url == "http://prometheus.example.org/graph?g0.expr=queue_age&g0.tab=1"
    assert [link.text for link in first.links] == ["Runbook", "Prometheus", "Alertmanager"]
    assert first.raw == load("group_of_two")["alerts"][0]


def test_status_is_read_per_alert_and_not_from_the_group() -> None:
    group = load("partly_resolved")
    assert group["status"] == "firing"
    assert [alert.status for alert in parse(group)] == [AlertStatus.RESOLVED, AlertStatus.FIRING]


def test_a_member_that_is_no_longer_listed_is_not_resolved_by_that() -> None:
    group = load("partly_resolved")
    del group["alerts"][0]
    assert [(alert.dedup_key, alert.status) for alert in parse(group)] == [("0f1e2d3c4b5a6978", AlertStatus.FIRING)]


def test_a_group_cut_by_max_alerts_says_so_in_each_alert() -> None:
    (alert,) = parse(load("cut_by_max_alerts"))
    assert "7 more alerts were not sent" in alert.body
    assert alert.labels["truncated_alerts"] == "7"
    assert all("truncated_alerts" not in alert.labels for alert in parse(load("group_of_two")))


def test_an_alert_without_annotations_is_called_by_its_name() -> None:
    (alert,) = parse(load("watchdog"))
    assert alert.title == "Watchdog"
    assert alert.severity_hint is None
    assert alert.url == "http://alertmanager.example.org"


def test_prometheus_own_alerts_are_resolved_once_their_end_has_passed() -> None:
    payload = load("from_prometheus")
    assert [alert.status for alert in parse(payload)] == [AlertStatus.FIRING, AlertStatus.RESOLVED]
    later = alertmanager.parse(payload, now=NOW + timedelta(minutes=5))
    assert [alert.status for alert in later] == [AlertStatus.RESOLVED, AlertStatus.RESOLVED]
    assert [alert.dedup_key for alert in later] == [alert.dedup_key for alert in parse(payload)]


def test_a_fingerprint_that_was_not_sent_is_the_one_alertmanager_would_send() -> None:
    labels = {"severity": "none", "cluster": "eu-west-1", "alertname": "Watchdog"}
    (alert,) = parse([{"labels": labels, "startsAt": "2026-11-20T07:00:00Z"}])
    assert alert.dedup_key == load("watchdog")["alerts"][0]["fingerprint"]


@pytest.mark.parametrize(
    ("labels", "title"),
    [
        ({"alertname": " ", "instance": "w1"}, "Alert without a name (alertname= , instance=w1)"),
        ({"instance": "w1"}, "Alert without a name (instance=w1)"),
        ({}, "Alert without a name"),
    ],
)
def test_an_alert_without_a_name_is_called_by_its_labels(labels: dict[str, str], title: str) -> None:
    assert [alert.title for alert in parse([{"labels": labels}])] == [title]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("Page", Severity.HIGH),
        ("error", Severity.HIGH),
        ("WARNING", Severity.MEDIUM),
        ("ticket", Severity.LOW),
        ("info", Severity.INFO),
        ("none", None),
        ("unheard-of", None),
        (5, None),
    ],
)
def test_the_severity_label_is_a_hint_by_a_table(word: Any, severity: Severity | None) -> None:
    (alert,) = parse([{"labels": {"alertname": "X", "severity": word}}])
    assert alert.severity_hint is severity


def test_label_values_that_are_not_text_become_text() -> None:
    labels = {"alertname": "X", "port": 443, "ratio": 0.5, "tls": True, "zone": None, "peers": ["a", "b"]}
    (alert,) = parse([{"labels": labels}])
    assert alert.labels == {
        "alertname": "X",
        "port": "443",
        "ratio": "0.5",
        "tls": "true",
        "zone": "",
        "peers": '["a", "b"]',
    }


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (None, "it is not an object"),
        (["x"], "it is not an object"),
        ({"status": "firing", "labels": "alertname=X"}, "its labels are not an object"),
        ({"status": "sideways", "labels": {"alertname": "X"}}, "its status “sideways” is unknown"),
        ({"labels": {"alertname": "X"}, "annotations": ["x"]}, "its annotations are not an object"),
    ],
)
def test_one_broken_alert_among_64_becomes_an_alert_that_says_so(broken: Any, said: str) -> None:
    group = load("group_of_two")
    sound = group["alerts"][0]
    group["alerts"] = [sound | {"fingerprint": f"{number:016x}"} for number in range(64)]
    group["alerts"][17] = broken
    alerts = parse(group)
    assert len(alerts) == 64
    assert [alert for alert in alerts if said in alert.body] == [alerts[17]]
    assert alerts[17].status is AlertStatus.FIRING
    assert alerts[17].title
    assert alerts[17].dedup_key == parse(group)[17].dedup_key


def test_a_damaged_alert_without_labels_keeps_its_key_from_firing_to_resolved() -> None:
    group = load("watchdog")
    group["alerts"][0] = {"status": "firing", "annotations": {"summary": "Odd"}, "endsAt": "0001-01-01T00:00:00Z"}
    (firing,) = parse(group)
    group["alerts"][0] |= {"status": "resolved", "endsAt": "2026-11-20T07:59:00Z"}
    (resolved,) = parse(group)
    assert (firing.status, resolved.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert firing.dedup_key == resolved.dedup_key


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ("firing", ""),
        (7, ""),
        ({}, "alerts"),
        ({"alerts": {"a": 1}}, "alerts"),
        ({"alerts": []}, "alerts"),
        ([], ""),
        ({"alerts": [{"title": "not Alertmanager's"}]}, "alerts[0].labels"),
        ([1, 2], "[0].labels"),
    ],
)
def test_what_is_not_alertmanagers_is_refused_with_the_field_named(payload: Any, field: str) -> None:
    assert refusal(payload)[0] == field


def test_more_alerts_than_the_limit_are_refused_whole_and_never_cut() -> None:
    members = [{"labels": {"alertname": "X", "n": str(number)}} for number in range(reading.ALERTS_MAX + 1)]
    assert len(parse(members[1:])) == reading.ALERTS_MAX
    assert refusal(members) == ("", "holds 5001 alerts; at most 5000 fit in one request")


def test_an_annotation_that_is_no_web_address_is_not_made_a_link() -> None:
    annotations = {"summary": "s", "runbook_url": "javascript:alert(1)", "note": "http://x.example.org is down"}
    (alert,) = parse([{"labels": {"alertname": "X"}, "annotations": annotations}])
    assert alert.links == ()
    assert "javascript:alert(1)" in alert.body
    assert "http://x.example.org is down" in alert.body


@recorded_payloads_needed
def test_recorded_payloads_become_the_alerts_their_index_expects() -> None:
    hints = {"critical": Severity.CRITICAL, "none": None, None: None}
    checked = 0
    for entry in json.loads((RECORDED / "INDEX.json").read_text())["files"]:
        if "alerts" not in entry:
            continue
        alerts = parse(json.loads((RECORDED / entry["file"]).read_text()))
        assert len(alerts) == len(entry["alerts"]), entry["file"]
        for alert, expected in zip(alerts, entry["alerts"], strict=True):
            assert (alert.status, alert.title) == (expected["status"], expected["title"]), entry["file"]
            assert alert.dedup_key == expected["dedup_hint"], entry["file"]
            assert alert.severity_hint is hints[expected["severity_hint"]], entry["file"]
            assert alert.started_at == datetime.fromisoformat(expected["started_at"]), entry["file"]
            checked += 1
    assert checked >= 12


@recorded_payloads_needed
def test_every_recorded_fingerprint_is_the_one_computed_from_its_labels() -> None:
    recorded = 0
    for file in sorted(RECORDED.glob("webhook.*.json")):
        for member in json.loads(file.read_text())["alerts"]:
            assert alertmanager.fingerprint(member["labels"]) == member["fingerprint"], file.name
            recorded += 1
    assert recorded >= 130
