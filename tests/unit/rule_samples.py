"""Rulesets made for one test: the shipped words and guards with other rules."""

from __future__ import annotations

import shutil
from pathlib import Path

from incidents import classification, rules
from incidents.classification import AlertText
from incidents.rules import Level, Ruleset

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


def loaded(folder: Path, text: str) -> Ruleset:
    """The ruleset of this text as the folder's own file, with the shipped words and guards beside it."""
    for name in ("00-words.yaml", "10-guards.yaml"):
        shutil.copyfile(RULES / name, folder / name)
    (folder / "50-rules.yaml").write_text(text, encoding="utf-8")
    return rules.load(folder)


def rule(when: str, more: str = "severity: LOW") -> str:
    return f"- {{id: T1, title: a test, class: operational, from: here, {more}, when: [{when}]}}"


def hits(folder: Path, when: str, *texts: str) -> list[str]:
    """Those of the texts that a rule with this condition matches."""
    ruleset = loaded(folder, f"rules:\n  {rule(when)}")
    return [text for text in texts if classification.classify(AlertText(text), ruleset).record["hits"]]


def findings(ruleset: Ruleset) -> list[tuple[Level, str, str]]:
    return [(f.level, f.rule, f.problem) for f in rules.lint(ruleset, RUNBOOKS) if f.rule]
