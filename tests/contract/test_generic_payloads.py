"""Anything that can send a request: the documented shape, other tools' names for it, and hostile bodies."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incidents.severity import Severity
from incidents.sources import generic, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads" / "generic"
RECORDED = Path(__file__).parents[2].parent / "shared" / "payloads" / "generic"
recorded_payloads_needed = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="recorded payloads are not beside the project"
)


def parse(payload: Any) -> list[IncomingAlert]:
    return generic.parse(payload, now=NOW)


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def refused_field(payload: Any) -> str:
    with pytest.raises(PayloadRefusedError) as refused:
        parse(payload)
    return refused.value.field


def test_the_documented_shape_is_read_whole() -> None:
    (alert,) = parse(load("documented"))
    assert alert.source == "generic"
    assert (alert.title, alert.body) == ("Disk almost full on files-3", "97 % of /srv used")
    assert (alert.dedup_key, alert.status) == ("files-3/disk", AlertStatus.FIRING)
    assert alert.severity_hint is Severity.HIGH
    assert (alert.service, alert.component, alert.environment) == ("files", "storage", "production")
    assert {"mount": "/srv", "raid": "5", "rack": "B7"}.items() <= alert.labels.items()
    assert alert.url == "https://watch.example.org/files-3"
    assert alert.started_at == datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    assert alert.raw == load("documented")


def test_other_tools_names_mean_the_same() -> None:
    (alert,) = parse(load("other_names"))
    assert (alert.title, alert.dedup_key) == ("Door open", "door-north")
    assert alert.severity_hint is Severity.HIGH
    assert (alert.service, alert.environment) == ("gate-1", "lab")
    assert {"site": "porto", "floor": "2", "night": "true"}.items() <= alert.labels.items()
    assert alert.url == "https://doors.example.org/north"
    assert alert.started_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert alert.body == "Server room, north\n\nreadings:\n  sensor:\n    - 1\n    - 2"


def test_a_credential_in_the_payload_is_not_kept() -> None:
    assert "not-for-the-record" not in repr(parse(load("other_names")))


def test_a_resolve_needs_only_its_key() -> None:
    (alert,) = parse(load("resolved"))
    assert (alert.dedup_key, alert.status) == ("files-3/disk", AlertStatus.RESOLVED)


def test_one_member_without_a_title_becomes_an_alert_that_says_so() -> None:
    slow, odd, stopped = parse(load("list"))
    assert (slow.dedup_key, slow.service, slow.status) == ("11", "files", AlertStatus.FIRING)
    assert odd.title == "An alert arrived that could not be read"
    assert "no title here" in odd.body
    assert "alerts[1].title" in odd.body
    assert (stopped.dedup_key, stopped.service, stopped.status) == ("12", "cooling", AlertStatus.RESOLVED)
    assert slow.labels["site"] == stopped.labels["site"] == "porto"


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "title"),
        ({"title": "  "}, "title"),
        ({"title": {"nested": "x"}}, "title"),
        ({"dedup_key": "k", "status": "firing"}, "title"),
        ({"status": "resolved"}, "title"),
        ([], ""),
        ({"alerts": []}, "alerts"),
        ([{"severity": "high"}, {}], "[0].title"),
        ({"alerts": [{}, 3]}, "alerts[0].title"),
        (7, ""),
        (None, ""),
        ("  ", "title"),
    ],
)
def test_what_says_nothing_is_refused_with_the_field_named(payload: Any, field: str) -> None:
    assert refused_field(payload) == field


def test_more_alerts_than_the_limit_are_refused_whole_and_never_cut() -> None:
    assert refused_field({"alerts": [{"title": "x"}] * (reading.ALERTS_MAX + 1)}) == "alerts"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, AlertStatus.FIRING),
        ({"status": "never heard of"}, AlertStatus.FIRING),
        ({"status": "200", "action": "close"}, AlertStatus.RESOLVED),
        ({"state": "Recovery"}, AlertStatus.RESOLVED),
        ({"event_action": "acknowledge"}, AlertStatus.ACKNOWLEDGED),
        ({"alert_type": "2"}, AlertStatus.RESOLVED),
        ({"alert_type": 1}, AlertStatus.FIRING),
        ({"type": "success"}, AlertStatus.RESOLVED),
    ],
)
def test_status_words_of_many_tools_are_known(fields: dict[str, Any], status: AlertStatus) -> None:
    (alert,) = parse({"title": "t", "dedup_key": "k"} | fields)
    assert alert.status is status


def test_a_status_that_means_nothing_to_us_is_kept_as_a_label() -> None:
    (alert,) = parse({"title": "t", "status": "half open"})
    assert alert.labels["status"] == "half open"


def test_without_a_key_the_same_title_of_the_same_service_is_the_same_alert() -> None:
    (down,) = parse({"title": "API", "status": "down", "service": "shop"})
    (up,) = parse({"title": "API", "status": "up", "service": "shop", "took": "3 min"})
    (other,) = parse({"title": "API", "status": "down", "service": "bank"})
    assert down.dedup_key == up.dedup_key != other.dedup_key


def test_message_is_the_title_only_when_nothing_better_is_there() -> None:
    assert [(a.title, a.body) for a in parse({"title": "t", "message": "m"})] == [("t", "m")]
    assert [(a.title, a.body) for a in parse({"message": "m"})] == [("m", "")]


def test_plain_text_is_an_alert_with_its_first_line_as_title() -> None:
    (alert,) = parse("disk full\r\n/srv 97 %")
    assert (alert.title, alert.body) == ("disk full", "disk full\n/srv 97 %")
    assert alert.raw == {"text": "disk full\n/srv 97 %"}


def test_windows_1252_bytes_are_read_as_such() -> None:
    value = reading.json_value('{"title":"Tür"}'.encode("cp1252"))
    assert [alert.title for alert in parse(value)] == ["Tür"]


@recorded_payloads_needed
def test_recorded_payloads_become_the_alerts_their_index_expects() -> None:
    checked = 0
    for entry in json.loads((RECORDED / "INDEX.json").read_text())["files"]:
        if "alerts" not in entry:
            continue
        alerts = parse(reading.json_value((RECORDED / entry["file"]).read_bytes()))
        expected = [(each["status"], each["title"]) for each in entry["alerts"]]
        assert [(alert.status, alert.title) for alert in alerts] == expected, entry["file"]
        for alert, each in zip(alerts, entry["alerts"], strict=True):
            assert alert.dedup_key == each.get("dedup_hint", alert.dedup_key), entry["file"]
        checked += 1
    assert checked == 3


@recorded_payloads_needed
def test_every_recorded_hostile_body_is_an_alert_or_a_refusal() -> None:
    refused = set()
    for file in sorted((RECORDED / "edge").iterdir()):
        try:
            alerts = parse(reading.json_value(file.read_bytes()))
        except PayloadRefusedError:
            refused.add(file.name)
        else:
            json.dumps([alert.raw for alert in alerts], allow_nan=False, ensure_ascii=False).encode()
    assert refused == {"deep-200.json", "empty-object.json", "empty.txt", "truncated.txt"}
