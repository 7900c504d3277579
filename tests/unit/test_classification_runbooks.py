"""Which runbook an incident gets, and how exact names and labels match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from incidents import classification, rules
from incidents.classification import AlertText, Classification
from incidents.severity import Severity
from tests.unit.rule_samples import RULES, loaded

SHIPPED = rules.load(RULES)


def judged(title: str, **fields: Any) -> Classification:
    return classification.classify(AlertText(title, **fields), SHIPPED)


TWO_RULES = """
rules:
  - {{id: A, title: a, class: {a_class}, severity: {a_severity}, runbook: book-a, when: [{{near: [flux]}}]}}
  - {{id: B, title: b, class: operational, severity: MEDIUM, runbook: book-b, general: {general}, when: [{when}]}}
"""


@pytest.mark.parametrize(
    ("a_class", "a_severity", "general", "when", "chosen", "tied"),
    [
        ("operational", "LOW", "false", "{near: [flux]}", "book-b", []),  # the more severe
        ("operational", "MEDIUM", "false", "{near: [flux], name: [FluxAlert]}", "book-b", []),  # the more specific
        ("operational", "MEDIUM", "true", "{near: [flux]}", "book-a", []),  # not the general one
        ("operational", "MEDIUM", "false", "{near: [flux]}", "book-a", ["book-b"]),  # a tie, shown as one
        (
            "constitutional",
            "LOW",
            "false",
            "{near: [flux], name: [FluxAlert]}",
            "book-a",
            [],
        ),  # never the operational one
    ],
)
def test_the_runbook_is_that_of_the_severest_then_most_specific_rule_of_the_incidents_class(
    tmp_path: Path, a_class: str, a_severity: str, general: str, when: str, chosen: str, tied: list[str]
) -> None:
    text = TWO_RULES.format(a_class=a_class, a_severity=a_severity, general=general, when=when)
    found = classification.classify(AlertText("flux", name="flux_alert"), loaded(tmp_path, text))
    assert (found.runbook, found.record["runbook"]["tied"]) == (chosen, tied)
    assert found.runbook_candidates == (({"book-a", "book-b"} - {chosen}).pop(),)


def test_between_equals_the_runbook_of_the_service_is_chosen(tmp_path: Path) -> None:
    text = TWO_RULES.format(a_class="operational", a_severity="MEDIUM", general="false", when="{near: [flux]}")
    ruleset = loaded(tmp_path, text.replace("book-b", "epic-4-observer"))
    assert classification.classify(AlertText("flux", service="observer"), ruleset).runbook == "epic-4-observer"
    assert classification.classify(AlertText("flux", service="api"), ruleset).runbook == "book-a"


def test_an_operational_services_runbook_does_not_stand_in_for_a_constitutional_one() -> None:
    assert judged("Worker stuck", service="observer").runbook == "epic-4-observer"
    found = judged("Worker stuck", service="observer", labels={"class": "constitutional"})
    assert (found.runbook, found.runbook_candidates) == ("incident-response", ("epic-4-observer",))


# Rules about names and labels


def test_names_labels_and_services_of_a_condition_must_all_hold(tmp_path: Path) -> None:
    ruleset = loaded(
        tmp_path,
        """
rules:
  - id: L1
    title: a labelled alert
    class: operational
    severity: HIGH
    runbook: recovery
    when: [{name: [Disk Broken], labels: {team: [core, edge], tier: "1"}, services: storage}]
""",
    )

    def severity(**fields: Any) -> Severity:
        return classification.classify(AlertText("anything", **fields), ruleset).severity

    whole: dict[str, Any] = {"name": "disk_broken", "labels": {"team": "Edge", "tier": "1"}, "service": "storage-eu"}
    assert severity(**whole) is Severity.HIGH
    assert severity(**whole | {"name": "DiskBroken2"}) is Severity.MEDIUM
    assert severity(**whole | {"labels": {"team": "edge"}}) is Severity.MEDIUM
    assert severity(**whole | {"service": "api"}) is Severity.MEDIUM


def test_a_rule_looks_only_into_the_fields_it_names(tmp_path: Path) -> None:
    text = "rules: [{id: T, title: t, class: operational, severity: LOW, when: [{near: [flux], in: [title]}]}]"
    ruleset = loaded(tmp_path, text)
    assert classification.classify(AlertText("flux"), ruleset).severity is Severity.LOW
    assert classification.classify(AlertText("x", body="flux"), ruleset).severity is Severity.MEDIUM
