"""JSON, form fields or text from anything that can send a request. Pure.

The documented shape is {title, body, severity, status, dedup_key, service, component, environment, labels, url,
started_at}; one object, a list of them, or {"alerts": [...]}. The names that other tools use for the same things are
read too, whatever their case and punctuation (`dedupKey`, `Dedup-Key`). What no field claims is kept: as a label if it
is short, else in the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import reading
from incidents.sources.base import AlertStatus, IncomingAlert, Link, PayloadRefusedError

NAME = "generic"

# Names in `reading.plain` form; the first that holds something wins.
TITLE = ("title", "summary", "message", "subject", "name", "alertname", "monitorfriendlyname", "msg", "text", "content")
BODY = ("body", "description", "details", "message", "msg", "text", "content", "output", "reason", "alertdetails")
STATUS = ("status", "state", "eventaction", "action", "alerttypefriendlyname", "alerttype", "type")
SEVERITY = ("severity", "priority", "level", "urgency", "alerttype", "type")
DEDUP_KEY = ("dedupkey", "dedup", "alertuid", "alias", "fingerprint", "incidentkey", "key", "id", "uid")
SERVICE = ("service", "servicename", "application", "app", "host", "hostname")
ENVIRONMENT = ("environment", "env", "stage")
URL = (
    "url",
    "link",
    "href",
    "linktoupstreamdetails",
    "alerturl",
    "dashboardurl",
    "runbookurl",
    "monitorurl",
    "imageurl",
)
STARTED_AT = ("startedat", "startsat", "starttime", "occurredat", "timestamp", "time", "date")
LABELS = ("labels", "tags", "meta", "customdetails")

# A word that is in none of them says that something happened, which is to be looked at: firing.
STATUSES: Mapping[str, AlertStatus] = {
    word: status
    for status, words in {
        AlertStatus.FIRING: "firing alerting alarm down open problem trigger triggered failure failed active",
        AlertStatus.RESOLVED: "resolved resolve ok up closed close clear cleared recovered recovery normal healthy success",
        AlertStatus.ACKNOWLEDGED: "acknowledged acknowledge acked ack",
    }.items()
    for word in words.split()
}
_UPTIMEROBOT_UP = ("alerttype", "2")  # 1 is down, 3 a certificate about to expire

# Bare numbers are no hint: 1 is the worst for syslog and the least for Zabbix.
SEVERITIES: Mapping[str, Severity] = {
    word: severity
    for severity, words in {
        Severity.CRITICAL: "critical crit emergency disaster fatal p1",
        Severity.HIGH: "high error failure major page p2",
        Severity.MEDIUM: "medium warning warn average p3",
        Severity.LOW: "low minor notice p4",
        Severity.INFO: "info information p5",
    }.items()
    for word in words.split()
}


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert per object. In a list, one without a title becomes an alert that says so, if any other has one."""
    del now  # nothing here depends on the time; every source has the same signature
    if isinstance(payload, Mapping) and isinstance(payload.get("alerts"), list):
        members, shared, holder = payload["alerts"], _shared(_Fields(payload)), "alerts"
    elif isinstance(payload, list):
        members, shared, holder = payload, _Shared(), ""
    else:
        return [_read(payload, _Shared(), "")]
    if not members:
        raise PayloadRefusedError(holder, "holds no alert")
    if len(members) > reading.ALERTS_MAX:
        raise PayloadRefusedError(
            holder, f"holds {len(members)} alerts; at most {reading.ALERTS_MAX} fit in one request"
        )
    alerts: list[IncomingAlert] = []
    refusals: list[PayloadRefusedError] = []
    for index, member in enumerate(members):
        try:
            alerts.append(_read(member, shared, f"{holder}[{index}]"))
        except PayloadRefusedError as refused:
            refusals.append(refused)
            alerts.append(_unreadable(member, refused))
    if len(refusals) == len(members):
        raise refusals[0]
    return alerts


@dataclass(frozen=True, slots=True)
class _Shared:
    """What a list's own object says for all its members, each of which may say otherwise."""

    service: str = ""
    component: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


class _Fields:
    """One object's fields by plain name. What was read is crossed off, so that everything else can be kept."""

    def __init__(self, member: Mapping[str, Any]) -> None:
        self._left: dict[str, tuple[str, Any]] = {}
        for name, value in member.items():
            self._left.setdefault(reading.plain(str(name)), (str(name), value))

    def value(self, name: str) -> Any:
        return self._left.get(name, ("", None))[1]

    def text(self, name: str) -> str:
        return reading.text_of(self.value(name)).strip()

    def first(self, names: tuple[str, ...]) -> str:
        """The name of the first field that holds text; empty if none does."""
        return next((name for name in names if self.text(name)), "")

    def cross_off(self, *names: str) -> None:
        for name in names:
            self._left.pop(name, None)

    def take(self, names: tuple[str, ...]) -> str:
        name = self.first(names)
        text = self.text(name)
        self.cross_off(name)
        return text

    def left(self) -> dict[str, Any]:
        """What nobody read, under its own names; credentials are nobody's to read."""
        return {name: value for plain, (name, value) in self._left.items() if plain not in reading.SECRETS}


