"""Prometheus Alertmanager's webhook (version 4), and what Prometheus itself posts to `/api/v2/alerts`. Pure.

One POST is one group of alerts, each with its own status; a member that is missing from a later POST is not thereby
resolved. Alertmanager gives up on anything but a 5xx or 429, so a member that cannot be read becomes an alert that says
so, and only what is not recognisably Alertmanager's is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import reading
from incidents.sources.base import AlertStatus, IncomingAlert, Link, PayloadRefusedError

NAME = "alertmanager"

# By the `severity` label, else `priority`. Nobody standardised the words: these are the ones of kube-prometheus and of
# "page or ticket" teams. "none" (the Watchdog) and anything else is no hint; the rules decide.
SEVERITIES: Mapping[str, Severity] = {
    word: severity
    for severity, words in {
        Severity.CRITICAL: "critical crit emergency disaster fatal p1",
        Severity.HIGH: "page high major error p2",
        Severity.MEDIUM: "warning warn average medium p3",
        Severity.LOW: "minor low ticket notice p4",
        Severity.INFO: "info p5",
    }.items()
    for word in words.split()
}

TRUNCATED = "truncated_alerts"  # the label that a group cut by `max_alerts` gets

TITLES = ("summary", "title")
DESCRIPTIONS = ("description", "message")
SERVICES = ("service", "job", "component", "namespace")
ENVIRONMENTS = ("environment", "env", "stage")

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_64_BITS = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Group:
    """What the members of one POST share."""

    labels: Mapping[str, str]
    name: str
    home: Link | None  # Alertmanager's own page
    truncated: int  # members that `max_alerts` kept back


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert per member. Without a status (Prometheus sends none), a member is resolved once `endsAt` has passed."""
    envelope, members, field = _members(payload)
    if not members:
        raise PayloadRefusedError(field, "holds no alert")
    if len(members) > reading.ALERTS_MAX:
        raise PayloadRefusedError(
            field, f"holds {len(members)} alerts; at most {reading.ALERTS_MAX} fit in one request"
        )
    group = _Group(
        labels=reading.labels(envelope.get("groupLabels"), envelope.get("commonLabels")),
        name=reading.name_of(envelope.get("groupKey")) or reading.name_of(envelope.get("receiver")),
        home=reading.link(envelope.get("externalURL"), "Alertmanager"),
        truncated=_count(envelope.get("truncatedAlerts")),
    )
    if not group.labels and not any(_is_alert(member) for member in members):
        raise PayloadRefusedError(f"{field}[0].labels", "must be an object with the alert's labels")
    return [_read(member, group, now) for member in members]


def fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's own: FNV-1a over the sorted labels, each name and value followed by a 0xFF byte.

    Computed only when it was not sent, so that the same alert has the same key whether Prometheus or Alertmanager
    posts it.
    """
    encoded = [(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in labels.items()]
    total = _FNV_OFFSET
    for byte in b"".join(name + b"\xff" + value + b"\xff" for name, value in sorted(encoded)):
        total = ((total ^ byte) * _FNV_PRIME) & _64_BITS
    return f"{total:016x}"


def _members(payload: Any) -> tuple[Mapping[str, Any], list[Any], str]:
    """The group's own fields, its members, and the name of the field that holds them."""
    if isinstance(payload, list):
        return {}, payload, ""
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be Alertmanager's webhook object or a list of alerts")
    if "alerts" not in payload and _is_alert(payload):
        return {}, [payload], ""
    members = payload.get("alerts")
    if not isinstance(members, list):
        raise PayloadRefusedError("alerts", "must be a list" if "alerts" in payload else "is missing")
    return payload, members, "alerts"


def _is_alert(member: Any) -> bool:
    return isinstance(member, Mapping) and any(
        isinstance(member.get(part), Mapping) for part in ("labels", "annotations")
    )


