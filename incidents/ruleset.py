"""What the rule files say, compiled: values only. `rules.load` makes them, `classification` reads them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.errors import SettingsError
from incidents import wording
from incidents.nearness import GAP_WORDS, Lexicon
from incidents.severity import IncidentClass, Severity
from incidents.vocabulary import Term, TextReader

FIELDS = ("name", "title", "body")  # where a rule's words are looked for, in this order


class RulesetError(SettingsError):
    """The rule files cannot be used. `problems` are all there are, each naming file, rule and field."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way for a rule to match; everything given must hold."""

    near: tuple[Term, ...] = ()  # one word of each, near each other
    near_numbers: frozenset[int] = frozenset()  # the same terms by number
    gap: int = GAP_WORDS
    ordered: bool = False
    across: bool = False  # may stand in different clauses of a field
    fields: tuple[str, ...] = FIELDS
    services: Term | None = None  # its service, component, environment or source says one of these
    names: frozenset[str] = frozenset()  # exact alert names, folded
    labels: tuple[tuple[str, frozenset[str]], ...] = ()  # label, its folded values

    @property
    def specificity(self) -> int:
        """3 for alert name and labels, 2 for one of them, 1 for words."""
        return 1 + bool(self.names) + bool(self.labels)


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    title: str  # what it means, for people
    incident_class: IncidentClass
    severity: Severity
    when: tuple[Condition, ...]
    runbook: str = ""
    general: bool = False  # its runbook yields to that of a rule about a particular thing
    context: Term | None = None  # CRITICAL needs one of these words, or a protected service
    source: str = ""  # where the rule comes from
    file: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Another meaning of a rule's words. Never applied to a protected service."""

    id: str
    title: str
    rules: frozenset[str]
    words: Term
    file: str = ""


@dataclass(frozen=True, slots=True)
class Guards:
    class_labels: frozenset[str]  # labels whose value may say "constitutional"
    drill_labels: frozenset[str]  # labels that, when true, say that nothing happened
    drill_markers: frozenset[str]  # a word that says so, alone at the start of the title: "[TEST] …"
    drill_words: Term  # the same anywhere in the text


@dataclass(frozen=True)
class Ruleset:
    version: str
    sha256: str  # hex, over the canonical content: comments and layout do not count
    rules: tuple[Rule, ...]
    exclusions: tuple[Exclusion, ...]
    protected_services: frozenset[str]  # folded
    service_runbooks: Mapping[str, str]  # folded service -> runbook when no rule of the incident's class names one
    fallback_runbook: str  # of a constitutional incident for which nothing else names one
    guards: Guards
    lexicon: Lexicon
    reader: TextReader
    unused_words: tuple[str, ...] = ()  # families that no rule refers to

    def protects(self, service: str) -> bool:
        """Whether the files list this service as protected; case and separators do not count."""
        return wording.folded(service) in self.protected_services

    def service_runbook(self, service: str) -> str:
        return self.service_runbooks.get(wording.folded(service), "")
