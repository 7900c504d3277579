"""What PagerDuty's Events API v2 refuses is refused here too, in its words; and the answers are its answers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incidents.compat import pagerduty
from incidents.sources import pagerduty as source
from incidents.sources.base import PayloadRefusedError

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
KEY = "4f3e2d1c0b9a88776655443322110099"
PAYLOADS = Path(__file__).parent / "payloads" / "pagerduty"
RECORDED = Path(__file__).parents[2].parent / "shared" / "payloads" / "pagerduty-events-v2"
recorded_payloads_needed = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="recorded payloads are not beside the project"
)


def answer(body: bytes | dict[str, Any]) -> pagerduty.Event | pagerduty.Refusal:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return pagerduty.read_event(sent, now=NOW, new_dedup_key=lambda: "made")


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


def test_a_severity_outside_the_list_is_refused_in_pagerdutys_words() -> None:
    for severity in ("fatal", "none", "P1"):
        assert refusal(trigger(severity=severity)) == pagerduty.Refusal(
            400,
            {
                "status": "invalid event",
                "message": "Event object is invalid",
                "errors": [
                    "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
                ],
            },
        )


@pytest.mark.parametrize("key", ["", KEY[1:], KEY + "0"])
def test_a_routing_key_of_the_wrong_length_is_refused(key: str) -> None:
    said = (
        "'routing_key' is missing or blank"
        if not key
        else "Length of 'routing_key' is incorrect (should be 32 characters)"
    )
    assert refusal(trigger() | {"routing_key": key}).body["errors"] == [said]


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (trigger() | {"routing_key": 32}, "'routing_key' must be a string"),
        (trigger() | {"routing_key": "\0" * 32}, "'routing_key' is invalid (should be letters and digits)"),
        (trigger() | {"event_action": None}, "'event_action' is missing or blank"),
        (
            trigger() | {"event_action": "suppress"},
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')",
        ),
        (trigger() | {"payload": None}, "'payload' is missing or blank"),
        (trigger() | {"payload": "DISK 99%"}, "'payload' must be an object"),
        (trigger() | {"dedup_key": ["a"]}, "'dedup_key' must be a string"),
        (trigger(without="summary"), "'payload.summary' is missing or blank"),
        (trigger(summary=" \n"), "'payload.summary' is missing or blank"),
        (trigger(summary=["a"]), "'payload.summary' must be a string"),
        (trigger(without="source"), "'payload.source' is missing or blank"),
        (trigger(source=5), "'payload.source' must be a string"),
        (trigger(without="severity"), "'payload.severity' is missing or blank"),
        (trigger(severity=1), "'payload.severity' must be a string"),
        ({"routing_key": KEY, "event_action": "acknowledge"}, "'dedup_key' is missing or blank"),
        ({"routing_key": KEY, "event_action": "resolve", "dedup_key": " "}, "'dedup_key' is missing or blank"),
    ],
)
def test_what_pagerduty_refuses_is_refused_by_name(sent: dict[str, Any], error: str) -> None:
    refused = refusal(sent)
    assert (refused.status, refused.body["status"], refused.body["errors"]) == (400, "invalid event", [error])


def test_everything_wrong_is_said_at_once() -> None:
    refused = refusal({"event_action": "trigger", "payload": {"summary": "", "severity": "x"}})
    assert [error.split("'")[1] for error in refused.body["errors"]] == [
        "routing_key",
        "payload.summary",
        "payload.source",
        "payload.severity",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{nope",
        b'{"a":"unescaped "quotes""}',
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_what_is_not_a_json_object_is_unrecognized(body: bytes) -> None:
    refused = refusal(body)
    assert refused.status == 400
    assert refused.body["status"] == "Unrecognized object"
    assert refused.body["message"] == "Event object format is unrecognized"
    assert refused.body["errors"] == ["JSON parse error"]
    assert refused.body["detail"]


def test_a_key_given_twice_with_different_values_is_refused_where_it_decides() -> None:
    body = json.dumps(trigger(custom_details={"tag": 1})).encode()
    doubled = body.replace(b'"trigger"', b'"resolve", "event_action": "trigger"')
    assert refusal(doubled).body["errors"] == ["'event_action' is given more than once with different values"]
    doubled = body.replace(b'"source"', b'"source": "h2", "source"')
    assert refusal(doubled).body["errors"] == ["'payload.source' is given more than once with different values"]
    assert event(body.replace(b'"trigger"', b'"trigger", "event_action": "trigger"')).action == "trigger"
    assert event(body.replace(b'"tag": 1', b'"tag": 1, "tag": 2')).alert.body == "tag: 2"


def test_every_refusal_has_pagerdutys_shape() -> None:
    refusals = {
        400: pagerduty.unknown_key(),
        413: pagerduty.too_large(),
        429: pagerduty.too_many(),
        503: pagerduty.unavailable(),
        405: pagerduty.wrong_method(),
    }
    for status, refused in refusals.items():
        assert refused.status == status
        assert isinstance(refused.body["status"], str)
        assert isinstance(refused.body["message"], str)
    assert "routing_key" in refusals[400].body["errors"][0]


def test_the_source_alone_refuses_with_the_field_and_gives_each_keyless_trigger_its_own_key() -> None:
    with pytest.raises(PayloadRefusedError, match=r"^payload\.severity: is invalid"):
        source.parse(trigger(severity="fatal"), now=NOW)
    with pytest.raises(PayloadRefusedError, match="must be an event object"):
        source.parse([], now=NOW)
    keyless = json.loads((PAYLOADS / "trigger_minimal.json").read_bytes())
    (first,) = source.parse(keyless, now=NOW)
    (later,) = source.parse(keyless, now=NOW.replace(second=1))
    assert first.dedup_key != later.dedup_key


@recorded_payloads_needed
def test_what_is_recorded_as_bad_is_refused_and_change_events_are_read() -> None:
    for file in sorted((RECORDED / "edge").glob("bad.*.json")):
        assert refusal(file.read_bytes()).body["status"] == "invalid event", file.name
    (not_json,) = RECORDED.glob("INVALID-JSON.*")
    assert refusal(not_json.read_bytes()).body["status"] == "Unrecognized object"
    for file in sorted(RECORDED.glob("change-event.*.json")):
        assert isinstance(pagerduty.read_change_event(file.read_bytes(), now=NOW), pagerduty.ChangeEvent), file.name


@recorded_payloads_needed
def test_the_answers_are_the_recorded_ones() -> None:
    def recorded(name: str) -> Any:
        return json.loads((RECORDED / "responses" / f"response.{name}.json").read_text())

    assert pagerduty.accepted("srv01/HTTP") == recorded("202")
    assert pagerduty.change_accepted() == recorded("change-202")
    assert refusal(trigger() | {"routing_key": "short"}).body == recorded("400")
    assert pagerduty.too_many().body == recorded("429")
    assert recorded("400-parse").items() <= refusal(b"{").body.items()
