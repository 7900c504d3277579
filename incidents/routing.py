"""From a severity to how people are woken for it. Pure."""

from __future__ import annotations

from escalation.plan import Urgency
from incidents.severity import Severity

URGENCIES = {
    Severity.CRITICAL: Urgency.HIGH,
    Severity.HIGH: Urgency.HIGH,
    Severity.MEDIUM: Urgency.MEDIUM,
    Severity.LOW: Urgency.LOW,
    Severity.INFO: Urgency.NONE,
}
LOUDNESS = (Urgency.NONE, Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH)


def urgency_of(severity: Severity) -> Urgency:
    return URGENCIES[severity]


def wakes_again(old: Severity, new: Severity) -> bool:
    """Whether a rise in severity is worth paging for anew: it got worse, and it is something one pages for."""
    return new.rank > old.rank and URGENCIES[new] is Urgency.HIGH


def begins_anew(old: Severity, new: Severity) -> bool:
    """Whether an unacknowledged incident's escalation must begin anew because its urgency rose."""
    return LOUDNESS.index(URGENCIES[new]) > LOUDNESS.index(URGENCIES[old])
