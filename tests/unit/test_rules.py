from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from incidents import classification, rules
from incidents.classification import AlertText
from incidents.rules import Level, Ruleset, RulesetError

RULES = Path(__file__).parents[2] / "config" / "rules"
RUNBOOKS = {
    "startup",
    "shutdown",
    "scaling",
    "backup",
    "recovery",
    "epic-0-dev-environment",
    "epic-1-event-store",
    "epic-2-deliberation",
    "epic-3-halt-fork",
    "epic-4-observer",
    "epic-5-keeper",
    "epic-6-breach",
    "epic-7-cessation",
    "epic-8-monitoring",
    "incident-response",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shipped words and guards, waiting for rules."""
    for name in ("00-words.yaml", "10-guards.yaml"):
        shutil.copyfile(RULES / name, tmp_path / name)
    return tmp_path


def loaded(folder: Path, text: str) -> Ruleset:
    (folder / "50-rules.yaml").write_text(text, encoding="utf-8")
    return rules.load(folder)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(RulesetError) as refused:
        loaded(folder, text)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def rule(when: str, more: str = "severity: LOW") -> str:
    return f"- {{id: T1, title: a test, class: operational, from: here, {more}, when: [{when}]}}"


def hits(folder: Path, when: str, *texts: str) -> list[str]:
    """Those of the texts that a rule with this condition matches."""
    ruleset = loaded(folder, f"rules:\n  {rule(when)}")
    return [text for text in texts if classification.classify(AlertText(text), ruleset).record["hits"]]


def findings(ruleset: Ruleset) -> list[tuple[Level, str, str]]:
    return [(f.level, f.rule, f.problem) for f in rules.lint(ruleset, RUNBOOKS) if f.rule]


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


def test_the_hash_follows_the_content_and_not_the_layout(folder: Path) -> None:
    text = "rules:\n  " + rule("{near: [flux]}")
    first = loaded(folder, text).sha256
    assert loaded(folder, "# a comment\n" + text.replace(", class", ",   class")).sha256 == first
    assert loaded(folder, text.replace("flux", "fluxes")).sha256 != first
    assert loaded(folder, text.replace("LOW", "HIGH")).sha256 != first


def test_the_files_are_read_in_the_order_of_their_names(folder: Path) -> None:
    (folder / "60-more.yaml").write_text("rules:\n  " + rule("{near: [flux]}").replace("T1", "T2"), encoding="utf-8")
    (folder / "notes.txt").write_text("not a rule file", encoding="utf-8")
    assert [one.id for one in loaded(folder, "rules:\n  " + rule("{near: [flux]}")).rules] == ["T1", "T2"]


def test_all_problems_are_told_at_once_with_file_rule_and_field(folder: Path) -> None:
    (folder / "40-bad.yaml").write_text("rules: [\n", encoding="utf-8")
    found = problems(
        folder,
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
def test_a_mistake_is_refused_by_name(folder: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(problems(folder, text))


def test_a_folder_without_rules_or_without_what_all_rules_need_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesetError, match="there is no rule file"):
        rules.load(tmp_path)
    found = "\n".join(problems(tmp_path, "rules: []"))
    for needed in ("version", "guards", "protected_services", "$negator", "$failing"):
        assert needed in found


# How conditions match


def test_words_are_found_in_any_order_and_inflection_within_the_gap(folder: Path) -> None:
    when = "{near: [flux, 'break* | broke* | torn'], gap: 2}"
    texts = [
        "Flux broken",
        "it broke the FLUX",
        "torn-up old flux",
        "FluxBreaking",
        "flux one two three broken",
        "flux. Broken",
    ]
    assert hits(folder, when, *texts) == texts[:4]


def test_the_gap_grows_with_the_number_of_groups(folder: Path) -> None:
    texts = ["a1 x x b1 c1", "a1 x x x b1 c1"]
    assert hits(folder, "{near: [a1, b1, c1], gap: 1}", *texts) == texts[:1]


def test_ordered_words_keep_their_order_and_across_reaches_the_next_clause(folder: Path) -> None:
    assert hits(folder, "{near: [flux, broken], ordered: true}", "flux broken", "broken flux") == ["flux broken"]
    texts = ["flux; broken", "flux, broken", "flux but broken"]
    assert hits(folder, "{near: [flux, broken]}", *texts) == []
    assert hits(folder, "{near: [flux, broken], across: true}", *texts) == texts


def test_one_word_cannot_stand_for_two(folder: Path) -> None:
    assert hits(folder, "{near: ['flux', 'flux*']}", "flux", "flux fluxes") == ["flux fluxes"]


def test_numbers_stand_for_any_number_and_nonzero_not_for_0(folder: Path) -> None:
    texts = ["flux 7", "flux 0", "flux x7"]
    assert hits(folder, "{near: ['flux <number>']}", *texts) == texts[:2]
    assert hits(folder, "{near: ['flux <nonzero>']}", *texts) == texts[:1]


def test_what_belongs_together_is_not_cut_at_full_stops_in_numbers_wrapped_lines_or_results(folder: Path) -> None:
    texts = [
        "flux 2.5 broken",
        "flux check done. Result: broken",
        "the flux of the ninth and of the tenth hall has been\nbroken",
        "flux 1, 2 and 3 broken",
    ]
    assert hits(folder, "{near: [flux, broken], gap: 12}", *texts) == texts


@pytest.mark.parametrize(
    "text",
    [
        "no flux failures",
        "no new flux failures found",
        "0 flux failures",
        "found 0 flux failures",
        "flux failures: 0",
        "flux failures found: none",
        "flux did not fail",
        "flux hasn't failed",
        "0 of 5000 flux checks failed",
        "without any flux failure",
        "errors=0 flux_failures=0",
        "gaps: 3 flux failures: 0",
        "0 flux failures: 5000 events checked",
    ],
)
def test_a_denied_match_is_none(folder: Path, text: str) -> None:
    assert hits(folder, "{near: [flux, 'fail*']}", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "flux no 5 failed",
        "replica 0 flux failed",
        "flux failed: 0 retries left",
        "not only did flux fail",
        "nobody answers: flux failed",
        "no answer; flux failed",
        "no backup: flux failed",
        "no operator noticed that flux failed",
        "errors=0 flux_failures=3",
        "errors=0,flux_failures=3",
        "errors: 0 flux failures: 3",
        "flux failed at 0:00",
    ],
)
def test_a_denial_of_something_else_denies_nothing(folder: Path, text: str) -> None:
    assert hits(folder, "{near: [flux, 'fail*']}", text) == [text]


# Linting


def test_a_severe_rule_needs_a_runbook_and_it_must_exist(folder: Path) -> None:
    ruleset = loaded(folder, "rules:\n  " + rule("{near: [fluctuation]}", "severity: HIGH"))
    assert findings(ruleset) == [(Level.ERROR, "T1", "is HIGH and names no runbook")]
    ruleset = loaded(folder, "rules:\n  " + rule("{near: [fluctuation]}", "severity: LOW, runbook: nowhere"))
    assert findings(ruleset) == [(Level.ERROR, "T1", "names the runbook nowhere, which does not exist")]


def test_a_constitutional_critical_without_context_can_only_count_on_protected_services(folder: Path) -> None:
    text = (
        "{id: T1, title: t, class: constitutional, severity: CRITICAL, runbook: recovery, when: [{near: [flux, torn]}]}"
    )
    found = findings(loaded(folder, f"rules: [{text}]"))
    assert [(level, problem[:27]) for level, _, problem in found] == [
        (Level.WARNING, "is CRITICAL without context"),
        (Level.WARNING, "does not say where it comes"),
    ]


def test_a_short_word_alone_is_doubtful_unless_something_else_must_hold_too(folder: Path) -> None:
    found = findings(loaded(folder, "rules:\n  " + rule("{near: [halt]}")))
    assert [problem for _, _, problem in found] == [
        "matches on the single word 'halt', which is short enough to mean much"
    ]
    for when in ("{near: [halt, raised]}", "{near: [halt], services: api}", "{near: [fluctuation]}", "{name: [Halt]}"):
        assert findings(loaded(folder, "rules:\n  " + rule(when))) == []


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
def test_a_rule_that_can_never_win_is_named(folder: Path, first: str, second: str, beaten: bool) -> None:
    text = "rules:\n  " + rule(first) + "\n  " + rule(second).replace("T1", "T2")
    found = [(name, problem) for _, name, problem in findings(loaded(folder, text)) if "never win" in problem]
    assert [name for name, _ in found] == (["T2"] if beaten else [])
    assert all("T1 matches whenever it does" in problem for _, problem in found)


def test_a_more_severe_or_more_particular_rule_can_win_over_an_equal_one(folder: Path) -> None:
    same = "{near: [flux, broken]}"
    for more in ("severity: MEDIUM", "severity: HIGH, runbook: recovery"):
        text = "rules:\n  " + rule(same) + "\n  " + rule(same, more).replace("T1", "T2")
        assert [name for _, name, _ in findings(loaded(folder, text))] == ["T1"]
    text = "rules:\n  " + rule(same, "severity: LOW, general: true") + "\n  " + rule(same).replace("T1", "T2")
    assert findings(loaded(folder, text)) == []


def test_an_exclusion_that_hides_its_rule_altogether_is_an_error(folder: Path) -> None:
    text = "rules:\n  " + rule("{near: [flux, 'broken | all broken']}")
    hiding = "\nexclusions: [{id: X1, title: t, rules: [T1], words: broken | sold}]"
    assert findings(loaded(folder, text + hiding)) == [
        (Level.ERROR, "X1", "hides every match of T1, except on protected services")
    ]
    assert findings(loaded(folder, text + hiding.replace("broken |", "all |"))) == []


def test_services_and_fallback_must_name_runbooks_that_exist_and_words_must_be_used(folder: Path) -> None:
    ruleset = loaded(folder, "words: {idle: [sleepy]}\nrules: []")
    found = [(f.level, f.problem) for f in rules.lint(ruleset, RUNBOOKS - {"incident-response"})]
    assert (Level.ERROR, "service governance names the runbook incident-response, which does not exist") in found
    assert (Level.ERROR, "the fallback runbook 'incident-response' does not exist") in found
    assert (Level.WARNING, "no rule uses the words $idle") in found
    without = dataclasses.replace(ruleset, service_runbooks={})
    assert "protected service witness has no runbook of its own" in [f.problem for f in rules.lint(without, RUNBOOKS)]


def test_a_doubled_id_is_found_even_in_a_ruleset_put_together_by_hand(folder: Path) -> None:
    ruleset = loaded(folder, "rules:\n  " + rule("{near: [flux, broken]}"))
    doubled = dataclasses.replace(ruleset, rules=ruleset.rules * 2)
    assert (Level.ERROR, "T1", "the id names an earlier rule too") in findings(doubled)
