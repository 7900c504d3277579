"""What an operator's mapping makes of a payload."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from incidents.severity import Severity
from incidents.sources import mapping
from incidents.sources.base import AlertStatus, PayloadRefusedError
from tests.unit.test_source_properties import anything, bounded, expect_sound

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SENT = {
    "rule": {"name": "Queue grows", "uid": 17},
    "host": "w1",
    "state": "closed",
    "prio": "S1",
    "token": "s3cret",
    "note": "since seven",
}
MAP = {
    "title": "join(' on ', [rule.name, host])",
    "description": "note",
    "status": "state == 'closed' && 'resolved' || 'firing'",
    "severity": "{S1: 'critical', S2: 'high'}.S1",
    "dedup_key": "rule.uid",
}


def test_each_field_is_found_by_its_expression() -> None:
    (alert,) = mapping.parse(SENT, MAP, now=NOW)
    assert (alert.title, alert.body) == ("Queue grows on w1", "since seven\n\nrule:\n  name: Queue grows\n  uid: 17")
    assert (alert.status, alert.severity_hint, alert.dedup_key) == (AlertStatus.RESOLVED, Severity.CRITICAL, "17")
    assert alert.service == "w1"  # not mapped: read as ever
    assert alert.raw == SENT | {"token": "(withheld)"}


def test_a_list_of_alerts_is_found_by_each_and_what_is_to_be_ignored_is() -> None:
    sent = {"data": {"items": [{"what": "A"}, {"what": "B", "ping": True}, {"what": "C"}]}}
    found = mapping.parse(sent, {"each": "data.items", "title": "what", "ignore": "ping"}, now=NOW)
    assert [alert.title for alert in found] == ["A", "C"]
    assert mapping.parse({"data": {"items": []}}, {"each": "data.items", "title": "what"}, now=NOW) == []
    assert len(mapping.parse({"data": {}}, {"each": "data.items", "title": "what"}, now=NOW)) == 1


def test_a_mapping_that_finds_no_title_any_more_still_pages_and_says_so() -> None:
    (alert,) = mapping.parse({"renamed": "Disk full", "title": ""}, {"title": "what"}, now=NOW)
    assert alert.title == "An alert arrived that its mapping finds no title in"
    assert alert.status is AlertStatus.FIRING
    assert "the mapping finds no title in it" in alert.body


def test_an_expression_that_fails_at_work_is_told_and_costs_nothing_else() -> None:
    (alert,) = mapping.parse({"title": "Disk full", "n": 1}, {"severity": "length(n)", "dedup_key": "n"}, now=NOW)
    assert (alert.title, alert.dedup_key) == ("Disk full", "1")
    assert "“length(n)” failed" in alert.body


def test_what_has_no_parts_is_read_without_the_mapping() -> None:
    (alert,) = mapping.parse("Disk full", MAP, now=NOW)
    assert alert.title == "Disk full"


@pytest.mark.parametrize("expression", ["a.", "join(", "[?", "a b", '"', "nope(a)"])
def test_what_is_no_expression_is_told(expression: str) -> None:
    if expression == "nope(a)":  # JMESPath finds out at work only
        assert mapping.problem(expression) == ""
    else:
        assert mapping.problem(expression).startswith("is no JMESPath expression")


@settings(bounded, max_examples=60)
@given(anything)
def test_any_json_becomes_sound_alerts_or_a_refusal(payload: object) -> None:
    expressions = {"each": "alerts || @", "title": "title || summary.x", "labels": "labels", "severity": "sum(details)"}
    for chosen in (expressions, {"title": "to_string(@)", "body": "keys(@)", "ignore": "labels.ping"}):
        try:
            alerts = mapping.parse(payload, chosen, now=NOW)
        except PayloadRefusedError as refused:
            assert re.search(r"\w", str(refused))
            continue
        for alert in alerts:
            expect_sound(alert)
