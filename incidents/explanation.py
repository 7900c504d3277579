"""Why an alert was judged as it was: the record for machines, sentences for people. Pure.

The record holds text, whole numbers, true/false, lists and mappings only, so that its canonical bytes can be hashed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incidents.evidence import NEGATION, Evidence, Hit
from incidents.ruleset import Ruleset
from incidents.severity import IncidentClass, Severity

SCHEMA = "classification/1"


@dataclass(frozen=True, slots=True)
class Because:
    """A value, the rule it comes from ("" if from none) and the words for it."""

    value: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class RunbookChoice:
    chosen: Because
    others: tuple[str, ...]
    tied: tuple[str, ...]  # runbooks that came into question as much as the chosen one; it is the earliest rule's


@dataclass(frozen=True, slots=True)
class Judgement:
    incident_class: IncidentClass
    class_because: tuple[Because, ...]  # every reason; none for an operational alert
    severity: Severity
    severity_because: Because
    guard: Because  # value resolved, drill or good news; "" if no guard applied
    gate: str  # why the gate applied; ""
    gated: tuple[str, ...]  # rules whose CRITICAL counted as HIGH
    hint_effect: str  # what the source's own severity did; "" if nothing
    runbook: RunbookChoice
    confirm_class: bool
    halt_recommended: bool
    evidence: Evidence


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 over sorted, ASCII-escaped JSON: defined for every text, lone surrogates included."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def record(judgement: Judgement, ruleset: Ruleset, input_sha256: str) -> dict[str, Any]:
    j = judgement
    return {
        "schema": SCHEMA,
        "decision_id": digest({"input": input_sha256, "ruleset": ruleset.sha256})[:24],
        "ruleset": {"version": ruleset.version, "sha256": ruleset.sha256},
        "input_sha256": input_sha256,
        "hits": [_hit(hit, hit.rule.id in j.gated) for hit in j.evidence.hits],
        "suppressed": [
            {"rule": s.rule.id, "field": s.field, "words": s.words, "by": s.by, "because": s.because}
            for s in j.evidence.suppressed
        ],
        "guard": _because(j.guard),
        "gate": {"applied": bool(j.gated), "rules": list(j.gated), "because": j.gate},
        "trouble": j.evidence.trouble,
        "hint": j.hint_effect,
        "class": {"value": str(j.incident_class), "because": [_because(b) for b in j.class_because]},
        "severity": _because(j.severity_because),
        "runbook": _because(j.runbook.chosen) | {"candidates": list(j.runbook.others), "tied": list(j.runbook.tied)},
        "confirm_class": j.confirm_class,
        "halt_recommended": j.halt_recommended,
        "sentence": sentence(j),
    }


def _hit(hit: Hit, gated: bool) -> dict[str, Any]:
    return {
        "rule": hit.rule.id,
        "title": hit.rule.title,
        "field": hit.field,
        "words": hit.words,
        "class": str(hit.rule.incident_class),
        "severity": str(hit.rule.severity),
        "counted_as": str(Severity.HIGH if gated else hit.rule.severity),
        "context": hit.context,
        "runbook": hit.rule.runbook,
    }


def _because(because: Because) -> dict[str, Any]:
    return {"value": str(because.value), "rule": because.rule, "because": because.text}


def sentence(judgement: Judgement) -> str:
    """ "Constitutional because K01 matched 'hash chain broken' in title; CRITICAL from K01 (context 'sequence')…" """
    j = judgement
    why = " and ".join(because.text for because in j.class_because)
    parts = [f"{str(j.incident_class).capitalize()} because {why or 'no constitutional rule matched'}"]
    parts.append(f"{j.severity} {j.severity_because.text}")
    if j.runbook.chosen.value:
        parts.append(f"runbook {j.runbook.chosen.value} {j.runbook.chosen.text}")
    if j.confirm_class:
        parts.append("please confirm the class")
    return "; ".join(parts) + "."


def reasons(judgement: Judgement) -> tuple[str, ...]:
    """One sentence for every hit, every hit taken back, and every step that changed the result."""
    j = judgement
    said = [f"{matched(hit)}: {hit.rule.title}." for hit in j.evidence.hits]
    said += [_capital(because.text) + "." for because in j.class_because if not because.rule]
    for s in j.evidence.suppressed:
        how = f"'{s.because}' denies it" if s.by == NEGATION else f"{s.by} gives '{s.because}' another meaning"
        said.append(f"{s.rule.id} matched '{s.words}' in {s.field} but does not count: {how}.")
    if j.guard.value:
        said.append(f"Logged only ({j.guard.value}): {j.guard.text}.")
    if j.gated:
        which = " and ".join(j.gated)
        said.append(f"{which} would be CRITICAL, but {j.gate}: it counts as HIGH.")
    if j.hint_effect:
        said.append(_capital(j.hint_effect) + ".")
    if not j.severity_because.rule and not j.guard.value and not j.hint_effect:
        said.append(f"{j.severity} {j.severity_because.text}.")
    if j.confirm_class:
        said.append("A person is asked to confirm the class.")
    if j.runbook.tied:
        which = " and ".join(j.runbook.tied)
        said.append(f"Runbook {j.runbook.chosen.value} is tied with {which}; the earliest rule's is shown first.")
    if j.halt_recommended:
        said.append("A halt is recommended; a keeper decides.")
    return tuple(said)


def matched(hit: Hit) -> str:
    return f"{hit.rule.id} matched '{hit.words}' in {hit.field}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
