"""The corridor from an alert to its first page. One transaction an alert: dedup, open or update, classify, escalate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from config.errors import ConflictError
from escalation import escalate, locks, settled
from escalation.escalate import Terms
from escalation.plan import BusinessDays
from incidents import actions, briefing, classification, noting, remedying, rising, routing, severity
from incidents.classification import AlertText, Classification
from incidents.desk import Actor, Desk
from incidents.lifecycle import Status
from incidents.models import Alert, Incident, Integration, Service
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus, IncomingAlert
from runbook_links import links
from runbook_links.matching import Wanted

# Built once: building a statement was measured to cost more than running it.
_DOOR = (
    select(Integration, Service)
    .join(Service, Service.id == Integration.service_id)
    .where(Integration.key_hash == bindparam("key_hash"))
)
_OPEN_ALERT = select(Alert).where(
    Alert.integration_id == bindparam("integration"),
    Alert.dedup_key == bindparam("dedup_key"),
    Alert.status == AlertStatus.FIRING,
)


@dataclass(frozen=True, slots=True)
class Received:
    """Where an accepted alert went. `incident_id` None: it ended or acknowledged something that is not open."""

    incident_id: int | None
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A person reports, and what they think of it. They may raise or lower an operational result; a constitutional one
    only rises, and its class stays."""

    actor: Actor
    severity: Severity | None = None
    incident_class: IncidentClass | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """The integration an alert came in by."""

    integration_id: int
    service: Service
    source: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    signing_secret: str = field(default="", repr=False)  # sealed
    topic: str = ""
    key_hint: str = ""


def door(session: Session, key_hash: str, source: str | None = None) -> Door | None:
    """The integration with this key; None when there is none, or it is another source's."""
    found = session.execute(_DOOR, {"key_hash": key_hash}).one_or_none()
    if found is None or (source is not None and found[0].source != source):
        return None
    way_in, service = found
    return Door(
        way_in.id,
        service,
        way_in.source,
        mapping=way_in.mapping,
        signing_secret=way_in.signing_secret,
        topic=way_in.topic,
        key_hint=way_in.key_hint,
    )


def receive(
    session: Session, desk: Desk, door: Door, incoming: IncomingAlert, now: datetime, *, report: Report | None = None
) -> Received:
    """Take one alert in. When the transaction commits, it is stored and belongs to exactly one incident."""
    _one_at_a_time(session, door, incoming)
    alert = session.scalar(_OPEN_ALERT, {"integration": door.integration_id, "dedup_key": incoming.dedup_key})
    if incoming.status is AlertStatus.FIRING:
        report = report or Report(Actor(name=incoming.source, kind="source", via=incoming.source))
        if alert is None:
            return _open(session, desk, door, incoming, report, now)
        return _repeat(session, desk, door, alert, incoming, report, now)
    actor = Actor(name=f"{incoming.source} ({door.service.key})", kind="source", via=incoming.source)
    if alert is None:
        return Received(None)
    if incoming.status is AlertStatus.RESOLVED:
        actions.resolve_alert(session, desk, alert, actor, now)
    else:
        actions.acknowledge(session, desk, alert.incident_id, actor, now)
    return Received(alert.incident_id)


def _open(session: Session, desk: Desk, door: Door, incoming: IncomingAlert, report: Report, now: datetime) -> Received:
    found = _judged(_classify(desk, door, incoming), report)
    incident = Incident(
        service_id=door.service.id,
        title=incoming.title,
        incident_class=found.incident_class,
        severity=found.severity,
        severity_initial=found.severity,
        severity_peak=found.severity,
        status=Status.OPEN,
        classification=_explanation(found),
        confirm_class=found.confirm_class,
        opened_at=now,
    )
    session.add(incident)
    session.flush()
    alert = _alert(door, incident, incoming, found, now)
    session.add(alert)
    by = report.actor
    text = f"{by.name} reported: {incoming.title}"
    facts = {"service": door.service.key, "source": incoming.source, "dedup_key": incoming.dedup_key}
    desk.journal(
        session,
        incident.id,
        "incident.opened",
        text,
        occurred_at=now,
        actor=by.name,
        actor_kind=by.kind,
        payload=facts,
    )
    desk.journal(
        session, incident.id, "incident.classified", found.sentence, occurred_at=now, payload={"record": found.record}
    )
    wanted = _wanted(door, incoming, found)
    link = links.attach(session, desk.journal, desk.shelf, incident.id, wanted, now, is_new=True)
    brief = briefing.brief(incident, alert, door.service.key, link, base_url=desk.base_url, shelf=desk.shelf)
    chosen = routing.policy_for(door.service.policy_choices, door.service.policy_key, found, now)
    agreed = settled.settled(session, chosen)
    terms = Terms(
        policy=agreed.policy,
        last_resort=agreed.last_resort,
        urgency=routing.urgency_of(found.severity),
        days=BusinessDays(door.service.timezone, door.service.holidays),
    )
    escalate.start(session, desk.journal, brief, terms, now)
    remedying.begin(session, desk, incident, door.service, now)
    return Received(incident.id, opened=True)


