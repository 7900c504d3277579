from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from incidents import classification, rules
from incidents.classification import AlertText, Classification
from incidents.severity import IncidentClass, Severity
from tests.unit.rule_samples import RULES, loaded

EXAMPLES = Path(__file__).with_name("classification_examples.yaml")
SHIPPED = rules.load(RULES)
CLASSES = {"CON": IncidentClass.CONSTITUTIONAL, "OPS": IncidentClass.OPERATIONAL}


def examples() -> Iterator[Any]:
    for section, entries in yaml.safe_load(EXAMPLES.read_text(encoding="utf-8")).items():
        for number, entry in enumerate(entries, 1):
            yield pytest.param(entry, id=f"{section}-{number}")


def alert_of(example: dict[str, Any]) -> AlertText:
    return AlertText(
        title=example["text"],
        body=example.get("body", ""),
        name=example.get("name", ""),
        service=example.get("from", ""),
        labels=example.get("labels", {}),
        status=example.get("status", "firing"),
        severity_hint=Severity(example["hint"]) if "hint" in example else None,
        protected=example.get("protected", False),
    )


def judged(title: str, **fields: Any) -> Classification:
    return classification.classify(AlertText(title, **fields), SHIPPED)


@pytest.mark.parametrize("example", list(examples()))
def test_the_shipped_rules_judge_the_example_as_its_author_does(example: dict[str, Any]) -> None:
    incident_class, severity, runbook = example["expect"].split()
    found = classification.classify(alert_of(example), SHIPPED)
    assert (found.incident_class, found.severity, found.runbook or "-", found.confirm_class) == (
        CLASSES[incident_class],
        Severity(severity),
        runbook,
        example.get("confirm", False),
    ), found.sentence
    assert set(example.get("also", [])) <= set(found.runbook_candidates)
    assert found.halt_recommended is (incident_class == "CON" and severity == "CRITICAL")


# Explanation


def test_the_sentence_names_rule_words_field_service_context_and_runbook() -> None:
    found = judged("Hash chain broken at sequence 48211: previous_hash mismatch", service="event-store")
    assert found.sentence == (
        "Constitutional because K01 matched 'hash chain broken' in title and service event-store is protected; "
        "CRITICAL from K01 (context 'sequence'); runbook epic-1-event-store from K01."
    )
    assert "K01 matched 'hash chain broken' in title: the hash chain is broken." in found.reasons


def test_a_hit_taken_back_stays_in_the_record_with_what_took_it_back() -> None:
    record = judged("JWT invalid signature from client", service="api").record
    assert record["suppressed"] == [
        {"rule": "K02", "field": "title", "words": "invalid signature", "by": "X01", "because": "jwt"}
    ]
    record = judged("No signature failures today", service="event-store").record
    assert [(s["rule"], s["by"], s["because"]) for s in record["suppressed"]] == [("K02", "negation", "no")]


def test_every_hit_is_kept_and_not_only_the_winning_one() -> None:
    found = judged("Latency high", body="event signature verification failed for agent 3", service="api")
    assert [(hit["rule"], hit["field"]) for hit in found.record["hits"]] == [("K02", "body"), ("O07", "title")]


