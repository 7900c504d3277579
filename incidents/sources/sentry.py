"""Sentry's integration platform (issue alerts, metric alerts, issues), and its older WebHooks plugin. Pure.

An issue alert never says that it is over; the resource `issue` does, and both name the issue alike here. What is about
the installation, comments and the like is taken and asks for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "sentry"

SEVERITIES: Mapping[str, Severity] = {
    "fatal": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "debug": Severity.INFO,
}
ISSUE_ACTIONS: Mapping[str, AlertStatus] = {
    "created": AlertStatus.FIRING,
    "unresolved": AlertStatus.FIRING,
    "resolved": AlertStatus.RESOLVED,
    "archived": AlertStatus.RESOLVED,
    "ignored": AlertStatus.RESOLVED,
    "assigned": AlertStatus.ACKNOWLEDGED,
}


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    del now  # nothing here depends on the time
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be an object as Sentry's webhooks send it")
    data = payload.get("data")
    for name in ("event", "error"):
        if isinstance(parts.at(data, name), Mapping):
            return [_event(payload, parts.at(data, name))]
    if isinstance(parts.at(data, "metric_alert"), Mapping):
        return [_metric(payload)]
    if isinstance(parts.at(data, "issue"), Mapping):
        return _issue(payload)
    if isinstance(payload.get("event"), Mapping) and "project" in payload:
        return [_plugin(payload)]
    if isinstance(payload.get("installation"), Mapping):
        return []
    raise PayloadRefusedError("data", "holds no event, issue or metric_alert; is this Sentry's?")


def _event(payload: Mapping[str, Any], event: Mapping[str, Any]) -> IncomingAlert:
    issue = parts.first(parts.text(event, "issue_id"), parts.text(event, "issue", "id"))
    rule = parts.text(payload, "data", "triggered_rule")
    title = parts.first(parts.text(event, "title"), parts.text(event, "message"), rule, "An event without a title")
    return _alert(
        payload,
        key=f"issue/{issue}" if issue else "event/" + reading.digest([event.get("project"), title]),
        status=AlertStatus.FIRING,
        title=title,
        sections=(
            *_told(event, title),
            parts.section("Rule", rule),
        ),
        level=parts.text(event, "level"),
        service=parts.text(event, "project"),
        labels=reading.labels({"alertname": rule} if rule else {}, _tags(event.get("tags")), _own(event)),
        pages=(event.get("web_url"), event.get("issue_url"), event.get("url")),
        started=parts.first(parts.text(event, "datetime"), parts.text(event, "timestamp")),
    )


def _metric(payload: Mapping[str, Any]) -> IncomingAlert:
    data = parts.object_of(payload.get("data"))
    metric = parts.object_of(data.get("metric_alert"))
    rule = parts.object_of(metric.get("alert_rule"))
    action = parts.text(payload, "action").casefold()
    name = parts.text(rule, "name")
    number = parts.text(metric, "id")
    return _alert(
        payload,
        key="metric_alert/" + (number or reading.digest([rule.get("id"), name])),
        status=AlertStatus.RESOLVED if action in ("resolved", "closed") else AlertStatus.FIRING,
        title=parts.first(
            parts.text(data, "description_title"), name, parts.text(metric, "title"), "A metric alert without a name"
        ),
        sections=(parts.text(data, "description_text").replace("\\n", "\n"), parts.section("Query", rule.get("query"))),
        level=action,
        service=parts.text(metric, "projects", 0),
        labels=parts.labels(alertname=name, environment=rule.get("environment"), aggregate=rule.get("aggregate")),
        pages=(data.get("web_url"),),
        started=parts.first(parts.text(metric, "date_started"), parts.text(metric, "date_detected")),
    )


def _issue(payload: Mapping[str, Any]) -> list[IncomingAlert]:
    action = parts.text(payload, "action").casefold()
    status = ISSUE_ACTIONS.get(action)
    # Sentry also assigns by itself, by who owns the code: nobody has seen it then.
    by_itself = action == "assigned" and parts.text(payload, "actor", "type") != "user"
    if status is None or by_itself:
        return []
    issue = parts.object_of(parts.at(payload, "data", "issue"))
    title = parts.first(parts.text(issue, "title"), "An issue without a title")
    number = parts.text(issue, "id")
    return [
        _alert(
            payload,
            key="issue/" + (number or reading.digest([parts.at(issue, "project", "slug"), title])),
            status=status,
            title=title,
            sections=_told(issue, title),
            level=parts.text(issue, "level"),
            service=parts.first(parts.text(issue, "project", "slug"), parts.text(issue, "project", "name")),
            labels=parts.labels(issue=issue.get("shortId"), platform=issue.get("platform"), logger=issue.get("logger")),
            pages=(issue.get("web_url"), issue.get("permalink"), issue.get("url")),
            started=parts.text(issue, "firstSeen"),
        )
    ]


def _plugin(payload: Mapping[str, Any]) -> IncomingAlert:
    event = parts.object_of(payload.get("event"))
    number = parts.text(payload, "id")
    title = parts.first(parts.text(event, "title"), parts.text(payload, "message"), "An event without a title")
    return _alert(
        payload,
        key="issue/" + (number or reading.digest([payload.get("project"), title])),
        status=AlertStatus.FIRING,
        title=title,
        sections=(parts.text(payload, "message"), *_told(payload, title)),
        level=parts.first(parts.text(payload, "level"), parts.text(event, "level")),
        service=parts.first(parts.text(payload, "project_slug"), parts.text(payload, "project")),
        labels=reading.labels(_tags(event.get("tags")), _own(event)),
        pages=(payload.get("url"),),
        started=parts.text(event, "timestamp"),
    )


def _alert(
    payload: Mapping[str, Any],
    *,
    key: str,
    status: AlertStatus,
    title: str,
    sections: tuple[str, ...],
    level: str,
    service: str,
    labels: Mapping[str, str],
    pages: tuple[Any, ...],
    started: str,
) -> IncomingAlert:
    title, body = reading.compose(title, *sections)
    links = reading.links(*(reading.link(page, "Sentry") for page in pages))
    return IncomingAlert(
        source=NAME,
        dedup_key=reading.dedup_key(key),
        status=status,
        title=title,
        body=body,
        severity_hint=SEVERITIES.get(level.casefold()),
        service=reading.name_of(service),
        environment=reading.name_of(labels.get("environment")),
        labels=labels,
        links=links,
        started_at=reading.moment(started),
        url=links[0].href if links else "",
        raw=reading.received(payload),
    )


def _told(thing: Mapping[str, Any], title: str) -> tuple[str, ...]:
    value = parts.text(thing, "metadata", "value")
    return (value if value not in title else "", parts.section("In", thing.get("culprit")))


def _own(event: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: event.get(name) for name in ("environment", "release", "platform", "logger")}
    return {name: value for name, value in named.items() if reading.text_of(value)}


def _tags(value: Any) -> dict[str, Any]:
    """Pairs in a list; a few versions send objects."""
    if isinstance(value, Mapping):
        return dict(value)
    found: dict[str, Any] = {}
    for tag in value if isinstance(value, list) else []:
        if isinstance(tag, list) and len(tag) == 2:
            found[reading.text_of(tag[0])] = tag[1]
        elif isinstance(tag, Mapping):
            found[parts.text(tag, "key")] = tag.get("value")
    return found
