"""Azure Monitor's common alert schema. Pure.

Activity-log, service-health and log alerts may never be said to be over; metric alerts are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from incidents.severity import Severity
from incidents.sources import parts, reading
from incidents.sources.base import AlertStatus, IncomingAlert, PayloadRefusedError

NAME = "azure-monitor"

SEVERITIES: Mapping[str, Severity] = {
    "sev0": Severity.CRITICAL,
    "sev1": Severity.HIGH,
    "sev2": Severity.MEDIUM,
    "sev3": Severity.LOW,
    "sev4": Severity.INFO,
}
PORTAL = "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"
# "Test action group" sends alerts of this subscription, which is nobody's.
TEST_SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111/"


def parse(payload: Any, *, now: datetime) -> list[IncomingAlert]:
    """One alert; none for a test of the action group."""
    del now  # nothing here depends on the time
    essentials = parts.at(payload, "data", "essentials")
    if not isinstance(essentials, Mapping):
        raise PayloadRefusedError(
            "data.essentials", "is missing; turn on the common alert schema in the action group's webhook"
        )
    number = parts.text(essentials, "alertId")
    if number.startswith(TEST_SUBSCRIPTION):
        return []
    rule = parts.text(essentials, "alertRule")
    context = parts.at(payload, "data", "alertContext")
    own = parts.object_of(parts.at(context, "labels"))
    target = parts.text(essentials, "alertTargetIDs", 0)
    title, body = reading.compose(
        rule or "An Azure alert without a rule",
        parts.text(essentials, "description"),
        parts.text(context, "annotations", "summary"),
        reading.readable(context) if isinstance(context, Mapping) and context else "",
    )
    page = reading.link(PORTAL + quote(number, safe="") if number else "", "Azure")
    condition = parts.text(essentials, "monitorCondition").casefold()
    item = parts.first(parts.text(essentials, "configurationItems", 0), _group(target))
    return [
        IncomingAlert(
            source=NAME,
            dedup_key=reading.dedup_key(
                parts.first(number, parts.text(essentials, "originAlertId")) or reading.digest([rule, target])
            ),
            status=AlertStatus.RESOLVED if condition == "resolved" else AlertStatus.FIRING,
            title=title,
            body=body,
            severity_hint=SEVERITIES.get(parts.text(essentials, "severity").casefold()),
            service=reading.name_of(parts.first(parts.text(own, "service"), item)),
            environment=reading.name_of(parts.first(parts.text(own, "environment"), parts.text(own, "Environment"))),
            labels=reading.labels(
                parts.labels(
                    alertname=rule,
                    monitoring_service=essentials.get("monitoringService"),
                    signal_type=essentials.get("signalType"),
                    resource_group=_group(target),
                ),
                own,
                _dimensions(context),
                parts.at(payload, "data", "customProperties"),
            ),
            links=reading.links(page),
            started_at=reading.moment(essentials.get("firedDateTime")),
            url=page.href if page else "",
            raw=reading.received(payload),
        )
    ]


def _group(target: str) -> str:
    """The resource group in a resource's id, which is a path of names and values."""
    words = target.split("/")
    return next((value for name, value in pairwise(words) if name.casefold() == "resourcegroups"), "")


def _dimensions(context: Any) -> dict[str, Any]:
    conditions = parts.at(context, "condition", "allOf")
    listed = [parts.at(each, "dimensions") for each in conditions] if isinstance(conditions, list) else []
    return {
        name: parts.at(dimension, "value")
        for dimensions in listed
        if isinstance(dimensions, list)
        for dimension in dimensions
        if (name := parts.text(dimension, "name"))
    }