def test_the_record_holds_only_what_canonical_json_can_hold() -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(type(key) is str and plain(entry) for key, entry in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return type(value) in (str, int, bool)

    found = judged("halt signal seen; p95 latency high", labels={"class": "constitutional"}, severity_hint=Severity.LOW)
    assert plain(found.record)


def test_the_decision_is_known_by_its_input_and_its_rules(tmp_path: Path) -> None:
    first = judged("Redis is down", labels={"a": "1", "b": "2"})
    assert judged("Redis is down", labels={"b": "2", "a": "1"}).record == first.record
    assert judged("Redis is down", labels={"a": "1"}).record["decision_id"] != first.record["decision_id"]
    other = loaded(tmp_path, "rules: []")
    replayed = classification.classify(AlertText("Redis is down", labels={"a": "1", "b": "2"}), other).record
    assert replayed["input_sha256"] == first.record["input_sha256"]
    assert replayed["decision_id"] != first.record["decision_id"]
    assert replayed["severity"]["value"] == "MEDIUM"


# Class


def test_exclusions_never_hide_anything_from_a_protected_service() -> None:
    for fields in ({"service": "keeper"}, {"service": "Event_Store"}, {"service": "my-ledger", "protected": True}):
        found = judged("JWT invalid signature", **fields)
        assert (found.incident_class, found.severity) == (IncidentClass.CONSTITUTIONAL, Severity.CRITICAL)
    assert judged("JWT invalid signature", service="my-ledger").incident_class is IncidentClass.OPERATIONAL


def test_a_label_makes_constitutional_and_gives_context_but_takes_nothing_away() -> None:
    assert judged("halt signal seen", labels={"tocsin_class": "constitutional"}).severity is Severity.CRITICAL
    assert (
        judged("Worker stuck", labels={"class": "operational"}, service="witness").record["class"]["value"]
        == "constitutional"
    )
    assert judged("Worker stuck", labels={"class": "availability"}).incident_class is IncidentClass.OPERATIONAL


def test_the_name_of_a_service_can_exclude_and_that_of_a_source_cannot() -> None:
    assert (
        judged("Signature verification failed", service="stripe-webhooks").incident_class is IncidentClass.OPERATIONAL
    )
    assert judged("Signature verification failed", source="github").incident_class is IncidentClass.CONSTITUTIONAL
    told = judged("Event signature verification failed for agent 17", service="jwt-gateway")
    assert told.severity is Severity.CRITICAL


def test_an_exclusion_does_not_reach_over_the_rules_own_context() -> None:
    assert judged("After the etcd restart the council quorum was lost").incident_class is IncidentClass.CONSTITUTIONAL
    assert judged("After the etcd restart the quorum was lost").incident_class is IncidentClass.OPERATIONAL


# Severity


def test_the_sources_own_severity_raises_to_high_only_and_says_so() -> None:
    found = judged("p95 latency above 2s", severity_hint=Severity.CRITICAL)
    assert found.severity is Severity.HIGH
    assert "The source calls it CRITICAL, which raised MEDIUM to HIGH." in found.reasons
    assert judged("Redis is down", severity_hint=Severity.INFO).severity is Severity.HIGH
    once = judged("Nothing that any rule knows", severity_hint=Severity.CRITICAL).reasons
    assert [each for each in once if "raised MEDIUM to HIGH" in each] == [
        "The source calls it CRITICAL, which raised MEDIUM to HIGH."
    ]


def test_good_news_is_logged_only_unless_the_source_itself_calls_it_high() -> None:
    text = "Hash chain verification completed: 0 failures"
    assert judged(text, service="event-store", severity_hint=Severity.MEDIUM).severity is Severity.INFO
    assert judged(text, service="event-store", severity_hint=Severity.CRITICAL).severity is Severity.HIGH
    assert judged("Deployment 2.4.1 completed successfully", severity_hint=Severity.LOW).severity is Severity.INFO
    assert judged("Key ceremony KC-12 scheduled", severity_hint=Severity.HIGH).severity is Severity.HIGH


def test_a_long_text_is_not_believed_for_one_good_word() -> None:
    report = "Report of shift nine about work in hall four and hall five. " * 6
    assert judged("Shift report", body=report + "All clear.").severity is Severity.MEDIUM
    assert judged("Shift report", body="All clear.").severity is Severity.INFO


def test_a_resolve_from_the_source_is_logged_only_and_stays_constitutional() -> None:
    found = judged(
        "Hash chain broken at sequence 9", service="event-store", status="resolved", severity_hint=Severity.CRITICAL
    )
    assert (found.incident_class, found.severity) == (IncidentClass.CONSTITUTIONAL, Severity.INFO)
    assert found.record["guard"]["value"] == "resolved"
    assert judged("Redis is down", status="acknowledged").severity is Severity.HIGH


def test_a_constitutional_drill_pages_but_never_asks_for_a_halt() -> None:
    for fields in ({"labels": {"drill": "true"}}, {"body": "This is a drill."}):
        found = judged("Hash chain broken at sequence 1", service="event-store", **fields)
        assert (found.severity, found.confirm_class, found.halt_recommended) == (Severity.HIGH, True, False)
    assert judged("Redis is down", labels={"drill": "false"}).severity is Severity.HIGH
    assert (
        judged("Redis is down", labels={"tocsin_drill": "yes"}, severity_hint=Severity.CRITICAL).severity
        is Severity.INFO
    )


def test_an_exact_alert_name_is_believed_whatever_its_text_says() -> None:
    text = "This alert is always firing. If it is not, something is broken."
    assert judged(text, name="Watchdog").severity is Severity.INFO
    assert judged(text, name="WatchdogFailed").severity is Severity.MEDIUM


# Hostile texts

HOSTILE = [
    "signature. failed. ",
    "no quorum failures ",
    "not 0 no ",
    "event 5 jwt signature failed. ",
    "signature " + "x " * 8 + "failed " + "x " * 8,
    "aB",
    "a'b'",
    "all clear and ",
    "a=0 b=1 ",
    "!=",
    "1/",
    "ﷺ ",
    "a\u0315\u0300\u0327\u0315\u0300\u0327",
    "\n",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_effort_grows_with_the_length_of_a_hostile_text_and_not_with_its_square(piece: str) -> None:
    def effort_seconds(characters: int) -> float:
        text = (piece * (characters // len(piece) + 1))[:characters]
        began = time.process_time()
        classification.classify(AlertText("x", body=text), SHIPPED)
        return time.process_time() - began

    # Sixteen times the text: quadratic effort would be 256 times as much.
    assert effort_seconds(65_536) < 64 * max(effort_seconds(4_096), 0.002)