def _repeat(
    session: Session, desk: Desk, door: Door, alert: Alert, incoming: IncomingAlert, report: Report, now: datetime
) -> Received:
    """Counted, kept and on the timeline; it pages again only if its severity rises."""
    incident = noting.locked(session, alert.incident_id)
    session.refresh(alert)
    if alert.status != AlertStatus.FIRING:  # it ended while this one waited for the lock
        return _open(session, desk, door, incoming, report, now)
    found = _judged(_classify(desk, door, incoming), report)
    alert.count += 1
    alert.last_at = now
    alert.title, alert.body = incoming.title, incoming.body
    alert.labels, alert.raw = dict(incoming.labels), dict(incoming.raw)
    desk.journal(
        session,
        incident.id,
        "alert.repeated",
        f"{report.actor.name} reported it again ({alert.count} times now).",
        occurred_at=now,
        actor=report.actor.name,
        actor_kind=report.actor.kind,
        payload={"dedup_key": incoming.dedup_key, "count": alert.count, "title": incoming.title},
    )
    rising.after_alert(session, desk, incident, alert, found, now)
    return Received(incident.id)


def amend(
    session: Session, desk: Desk, door: Door, alert: Alert, incoming: IncomingAlert, now: datetime,
    *, actor: Actor, text: str,
) -> None:  # fmt: skip
    """The source says something else of an alert that is open, without reporting it again. It may raise the severity."""
    incident = noting.locked(session, alert.incident_id)
    session.refresh(alert)
    if alert.status != AlertStatus.FIRING:
        raise ConflictError("Alert is already closed.")
    if (alert.title, alert.body, alert.labels) == (incoming.title, incoming.body, dict(incoming.labels)):
        return
    alert.title, alert.body = incoming.title, incoming.body
    alert.labels, alert.raw = dict(incoming.labels), dict(incoming.raw)
    facts = {"dedup_key": alert.dedup_key, "title": incoming.title}
    noting.note(session, desk, incident, "alert.changed", text, actor, now, facts)
    rising.after_alert(session, desk, incident, alert, _classify(desk, door, incoming), now)


def _one_at_a_time(session: Session, door: Door, incoming: IncomingAlert) -> None:
    """Two requests with one dedup key must not both find nothing open."""
    locks.one_at_a_time(session, f"{door.integration_id}:{incoming.dedup_key}")


def _classify(desk: Desk, door: Door, incoming: IncomingAlert) -> Classification:
    text = AlertText(
        title=incoming.title,
        body=incoming.body,
        name=incoming.labels.get("alertname", ""),
        service=door.service.key,
        component=incoming.component,
        environment=incoming.environment,
        source=incoming.source,
        labels=incoming.labels,
        status=incoming.status,
        severity_hint=incoming.severity_hint,
        protected=door.service.protected,
    )
    return classification.classify(text, desk.ruleset)


def _judged(found: Classification, report: Report) -> Classification:
    """What the rules found, and beside it what the person who reports says of it."""
    new_class = severity.class_after_repeat(found.incident_class, report.incident_class or found.incident_class)
    said = report.severity or found.severity
    constitutional = found.incident_class is IncidentClass.CONSTITUTIONAL
    new = severity.worst(found.severity, said) if constitutional else said
    if (new_class, new) == (found.incident_class, found.severity):
        return found
    sentence = f"{found.sentence} {report.actor.name} makes it {new_class} {new}."
    return replace(found, incident_class=new_class, severity=new, sentence=sentence, confirm_class=False)


def _explanation(found: Classification) -> dict[str, object]:
    return {**found.record, "sentence": found.sentence, "reasons": list(found.reasons)}


def _alert(door: Door, incident: Incident, incoming: IncomingAlert, found: Classification, now: datetime) -> Alert:
    return Alert(
        integration_id=door.integration_id,
        incident_id=incident.id,
        source=incoming.source,
        dedup_key=incoming.dedup_key,
        status=AlertStatus.FIRING,
        title=incoming.title,
        body=incoming.body,
        severity=found.severity,
        labels=dict(incoming.labels),
        links=[{"href": link.href, "text": link.text} for link in incoming.links],
        url=incoming.url,
        raw=dict(incoming.raw),
        started_at=incoming.started_at,
        first_at=now,
        last_at=now,
    )


def _wanted(door: Door, incoming: IncomingAlert, found: Classification) -> Wanted:
    return Wanted(
        rule_runbook=found.runbook,
        rule_candidates=found.runbook_candidates,
        service=door.service.key,
        default_runbook=door.service.runbook,
        labels=incoming.labels,
        alert_name=incoming.labels.get("alertname", ""),
        incident_class=found.incident_class,
        severity=Severity(found.severity),
        title=incoming.title,
    )
