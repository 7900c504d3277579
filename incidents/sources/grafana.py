"""Grafana's alerting: the unified webhook, and the one of dashboards' alerts before Grafana 9. Pure.

Like Alertmanager's, one POST is a group with a status for each member. A payload template of somebody's own can replace
everything: then it is read as `generic` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.sources import alertmanager, parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "grafana"

# The rule is named by another label then: its query failed or found nothing.
DATASOURCE = ("DatasourceNoData", "DatasourceError")
SERVICES = ("service", "grafana_folder", "team")
PAGES = {"dashboardURL": "Dashboard", "panelURL": "Panel", "imageURL": "Image", "silenceURL": "Silence it"}
# States of a dashboard's alert. Pending and paused ask for nobody.
STATES: Mapping[str, AlertStatus | None] = {
    "alerting": AlertStatus.FIRING,
    "no_data": AlertStatus.FIRING,
    "ok": AlertStatus.RESOLVED,
    "pending": None,
    "paused": None,
}


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert per member; none for what the button "Test" of a contact point sends."""
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be Grafana's webhook object")
    members = payload.get("alerts")
    if isinstance(members, list) and any(isinstance(member, Mapping) for member in members):
        if len(members) > reading.ALERTS_MAX:
            raise PayloadRefusedError("alerts", f"holds {len(members)} alerts; at most {reading.ALERTS_MAX} fit")
        return [_read(member, payload) for member in members if not _is_test(member)]
    if "ruleName" in payload or "ruleId" in payload:
        return _of_dashboard(payload)
    return parts.otherwise(NAME, payload, now)


def _is_test(member: Any) -> bool:
    return parts.text(member, "labels", "alertname") == "TestAlert" and (
        parts.text(member, "labels", "instance") == "Grafana"
    )


def _read(member: Any, group: Mapping[str, Any]) -> IncomingAlert:
    own = parts.at(member, "labels")
    labels = reading.labels(own, group.get("commonLabels"), group.get("groupLabels"))
    texts = {str(name): reading.text_of(value).strip() for name, value in _annotations(member, group).items()}
    name = labels.get("alertname", "").strip()
    if name in DATASOURCE:
        title = f"{name} ({labels.get('rulename') or 'rule without a name'})"
    else:
        title = parts.first(texts.pop("summary", ""), name, parts.text(group, "title"), "Alert without a name")
    runbook = reading.link(texts.get("runbook_url"), "Runbook")
    if runbook:
        del texts["runbook_url"]
    described = texts.pop("description", "")
    cut = parts.text(group, "truncatedAlerts")
    truncated = int(cut) if cut.isascii() and cut.isdigit() and len(cut) < 10 else 0
    title, body = reading.compose(
        title,
        described,
        reading.readable({name: text for name, text in texts.items() if text}) if any(texts.values()) else "",
        _values(member),
        notes=[f"Grafana cut this group: {truncated} more alerts were not sent. Raise its limit."] if truncated else [],
    )
    origin = reading.link(parts.at(member, "generatorURL"), "Grafana")
    pages = [reading.link(parts.at(member, field), text) for field, text in PAGES.items()]
    status = parts.text(member, "status").casefold()
    return IncomingAlert(
        source=NAME,
        dedup_key=_key(member, own, group),
        status=AlertStatus.RESOLVED if status == "resolved" else AlertStatus.FIRING,
        title=title,
        body=body,
        severity_hint=alertmanager.SEVERITIES.get(
            parts.first(labels.get("severity", ""), labels.get("priority", "")).strip().casefold()
        ),
        service=reading.name_of(parts.first(*(labels.get(each, "") for each in SERVICES))),
        component=reading.name_of(labels.get("component")),
        environment=reading.name_of(parts.first(*(labels.get(each, "") for each in alertmanager.ENVIRONMENTS))),
        labels=labels,
        links=reading.links(runbook, origin, *pages, reading.link(group.get("externalURL"), "Grafana")),
        started_at=reading.moment(parts.at(member, "startsAt")),
        url=origin.href if origin else "",
        raw=reading.received(member),
    )


def _annotations(member: Any, group: Mapping[str, Any]) -> dict[str, Any]:
    found = parts.at(member, "annotations")
    return dict(found if isinstance(found, Mapping) else parts.object_of(group.get("commonAnnotations")))


def _values(member: Any) -> str:
    values = parts.at(member, "values")
    if isinstance(values, Mapping) and values:
        return "Values:\n" + reading.readable(values)
    return parts.section("Values", parts.at(member, "valueString"))


def _key(member: Any, own: Any, group: Mapping[str, Any]) -> str:
    """The fingerprint is of the labels alone, and two organisations of one Grafana may have the same."""
    sent = parts.text(member, "fingerprint")
    if not sent and isinstance(own, Mapping) and own:
        sent = alertmanager.fingerprint({str(name): reading.label_text(value) for name, value in own.items()})
    sent = sent or "unlabelled-" + reading.digest([parts.text(group, "groupKey"), parts.at(member, "annotations")])
    organisation = parts.first(parts.text(member, "orgId"), parts.text(group, "orgId"), "1")
    return reading.dedup_key(sent if organisation == "1" else f"{organisation}/{sent}")


def _of_dashboard(payload: Mapping[str, Any]) -> list[IncomingAlert]:
    status = STATES.get(parts.text(payload, "state").casefold(), AlertStatus.FIRING)
    name = parts.text(payload, "ruleName")
    if status is None or name == "Test notification":
        return []
    title, body = reading.compose(
        parts.first(name, parts.text(payload, "title"), "Alert without a name"), parts.text(payload, "message")
    )
    page = reading.link(payload.get("ruleUrl"), "Grafana")
    number = parts.text(payload, "ruleId")
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(f"ruleId={number}" if number else reading.digest(name)),
            status=status,
            title=title,
            body=body,
            labels=reading.labels({"alertname": name} if name else {}, payload.get("tags")),
            links=reading.links(page, reading.link(payload.get("imageUrl"), "Image")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]
