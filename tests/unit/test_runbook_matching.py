"""Which runbook belongs to an incident, and why."""

from __future__ import annotations

import pytest

from runbook_links import matching
from runbook_links.document import Runbook
from runbook_links.matching import CANDIDATES_MAX, Match, Wanted
from tests.unit.runbook_samples import NOW, good

BYPASS = ("- [ ] Note the first", "- [ ] Skip the signature check and note the first")


def runbook(
    name: str,
    incident_class: str = "mixed",
    *edits: tuple[str, str],
    services: str = "",
    severities: str = "",
    triggers: str = "",
    keywords: str = "",
) -> Runbook:
    """Fits nothing but what the test gives it."""
    return good(
        ("id: chain-break", f"id: {name}"),
        ("class: mixed", f"class: {incident_class}"),
        ("services: [event-store]", f"services: [{services}]"),
        ("severities: [CRITICAL, HIGH]", f"severities: [{severities}]"),
        ("triggers: [K01, ChainBroken]", f"triggers: [{triggers}]"),
        ("keywords: [hash chain, previous_hash]", f"keywords: [{keywords}]"),
        *edits,
        name=name,
    )


def matched(wanted: Wanted, *runbooks: Runbook) -> Match:
    return matching.match(wanted, runbooks, now=NOW)


LABELLED = runbook("labelled")
RULED = runbook("ruled")
NAMED_AND_LABELLED = runbook("named-and-labelled", services="checkout", triggers="HighLatency")
NAMED = runbook("named", triggers="HighLatency")
DECLARED = runbook("declared")
SEVERE = runbook("severe", services="checkout", severities="HIGH")
SERVING = runbook("serving", services="checkout", severities="LOW")
WORDED = runbook("worded", keywords="p95 latency")
EVERYTHING = Wanted(
    rule_runbook="ruled",
    rule="R07",
    service="checkout",
    default_runbook="declared",
    labels={"runbook": "labelled", "job": "api"},
    alert_name="HighLatency",
    severity="HIGH",
    title="p95 latency above 2 s",
)
ORDER = (
    (LABELLED, "label runbook=labelled"),
    (RULED, "named by rule R07"),
    (NAMED_AND_LABELLED, "is triggered by HighLatency and serves what its labels name"),
    (NAMED, "is triggered by HighLatency"),
    (DECLARED, "declared for service checkout"),
    (SEVERE, "serves service checkout and handles HIGH"),
    (SERVING, "serves service checkout"),
    (WORDED, "has the keyword p95 latency of the title"),
)


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[each.id for each, _ in ORDER])
def test_the_more_specific_reason_wins(first: int) -> None:
    left = ORDER[first:]
    found = matched(EVERYTHING, *(each for each, _ in reversed(left)))
    assert found.runbook_id == left[0][0].id
    assert found.reason.startswith(left[0][1])
    assert [candidate for candidate, _ in found.candidates] == [each.id for each, _ in left[1:]]


def test_nothing_fits_and_the_reason_says_so() -> None:
    found = matched(Wanted(service="checkout", title="nothing known"), LABELLED)
    assert found == Match(None, "no runbook names this alert, its rule, its service or its words")


@pytest.mark.parametrize("value", ["labelled", "labelled.md", "https://runbooks.example.org/labelled.md#step-1"])
def test_a_label_may_hold_an_id_a_file_or_an_address(value: str) -> None:
    assert matched(Wanted(labels={"runbook_id": value}), LABELLED, NAMED).runbook_id == "labelled"


def test_a_name_that_is_no_runbook_is_said_and_the_next_reason_decides() -> None:
    found = matched(
        Wanted(labels={"runbook": "gone"}, rule_runbook="lost", service="checkout", severity="HIGH"), SEVERE
    )
    assert found.runbook_id == "severe"
    assert "label runbook=gone, which is no runbook here" in found.reason
    assert "the classification rule names lost, which is no runbook here" in found.reason


def test_an_overlong_label_is_cut_in_the_reason() -> None:
    assert len(matched(Wanted(labels={"runbook": "x" * 5_000})).reason) < 300


def test_the_runbook_of_another_rule_that_matched_follows_the_deciding_one() -> None:
    found = matched(Wanted(rule_runbook="ruled", rule_candidates=("labelled",)), LABELLED, RULED)
    assert found.runbook_id == "ruled"
    assert found.candidates == (("labelled", "named by another rule that matched"),)
    assert matched(Wanted(rule_runbook="ruled", rule_candidates=("labelled",)), LABELLED).runbook_id == "labelled"


def test_a_tie_is_shown_as_a_tie_and_broken_by_name() -> None:
    tied = [runbook(name, services="checkout") for name in ("charlie", "alpha", "bravo")]
    found = matched(Wanted(service="checkout"), *tied)
    assert found.runbook_id == "alpha"
    assert found.reason == (
        "serves service checkout; equally bravo and charlie: a tie, of which the first by name is taken"
    )
    assert [candidate for candidate, _ in found.candidates] == ["bravo", "charlie"]
    assert matched(Wanted(service="checkout"), *reversed(tied)) == found


