"""Which runbook belongs to an incident, and why. Pure.

From the most specific reason to the least: a label on the alert, the classification rule, the alert's name with its
labels, the name alone, the service's own default, service with severity, service, keywords. Two that fit equally well
are a tie and are shown as one. A constitutional incident gets a constitutional or mixed runbook; an operational one
never stands in for it. A runbook that the linter stops is shown as a candidate and not attached.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runbook_links import linter
from runbook_links.document import Runbook

FALLBACK = "incident-response"
CANDIDATES_MAX = 8
SHOWN_CHARACTERS_MAX = 80  # of what an alert's label says
_LABELS = ("runbook", "runbook_id")
_WORD = re.compile(r"\w+")
_CLASS_FIT = {  # the nearest class first
    "constitutional": ("constitutional", "mixed"),
    "operational": ("operational", "mixed", "constitutional"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of the incident when its runbook is looked for. Empty means not known."""

    rule_runbook: str = ""  # the runbook that the deciding classification rule names
    rule_candidates: tuple[str, ...] = ()  # those that other rules which matched name
    service: str = ""
    default_runbook: str = ""  # as declared for the service
    labels: Mapping[str, str] = field(default_factory=dict)
    alert_name: str = ""
    incident_class: str = "operational"
    severity: str = ""
    title: str = ""
    rule: str = ""  # the deciding rule's id, for the reason


@dataclass(frozen=True, slots=True)
class Match:
    """`reason` is a sentence for people. `candidates` are the others that fit, each with its reason, best first."""

    runbook_id: str | None
    reason: str
    candidates: tuple[tuple[str, str], ...] = ()
    warning: str = ""  # the part of the reason that wants a red banner: a certification that has run out


@dataclass(frozen=True, slots=True)
class _Tier:
    """The runbooks that fit for one reason, nearest class first and then by id."""

    fits: tuple[Runbook, ...]
    reason: str


def match(wanted: Wanted, runbooks: Collection[Runbook], *, now: datetime) -> Match:
    """The primary runbook for an incident, or None with the reason. Same input, same answer."""
    shelf = {runbook.id: runbook for runbook in sorted(runbooks, key=lambda each: each.name, reverse=True)}
    shelf = {name: runbook for name, runbook in shelf.items() if runbook.is_runbook}
    chosen: Runbook | None = None
    reason = ""
    others: dict[str, str] = {}
    for tier in _tiers(wanted, shelf):
        fit = [runbook for runbook in tier.fits if not _refusal(runbook, wanted)]
        if chosen is None and fit:
            chosen, reason = fit[0], tier.reason + _tie(fit, wanted)
        for runbook in tier.fits:
            refusal = _refusal(runbook, wanted)
            others.setdefault(runbook.id, f"{tier.reason}; not attached: {refusal}" if refusal else tier.reason)
    notes = _unknown_names(wanted, shelf)
    if chosen is None and wanted.incident_class == "constitutional":
        chosen, reason = _fallback(wanted, shelf, others)
    if chosen is None:
        return Match(None, "; ".join([_none(wanted, others), *notes]), _without(others, None))
    warning = _warning(chosen, now)
    sentence = "; ".join(filter(None, [reason, *notes, warning]))
    return Match(chosen.id, sentence, _without(others, chosen.id), warning)


def _tiers(wanted: Wanted, shelf: Mapping[str, Runbook]) -> Iterator[_Tier]:
    """Every reason that some runbook fits for, from the most specific to the least."""
    for label in _LABELS:
        value = wanted.labels.get(label, "")
        yield from _named(shelf, [_id(value)], f"label {label}={_shown(value)}", wanted)
    yield from _named(shelf, [wanted.rule_runbook], f"named by {_rule(wanted)}", wanted)
    for candidate in wanted.rule_candidates:
        yield from _named(shelf, [candidate], "named by another rule that matched", wanted)
    active = [runbook for runbook in shelf.values() if runbook.active]
    name = wanted.alert_name.strip().lower()
    by_name = [each for each in active if name and name in {each.id, *(t.lower() for t in each.triggers)}]
    by_labels = [each for each in by_name if _shares_label(each, wanted)]
    yield from _tier(by_labels, f"is triggered by {wanted.alert_name} and serves what its labels name", wanted)
    yield from _tier(by_name, f"is triggered by {wanted.alert_name}", wanted)
    yield from _named(shelf, [wanted.default_runbook], f"declared for service {wanted.service}", wanted)
    service = wanted.service.strip().lower()
    by_service = [each for each in active if service and service in _lower(each.services)]
    by_severity = [each for each in by_service if wanted.severity in each.severities]
    yield from _tier(by_severity, f"serves service {wanted.service} and handles {wanted.severity}", wanted)
    yield from _tier(by_service, f"serves service {wanted.service}", wanted)
    yield from _by_keywords(active, wanted)


def _named(shelf: Mapping[str, Runbook], ids: Sequence[str], reason: str, wanted: Wanted) -> Iterator[_Tier]:
    yield from _tier([shelf[each] for each in ids if each in shelf], reason, wanted)


