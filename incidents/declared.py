"""What tocsin.yaml says of services and their integrations, as values. Pure.

An integration's key is a password that a sender carries: no message here quotes one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from config import declaration, fields
from config.declaration import Document, Problems
from config.fields import Fields
from escalation.declared_names import KEY, NOTHING_BESIDE, Beside
from escalation.oncall.schedules import zone_names

# Whose alerts may be declared. Not all can be received yet: a team that moves over declares all its senders at once.
SOURCES = frozenset(
    {
        "alertmanager",
        "azure-monitor",
        "cloudwatch",
        "datadog",
        "gcp-monitoring",
        "generic",
        "github",
        "grafana",
        "healthchecks",
        "nagios",
        "newrelic",
        "opsgenie",
        "pagerduty",
        "sentry",
        "uptime-kuma",
        "zabbix",
    }
)
INTEGRATIONS_MAX = 100  # of one service
KEY_CHARACTERS_MAX = 128
HINT_CHARACTERS = 4

_LETTERS = "A-Za-z0-9_-"
_INTEGRATION_KEY = re.compile(f"[{_LETTERS}]{{16,{KEY_CHARACTERS_MAX}}}")
_PAGERDUTY_KEY = re.compile(f"[{_LETTERS}]{{32}}")  # its senders check the length before they send


@dataclass(frozen=True, slots=True)
class DeclaredIntegration:
    source: str
    key: str

    @property
    def hint(self) -> str:
        """Enough to tell keys apart, too little to use one."""
        return self.key[-HINT_CHARACTERS:]

    def __repr__(self) -> str:
        return f"DeclaredIntegration({self.source} …{self.hint})"


@dataclass(frozen=True, slots=True)
class DeclaredService:
    key: str
    policy: str
    protected: bool
    runbook: str  # a runbook's id; empty: whichever matches
    timezone: str
    integrations: tuple[DeclaredIntegration, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    sources: frozenset[str]
    runbooks: frozenset[str]
    policies: frozenset[str]  # also those whose declaration has problems of its own


def read_declared(
    document: Document,
    problems: Problems,
    *,
    sources: Collection[str],
    runbook_ids: Collection[str],
    beside: Beside = NOTHING_BESIDE,
) -> tuple[DeclaredService, ...]:
    """Read the section `services`. What has problems is left out: raise them before using the result.

    `sources` are those whose alerts can be received; the names in SOURCES may be declared as well.
    """
    top = fields.root(document, problems)
    known = _Known(SOURCES | frozenset(sources), frozenset(runbook_ids), beside.policies.union(top.entries("policies")))
    owners: dict[str, str] = {}
    services = [_service(section, known, owners) for section in top.entries("services").values()]
    return tuple(service for service in services if service)


def _service(section: Fields, known: _Known, owners: dict[str, str]) -> DeclaredService | None:
    """`owners` collects which service each integration key leads to: an alert must arrive at exactly one."""
    if not KEY.fullmatch(section.name):
        section.refuse_at(section.path, "a name has up to 64 lower-case letters, digits and . _ -")
    sections = section.each("integrations")
    if len(sections) > INTEGRATIONS_MAX:
        section.refuse("integrations", f"has more than {INTEGRATIONS_MAX} entries")
    integrations = [_integration(each, section.name, known, owners) for each in sections]
    service = DeclaredService(
        key=section.name,
        policy=_named(section, "policy", known.policies, required=True),
        protected=section.boolean("protected", default=False),
        runbook=_named(section, "runbook", known.runbooks),
        timezone=_timezone(section),
        integrations=tuple(integration for integration in integrations if integration),
    )
    return service if section.sound else None


def _integration(section: Fields, service: str, known: _Known, owners: dict[str, str]) -> DeclaredIntegration | None:
    source = section.choice("source", known.sources)
    key = section.text("key", required=True)
    if section.sound and (problem := _key_problem(source, key)):
        section.refuse("key", problem)
    if key in owners:
        section.refuse("key", f"is already the key of an integration of {owners[key]}; each needs one of its own")
    elif key:
        owners[key] = service
    return DeclaredIntegration(source, key) if section.sound else None


def _key_problem(source: str, key: str) -> str:
    """Empty if this source's senders can use it."""
    if source == "pagerduty" and not _PAGERDUTY_KEY.fullmatch(key):
        return "a key for pagerduty has exactly 32 letters, digits, _ or -; its senders refuse any other length"
    if not _INTEGRATION_KEY.fullmatch(key):
        return f"a key has 16 to {KEY_CHARACTERS_MAX} letters, digits, _ or -"
    return ""


def _named(section: Fields, key: str, known: Collection[str], *, required: bool = False) -> str:
    """The name of a policy or runbook that there is."""
    written = section.text(key, required=required)
    if written and written not in known:
        what = f'there is no {key} "{declaration.shown(written)}"'
        section.refuse(key, f"{what}; {declaration.suggestion(written, known)}")
    return written


def _timezone(section: Fields) -> str:
    written = section.text("timezone")
    zones = zone_names()
    if written and written not in zones:
        shown = declaration.shown(written)
        section.refuse("timezone", f'there is no time zone "{shown}"; {declaration.suggestion(written, zones)}')
    return written or "UTC"
