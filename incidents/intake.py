"""The corridor from an alert to its first page. One transaction an alert: dedup, open or update, classify, escalate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from config.errors import ConflictError
from escalation import escalate, locks, settled
from escalation.escalate import Terms
from escalation.plan import BusinessDays
from incidents import (
    actions,
    briefing,
    flapping,
    grouping,
    judging,
    noting,
    remedying,
    rising,
    routing,
    silence_rows,
    silences,
)
from incidents.classification import Classification
from incidents.desk import Actor, Desk
from incidents.judging import Report
from incidents.lifecycle import Status
from incidents.models import Alert, Incident, Integration, Service
from incidents.severity import Severity
from incidents.sources.base import AlertStatus, IncomingAlert
from runbook_links import links
from runbook_links.matching import Wanted

# Built once: building a statement was measured to cost more than running it.
_DOOR = (
    select(Integration, Service, silence_rows.may_concern(Service.key))
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
class Door:
    """The integration an alert came in by."""

    integration_id: int
    service: Service
    source: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    signing_secret: str = field(default="", repr=False)  # sealed
    topic: str = ""
    key_hint: str = ""
    may_be_silenced: bool = True  # False: no silence there is concerns its service
    senders: Sequence[str] = ()  # of letters: patterns of whose alone are taken; none: anybody's


def door(session: Session, key_hash: str, source: str | None = None) -> Door | None:
    """The integration with this key; None when there is none, or it is another source's."""
    found = session.execute(_DOOR, {"key_hash": key_hash}).one_or_none()
    if found is None or (source is not None and found[0].source != source):
        return None
    way_in, service, may_be_silenced = found
    return Door(
        way_in.id,
        service,
        way_in.source,
        mapping=way_in.mapping,
        signing_secret=way_in.signing_secret,
        topic=way_in.topic,
        key_hint=way_in.key_hint,
        may_be_silenced=may_be_silenced,
        senders=tuple(way_in.senders),
    )


def receive(
    session: Session, desk: Desk, door: Door, incoming: IncomingAlert, now: datetime, *, report: Report | None = None
) -> Received:
    """Take one alert in. When the transaction commits, it is stored and belongs to exactly one incident."""
    grouping.one_at_a_time(session, door.service, incoming)
    _one_at_a_time(session, door, incoming)
    alert = session.scalar(_OPEN_ALERT, {"integration": door.integration_id, "dedup_key": incoming.dedup_key})
    if incoming.status is AlertStatus.FIRING:
        report = report or Report(Actor(name=incoming.source, kind="source", via=incoming.source))
        if alert is None:
            return _new(session, desk, door, incoming, report, now)
        return _repeat(session, desk, door, alert, incoming, report, now)
    actor = Actor(name=f"{incoming.source} ({door.service.key})", kind="source", via=incoming.source)
    if alert is None:
        return Received(None)
    if incoming.status is AlertStatus.RESOLVED:
        actions.resolve_alert(session, desk, alert, actor, now)
    else:
        actions.acknowledge(session, desk, alert.incident_id, actor, now, of=alert)
    return Received(alert.incident_id)


def _new(
    session: Session, desk: Desk, door: Door, incoming: IncomingAlert, report: Report, now: datetime,
    *, locked: int | None = None,
) -> Received:  # fmt: skip
    """It joins an incident of its service, or opens one. `locked`: see `grouping.joinable`."""
    found = judging.judged(judging.classify(desk, door.service, incoming), report)
    alert = _alert(door, incoming, found, now)
    flaps = flapping.look(session, door.service, alert, found.incident_class, now)
    key = grouping.key_of(door.service, incoming, found)
    incident = grouping.joinable(session, door.service, key, report.actor, now, locked=locked)
    if incident is None:
        return _open(session, desk, door, incoming, report, now, alert=alert, found=found, group_key=key, flaps=flaps)
    grouping.join(session, desk, incident, alert, found, report.actor, now)
    flapping.note(session, desk, incident, alert, flaps, now)
    return Received(incident.id)


def _open(
    session: Session, desk: Desk, door: Door, incoming: IncomingAlert, report: Report, now: datetime,
    *, alert: Alert, found: Classification, group_key: str, flaps: str,
) -> Received:  # fmt: skip
    incident = Incident(
        service_id=door.service.id,
        title=incoming.title,
        incident_class=found.incident_class,
        severity=found.severity,
        severity_initial=found.severity,
        severity_peak=found.severity,
        status=Status.OPEN,
        classification=judging.explanation(found),
        confirm_class=found.confirm_class,
        opened_at=now,
        group_key=group_key,
    )
    session.add(incident)
    session.flush()
    alert.incident_id = incident.id
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
    flapping.note(session, desk, incident, alert, flaps, now)
    wanted = _wanted(door, incoming, found)
    link = links.attach(session, desk.journal, desk.shelf, incident.id, wanted, now, is_new=True)
    brief = briefing.brief(
        incident, alert, door.service.key, link, base_url=desk.base_url, shelf=desk.shelf, flaps=flaps
    )
    chosen = routing.policy_for(door.service.policy_choices, door.service.policy_key, found, now)
    agreed = settled.settled(session, chosen)
    terms = Terms(
        policy=agreed.policy,
        last_resort=agreed.last_resort,
        urgency=routing.urgency_of(found.severity),
        days=BusinessDays(door.service.timezone, door.service.holidays),
    )
    held_back = door.may_be_silenced and silences.at_opening(
        session, desk, incident, alert, now, service=door.service.key
    )
    escalate.start(session, desk.journal, brief, terms, now, held_back=held_back)
    if not held_back:
        remedying.begin(session, desk, incident, door.service, now)
    return Received(incident.id, opened=True)


def _repeat(
    session: Session, desk: Desk, door: Door, alert: Alert, incoming: IncomingAlert, report: Report, now: datetime
) -> Received:
    """Counted, kept and on the timeline; it pages again only if its severity rises."""
    incident = noting.locked(session, alert.incident_id)
    session.refresh(alert)
    if alert.status != AlertStatus.FIRING:  # it ended while this one waited for the lock
        return _new(session, desk, door, incoming, report, now, locked=incident.id)
    found = judging.judged(judging.classify(desk, door.service, incoming), report)
    had_settled = flapping.came_back(session, alert)
    alert.count += 1
    alert.last_at = now
    alert.title, alert.body = incoming.title, incoming.body
    alert.labels, alert.raw = dict(incoming.labels), dict(incoming.raw)
    desk.journal(
        session,
        incident.id,
        "alert.repeated",
        f"{report.actor.name} reported it again{', before it had been quiet for long enough' if had_settled else ''}"
        f" ({alert.count} times now).",
        occurred_at=now,
        actor=report.actor.name,
        actor_kind=report.actor.kind,
        payload={"dedup_key": incoming.dedup_key, "count": alert.count, "title": incoming.title},
    )
    rising.after_alert(session, desk, incident, alert, found, now)
    silences.look_again(session, desk, incident, now)
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
    rising.after_alert(session, desk, incident, alert, judging.classify(desk, door.service, incoming), now)
    silences.look_again(session, desk, incident, now)


def _one_at_a_time(session: Session, door: Door, incoming: IncomingAlert) -> None:
    """Two requests with one dedup key must not both find nothing open."""
    locks.one_at_a_time(session, f"{door.integration_id}:{incoming.dedup_key}")


def _alert(door: Door, incoming: IncomingAlert, found: Classification, now: datetime) -> Alert:
    return Alert(
        integration_id=door.integration_id,
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
