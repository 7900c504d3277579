"""Parsed rule files to a Ruleset, with every problem found at once. Pure: it is handed the documents."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from incidents import wording
from incidents.nearness import EXCLUSION_WORDS_MAX, GAP_WORDS, Lexicon
from incidents.raw_rules import Raw
from incidents.ruleset import FIELDS, Condition, Exclusion, Guards, Rule, Ruleset, RulesetError
from incidents.severity import IncidentClass, Severity
from incidents.vocabulary import Term, TermError, Vocabulary

GROUPS_MAX = 5  # of words in one condition
GAP_WORDS_MAX = 12
RULES_MAX = 1000
FAMILIES_NEEDED = ("negator", "light", "subject", "countable", "reporting", "failing", "fine", "check", "preposition")
ONCE = ("version", "protected_services", "service_runbooks", "fallback_runbook", "guards")  # in one file only
SECTIONS = (*ONCE, "words", "exclusions", "rules")
RULE_KEYS = ("id", "title", "class", "severity", "runbook", "general", "context", "from", "when")
CONDITION_KEYS = ("near", "gap", "ordered", "across", "in", "services", "name", "labels")
EXCLUSION_KEYS = ("id", "title", "rules", "words")
GUARD_KEYS = ("class_labels", "drill_labels", "drill_markers", "drill_words")


def compile_documents(documents: Sequence[tuple[str, Any]]) -> Ruleset:
    """`documents`: (file name, parsed YAML) in order. Raises RulesetError with every problem."""
    problems: list[str] = []
    files = []
    for name, content in documents:
        if isinstance(content, dict):
            files.append(Raw(name, "", content, problems))
            files[-1].expect(SECTIONS)
        else:
            problems.append(f"{name}: is not a mapping of sections")
    once = _once(files, problems)
    vocabulary = Vocabulary(_families(files))
    rules = [rule for file in files for raw in file.each("rules", "a rule") if (rule := _rule(raw, vocabulary))]
    if len(rules) > RULES_MAX:
        problems.append(f"rules: are {len(rules)}; at most {RULES_MAX}")
    exclusions = [
        exclusion
        for file in files
        for raw in file.each("exclusions", "an exclusion")
        if (exclusion := _exclusion(raw, vocabulary, {rule.id for rule in rules}))
    ]
    problems += _twice([rule.id for rule in rules] + [exclusion.id for exclusion in exclusions])
    lexicon = _lexicon(vocabulary, problems)
    guards = _guards(once["guards"].inner("guards", "guards"), vocabulary)
    if problems or guards is None or lexicon is None:
        raise RulesetError(problems)
    ruleset = Ruleset(
        version=once["version"].text("version"),
        sha256=_sha256([file.values for file in files]),
        rules=tuple(rules),
        exclusions=tuple(exclusions),
        protected_services=_folded(once["protected_services"].texts("protected_services")),
        service_runbooks=_service_runbooks(once["service_runbooks"].inner("service_runbooks", "service_runbooks")),
        fallback_runbook=once["fallback_runbook"].text("fallback_runbook"),
        guards=guards,
        lexicon=lexicon,
        reader=vocabulary.reader(),
        unused_words=tuple(sorted(set(vocabulary.families) - vocabulary.used_families)),
    )
    if problems:
        raise RulesetError(problems)
    return ruleset


def _once(files: Sequence[Raw], problems: list[str]) -> dict[str, Raw]:
    """The file in which each section stands that may stand in one only."""
    found: dict[str, Raw] = {}
    for name in ONCE:
        holders = [file for file in files if name in file.values]
        for other in holders[1:]:
            other.problem(name, f"stands in {holders[0].file} already")
        if not holders:
            problems.append(f"{name}: stands in none of the files")
        found[name] = holders[0] if holders else Raw("", "", {}, problems)
    return found


def _families(files: Sequence[Raw]) -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for file in files:
        words = file.inner("words", "words")
        for name in words.values:
            if name in families:
                words.problem(str(name), "is declared in an earlier file already")
            families[str(name)] = words.texts(name)
    return families


def _lexicon(vocabulary: Vocabulary, problems: list[str]) -> Lexicon | None:
    terms: dict[str, Term] = {}
    for name in FAMILIES_NEEDED:
        try:
            terms[name] = vocabulary.term(f"${name}")
        except TermError as error:
            problems.append(f"words: {name}: {error}")
    return Lexicon(**terms) if len(terms) == len(FAMILIES_NEEDED) else None


def _guards(raw: Raw, vocabulary: Vocabulary) -> Guards | None:
    raw.expect(GUARD_KEYS, GUARD_KEYS)
    drill_words = raw.term("drill_words", vocabulary)
    if drill_words is None:
        return None
    return Guards(
        class_labels=_folded(raw.texts("class_labels")),
        drill_labels=_folded(raw.texts("drill_labels")),
        drill_markers=_folded(raw.texts("drill_markers")),
        drill_words=drill_words,
    )


def _service_runbooks(raw: Raw) -> dict[str, str]:
    return {wording.folded(str(service)): raw.text(service) for service in raw.values}


def _rule(raw: Raw, vocabulary: Vocabulary) -> Rule | None:
    raw.expect(RULE_KEYS, ("id", "title", "class", "severity", "when"))
    title, runbook, source, general = raw.text("title"), raw.text("runbook"), raw.text("from"), raw.flag("general")
    incident_class = raw.choice("class", IncidentClass)
    severity = raw.choice("severity", Severity)
    when = tuple(_condition(one, vocabulary) for one in raw.each("when"))
    context = raw.term("context", vocabulary)
    if incident_class is None or severity is None:
        return None
    return Rule(
        id=raw.text("id"),
        title=title,
        incident_class=incident_class,
        severity=severity,
        when=when,
        runbook=runbook,
        general=general,
        context=context,
        source=source,
        file=raw.file,
    )


def _condition(raw: Raw, vocabulary: Vocabulary) -> Condition:
    raw.expect(CONDITION_KEYS)
    if not any(raw.values.get(key) for key in ("near", "name", "labels")):
        raw.problem("when", "needs near, name or labels")
    near = tuple(raw.terms("near", vocabulary))
    if len(near) > GROUPS_MAX:
        raw.problem("near", f"has {len(near)} groups of words; at most {GROUPS_MAX}")
    fields = tuple(raw.texts("in")) or FIELDS
    for name in fields:
        if name not in FIELDS:
            raw.problem("in", f"'{name}' is not one of {', '.join(FIELDS)}")
    labels = raw.inner("labels")
    return Condition(
        near=near,
        near_numbers=frozenset(term.number for term in near),
        gap=raw.whole("gap", GAP_WORDS, GAP_WORDS_MAX),
        ordered=raw.flag("ordered"),
        across=raw.flag("across"),
        fields=fields,
        services=raw.term("services", vocabulary),
        names=_folded(raw.texts("name")),
        labels=tuple((str(key), _folded(labels.texts(key))) for key in sorted(labels.values, key=str)),
    )


def _exclusion(raw: Raw, vocabulary: Vocabulary, known_rules: set[str]) -> Exclusion | None:
    raw.expect(EXCLUSION_KEYS, EXCLUSION_KEYS)
    rules = raw.texts("rules")
    for rule in rules:
        if rule not in known_rules:
            raw.problem("rules", f"there is no rule {rule}")
    words: Term | None = raw.term("words", vocabulary)
    if words is None:
        return None
    if any(len(phrase) > EXCLUSION_WORDS_MAX for phrase in words.phrases):
        raw.problem("words", f"a phrase has more than {EXCLUSION_WORDS_MAX} words")
    return Exclusion(raw.text("id"), raw.text("title"), frozenset(rules), words, raw.file)


def _folded(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(map(wording.folded, texts))


def _twice(ids: Sequence[str]) -> list[str]:
    return [f"{one}: id: stands {count} times" for one, count in sorted(Counter(ids).items()) if count > 1 and one]


def _sha256(content: Any) -> str:
    canonical = json.dumps(_with_text_keys(content), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _with_text_keys(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {str(key): _with_text_keys(value) for key, value in content.items()}
    return [_with_text_keys(value) for value in content] if isinstance(content, list) else content
