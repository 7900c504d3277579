"""Every source there is: a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from incidents.sources import (
    alertmanager,
    azure_monitor,
    cloudwatch,
    datadog,
    email,
    gcp_monitoring,
    generic,
    github,
    gitlab,
    grafana,
    healthchecks,
    nagios,
    newrelic,
    opsgenie,
    pagerduty,
    sentry,
    signatures,
    sns,
    uptime_kuma,
    zabbix,
)
from incidents.sources.base import IncomingAlert
from incidents.sources.signatures import Check


class Parse(Protocol):
    """Raises PayloadRefusedError only, whatever JSON it is given. None at all: it asks for nobody, as a ping does."""

    def __call__(self, payload: Any, *, now: datetime) -> list[IncomingAlert]: ...


Content = Literal["json", "fields", "text", "words", "bytes"]


@dataclass(frozen=True, slots=True)
class Source:
    """`content` says what `parse` takes: `json`, a JSON value whatever the request calls it; `fields`, those of a form
    too; `text`, plain text that says it is that too; `words`, whatever is not JSON as text too."""

    name: str  # as in tocsin.yaml and in the address its alerts are posted to
    parse: Parse
    content: Content
    describes: str
    by_get: bool = False  # a GET with a query brings an alert too; a browser that opens the address must not
    # Whether a request is the sender's, if the integration has a secret, or always. None: the key is all there is.
    check: Check | None = signatures.bearer
    is_always_checked: bool = False
    confirm: Callable[[Any], str] | None = None  # where something is confirmed by a GET, for a payload that asks for it


# fmt: off
SOURCES: Mapping[str, Source] = {source.name: source for source in (
    Source(alertmanager.NAME, alertmanager.parse, "json", "Prometheus Alertmanager's webhook, or Prometheus itself"),
    Source(azure_monitor.NAME, azure_monitor.parse, "json", "Azure Monitor's common alert schema", check=None),
    Source(cloudwatch.NAME, cloudwatch.parse, "json", "CloudWatch alarms and other messages of an Amazon SNS topic",
           check=sns.check, is_always_checked=True, confirm=sns.confirmation),
    Source(datadog.NAME, datadog.parse, "fields", "Datadog's webhooks integration"),
    Source(email.NAME, email.parse, "bytes", "a letter, from anything that can send one", check=None),
    Source(gcp_monitoring.NAME, gcp_monitoring.parse, "json", "Google Cloud Monitoring's webhook channel"),
    Source(generic.NAME, generic.parse, "text", "JSON, a form or text from anything that can send a request",
           check=signatures.of_generic),
    Source(github.NAME, github.parse, "fields", "GitHub's workflow runs, jobs and checks that fail", check=signatures.github),
    Source(gitlab.NAME, gitlab.parse, "json", "GitLab's pipelines and jobs that fail", check=signatures.gitlab),
    Source(grafana.NAME, grafana.parse, "json", "Grafana's alerting", check=signatures.grafana),
    Source(healthchecks.NAME, healthchecks.parse, "words", "Healthchecks.io, hosted or one's own", by_get=True),
    Source(nagios.NAME, nagios.parse, "fields", "Nagios and Icinga, by a notification command"),
    Source(newrelic.NAME, newrelic.parse, "json", "New Relic's workflows"),
    Source(opsgenie.NAME, opsgenie.parse, "json", "an alert of Opsgenie's Alert API v2", check=None),
    Source(pagerduty.NAME, pagerduty.parse, "json", "an event of PagerDuty's Events API v2", check=None),
    Source(sentry.NAME, sentry.parse, "json", "Sentry's issues, issue alerts and metric alerts", check=signatures.sentry),
    Source(uptime_kuma.NAME, uptime_kuma.parse, "fields", "Uptime Kuma", by_get=True),
    Source(zabbix.NAME, zabbix.parse, "fields", "Zabbix' webhook media type"),
)}
# fmt: on
