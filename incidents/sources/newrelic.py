"""New Relic's workflow webhook. Pure.

The body is a template; the default one, and those that renamed its fields, are read. CREATED and ACTIVATED both come for
one issue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "newrelic"

SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "warning": Severity.MEDIUM,
    "low": Severity.LOW,
}
# DEACTIVATED comes before CLOSED, which ends it.
STATES: Mapping[str, AlertStatus | None] = {
    "created": AlertStatus.FIRING,
    "activated": AlertStatus.FIRING,
    "acknowledged": AlertStatus.ACKNOWLEDGED,
    "deactivated": None,
    "closed": AlertStatus.RESOLVED,
}
OWN = ("issueUrl", "issueId", "workflowName", "alertPolicyNames", "alertConditionNames", "totalIncidents")


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    if not isinstance(payload, Mapping):
        raise PayloadRefusedError("", "must be the object that the workflow's template makes")
    if not any(name in payload for name in OWN):
        return parts.otherwise(NAME, payload, now)
    status = _status(payload)
    if status is None:
        return []
    number = parts.first(parts.filled(payload.get("id")), parts.filled(payload.get("issueId")))
    conditions, policies = _names(payload.get("alertConditionNames")), _names(payload.get("alertPolicyNames"))
    entities = _names(payload.get("impactedEntities"))
    title, body = reading.compose(
        parts.first(_one(payload.get("title")), _one(payload.get("name")), *conditions, "A New Relic issue"),
        parts.section("Conditions", ", ".join(conditions)),
        parts.section("Entities", ", ".join(entities)),
        parts.section("Policies", ", ".join(policies)),
    )
    page = reading.link(payload.get("issueUrl"), "New Relic")
    said = parts.first(parts.text(payload, "priority"), parts.text(payload, "severity")).casefold()
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(number or reading.digest([conditions, entities, title])),
            status=status,
            title=title,
            body=body,
            severity_hint=SEVERITIES.get(said),
            service=reading.name_of(parts.first(*entities)),
            labels=parts.labels(
                alertname=parts.first(*conditions),
                policy=", ".join(policies),
                condition=", ".join(conditions),
                entity=", ".join(entities),
                workflow=payload.get("workflowName"),
                sources=", ".join(_names(payload.get("sources") or payload.get("source"))),
            ),
            links=reading.links(page),
            started_at=reading.moment(payload.get("createdAt")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _status(payload: Mapping[str, Any]) -> AlertStatus | None:
    state = parts.first(parts.text(payload, "state"), parts.text(payload, "status")).casefold()
    found = STATES.get(state, AlertStatus.FIRING)
    trigger = parts.first(parts.text(payload, "trigger"), parts.text(payload, "triggerEvent")).upper()
    if found is AlertStatus.FIRING and trigger == "ISSUE_ACKNOWLEDGED":
        return AlertStatus.ACKNOWLEDGED
    return found


def _names(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text for each in listed if (text := parts.filled(each))]


def _one(value: Any) -> str:
    """Templates give a title as text, or as a list of one."""
    return parts.first(*_names(value))
