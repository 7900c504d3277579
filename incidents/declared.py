"""What tocsin.yaml says of services and their integrations, as values. Pure.

An integration's key is a password that a sender carries: no message here quotes one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from config import declaration, fields
from config.declaration import Document, Problems
from config.fields import Fields
from escalation import declared_hooks, declared_names, declared_policies
from escalation.declared_hooks import Hook
from escalation.declared_names import KEY, NOTHING_BESIDE, Beside
from escalation.oncall.hours import Hours
from escalation.oncall.schedules import zone_names
from incidents import declared_heartbeats, declared_noise
from incidents.declared_heartbeats import DeclaredHeartbeat
from incidents.noise import Damping, Grouping
from incidents.routing import Choice
from incidents.severity import IncidentClass, Severity
from incidents.sources import mapping

# Whose alerts may be declared. Not all can be received yet: a team that moves over declares all its senders at once.
SOURCES = frozenset(
    {
        "alertmanager",
        "azure-monitor",
        "cloudwatch",
        "datadog",
        "email",
        "gcp-monitoring",
        "generic",
        "github",
        "gitlab",
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
CHOICES_MAX = 20  # of one service
KEY_CHARACTERS_MAX = 128
SECRET_CHARACTERS_MIN, SECRET_CHARACTERS_MAX = 8, 512
# In their protocols the key stands in the request itself; SNS signs by a certificate.
WITHOUT_SECRET = {
    "email": "a letter carries nothing that could be; the key is what its sender knows",
    "azure-monitor": "its webhooks can send no header; the key is what they know",
    "pagerduty": "its senders sign nothing; the key is what they know",
    "opsgenie": "its senders sign nothing; the key is what they know",
    "cloudwatch": "SNS signs with a certificate, which is always checked; say `topic` to take one topic only",
}
HINT_CHARACTERS = 4

SENDERS_MAX, SENDER_CHARACTERS_MAX = 50, 320
_SENDER = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,255}")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
_LETTERS = "A-Za-z0-9_-"
_INTEGRATION_KEY = re.compile(f"[{_LETTERS}]{{16,{KEY_CHARACTERS_MAX}}}")
# A mailbox has 64 characters at most, of which some are for what stands behind the plus; and some mail systems write
# it in lower case.
_EMAIL_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{15,39}")
_PAGERDUTY_KEY = re.compile(f"[{_LETTERS}]{{32}}")  # its senders check the length before they send


@dataclass(frozen=True, slots=True)
class DeclaredIntegration:
    source: str
    key: str
    secret: str = ""  # what the sender signs with; empty: the key suffices
    topic: str = ""  # of SNS, the only one taken; empty: any
    mapping: tuple[tuple[str, str], ...] = ()  # (field, JMESPath expression)
    senders: tuple[str, ...] = ()  # whose letters alone are taken; empty: anybody's

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
    holidays: str = ""  # a place; its public holidays are no business days
    remediation: Hook | None = None
    choices: tuple[Choice, ...] = ()  # before `policy`: the first that fits
    heartbeats: tuple[DeclaredHeartbeat, ...] = ()
    group: Grouping | None = None
    flap: Damping | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    sources: frozenset[str]
    runbooks: frozenset[str]
    policies: frozenset[str]  # also those whose declaration has problems of its own
    hours: Mapping[str, Hours]


def read_declared(
    document: Document,
    problems: Problems,
    *,
    sources: Collection[str],
    runbook_ids: Collection[str],
    beside: Beside = NOTHING_BESIDE,
    hours: Iterable[Hours] = (),
) -> tuple[DeclaredService, ...]:
    """Read the section `services`, and look whether the runbooks that levels name are there. What has problems is left
    out: raise them before using the result.

    `hours` are those that a service may refer to;
    `sources` are those whose alerts can be received; the names in SOURCES may be declared as well.
    """
    top = fields.root(document, problems)
    policies = top.entries("policies")
    known = _Known(
        SOURCES | frozenset(sources),
        frozenset(runbook_ids),
        beside.policies.union(policies),
        {each.key: each for each in hours},
    )
    for policy in policies.values():
        for level in policy.each("levels"):
            _named(level, "runbook", known.runbooks)
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
    choices = section.each("policies")
    if len(choices) > CHOICES_MAX:
        section.refuse("policies", f"has more than {CHOICES_MAX} entries")
    integrations = [_integration(each, section.name, known, owners) for each in sections]
    service = DeclaredService(
        key=section.name,
        policy=_named(section, "policy", known.policies, required=True),
        protected=section.boolean("protected", default=False),
        runbook=_named(section, "runbook", known.runbooks),
        timezone=_timezone(section),
        integrations=tuple(integration for integration in integrations if integration),
        holidays=declared_names.place(section),
        remediation=declared_hooks.hook(section, "remediation"),
        choices=tuple(_choice(each, known) for each in choices),
        heartbeats=declared_heartbeats.read(section, lambda key: _key_problem("", key), owners),
        group=declared_noise.grouping(section),
        flap=declared_noise.damping(section),
    )
    return service if section.sound else None


def _choice(section: Fields, known: _Known) -> Choice:
    asks = ("class", "severity", "during", "outside")
    if not any(section.has(key) for key in asks):
        section.refuse(
            "policy", "fits always, so that nothing after it is looked at; say which with " + ", ".join(asks)
        )
    written = section.text("class")
    if written and written not in set(IncidentClass):
        shown = declaration.shown(written)
        section.refuse("class", f'there is no class "{shown}"; {declaration.suggestion(written, set(IncidentClass))}')
    severities: dict[Severity, None] = {}
    for path, severity in section.texts("severity").items():
        if severity.upper() in set(Severity):
            severities[Severity(severity.upper())] = None
        else:
            shown = declaration.shown(severity)
            suggestion = declaration.suggestion(severity.upper(), set(Severity))
            section.refuse_at(path, f'there is no severity "{shown}"; {suggestion}')
    return Choice(
        policy=_named(section, "policy", known.policies, required=True),
        incident_class=IncidentClass(written) if written in set(IncidentClass) else None,
        severities=tuple(severities),
        during=declared_policies.hours_named(section, "during", known.hours),
        outside=declared_policies.hours_named(section, "outside", known.hours),
    )


def _integration(section: Fields, service: str, known: _Known, owners: dict[str, str]) -> DeclaredIntegration | None:
    source = section.choice("source", known.sources)
    key = section.text("key", required=True)
    if section.sound and (problem := _key_problem(source, key)):
        section.refuse("key", problem)
    if key in owners:
        section.refuse("key", f"is already the key of an integration of {owners[key]}; each needs one of its own")
    elif key:
        owners[key] = service
    secret = section.text("secret", characters_max=SECRET_CHARACTERS_MAX)
    if secret and source in WITHOUT_SECRET:
        section.refuse("secret", f"cannot be checked for {source}: {WITHOUT_SECRET[source]}")
    elif secret and len(secret) < SECRET_CHARACTERS_MIN:
        section.refuse("secret", f"has fewer than {SECRET_CHARACTERS_MIN} characters; anybody could guess it")
    topic = section.text("topic", characters_max=512)
    if topic and source != "cloudwatch":
        section.refuse("topic", "is for cloudwatch alone")
    elif topic and not _TOPIC.fullmatch(topic):
        section.refuse("topic", "is not the ARN of an SNS topic, like arn:aws:sns:eu-west-1:123456789012:paging")
    mapped, senders = _mapping(section, source), _senders(section, source)
    return DeclaredIntegration(source, key, secret, topic, mapped, senders) if section.sound else None


def _senders(section: Fields, source: str) -> tuple[str, ...]:
    written = section.texts("from", characters_max=SENDER_CHARACTERS_MAX)
    if section.has("from") and source != "email":
        section.refuse("from", "is for email alone")
    if len(written) > SENDERS_MAX:
        section.refuse("from", f"has more than {SENDERS_MAX} entries")
    for path, pattern in written.items():
        if not _SENDER.fullmatch(pattern):
            section.refuse_at(
                path, "is not an address such as zabbix@example.org, or *@example.org for all of a domain"
            )
    return tuple(pattern.lower() for pattern in written.values())


def _mapping(section: Fields, source: str) -> tuple[tuple[str, str], ...]:
    if not section.has("map"):
        return ()
    if source != "generic":
        section.refuse("map", "is for generic alone; the other sources' payloads are known")
    inside = section.inner("map")
    found: list[tuple[str, str]] = []
    for name in mapping.KEYS:
        expression = inside.text(name, characters_max=mapping.EXPRESSION_CHARACTERS_MAX)
        if expression and (problem := mapping.problem(expression)):
            inside.refuse(name, problem)
        elif expression:
            found.append((name, expression))
    return tuple(found)


def _key_problem(source: str, key: str) -> str:
    """Empty if this source's senders can use it."""
    if source == "pagerduty" and not _PAGERDUTY_KEY.fullmatch(key):
        return "a key for pagerduty has exactly 32 letters, digits, _ or -; its senders refuse any other length"
    if source == "email" and not _EMAIL_KEY.fullmatch(key):
        return "a key for email has 16 to 40 lower-case letters, digits, _ or -; it is the mailbox that letters go to"
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