def _read(member: Any, shared: _Shared, where: str) -> IncomingAlert:
    if isinstance(member, str):
        return _from_text(member, where)
    if not isinstance(member, Mapping):
        raise PayloadRefusedError(where, "must be an object with a title, or text")
    fields = _Fields(member)
    labels = [_tags(fields.value(name)) for name in LABELS]
    severity = next((found for name in SEVERITY if (found := SEVERITIES.get(fields.text(name).casefold()))), None)
    status = _take_status(fields)
    key = fields.take(DEDUP_KEY)
    summary = fields.take(TITLE)
    if not summary and (not key or status is AlertStatus.FIRING):
        raise PayloadRefusedError(f"{where}.title".lstrip("."), "is missing or blank; a title says what happened")
    told = [reading.readable(fields.value(name)) for name in BODY if fields.value(name) not in (None, "", {}, [])]
    started_at = reading.moment(fields.text(fields.first(STARTED_AT)))
    addresses = {name: link for name in URL if (link := reading.link(fields.value(name), _link_text(name)))}
    listed = _listed_links(fields.value("links"))
    # These stay among the labels too, where rules look for what the sender said.
    own = _shared(fields)

    fields.cross_off(*BODY, *addresses, *LABELS, *(["links"] if listed else []))
    fields.cross_off(fields.first(STARTED_AT) if started_at else "")
    short, long = _sorted(fields.left())
    title, body = reading.compose(summary, *told, reading.readable(long) if long else "")
    page = next(iter(addresses.values()), None)
    return IncomingAlert(
        source=NAME,
        dedup_key=reading.dedup_key(key) if key else reading.digest([own.service or shared.service, title]),
        status=status,
        title=title,
        body=body,
        severity_hint=severity,
        service=own.service or shared.service,
        component=own.component or shared.component,
        environment=own.environment or shared.environment,
        labels=reading.labels(*labels, short, shared.labels),
        links=reading.links(*addresses.values(), *listed),
        started_at=started_at,
        url=page.href if page else "",
        raw=reading.received(member),
    )


def _shared(fields: _Fields) -> _Shared:
    return _Shared(
        service=reading.name_of(fields.text(fields.first(SERVICE))),
        component=reading.name_of(fields.value("component")),
        environment=reading.name_of(fields.text(fields.first(ENVIRONMENT))),
        labels=reading.labels(_tags(fields.value("labels"))),
    )


def _from_text(text: str, where: str) -> IncomingAlert:
    whole = reading.clean(text).strip()
    if not whole:
        raise PayloadRefusedError(where or "title", "is missing or blank; a title says what happened")
    first, _, rest = whole.partition("\n")
    title, body = reading.compose(first, whole if rest else "")
    return IncomingAlert(
        source=NAME,
        dedup_key=reading.digest(["", title]),
        status=AlertStatus.FIRING,
        title=title,
        body=body,
        raw={"text": reading.clean(text)},
    )


def _unreadable(member: Any, refused: PayloadRefusedError) -> IncomingAlert:
    title, body = reading.compose(
        "An alert arrived that could not be read",
        reading.readable(reading.received(member)),
        notes=[f"It came in a list with others that could be read. {refused}."],
    )
    return IncomingAlert(
        source=NAME,
        dedup_key="unreadable-" + reading.digest(member),
        status=AlertStatus.FIRING,
        title=title,
        body=body,
        raw=reading.received(member),
    )


def _take_status(fields: _Fields) -> AlertStatus:
    for name in STATUS:
        word = fields.text(name).casefold()
        found = AlertStatus.RESOLVED if (name, word) == _UPTIMEROBOT_UP else STATUSES.get(word)
        if found:
            fields.cross_off(name)
            return found
    return AlertStatus.FIRING


def _tags(value: Any) -> Mapping[str, Any]:
    """Labels as an object, or as a list of `name:value` and `name=value`; a tag without a value is true."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return {}
    found: dict[str, Any] = {}
    for tag in value:
        text = reading.text_of(tag).strip()
        name, mark, rest = text.partition(":" if ":" in text else "=")
        found[name.strip()] = rest.strip() if mark else "true"
    return found


def _listed_links(value: Any) -> list[Link | None]:
    if not isinstance(value, list):
        return []
    found = []
    for item in value[: reading.LINKS_MAX]:
        href = item.get("href") or item.get("url") if isinstance(item, Mapping) else item
        found.append(reading.link(href, item.get("text") if isinstance(item, Mapping) else ""))
    return found


def _link_text(name: str) -> str:
    return {"dashboardurl": "Dashboard", "runbookurl": "Runbook", "imageurl": "Image"}.get(name, "")


def _sorted(rest: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What fits in a label, and what is for the body."""
    short: dict[str, Any] = {}
    long: dict[str, Any] = {}
    for name, value in rest.items():
        text = reading.text_of(value)
        fits = len(text) <= reading.LABEL_CHARACTERS_MAX and "\n" not in text and not isinstance(value, Mapping | list)
        (short if fits else long)[name] = value
    return short, long
