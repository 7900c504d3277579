"""What a page may say of an incident. Everything escalation knows of one, besides its id."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

NO_INCIDENT = 0  # in the place of an incident's number, which begins with 1
ALERTS_COUNTED_MAX = 1_000  # of one incident; beyond it, people are told that there are as many or more


_SEVERITY_RANKS = {"CRITICAL": 0, "HIGH": 2, "MEDIUM": 5, "LOW": 7, "INFO": 8}
_CONSTITUTIONAL_RANK = 1


def rank(incident_class: str, severity: str) -> int:
    """CRITICAL first, then constitutional, then by severity: what goes first among what is due."""
    of_severity = _SEVERITY_RANKS.get(severity, 5)
    return min(of_severity, _CONSTITUTIONAL_RANK) if incident_class == "constitutional" else of_severity


@dataclass(frozen=True, slots=True)
class Brief:
    """Frozen when the incident opens, replaced when what it says changes (a severity raised, a runbook attached)."""

    incident_id: int  # also the short number people type: `ack 42`
    title: str
    incident_class: str  # "operational" or "constitutional"
    severity: str  # CRITICAL, HIGH, MEDIUM, LOW, INFO
    service: str
    summary: str  # the alert's longer text; may be empty
    reason: str  # one sentence: why this class and this severity
    opened_at: datetime
    url: str  # the incident's page
    runbook_title: str = ""
    runbook_url: str = ""
    runbook_steps: tuple[str, ...] = ()
    emergency_title: str = ""  # of the emergency runbook beside it, once a level has called for one
    emergency_url: str = ""
    halt_recommended: bool = False  # constitutional CRITICAL: a keeper is asked to decide on a halt

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"opened_at": self.opened_at.isoformat(), "runbook_steps": list(self.runbook_steps)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Brief:
        known = {f.name for f in fields(cls)}
        values = {k: v for k, v in stored.items() if k in known}
        values["opened_at"] = datetime.fromisoformat(stored["opened_at"])
        values["runbook_steps"] = tuple(stored.get("runbook_steps", ()))
        return cls(**values)


def of_none(url: str, at: datetime) -> Brief:
    """In a message that is about no incident: nothing of it is shown but the link, and there is nothing to answer."""
    return Brief(
        incident_id=NO_INCIDENT,
        title="",
        incident_class="operational",
        severity="INFO",
        service="",
        summary="",
        reason="",
        opened_at=at,
        url=url,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the response stands now; what a living message shows beside the brief."""

    status: str = "open"  # open, acknowledged, resolved, closed
    level: int = 0  # the last level that fired; 0 before the first
    phase: str = "immediate"  # immediate, containment, recovery, post-incident
    acknowledged_by: str = ""  # a person's name
    acknowledged_at: datetime | None = None
    resolved_by: str = ""
    resolved_at: datetime | None = None
    asked: str = ""  # the holder's name, while they are asked whether they still have it
    awaiting: str = ""  # e.g. "2 keepers' approval to resolve"
    alerts: int = 1  # that it holds, up to ALERTS_COUNTED_MAX
    alerts_ended: int = 0

    def to_json(self) -> dict[str, Any]:
        stored = asdict(self)
        for name in ("acknowledged_at", "resolved_at"):
            stored[name] = stored[name].isoformat() if stored[name] else None
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Standing:
        known = {f.name for f in fields(cls)}
        values = {k: v for k, v in stored.items() if k in known}
        for name in ("acknowledged_at", "resolved_at"):
            values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
        return cls(**values)
