"""What is made of an alert: what the rules find, and beside it what the person who reports says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from incidents import classification, severity
from incidents.classification import AlertText, Classification
from incidents.desk import Actor, Desk
from incidents.models import Service
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import IncomingAlert


@dataclass(frozen=True, slots=True)
class Report:
    """A person reports, and what they think of it. They may raise or lower an operational result; a constitutional one
    only rises, and its class stays."""

    actor: Actor
    severity: Severity | None = None
    incident_class: IncidentClass | None = None


def classify(desk: Desk, service: Service, incoming: IncomingAlert) -> Classification:
    text = AlertText(
        title=incoming.title,
        body=incoming.body,
        name=incoming.labels.get("alertname", ""),
        service=service.key,
        component=incoming.component,
        environment=incoming.environment,
        source=incoming.source,
        labels=incoming.labels,
        status=incoming.status,
        severity_hint=incoming.severity_hint,
        protected=service.protected,
    )
    return classification.classify(text, desk.ruleset)


def judged(found: Classification, report: Report) -> Classification:
    new_class = severity.class_after_repeat(found.incident_class, report.incident_class or found.incident_class)
    said = report.severity or found.severity
    constitutional = found.incident_class is IncidentClass.CONSTITUTIONAL
    new = severity.worst(found.severity, said) if constitutional else said
    if (new_class, new) == (found.incident_class, found.severity):
        return found
    sentence = f"{found.sentence} {report.actor.name} makes it {new_class} {new}."
    return replace(found, incident_class=new_class, severity=new, sentence=sentence, confirm_class=False)


def explanation(found: Classification) -> dict[str, object]:
    return {**found.record, "sentence": found.sentence, "reasons": list(found.reasons)}