def _tier(fits: Collection[Runbook], reason: str, wanted: Wanted) -> Iterator[_Tier]:
    if fits:
        yield _Tier(tuple(sorted(fits, key=lambda each: (_distance(each, wanted), each.id))), reason)


def _by_keywords(active: Sequence[Runbook], wanted: Wanted) -> Iterator[_Tier]:
    """One tier for each number of keywords found, the most first."""
    said = f" {' '.join(_WORD.findall(f'{wanted.title} {wanted.alert_name}'.lower()))} "
    found: dict[int, dict[tuple[str, ...], list[Runbook]]] = {}
    for runbook in active:
        words = tuple(word for word in runbook.keywords if _says(said, word))
        if words:
            found.setdefault(len(words), {}).setdefault(words, []).append(runbook)
    for count in sorted(found, reverse=True):
        fits = [runbook for same in found[count].values() for runbook in same]
        said_words = sorted({word for each in found[count] for word in each})
        plural = "s" if len(said_words) > 1 else ""
        yield from _tier(fits, f"has the keyword{plural} {', '.join(said_words)} of the title", wanted)


def _says(said: str, keyword: str) -> bool:
    words = " ".join(_WORD.findall(keyword.lower()))
    return bool(words) and f" {words} " in said


def _shares_label(runbook: Runbook, wanted: Wanted) -> bool:
    """A label's value, or the service, is among the services that the runbook is for."""
    values = {wanted.service.lower(), *(value.lower() for value in wanted.labels.values())} - {""}
    return bool(values & _lower(runbook.services))


def _lower(values: Collection[str]) -> set[str]:
    return {value.lower() for value in values}


def _id(value: str) -> str:
    """`epic-3-halt-fork` of itself, of `epic-3-halt-fork.md` and of an address that ends so."""
    return value.strip().split("#")[0].split("?")[0].rstrip("/").rpartition("/")[2].removesuffix(".md")


def _shown(value: str) -> str:
    return value if len(value) <= SHOWN_CHARACTERS_MAX else value[: SHOWN_CHARACTERS_MAX - 1] + "…"


def _rule(wanted: Wanted) -> str:
    return f"rule {wanted.rule}" if wanted.rule else "the classification rule"


def _distance(runbook: Runbook, wanted: Wanted) -> int:
    order = _CLASS_FIT.get(wanted.incident_class, _CLASS_FIT["operational"])
    return order.index(runbook.incident_class) if runbook.incident_class in order else len(order)


def _refusal(runbook: Runbook, wanted: Wanted) -> str:
    """Why this one cannot be the primary; "" when it can."""
    if not runbook.active:
        return "it is not active"
    if wanted.incident_class == "constitutional" and not runbook.is_constitutional:
        return "an operational runbook never stands in for a constitutional one"
    found = linter.blockers(runbook)
    if found:
        return f"{found[0].rule} at line {found[0].line}, {found[0].message}"
    return ""


def _tie(fit: Sequence[Runbook], wanted: Wanted) -> str:
    """The words that say how the first was chosen among several."""
    nearest = [each for each in fit if _distance(each, wanted) == _distance(fit[0], wanted)]
    if len(nearest) > 1:
        return f"; equally {_listed([each.id for each in nearest[1:]])}: a tie, of which the first by name is taken"
    if len(fit) > 1:
        return f"; also {_listed([each.id for each in fit[1:]])}: the one of class {fit[0].incident_class} is taken"
    return ""


def _listed(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"


def _fallback(wanted: Wanted, shelf: Mapping[str, Runbook], others: Mapping[str, str]) -> tuple[Runbook | None, str]:
    general = shelf.get(FALLBACK)
    if general is None or _refusal(general, wanted):
        return None, ""
    why = "only operational or stopped runbooks fit" if others else "no runbook fits"
    return general, f"{why}, and the incident is constitutional: the general response is taken"


def _none(wanted: Wanted, others: Mapping[str, str]) -> str:
    if others:
        return f"no runbook that fits may be attached to this {wanted.incident_class} incident"
    return "no runbook names this alert, its rule, its service or its words"


def _unknown_names(wanted: Wanted, shelf: Mapping[str, Runbook]) -> list[str]:
    """What was asked for by name and is not there; somebody meant something by it."""
    asked = [
        (f"label {label}={_shown(value)}", _id(value)) for label in _LABELS if (value := wanted.labels.get(label, ""))
    ]
    asked += [(f"{_rule(wanted)} names {wanted.rule_runbook}", wanted.rule_runbook)] if wanted.rule_runbook else []
    asked += (
        [(f"the service declares {wanted.default_runbook}", wanted.default_runbook)] if wanted.default_runbook else []
    )
    return [f"{words}, which is no runbook here" for words, runbook_id in asked if runbook_id not in shelf]


def _warning(runbook: Runbook, now: datetime) -> str:
    state = runbook.recert_state(now.date())
    if state in ("expired", "overdue"):
        due_on = runbook.recert.due_on
        return f"warning: its certification is {state}" + (f", due on {due_on}" if due_on else "")
    return "" if state else "warning: it was never certified"


def _without(others: Mapping[str, str], chosen: str | None) -> tuple[tuple[str, str], ...]:
    return tuple((each, reason) for each, reason in others.items() if each != chosen)[:CANDIDATES_MAX]
