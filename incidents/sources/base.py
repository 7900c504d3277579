"""What every source turns its payload into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from incidents.severity import Severity

TITLE_CHARACTERS_MAX = 1024
BODY_CHARACTERS_MAX = 65_536
DEDUP_KEY_CHARACTERS_MAX = 512


class AlertStatus(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class IncomingAlert:
    """One event from a monitoring source, in Tocsin's words.

    Sources accept and repair: an over-long title is cut and its whole text kept in `body`, an unknown severity
    becomes None (the rules decide). `title` and `dedup_key` are never empty for a firing alert.
    """

    source: str  # "alertmanager", "pagerduty", …
    dedup_key: str
    status: AlertStatus
    title: str
    body: str = ""
    severity_hint: Severity | None = None  # by the source's own table; may raise to HIGH at most
    service: str = ""  # as the sender calls it; the integration's service wins for routing
    component: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    started_at: datetime | None = None  # aware; when the source says it began
    url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)  # the payload as received, for this alert


class PayloadRefusedError(Exception):
    """Not recognisably an alert. `field` names what is wrong, as the sender wrote it (`payload.severity`)."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem
