"""Google Cloud Monitoring's webhook channel. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "gcp-monitoring"

SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "high": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
}


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert; none for a test notification."""
    del now  # nothing here depends on the time
    incident = parts.at(payload, "incident")
    if not isinstance(incident, Mapping):
        raise PayloadRefusedError("incident", "is missing or no object; is this Google Cloud Monitoring's?")
    if parts.text(payload, "version").casefold() == "test":
        return []
    # Somebody wrote the subject for whoever is woken; a test notification has text in place of the object.
    documentation = incident.get("documentation")
    written = parts.first(parts.text(documentation, "content"), reading.text_of(documentation).strip())
    condition = parts.first(parts.text(incident, "condition_name"), parts.text(incident, "condition", "displayName"))
    policy = parts.text(incident, "policy_name")
    summary = parts.text(incident, "summary")
    title, body = reading.compose(
        parts.first(parts.text(documentation, "subject"), condition, policy, summary, "A Google Cloud incident"),
        summary,
        written,
        _observed(incident),
    )
    policy_labels = parts.object_of(incident.get("policy_user_labels"))
    user_labels = parts.object_of(parts.at(incident, "metadata", "user_labels"))
    said = parts.first(parts.text(incident, "severity"), parts.text(policy_labels, "severity")).casefold()
    page = reading.link(incident.get("url"), "Google Cloud")
    number = parts.text(incident, "incident_id")
    resource = parts.first(parts.text(incident, "resource_display_name"), parts.text(incident, "resource_name"))
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(number or reading.digest([policy, condition, resource])),
            status=AlertStatus.RESOLVED if parts.text(incident, "state").casefold() == "closed" else AlertStatus.FIRING,
            title=title,
            body=body,
            severity_hint=SEVERITIES.get(said),
            service=reading.name_of(parts.first(parts.text(policy_labels, "service"), resource)),
            environment=reading.name_of(
                parts.first(parts.text(policy_labels, "environment"), parts.text(user_labels, "environment"))
            ),
            labels=reading.labels(
                parts.labels(
                    alertname=condition or policy,
                    policy=policy,
                    project=incident.get("scoping_project_id"),
                    metric=parts.text(incident, "metric", "type"),
                    resource_type=parts.text(incident, "resource", "type"),
                ),
                policy_labels,
                parts.at(incident, "resource", "labels"),
                parts.at(incident, "metric", "labels"),
                user_labels,
            ),
            links=reading.links(page),
            started_at=reading.moment(incident.get("started_at")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _observed(incident: Mapping[str, Any]) -> str:
    observed, threshold = parts.text(incident, "observed_value"), parts.text(incident, "threshold_value")
    if not observed:
        return ""
    return f"Observed: {observed}" + (f" (threshold {threshold})" if threshold else "")
