"""The sample team of `tocsin up --demo`, its integration keys, and sample alerts to send it. Pure, but for one read.

The keys follow from the secret key: the same at every start, so that they can be shown again though only their hashes
are stored, and different on every machine, so that nobody else's demo knows them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FILE_NAME = "demo.yaml"
KEY_CHARACTERS = 32  # what PagerDuty's senders accept, and enough for all others

# (service, source) of each integration in the file.
INTEGRATIONS = (
    ("checkout", "pagerduty"),
    ("checkout", "alertmanager"),
    ("checkout", "generic"),
    ("event-store", "pagerduty"),
    ("event-store", "alertmanager"),
    ("reports", "generic"),
)


@dataclass(frozen=True, slots=True)
class SampleAlert:
    """A request as a monitor would send it: `payload` as JSON, by POST, to `path` below the base URL."""

    name: str  # short and stable, for an address or a button
    says: str  # what it shows, for people
    service: str
    source: str
    path: str
    payload: Mapping[str, Any]


def text() -> str:
    """The declaration, to be read with `environment`."""
    return Path(__file__).with_name(FILE_NAME).read_text(encoding="utf-8")


def environment(secret_key: str) -> dict[str, str]:
    """The values of the `${VAR}` in the text: nothing but the integration keys."""
    return {
        f"{service}_{source}_key".upper().replace("-", "_"): key(secret_key, service, source)
        for service, source in INTEGRATIONS
    }


def key(secret_key: str, service: str, source: str) -> str:
    """This installation's demo key of one integration."""
    purpose = f"demo integration key: {service} {source}"
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()[:KEY_CHARACTERS]


def sample_alerts(secret_key: str, *, now: datetime) -> tuple[SampleAlert, ...]:
    """One of each kind: operational HIGH, constitutional CRITICAL, and a MEDIUM that waits 15 minutes for somebody.

    Sent again while its incident is open, the first opens another one, and the others count as repeats.
    """
    return (_checkout_down(secret_key, now), _broken_chain(secret_key, now), _slow_report(secret_key, now))


def _checkout_down(secret_key: str, now: datetime) -> SampleAlert:
    payload = {
        "routing_key": key(secret_key, "checkout", "pagerduty"),
        "event_action": "trigger",
        "payload": {
            "summary": "Checkout is down: health check failing on all replicas",
            "source": "checkout-load-balancer",
            "severity": "error",
            "timestamp": now.isoformat(),
            "custom_details": {
                "environment": "production",
                "replicas": "0 of 3 answer",
                "requests_per_second": 412,
                "last_change": "release 2026.11.3, 9 minutes before",
            },
        },
        "client": "Sample monitor",
    }
    says = "An operational incident, HIGH: pages whoever is on call at once."
    return SampleAlert("checkout-down", says, "checkout", "pagerduty", "/v2/enqueue", payload)


def _broken_chain(secret_key: str, now: datetime) -> SampleAlert:
    labels = {"alertname": "HashChainBroken", "service": "event-store", "severity": "critical", "replica": "store-2"}
    annotations = {
        "summary": "Hash chain broken at event 48211",
        "description": "The previous hash of event 48211 is not the hash of event 48210. Replica store-1 agrees.",
    }
    payload = {
        "version": "4",
        "groupKey": '{}:{alertname="HashChainBroken"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "tocsin",
        "groupLabels": {"alertname": "HashChainBroken"},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": annotations,
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
            }
        ],
    }
    says = "A constitutional incident, CRITICAL: recommends a halt and asks a keeper to decide; nobody closes it alone."
    path = f"/alerts/alertmanager/{key(secret_key, 'event-store', 'alertmanager')}"
    return SampleAlert("broken-chain", says, "event-store", "alertmanager", path, payload)


def _slow_report(secret_key: str, now: datetime) -> SampleAlert:
    payload = {
        "title": "Monthly report took 42 minutes instead of 15",
        "body": "It was delivered. At this rate it will miss its hour in two months.",
        "severity": "medium",
        "status": "firing",
        "dedup_key": "reports/monthly/duration",
        "service": "reports",
        "component": "scheduler",
        "environment": "production",
        "started_at": now.isoformat(),
        "labels": {"report": "monthly", "rows": "1204331"},
    }
    says = (
        "An operational incident, MEDIUM: tells the person on call quietly, and pages if nobody answers in 15 minutes."
    )
    path = f"/alerts/generic/{key(secret_key, 'reports', 'generic')}"
    return SampleAlert("slow-report", says, "reports", "generic", path, payload)
