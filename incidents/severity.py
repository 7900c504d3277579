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


def worst(*severities: Severity) -> Severity:
    return max(severities, key=lambda s: s.rank)
