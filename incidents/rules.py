"""The rule files: reading them from a folder, and what is worth knowing about them before an alert finds out.

Reads files, knows no database. The format is described at the top of config/rules/00-words.yaml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from config import yaml_nodes
from incidents import rule_files
from incidents.ruleset import Condition, Rule, Ruleset, RulesetError
from incidents.severity import IncidentClass, Severity
from incidents.vocabulary import Term, matches
from runbook_links.lint_rules import RuleFacts

__all__ = ["Finding", "Level", "Ruleset", "RulesetError", "lint", "load"]

NESTING_MAX = 30  # read quickly up to here, and slowly beyond
FILES_MAX = 100
FILE_BYTES_MAX = 1_000_000
LONE_WORD_CHARACTERS_MIN = 9  # "oomkilled" may stand alone, "halt" may not


class Level(StrEnum):
    ERROR = "error"  # the ruleset should not go live so
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    rule: str  # rule or exclusion id; "" for the set as a whole
    file: str
    problem: str


class _StrictLoader(yaml.SafeLoader):
    """Refuses what YAML quietly swallows: a key that stands twice."""


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        key = str(key_node.value)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def _read(content: bytes) -> Any:
    root = yaml_nodes.compose(content, depth_max=NESTING_MAX, slowly=_StrictLoader)
    return None if root is None else _StrictLoader("").construct_document(root)


def load(folder: Path) -> Ruleset:
    """All *.yaml of the folder in name order. Raises RulesetError naming every file, rule and field that is wrong."""
    problems: list[str] = []
    documents: list[tuple[str, Any]] = []
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise RulesetError([f"{folder}: there is no rule file (*.yaml)"])
    if len(paths) > FILES_MAX:
        raise RulesetError([f"{folder}: {len(paths)} rule files; at most {FILES_MAX}"])
    for path in paths:
        try:
            content = path.read_bytes()
            if len(content) > FILE_BYTES_MAX:
                problems.append(f"{path.name}: {len(content)} bytes; at most {FILE_BYTES_MAX}")
                continue
            documents.append((path.name, _read(content)))
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            problems.append(f"{path.name}: {error}")
    try:
        ruleset = rule_files.compile_documents(documents)
    except RulesetError as error:
        raise RulesetError(problems + error.problems) from None
    if problems:
        raise RulesetError(problems)
    return ruleset


def lint(ruleset: Ruleset, runbook_ids: Collection[str]) -> list[Finding]:
    """What loads but is doubtful, in the order of the files. `runbook_ids`: those that exist."""
    findings = [*_of_the_whole(ruleset, runbook_ids)]
    ids = [rule.id for rule in ruleset.rules]
    for place, rule in enumerate(ruleset.rules):
        findings += [Finding(level, rule.id, rule.file, problem) for level, problem in _of_rule(rule, runbook_ids)]
        if rule.id in ids[:place]:
            findings.append(Finding(Level.ERROR, rule.id, rule.file, "the id names an earlier rule too"))
            continue
        for other in ruleset.rules:
            if other.id != rule.id and _always_beaten(rule, other, ruleset):
                problem = (
                    f"can never win: {other.id} matches whenever it does, with the same class and no less severity"
                )
                findings.append(Finding(Level.WARNING, rule.id, rule.file, problem))
                break
    return findings


def _of_the_whole(ruleset: Ruleset, runbook_ids: Collection[str]) -> Iterator[Finding]:
    for service, runbook in ruleset.service_runbooks.items():
        if runbook not in runbook_ids:
            yield Finding(Level.ERROR, "", "", f"service {service} names the runbook {runbook}, which does not exist")
    for service in sorted(ruleset.protected_services - set(ruleset.service_runbooks)):
        yield Finding(Level.WARNING, "", "", f"protected service {service} has no runbook of its own")
    if ruleset.fallback_runbook not in runbook_ids:
        yield Finding(Level.ERROR, "", "", f"the fallback runbook '{ruleset.fallback_runbook}' does not exist")
    for name in ruleset.unused_words:
        yield Finding(Level.WARNING, "", "", f"no rule uses the words ${name}")
    for exclusion in ruleset.exclusions:
        for rule in ruleset.rules:
            if rule.id in exclusion.rules and _hides_all(exclusion.words, rule):
                problem = f"hides every match of {rule.id}, except on protected services"
                yield Finding(Level.ERROR, exclusion.id, exclusion.file, problem)


def _of_rule(rule: Rule, runbook_ids: Collection[str]) -> Iterator[tuple[Level, str]]:
    if not rule.runbook and rule.severity.rank >= Severity.HIGH.rank:
        yield Level.ERROR, f"is {rule.severity} and names no runbook"
    if rule.runbook and rule.runbook not in runbook_ids:
        yield Level.ERROR, f"names the runbook {rule.runbook}, which does not exist"
    constitutional = rule.incident_class is IncidentClass.CONSTITUTIONAL
    if constitutional and rule.severity is Severity.CRITICAL and rule.context is None:
        yield Level.WARNING, "is CRITICAL without context: it counts as HIGH except on protected services"
    if not rule.source:
        yield Level.WARNING, "does not say where it comes from"
    for condition in rule.when:
        if len(condition.near) == 1 and not (condition.services or condition.names or condition.labels):
            for phrase in sorted(condition.near[0].phrases):
                if len(phrase) == 1 and len(phrase[0]) < LONE_WORD_CHARACTERS_MIN:
                    yield Level.WARNING, f"matches on the single word '{phrase[0]}', which is short enough to mean much"


def _hides_all(words: Term, rule: Rule) -> bool:
    return all(any(_covers(words, group) for group in condition.near) for condition in rule.when)


def _always_beaten(rule: Rule, other: Rule, ruleset: Ruleset) -> bool:
    """Whether `other` matches in every case and takes precedence; of two equals the earlier one does."""
    stronger = other.severity.rank - rule.severity.rank
    if other.incident_class is not rule.incident_class or stronger < 0:
        return False
    earlier = next(r.id for r in ruleset.rules if r.id in (rule.id, other.id)) == other.id
    if stronger == 0 and not (earlier and other.general <= rule.general):
        return False
    if rule.severity is Severity.CRITICAL and rule.context != other.context:
        return False
    if any(other.id in x.rules and rule.id not in x.rules for x in ruleset.exclusions):
        return False
    return all(any(_wider(wide, narrow) for wide in other.when) for narrow in rule.when)


def _wider(wide: Condition, narrow: Condition) -> bool:
    if wide.names and not (narrow.names and narrow.names <= wide.names):
        return False
    if any(not any(k == key and v <= values for k, v in narrow.labels) for key, values in wide.labels):
        return False
    if wide.services and not (narrow.services and _covers(wide.services, narrow.services)):
        return False
    if (wide.ordered and not narrow.ordered) or (narrow.across and not wide.across):
        return False
    if wide.specificity < narrow.specificity or wide.gap < narrow.gap or not set(narrow.fields) <= set(wide.fields):
        return False
    left = list(narrow.near)
    for group in wide.near:
        covered = next((term for term in left if _covers(group, term)), None)
        if covered is None:
            return False
        left.remove(covered)
    return True


def _covers(wide: Term, narrow: Term) -> bool:
    """Whether whatever says `narrow` says `wide` too."""
    return all(any(_says(phrase, other) for other in wide.phrases) for phrase in narrow.phrases)


def _says(phrase: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether `other` stands in `phrase`: "health check failing" says "failing"."""
    width = len(other)
    return any(
        all(
            pattern == word or matches(pattern, word.rstrip("*"))
            for pattern, word in zip(other, phrase[at:], strict=False)
        )
        for at in range(len(phrase) - width + 1)
    )


def facts(folder: Path) -> list[RuleFacts]:
    """What the runbooks' linter needs of the rules."""
    return [RuleFacts(rule.id, rule.runbook, rule.severity.value) for rule in load(folder).rules]
