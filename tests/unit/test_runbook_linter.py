"""The linter over one document with what is known beyond it, and over a whole folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings

from runbook_links import linter
from runbook_links.document import Runbook, RunbookError
from runbook_links.linter import Finding, LintContext, RuleFacts
from tests.unit import runbook_samples
from tests.unit.runbook_samples import GOOD, INDEX, NOW, PLAIN, TEMPLATE, changed, good, read

CONTEXT = LintContext(now=NOW)


def found(runbook: Runbook, context: LintContext = CONTEXT) -> list[Finding]:
    return linter.lint(runbook, context)


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity) for finding in findings]


def test_a_missing_step_is_one_finding() -> None:
    text = GOOD[: GOOD.index("### Step 1")] + "Do it.\n\n" + GOOD[GOOD.index("## Verification") :]
    assert said(found(read(text.replace("class: mixed", "class: operational")))) == [("RB012", "E")]


def test_missing_front_matter_is_one_finding_and_not_one_for_each_key() -> None:
    rules = [finding.rule for finding in found(read(PLAIN, "restart"))]
    assert rules.count("RB001") == 1
    assert "RB002" not in rules
    assert {"RB010", "RB016", "RB021", "RB024", "RB026", "RB031", "RB032"} <= set(rules)


def test_placeholders_in_a_plain_header_are_found() -> None:
    text = changed(("Owner: Platform", "Owner: [Team/Role]"), ("2026-10-01", "YYYY-MM-DD"), text=PLAIN)
    assert [f.span for f in found(read(text, "restart")) if f.rule == "RB002"] == ["YYYY-MM-DD", "[Team/Role]"]


def test_an_emoji_without_the_word_is_no_label() -> None:
    for label in ("🔴", "ðŸ”´ red"):
        findings = found(good(("**Label:** OPERATIONAL", f"**Label:** {label}")))
        assert {("RB026", "W"), ("RB020", "E")} <= set(said(findings))


def test_the_text_changed_after_its_date_is_a_warning() -> None:
    context = replace(CONTEXT, committed_on={"chain-break": date(2026, 11, 2)})
    assert said(found(good(), context)) == [("RB005", "W")]


def test_a_changed_procedure_needs_a_new_version() -> None:
    context = replace(CONTEXT, previous={"chain-break": good(("last 1,000", "last 900"))})
    assert said(found(good(), context)) == [("RB007", "W")]
    moved = good(('version: "1.2.0"', 'version: "1.3.0"'), ("Version: 1.2.0", "Version: 1.3.0"))
    assert found(moved, context) == []


def test_an_owner_who_left_is_an_error() -> None:
    assert said(found(good(), replace(CONTEXT, known_targets={"role:keeper-duty"}))) == [("RB041", "E")]
    assert found(good(), replace(CONTEXT, known_targets={"role:store-oncall"})) == []


def folder(*documents: Runbook, context: LintContext = CONTEXT) -> list[Finding]:
    return linter.lint_library(documents, context)


def test_a_good_folder_has_no_finding() -> None:
    assert folder(good(), read(INDEX, "index"), read(TEMPLATE, "TEMPLATE")) == []


def test_the_index_and_the_template_are_not_linted_as_runbooks() -> None:
    assert found(read(INDEX, "index")) == []
    assert found(read(TEMPLATE, "TEMPLATE")) == []
    assert not read("# Runbooks\n", "index").is_runbook


def test_an_id_may_stand_once() -> None:
    second = good(name="other")
    index = read(INDEX + "| [x](other.md) | y |\n", "index")
    findings = folder(good(), second, index)
    assert [(f.rule, f.severity, f.runbook) for f in findings] == [("RB004", "E", "other")]


def test_an_index_that_misses_a_runbook_or_lists_none_is_an_error() -> None:
    without = folder(good(("[Index](index.md)", "The index")))
    assert [(f.rule, f.severity, f.runbook) for f in without] == [("RB051", "E", "")]
    empty = read("---\ncategory: index\n---\n# Runbooks\n", "index")
    assert [(f.rule, f.runbook) for f in folder(good(), empty)] == [("RB051", "chain-break")]
    lost = read(INDEX + "| [x](lost.md) | y |\n", "index")
    assert [(f.rule, f.runbook, f.span) for f in folder(good(), lost)] == [
        ("RB050", "index", "lost.md"),
        ("RB051", "index", "lost.md"),
    ]


@pytest.mark.parametrize(
    ("link", "severity"),
    [
        ("[x](gone.md)", "E"),
        ("[x](#no-such-heading)", "E"),
        ("[x](index.md#no-such-heading)", "E"),
        ("[x](../adr/10.md)", "W"),
        ("[x](https://dead.example.org)", "W"),
        ("[x](plan.svg)", "E"),
    ],
)
def test_a_broken_link_is_found(link: str, severity: str) -> None:
    context = replace(CONTEXT, dead_urls={"https://dead.example.org"}, paths={"index.md", "chain-break.md"})
    findings = folder(good(("Verify every hour.", link)), read(INDEX, "index"), context=context)
    assert [(f.rule, f.severity, f.runbook) for f in findings] == [("RB050", severity, "chain-break")]


@pytest.mark.parametrize(
    "link", ["[x](#symptoms)", "[x](index.md#runbooks)", "`[x](gone.md)`", "[x](https://example.org)"]
)
def test_a_link_that_leads_somewhere_is_no_finding(link: str) -> None:
    assert (
        folder(good(("Verify every hour.", link)), read(INDEX, "index"), context=replace(CONTEXT, dead_urls=set()))
        == []
    )


def test_a_trigger_without_a_rule_and_a_rule_without_a_runbook_are_found() -> None:
    known = [
        RuleFacts("K01", "chain-break", "CRITICAL"),
        RuleFacts("K02", "gone", "LOW"),
        RuleFacts("K03", "", "HIGH"),
        RuleFacts("K04", "", "MEDIUM"),
    ]
    findings = folder(good(), read(INDEX, "index"), context=replace(CONTEXT, rules=known))
    assert [(f.rule, f.severity, f.span or f.message) for f in findings] == [
        ("RB052", "E", "the HIGH rule K03 names no runbook"),
        ("RB052", "E", "the rule K02 names the runbook `gone`, which is missing"),
        ("RB052", "W", "ChainBroken"),
    ]


def test_a_trigger_that_a_rule_knows_as_an_alert_is_no_finding() -> None:
    known = [RuleFacts("K01", "chain-break", "CRITICAL", alert_names=("chainbroken",))]
    assert folder(good(), read(INDEX, "index"), context=replace(CONTEXT, rules=known)) == []


def test_an_escalation_to_nobody_is_an_error() -> None:
    known = {"role:keeper-duty", "role:governance-chair"}
    all_staffed = replace(CONTEXT, known_targets=known, staffed_targets=known)
    assert folder(good(), read(INDEX, "index"), context=all_staffed) == []
    unknown = replace(CONTEXT, known_targets={"role:keeper-duty"})
    assert [(f.rule, f.span) for f in folder(good(), read(INDEX, "index"), context=unknown)] == [
        ("RB031", "role:governance-chair")
    ]
    asleep = replace(all_staffed, staffed_targets={"role:governance-chair"})
    (finding,) = folder(good(), read(INDEX, "index"), context=asleep)
    assert (finding.rule, finding.message) == ("RB031", "`role:keeper-duty` reaches nobody now")
    nobody = good(("| Keeper on duty | role:keeper-duty |", "| Keeper on duty | by phone |"))
    assert [f.rule for f in folder(nobody, read(INDEX, "index"), context=all_staffed)] == ["RB031"]


def test_what_was_not_checked_is_said() -> None:
    assert [each.rule for each in linter.not_checked(CONTEXT)] == [
        "RB005", "RB007", "RB031", "RB031", "RB041", "RB050", "RB050", "RB052",
    ]  # fmt: skip
    full = LintContext(
        now=NOW, known_targets=(), staffed_targets=(), rules=(), committed_on={}, previous={}, paths=(), dead_urls=()
    )
    assert linter.not_checked(full) == []


@settings(max_examples=60, deadline=None)
@given(text=runbook_samples.spoilt())
def test_a_spoilt_runbook_never_breaks_the_linter(text: str) -> None:
    try:
        runbook = read(text)
    except RunbookError:
        return
    for finding in (
        *found(runbook),
        *folder(runbook, read(INDEX, "index"), context=replace(CONTEXT, known_targets=())),
    ):
        assert finding.severity in "EWI"
        assert 1 <= finding.line <= text.count("\n") + text.count("\r") + 2
