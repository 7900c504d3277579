from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from incidents import rules
from incidents.rules import Level
from tests.unit.rule_samples import RUNBOOKS, findings, loaded, rule


def test_a_severe_rule_needs_a_runbook_and_it_must_exist(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, "rules:\n  " + rule("{near: [fluctuation]}", "severity: HIGH"))
    assert findings(ruleset) == [(Level.ERROR, "T1", "is HIGH and names no runbook")]
    ruleset = loaded(tmp_path, "rules:\n  " + rule("{near: [fluctuation]}", "severity: LOW, runbook: nowhere"))
    assert findings(ruleset) == [(Level.ERROR, "T1", "names the runbook nowhere, which does not exist")]


def test_a_constitutional_critical_without_context_can_only_count_on_protected_services(tmp_path: Path) -> None:
    text = (
        "{id: T1, title: t, class: constitutional, severity: CRITICAL, runbook: recovery, when: [{near: [flux, torn]}]}"
    )
    found = findings(loaded(tmp_path, f"rules: [{text}]"))
    assert [(level, problem[:27]) for level, _, problem in found] == [
        (Level.WARNING, "is CRITICAL without context"),
        (Level.WARNING, "does not say where it comes"),
    ]


def test_a_short_word_alone_is_doubtful_unless_something_else_must_hold_too(tmp_path: Path) -> None:
    found = findings(loaded(tmp_path, "rules:\n  " + rule("{near: [halt]}")))
    assert [problem for _, _, problem in found] == [
        "matches on the single word 'halt', which is short enough to mean much"
    ]
    for when in ("{near: [halt, raised]}", "{near: [halt], services: api}", "{near: [fluctuation]}", "{name: [Halt]}"):
        assert findings(loaded(tmp_path, "rules:\n  " + rule(when))) == []


@pytest.mark.parametrize(
    ("first", "second", "beaten"),
    [
        ("{near: ['flux | stream', 'torn | broken']}", "{near: [broken, flux]}", True),
        ("{near: ['flu*', broken]}", "{near: [fluxes, all broken]}", True),
        ("{near: [flux, broken], gap: 2}", "{near: [flux, broken]}", False),
        ("{near: [flux, broken]}", "{near: [flux, 'broken | torn']}", False),
        ("{near: [flux, broken, badly]}", "{near: [flux, broken]}", False),
        ("{near: [flux, broken], in: [title]}", "{near: [flux, broken]}", False),
        ("{near: [flux, broken], services: api}", "{near: [flux, broken]}", False),
        ("{near: [flux, broken]}", "{near: [flux, broken], name: [Flux]}", False),
        ("{name: [Flux, Stream]}", "{name: [Stream]}", True),
        ("{labels: {team: [a1, b1]}}", "{labels: {team: b1}}", True),
        ("{labels: {team: a1}}", "{labels: {team: b1}}", False),
    ],
)
def test_a_rule_that_can_never_win_is_named(tmp_path: Path, first: str, second: str, beaten: bool) -> None:
    text = "rules:\n  " + rule(first) + "\n  " + rule(second).replace("T1", "T2")
    found = [(name, problem) for _, name, problem in findings(loaded(tmp_path, text)) if "never win" in problem]
    assert [name for name, _ in found] == (["T2"] if beaten else [])
    assert all("T1 matches whenever it does" in problem for _, problem in found)


def test_a_more_severe_or_more_particular_rule_can_win_over_an_equal_one(tmp_path: Path) -> None:
    same = "{near: [flux, broken]}"
    for more in ("severity: MEDIUM", "severity: HIGH, runbook: recovery"):
        text = "rules:\n  " + rule(same) + "\n  " + rule(same, more).replace("T1", "T2")
        assert [name for _, name, _ in findings(loaded(tmp_path, text))] == ["T1"]
    text = "rules:\n  " + rule(same, "severity: LOW, general: true") + "\n  " + rule(same).replace("T1", "T2")
    assert findings(loaded(tmp_path, text)) == []


def test_an_exclusion_that_hides_its_rule_altogether_is_an_error(tmp_path: Path) -> None:
    text = "rules:\n  " + rule("{near: [flux, 'broken | all broken']}")
    hiding = "\nexclusions: [{id: X1, title: t, rules: [T1], words: broken | sold}]"
    assert findings(loaded(tmp_path, text + hiding)) == [
        (Level.ERROR, "X1", "hides every match of T1, except on protected services")
    ]
    assert findings(loaded(tmp_path, text + hiding.replace("broken |", "all |"))) == []


def test_services_and_fallback_must_name_runbooks_that_exist_and_words_must_be_used(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, "words: {idle: [sleepy]}\nrules: []")
    found = [(f.level, f.problem) for f in rules.lint(ruleset, RUNBOOKS - {"incident-response"})]
    assert (Level.ERROR, "service governance names the runbook incident-response, which does not exist") in found
    assert (Level.ERROR, "the fallback runbook 'incident-response' does not exist") in found
    assert (Level.WARNING, "no rule uses the words $idle") in found
    without = dataclasses.replace(ruleset, service_runbooks={})
    assert "protected service witness has no runbook of its own" in [f.problem for f in rules.lint(without, RUNBOOKS)]


def test_a_doubled_id_is_found_even_in_a_ruleset_put_together_by_hand(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, "rules:\n  " + rule("{near: [flux, broken]}"))
    doubled = dataclasses.replace(ruleset, rules=ruleset.rules * 2)
    assert (Level.ERROR, "T1", "the id names an earlier rule too") in findings(doubled)
