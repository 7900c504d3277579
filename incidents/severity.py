"""The severity scale and what may move it. Pure."""

from __future__ import annotations

from enum import StrEnum


class IncidentClass(StrEnum):
    OPERATIONAL = "operational"
    CONSTITUTIONAL = "constitutional"


class Severity(StrEnum):
    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFO = "INFO"

    @property
    def rank(self) -> int:
        """4 for CRITICAL down to 0 for INFO."""
        return 4 - list(Severity).index(self)


HINT_MAX = Severity.HIGH  # CRITICAL asks for a halt; only a rule with context or a person may say that


def worst(*severities: Severity) -> Severity:
    return max(severities, key=lambda s: s.rank)


def raised_by_hint(current: Severity, hint: Severity | None) -> Severity:
    """What the source's own severity makes of ours: raised to HIGH at most, never lowered."""
    if hint is None or hint.rank <= current.rank:
        return current
    return worst(current, min(hint, HINT_MAX, key=lambda s: s.rank))


def after_repeat(current: Severity, new: Severity) -> Severity:
    """The severity of an open incident after a repeat or another alert judged `new`: only ever up."""
    return worst(current, new)


def class_after_repeat(current: IncidentClass, new: IncidentClass) -> IncidentClass:
    """Constitutional is sticky: one constitutional alert makes the incident so, and no alert takes it away."""
    return IncidentClass.CONSTITUTIONAL if IncidentClass.CONSTITUTIONAL in (current, new) else current


def needs_two_people(incident_class: IncidentClass, old: Severity, new: Severity) -> bool:
    """Whether a person's change of severity waits for two others to agree: lowering it on a constitutional incident.

    Everybody may raise alone, and lower an operational one.
    """
    return incident_class is IncidentClass.CONSTITUTIONAL and new.rank < old.rank


def class_change_needs_two_people(old: IncidentClass, new: IncidentClass) -> bool:
    """Whether a person's change of class waits for two others to agree: constitutional to operational does."""
    return old is IncidentClass.CONSTITUTIONAL and new is IncidentClass.OPERATIONAL


def reclassification_needs_two_people(old: tuple[IncidentClass, Severity], new: tuple[IncidentClass, Severity]) -> bool:
    """The same for class and severity changed in one request.

    Making an operational incident constitutional is tightening, so its severity may be set alone in the same step;
    taking the class away takes two people whatever happens to the severity.
    """
    return class_change_needs_two_people(old[0], new[0]) or needs_two_people(old[0], old[1], new[1])


def recommends_halt(incident_class: IncidentClass, severity: Severity) -> bool:
    """A halt is recommended, and a keeper asked, for constitutional CRITICAL only; operational CRITICAL never implies it."""
    return incident_class is IncidentClass.CONSTITUTIONAL and severity is Severity.CRITICAL
