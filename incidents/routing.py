"""From what an incident is to how people are woken for it: how urgently, and by which policy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from escalation.oncall.hours import Hours
from escalation.plan import Urgency
from incidents.severity import IncidentClass, Severity

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


class Judged(Protocol):
    """What an incident was found to be."""

    @property
    def incident_class(self) -> IncidentClass: ...

    @property
    def severity(self) -> Severity: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A policy for some of a service's incidents. What is left empty asks for nothing."""

    policy: str
    incident_class: IncidentClass | None = None
    severities: tuple[Severity, ...] = ()
    during: Hours | None = None
    outside: Hours | None = None

    def fits(self, found: Judged, now: datetime) -> bool:
        return (
            (self.incident_class is None or found.incident_class == self.incident_class)
            and (not self.severities or found.severity in self.severities)
            and (self.during is None or self.during.covers(now))
            and not (self.outside and self.outside.covers(now))
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "class": self.incident_class,
            "severity": list(self.severities),
            "during": self.during.to_json() if self.during else None,
            "outside": self.outside.to_json() if self.outside else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Choice:
        return cls(
            policy=stored["policy"],
            incident_class=IncidentClass(stored["class"]) if stored["class"] else None,
            severities=tuple(map(Severity, stored["severity"])),
            during=Hours.from_json(stored["during"]) if stored["during"] else None,
            outside=Hours.from_json(stored["outside"]) if stored["outside"] else None,
        )


def policy_for(choices: Iterable[Mapping[str, Any]], otherwise: str, found: Judged, now: datetime) -> str:
    """The key of the policy that an incident opening now is escalated by: that of the first of the service's stored
    choices that fits, or its own. It stays that one: a policy is frozen when an incident opens."""
    fitting = (choice for choice in map(Choice.from_json, choices) if choice.fits(found, now))
    return next((choice.policy for choice in fitting), otherwise)
