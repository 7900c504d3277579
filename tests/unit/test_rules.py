from __future__ import annotations

from pathlib import Path

import pytest

from incidents import rules
from incidents.rules import RulesetError
from tests.unit.rule_samples import RULES, RUNBOOKS, loaded, rule


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(RulesetError) as refused:
        loaded(folder, text)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


# The shipped rules


def test_the_shipped_rules_load_and_give_the_linter_nothing_to_say() -> None:
    ruleset = rules.load(RULES)
    assert rules.lint(ruleset, RUNBOOKS) == []
    assert len(ruleset.sha256) == 64
    assert all(ruleset.protects(name) for name in ("event-store", "Event Store", "HALT", "governance"))
    assert not any(ruleset.protects(name) for name in ("", "event-store-2", "zookeeper", "checkout"))


def test_every_runbook_is_named_by_a_rule_or_a_service() -> None:
    ruleset = rules.load(RULES)
    assert {rule.runbook for rule in ruleset.rules if rule.runbook} == RUNBOOKS


# Loading


def test_the_hash_follows_the_content_and_not_the_layout(tmp_path: Path) -> None:
    text = "rules:\n  " + rule("{near: [flux]}")
    first = loaded(tmp_path, text).sha256
    assert loaded(tmp_path, "# a comment\n" + text.replace(", class", ",   class")).sha256 == first
    assert loaded(tmp_path, text.replace("flux", "fluxes")).sha256 != first
    assert loaded(tmp_path, text.replace("LOW", "HIGH")).sha256 != first


def test_the_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "60-more.yaml").write_text("rules:\n  " + rule("{near: [flux]}").replace("T1", "T2"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a rule file", encoding="utf-8")
    assert [one.id for one in loaded(tmp_path, "rules:\n  " + rule("{near: [flux]}")).rules] == ["T1", "T2"]


def test_all_problems_are_told_at_once_with_file_rule_and_field(tmp_path: Path) -> None:
    (tmp_path / "40-bad.yaml").write_text("rules: [\n", encoding="utf-8")
    found = problems(
        tmp_path,
        """
surprise: 1
rules:
  - {id: A1, title: 7, class: odd, severity: URGENT, runbok: x, when: [{near: [flux], gap: many}]}
  - {id: A2, class: operational, severity: LOW, when: [{services: api}, {near: [$nowhere, "a*b", ha*], in: [subject]}]}
  - {id: A2, title: t, class: operational, severity: LOW, general: 1, when: [{near: [flux], labels: {team: no}}]}
  - 5
exclusions:
  - {id: X1, title: t, rules: [A9], words: one two three four five}
""",
    )
    text = "\n".join(found)
    for expected in (
        "40-bad.yaml: ",
        "50-rules.yaml: surprise: is not known here",
        "50-rules.yaml: A1: title: is 7, not text; put it in quotes",
        "50-rules.yaml: A1: class: is 'odd', not one of operational, constitutional",
        "50-rules.yaml: A1: severity: is 'URGENT', not one of CRITICAL, HIGH",
        "50-rules.yaml: A1: runbok: is not known here",
        "50-rules.yaml: A1: gap: is 'many'; it must be a whole number from 0 to 12",
        "50-rules.yaml: A2: title: is missing",
        "50-rules.yaml: A2: when: needs near, name or labels",
        "50-rules.yaml: A2: near: there is no word family $nowhere",
        "50-rules.yaml: A2: near: 'a*b': only letters and digits",
        "50-rules.yaml: A2: near: 'ha*': at least 3 letters before *",
        "50-rules.yaml: A2: in: 'subject' is not one of name, title, body",
        "50-rules.yaml: A2: general: is 1, not true or false",
        "50-rules.yaml: A2: team: is False, not text; put it in quotes",
        "50-rules.yaml: rules: is 5, not a mapping",
        "50-rules.yaml: X1: rules: there is no rule A9",
        "50-rules.yaml: X1: words: a phrase has more than 4 words",
        "A2: id: stands 2 times",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("words: {light: [a]}", "50-rules.yaml: words: light: is declared in an earlier file already"),
        ('version: "2"', "50-rules.yaml: version: stands in 00-words.yaml already"),
        ("rules: {}", "50-rules.yaml: rules: is {}, not a list"),
        ("- a list", "50-rules.yaml: is not a mapping of sections"),
        ("words: {one: [$two], two: [$one]}\nrules:\n  " + rule("{near: [$one]}"), "refer to each other in a circle"),
        ("rules:\n  " + rule("{near: [a, b, c, d, e, f]}"), "T1: near: has 6 groups of words; at most 5"),
        ("rules:\n  " + rule("{near: ['']}"), "T1: near: has no words"),
        ("rules:\n  " + rule("{near: [flux]}", "severity: LOW, severity: HIGH"), "'severity' stands twice"),
        ("rules:\n  " + rule("{near: [flux], gap: 99}"), "T1: gap: is 99; it must be a whole number from 0 to 12"),
    ],
)
def test_a_mistake_is_refused_by_name(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(problems(tmp_path, text))


def test_a_folder_without_rules_or_without_what_all_rules_need_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesetError, match="there is no rule file"):
        rules.load(tmp_path)
    (tmp_path / "50-rules.yaml").write_text("rules: []", encoding="utf-8")
    with pytest.raises(RulesetError) as refused:
        rules.load(tmp_path)
    found = str(refused.value)
    for needed in ("version", "guards", "protected_services", "$negator", "$failing"):
        assert needed in found