def _read(member: Any, group: _Group, now: datetime) -> IncomingAlert:
    damage: list[str] = []
    fields = _object(member, "it", damage)
    own = _object(fields.get("labels"), "its labels", damage)
    annotations = _object(fields.get("annotations") or {}, "its annotations", damage)
    texts = {str(name): reading.text_of(value).strip() for name, value in annotations.items()}
    labels = reading.labels(own) or dict(group.labels)
    status = _status(fields, now, damage)
    started_at = reading.moment(fields.get("startsAt"))

    titled = next((name for name in TITLES if texts.get(name)), "")
    described = next((name for name in DESCRIPTIONS if texts.get(name)), "")
    pages = {name: link for name, text in texts.items() if (link := _page(name, text))}
    rest = {
        name: text for name, text in texts.items() if text and name not in (titled, described) and name not in pages
    }
    origin = reading.link(fields.get("generatorURL"), "Prometheus")
    main = origin or group.home
    raw = reading.received(member)
    if group.truncated:
        labels[TRUNCATED] = str(group.truncated)
    title, body = reading.compose(
        texts.get(titled) or labels.get("alertname", "").strip() or _nameless(labels, group),
        texts.get(described, ""),
        reading.readable(rest) if rest else "",
        reading.readable(raw) if damage else "",
        notes=_notes(group, damage),
    )
    return IncomingAlert(
        source=NAME,
        dedup_key=_key(fields, own, member, group),
        status=status,
        title=title,
        body=body,
        severity_hint=_severity(labels),
        service=reading.name_of(_first(labels, SERVICES)),
        component=reading.name_of(labels.get("component")),
        environment=reading.name_of(_first(labels, ENVIRONMENTS)),
        labels=labels,
        links=reading.links(*pages.values(), origin, group.home),
        started_at=started_at,
        url=main.href if main else "",
        raw=raw,
    )


def _object(value: Any, what: str, damage: list[str]) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    # One complaint is enough: an alert that is not an object has no labels either.
    if not damage:
        damage.append(f"{what} {'are' if what.endswith('s') else 'is'} not an object")
    return {}


def _status(fields: Mapping[str, Any], now: datetime, damage: list[str]) -> AlertStatus:
    stated = reading.text_of(fields.get("status")).strip().casefold()
    if stated in (AlertStatus.FIRING, AlertStatus.RESOLVED):
        return AlertStatus(stated)
    if stated:
        damage.append(f"its status “{reading.cut(stated, 80)}” is unknown and was taken as firing")
        return AlertStatus.FIRING
    ends_at = reading.moment(fields.get("endsAt"))
    return AlertStatus.RESOLVED if ends_at and ends_at <= now else AlertStatus.FIRING


def _key(fields: Mapping[str, Any], own: Mapping[str, Any], member: Any, group: _Group) -> str:
    sent = reading.text_of(fields.get("fingerprint")).strip()
    if sent:
        return reading.dedup_key(sent)
    if own:
        return fingerprint({str(name): reading.label_text(value) for name, value in own.items()})
    # Times and status change between the POSTs that speak of one alert, the rest identifies it.
    lasting = {
        name: value for name, value in fields.items() if name not in ("status", "startsAt", "endsAt", "updatedAt")
    }
    return "unlabelled-" + reading.digest([group.name, lasting or member])


def _severity(labels: Mapping[str, str]) -> Severity | None:
    return SEVERITIES.get(_first(labels, ("severity", "priority")).strip().casefold())


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _page(name: str, text: str) -> Link | None:
    """An annotation that is nothing but an address, named after itself: `runbook_url` is the "Runbook"."""
    if " " in text:
        return None
    return reading.link(text, name.removesuffix("_url").replace("_", " ").strip().capitalize())


def _count(value: Any) -> int:
    text = reading.text_of(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _nameless(labels: Mapping[str, str], group: _Group) -> str:
    known = ", ".join(f"{name}={value}" for name, value in labels.items() if name != TRUNCATED) or group.name
    return f"Alert without a name ({known})" if known else "Alert without a name"


def _notes(group: _Group, damage: list[str]) -> list[str]:
    notes = []
    if group.truncated:
        notes.append(
            f"Alertmanager cut this group: {group.truncated} more alerts were not sent. Raise max_alerts of this receiver."
        )
    if damage:
        notes.append(f"This alert arrived damaged: {'; '.join(damage)}.")
    return notes