def test_the_nearest_class_breaks_what_would_be_a_tie() -> None:
    shelf = [runbook("a-constitutional", "constitutional", services="x"), runbook("b-mixed", "mixed", services="x")]
    shelf.append(runbook("c-operational", "operational", services="x"))
    assert matched(Wanted(service="x", incident_class="constitutional"), *shelf).runbook_id == "a-constitutional"
    assert matched(Wanted(service="x", incident_class="operational"), *shelf).runbook_id == "c-operational"


def test_an_operational_runbook_never_stands_in_for_a_constitutional_one() -> None:
    operational = runbook("restart", "operational", services="event-store", severities="CRITICAL")
    wanted = Wanted(
        labels={"runbook": "restart"}, rule_runbook="restart", service="event-store", incident_class="constitutional"
    )
    found = matched(wanted, operational, runbook("worded", keywords="nothing"))
    assert found.runbook_id is None
    assert found.reason == "no runbook that fits may be attached to this constitutional incident"
    assert found.candidates[0][0] == "restart"
    assert "an operational runbook never stands in for a constitutional one" in found.candidates[0][1]
    further = runbook("store", "constitutional", services="event-store")
    assert matched(wanted, operational, further).runbook_id == "store"


def test_a_constitutional_incident_falls_back_to_the_general_response() -> None:
    wanted = Wanted(service="event-store", incident_class="constitutional")
    found = matched(wanted, runbook("incident-response"), runbook("restart", "operational", services="event-store"))
    assert found.runbook_id == "incident-response"
    assert found.reason.startswith("only operational or stopped runbooks fit")
    assert matched(wanted, runbook("incident-response", "operational")).runbook_id is None
    assert matched(Wanted(service="event-store"), runbook("incident-response")).runbook_id is None


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (("- 1.2.0: second host.", "- AKIAIOSFODNN7EXAMPLE"), "RB019"),
        (BYPASS, "RB022"),
        (("action: reopen-writes", "action: resume-after-halt"), "RB025"),
    ],
)
def test_a_dangerous_runbook_is_shown_and_not_attached(edit: tuple[str, str], rule: str) -> None:
    found = matched(Wanted(rule_runbook="ruled"), runbook("ruled", "mixed", edit))
    assert found.runbook_id is None
    assert f"not attached: {rule} at line" in found.candidates[0][1]
    assert (
        matched(
            Wanted(rule_runbook="ruled", service="x"), runbook("ruled", "mixed", edit), runbook("b", services="x")
        ).runbook_id
        == "b"
    )


@pytest.mark.parametrize(
    ("certified_on", "warning"),
    [
        ("2026-11-01", ""),
        ("2026-10-10", "warning: its certification is overdue, due on 2026-11-10"),
        ("2026-10-01", "warning: its certification is expired, due on 2026-11-01"),
    ],
)
def test_an_expired_runbook_is_attached_with_a_warning(certified_on: str, warning: str) -> None:
    found = matched(
        Wanted(rule_runbook="ruled"),
        runbook("ruled", "mixed", ('certified_on: "2026-11-01"', f'certified_on: "{certified_on}"')),
    )
    assert found.runbook_id == "ruled"
    assert found.warning == warning
    assert found.reason.endswith(warning)


def test_an_inactive_runbook_is_attached_by_nobody() -> None:
    inactive = runbook("ruled", "mixed", ("active: true", "active: false"), services="checkout")
    found = matched(Wanted(rule_runbook="ruled", service="checkout"), inactive)
    assert found.runbook_id is None
    assert found.candidates == (("ruled", "named by the classification rule; not attached: it is not active"),)


def test_the_index_and_the_template_are_never_attached() -> None:
    index = runbook("index", "mixed", ("category: runbook", "category: index"), services="checkout")
    assert matched(Wanted(service="checkout", rule_runbook="index"), index).runbook_id is None


def test_more_keywords_win_and_part_of_a_word_is_none() -> None:
    shelf = [
        runbook("one", keywords="latency"),
        runbook("two", keywords="latency, p95"),
        runbook("part", keywords="late"),
    ]
    found = matched(Wanted(title="p95 latency high"), *shelf)
    assert found.runbook_id == "two"
    assert found.reason == "has the keywords latency, p95 of the title"
    assert [candidate for candidate, _ in found.candidates] == ["one"]


def test_of_two_files_with_one_id_the_first_by_name_counts() -> None:
    first = runbook("same", services="x")
    second = good(("id: chain-break", "id: same"), ("services: [event-store]", "services: [y]"), name="a-second")
    assert matched(Wanted(service="y"), second, first).runbook_id == "same"
    assert matched(Wanted(service="x"), second, first).runbook_id is None


def test_candidates_are_limited() -> None:
    shelf = [runbook(f"r{n:02}", services="x") for n in range(CANDIDATES_MAX + 5)]
    assert len(matched(Wanted(service="x"), *shelf).candidates) == CANDIDATES_MAX
