"""YAML documents to a Ruleset, with every problem found at once. Pure: it is handed the documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from incidents import wording
from incidents.nearness import EXCLUSION_WORDS_MAX, GAP_WORDS, Lexicon
from incidents.ruleset import FIELDS, Condition, Exclusion, Guards, Rule, Ruleset, RulesetError
from incidents.severity import IncidentClass, Severity
from incidents.vocabulary import Term, TermError, Vocabulary

GROUPS_MAX = 5  # near: word groups of one condition
GAP_WORDS_MAX = 12
RULES_MAX = 1000
FAMILIES_NEEDED = ("negator", "light", "subject", "countable", "reporting", "failing", "fine", "check", "preposition")
SECTIONS = (
    "version",
    "words",
    "protected_services",
    "service_runbooks",
    "fallback_runbook",
    "guards",
    "exclusions",
    "rules",
)
RULChoiceKEYS = ("id", "title", "class", "severity", "runbook", "general", "from", "when", "context")
CONDITION_KEYS = ("near", "gap", "ordered", "across", "in", "services", "name", "labels")
EXCLUSION_KEYS = ("id", "title", "rules", "words")
GUARD_KEYS = ("class_labels", "drill_labels", "drill_markers", "drill_words")

Choice = TypeVar("Choice", bound=StrEnum)


def compile_documents(documents: Sequence[tuple[str, Any]]) -> Ruleset:
    """`documents`: (file name, parsed YAML) in order. Raises RulesetError with every problem."""
    compiling = _Compiling()
    sound = []
    for file, content in documents:
        if isinstance(content, dict):
            sound.append((file, content))
            compiling.check_keys(file, content, SECTIONS)
        else:
            compiling.problem(file, "", "", "is not a mapping of sections")
    compiling.collect(sound)
    ruleset = compiling.finish(_sha256([content for _, content in sound]))
    if compiling.problems or ruleset is None:
        raise RulesetError(compiling.problems)
    return ruleset


def _sha256(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass
class _Compiling:
    problems: list[str] = field(default_factory=list)
    single: dict[str, Any] = field(default_factory=dict)  # sections that stand in one file only
    families: dict[str, list[str]] = field(default_factory=dict)
    service_runbooks: dict[str, str] = field(default_factory=dict)
    raw_rules: list[tuple[str, Any]] = field(default_factory=list)
    raw_exclusions: list[tuple[str, Any]] = field(default_factory=list)
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary({}))

    def problem(self, file: str, rule: str, key: str, what: str) -> None:
        self.problems.append(": ".join(part for part in (file, rule, key, what) if part))

    def check_keys(self, file: str, raw: Mapping[str, Any], known: Sequence[str], rule: str = "") -> None:
        for key in raw:
            if key not in known:
                self.problem(file, rule, str(key), f"is not known here; known are {', '.join(known)}")

    # Sections

    def collect(self, documents: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        for file, content in documents:
            for name in ("version", "protected_services", "fallback_runbook", "guards"):
                if name in content and name in self.single:
                    self.problem(file, "", name, "stands in another file already")
                elif name in content:
                    self.single[name] = (file, content[name])
            for name, value in self.mapping(file, "", "words", content.get("words", {})).items():
                if name in self.families:
                    self.problem(file, "", f"words.{name}", "is declared twice")
                self.families[str(name)] = self.texts(file, "", f"words.{name}", value)
            for service, runbook in self.mapping(
                file, "", "service_runbooks", content.get("service_runbooks", {})
            ).items():
                name = f"service_runbooks.{service}"
                self.service_runbooks[wording.folded(str(service))] = self.text(file, "", name, runbook)
            self.raw_rules += [(file, raw) for raw in self.sequence(file, "rules", content.get("rules", []))]
            self.raw_exclusions += [
                (file, raw) for raw in self.sequence(file, "exclusions", content.get("exclusions", []))
            ]
        self.vocabulary = Vocabulary(self.families)

    def finish(self, sha256: str) -> Ruleset | None:
        for name in ("version", "guards", "protected_services"):
            if name not in self.single:
                self.problem("", "", name, "stands in none of the files")
        missing = [name for name in FAMILIES_NEEDED if name not in self.families]
        for name in missing:
            self.problem("", "", f"words.{name}", "is needed and stands in none of the files")
        if len(self.raw_rules) > RULES_MAX:
            self.problem("", "", "rules", f"are {len(self.raw_rules)}; at most {RULES_MAX}")
        rules = [self.rule(file, raw) for file, raw in self.raw_rules[:RULES_MAX]]
        known = {rule.id for rule in rules if rule}
        exclusions = [self.exclusion(file, raw, known) for file, raw in self.raw_exclusions]
        for kind, ids in (("rule", [r.id for r in rules if r]), ("exclusion", [x.id for x in exclusions if x])):
            for twice in sorted({i for i in ids if ids.count(i) > 1}):
                self.problem("", twice, "id", f"names more than one {kind}")
        if missing or any(name not in self.single for name in ("version", "guards", "protected_services")):
            return None
        terms = {name: self.term("", "", f"words.{name}", f"${name}") for name in FAMILIES_NEEDED}
        guards = self.guards()
        lexicon = {name: term for name, term in terms.items() if term}
        if len(lexicon) < len(terms) or guards is None:
            return None
        return Ruleset(
            version=self.text(self.single["version"][0], "", "version", self.single["version"][1]),
            sha256=sha256,
            rules=tuple(rule for rule in rules if rule),
            exclusions=tuple(exclusion for exclusion in exclusions if exclusion),
            protected_services=frozenset(map(wording.folded, self.listed("protected_services"))),
            service_runbooks=dict(self.service_runbooks),
            fallback_runbook=self.text("", "", "fallback_runbook", self.single.get("fallback_runbook", ("", ""))[1]),
            guards=guards,
            lexicon=Lexicon(**lexicon),
            reader=self.vocabulary.reader(),
            unused_words=tuple(sorted(set(self.families) - self.vocabulary.used_families)),
        )

    def guards(self) -> Guards | None:
        file, raw = self.single["guards"]
        raw = self.mapping(file, "", "guards", raw)
        self.check_keys(file, raw, GUARD_KEYS, "guards")
        lists = {
            name: frozenset(map(wording.folded, self.texts(file, "guards", name, raw.get(name, []))))
            for name in ("class_labels", "drill_labels", "drill_markers")
        }
        drill_words = self.term(file, "guards", "drill_words", raw.get("drill_words", ""))
        return Guards(drill_words=drill_words, **lists) if drill_words else None

    def listed(self, name: str) -> list[str]:
        file, raw = self.single[name]
        return self.texts(file, "", name, raw)

    # One rule, one condition, one exclusion

    def rule(self, file: str, raw: Any) -> Rule | None:
        raw = self.mapping(file, "a rule", "", raw)
        rule_id = self.text(file, "a rule", "id", raw.get("id", "")) or "a rule without id"
        self.check_keys(file, raw, RULChoiceKEYS, rule_id)
        for key in ("id", "title", "when"):
            if not raw.get(key):
                self.problem(file, rule_id, key, "is missing")
        incident_class = self.choice(file, rule_id, "class", raw.get("class"), IncidentClass)
        severity = self.choice(file, rule_id, "severity", raw.get("severity"), Severity)
        when = [
            self.condition(file, rule_id, one) for one in self.sequence(file, f"{rule_id}: when", raw.get("when", []))
        ]
        context = self.term(file, rule_id, "context", raw["context"]) if "context" in raw else None
        if incident_class is None or severity is None:
            return None
        return Rule(
            id=rule_id,
            title=self.text(file, rule_id, "title", raw.get("title", "")),
            incident_class=incident_class,
            severity=severity,
            when=tuple(when),
            runbook=self.text(file, rule_id, "runbook", raw.get("runbook", "")),
            general=self.flag(file, rule_id, "general", raw),
            context=context,
            source=self.text(file, rule_id, "from", raw.get("from", "")),
            file=file,
        )

    def condition(self, file: str, rule: str, raw: Any) -> Condition:
        raw = self.mapping(file, rule, "when", raw)
        self.check_keys(file, raw, CONDITION_KEYS, rule)
        if not any(raw.get(key) for key in ("near", "name", "labels")):
            self.problem(file, rule, "when", "needs near, name or labels")
        near = [self.term(file, rule, "near", one) for one in self.texts(file, rule, "near", raw.get("near", []))]
        if len(near) > GROUPS_MAX:
            self.problem(file, rule, "near", f"has {len(near)} groups; at most {GROUPS_MAX}")
        gap = raw.get("gap", GAP_WORDS)
        if type(gap) is not int or not 0 <= gap <= GAP_WORDS_MAX:
            self.problem(file, rule, "gap", f"is {gap!r}; it must be a number from 0 to {GAP_WORDS_MAX}")
            gap = GAP_WORDS
        fields = tuple(self.texts(file, rule, "in", raw.get("in", list(FIELDS))))
        for name in set(fields) - set(FIELDS):
            self.problem(file, rule, "in", f"'{name}' is not one of {', '.join(FIELDS)}")
        labels = self.mapping(file, rule, "labels", raw.get("labels", {}))
        return Condition(
            near=tuple(term for term in near if term),
            gap=gap,
            ordered=self.flag(file, rule, "ordered", raw),
            across=self.flag(file, rule, "across", raw),
            fields=fields,
            services=self.term(file, rule, "services", raw["services"]) if "services" in raw else None,
            names=frozenset(map(wording.folded, self.texts(file, rule, "name", raw.get("name", [])))),
            labels=tuple(
                (str(key), frozenset(map(wording.folded, self.texts(file, rule, f"labels.{key}", values))))
                for key, values in sorted(labels.items(), key=lambda item: str(item[0]))
            ),
        )

    def exclusion(self, file: str, raw: Any, known_rules: set[str]) -> Exclusion | None:
        raw = self.mapping(file, "an exclusion", "", raw)
        exclusion_id = self.text(file, "an exclusion", "id", raw.get("id", "")) or "an exclusion without id"
        self.check_keys(file, raw, EXCLUSION_KEYS, exclusion_id)
        for key in EXCLUSION_KEYS:
            if not raw.get(key):
                self.problem(file, exclusion_id, key, "is missing")
        rules = self.texts(file, exclusion_id, "rules", raw.get("rules", []))
        for rule in rules:
            if rule not in known_rules:
                self.problem(file, exclusion_id, "rules", f"there is no rule {rule}")
        words = self.term(file, exclusion_id, "words", raw.get("words", ""))
        if words is None:
            return None
        if any(len(phrase) > EXCLUSION_WORDS_MAX for phrase in words.phrases):
            self.problem(file, exclusion_id, "words", f"a phrase has more than {EXCLUSION_WORDS_MAX} words")
        title = self.text(file, exclusion_id, "title", raw.get("title", ""))
        return Exclusion(exclusion_id, title, frozenset(rules), words, file)

    # Values

    def term(self, file: str, rule: str, key: str, raw: Any) -> Term | None:
        try:
            return self.vocabulary.term(self.text(file, rule, key, raw))
        except TermError as error:
            self.problem(file, rule, key, str(error))
            return None

    def text(self, file: str, rule: str, key: str, raw: Any) -> str:
        if isinstance(raw, str):
            return raw.strip()
        self.problem(file, rule, key, f"is {raw!r}, not text; put it in quotes")
        return ""

    def texts(self, file: str, rule: str, key: str, raw: Any) -> list[str]:
        entries = raw if isinstance(raw, list) else [raw]
        return [self.text(file, rule, key, entry) for entry in entries]

    def sequence(self, file: str, key: str, raw: Any) -> list[Any]:
        return self._kind(file, "", key, raw, list, "a list") or []

    def mapping(self, file: str, rule: str, key: str, raw: Any) -> dict[Any, Any]:
        return self._kind(file, rule, key, raw, dict, "a mapping") or {}

    def flag(self, file: str, rule: str, key: str, raw: Mapping[str, Any]) -> bool:
        return bool(self._kind(file, rule, key, raw.get(key, False), bool, "true or false"))

    def choice(self, file: str, rule: str, key: str, raw: Any, kinds: type[Choice]) -> Choice | None:
        try:
            return kinds(raw)
        except ValueError:
            self.problem(file, rule, key, f"is {raw!r}, not one of {', '.join(kinds)}")
            return None

    def _kind(self, file: str, rule: str, key: str, raw: Any, kind: type, name: str) -> Any:
        if isinstance(raw, kind):
            return raw
        self.problem(file, rule, key, f"is {raw!r}, not {name}")
        return None
