"""Alerts as Opsgenie's senders create them, and the words of its API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incidents.compat import opsgenie as api
from incidents.severity import Severity
from incidents.sources import opsgenie
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads" / "opsgenie"
RECORDED = Path(__file__).parents[2].parent / "shared" / "payloads" / "opsgenie"
recorded_payloads_needed = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="recorded payloads are not beside the project"
)


def parse(payload: Any) -> IncomingAlert:
    (alert,) = opsgenie.parse(payload, now=NOW)
    return alert


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def test_what_alertmanager_creates_is_read_whole() -> None:
    sent = load("from_alertmanager")
    alert = parse(sent)
    assert (alert.source, alert.status, alert.dedup_key) == ("opsgenie", AlertStatus.FIRING, sent["alias"])
    assert alert.title == "[FIRING:1] UnicodeAlert eu-west-1 (платёж-сервис München warning)"
    assert "磁盘使用率 93.75 %" in alert.body
    assert alert.body.endswith("Note: sent by alertmanager")
    assert (alert.severity_hint, alert.component) == (Severity.CRITICAL, "платёж-сервис")
    assert {"alertname": "UnicodeAlert", "region": "eu-west-1", "tags": "env-test, eu-west-1"}.items() <= (
        alert.labels.items()
    )
    assert alert.labels["responders"] == "team platform, user ana@example.test"
    assert alert.url == "http://127.0.0.1:19093/#/alerts?receiver=everything"
    assert alert.raw == sent


def test_an_alias_may_have_slashes_and_a_question_mark() -> None:
    assert parse(load("from_sdk")).dedup_key == "db1/disk full?"


def test_a_message_over_130_characters_is_cut_as_a_title_and_kept_whole_in_the_body() -> None:
    sent = load("long_message")
    alert = parse(sent)
    assert len(sent["message"]) == 131
    assert (len(alert.title), alert.title[-1]) == (130, "…")
    assert alert.body.startswith(sent["message"])


def test_numbers_among_the_details_are_read_and_their_addresses_are_links() -> None:
    alert = parse(load("from_healthchecks"))
    assert alert.labels["Total pings"] == "2"
    assert [(link.text, link.href) for link in alert.links] == [("Full details", "https://hc.example.test/cloaked/x/")]


@pytest.mark.parametrize(
    ("priority", "hint"),
    [
        ("P1", Severity.CRITICAL),
        ("p2", Severity.HIGH),
        (None, Severity.MEDIUM),
        ("P4", Severity.LOW),
        ("P5", Severity.LOW),
        ("P0", None),
        (["P1"], Severity.MEDIUM),
    ],
)
def test_a_priority_is_a_hint_and_an_odd_one_is_no_reason_to_refuse(priority: Any, hint: Severity | None) -> None:
    assert parse({"message": "m", "priority": priority}).severity_hint is hint


@pytest.mark.parametrize("payload", [{}, {"message": " "}, {"message": ["m"]}, [], "m", None])
def test_only_what_has_no_message_is_refused(payload: Any) -> None:
    with pytest.raises(PayloadRefusedError):
        parse(payload)


def test_odd_shapes_are_taken_as_they_are() -> None:
    alert = parse({"message": 5, "details": "none", "tags": "a, b", "responders": ["ana"], "actions": 7, "alias": 42})
    assert (alert.title, alert.dedup_key) == ("5", "42")
    assert (alert.labels["tags"], alert.labels["responders"]) == ("a, b", "ana")
    assert parse({"message": "m", "details": {"a": {"b": 1}}}).labels["a"] == '{"b": 1}'


@recorded_payloads_needed
def test_every_recorded_create_is_read() -> None:
    files = [*RECORDED.glob("create.*.json"), *RECORDED.glob("edge/*.json")]
    assert len(files) > 12
    for file in files:
        sent = json.loads(file.read_text())
        if file.name == "create.bad.empty-message.json":
            read = api.read_alert(file.read_bytes(), now=NOW, new_alias="made")
            assert isinstance(read, api.Refusal)
            assert (read.status, read.body()["errors"]) == (422, {"message": "Message can not be empty."})
            continue
        assert parse(sent).title
        assert parse(sent).dedup_key == sent["alias"] if "alias" in sent else True


def test_an_alert_without_an_alias_is_given_one() -> None:
    read = api.read_alert(b'{"message": "m"}', now=NOW, new_alias="made")
    assert isinstance(read, IncomingAlert)
    assert read.dedup_key == "made"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"m"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_400(body: bytes) -> None:
    read = api.read_alert(body, now=NOW, new_alias="made")
    assert isinstance(read, api.Refusal)
    assert read.status == 400


def test_an_alerts_id_has_a_uuids_shape_and_is_read_back() -> None:
    for number in (1, 42, 2**40):
        assert api.alert_id_in(api.alert_uuid(number)) == number
        assert api.alert_id_in(api.alert_uuid(number).upper()) == number
    for other in ("", "a", "8743a1b2-11da-480e-8493-744660987bef", "db1/disk", str(42)):
        assert api.alert_id_in(other) is None


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("", {}),
        ("status=open", {"status": "open"}),
        ('status: open AND alias: "db1/a=b"', {"status": "open", "alias": "db1/a=b"}),
    ],
)
def test_a_query_is_read(query: str, terms: dict[str, str]) -> None:
    assert api.query_terms(query) == terms


def test_a_query_that_is_not_understood_is_refused() -> None:
    for query in ("disk", "createdAt > 5", "status: open OR status: closed"):
        assert isinstance(api.query_terms(query), api.Refusal)


@pytest.mark.parametrize(
    ("header", "key"), [("GenieKey abc", "abc"), ("geniekey  abc ", "abc"), ("Bearer abc", ""), ("abc", ""), (None, "")]
)
def test_a_key_comes_as_a_genie_key(header: str | None, key: str) -> None:
    assert api.key_in(header) == key
