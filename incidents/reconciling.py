"""Proves, beside the engine, that whoever should be woken will be: finds what would keep them asleep, and mends it.

What is read over all incidents is only suspected, because it moves while it is read. Each suspicion is looked at
again under its incident's lock, and mended there, one incident in a transaction: nobody is woken twice for a race.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import logs
from config.database import Database
from config.errors import NotFoundError
from escalation import escalate, findings, settled
from escalation.escalate import Terms
from escalation.findings import Finding, Kind, Outcome
from escalation.models import Escalation, Timer, TimerKind
from escalation.paging import reconcile
from escalation.plan import BusinessDays
from incidents import (
    briefing,
    noting,
    owed,
    reconciling_events,
    reconciling_heartbeats,
    reconciling_settling,
    reconciling_silences,
    routing,
)
from incidents.desk import Desk
from incidents.lifecycle import Status
from incidents.models import IS_FIRING, Alert, Incident, Service
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus
from runbook_links import links

MENDED_MAX = 500  # incidents in one round; the worst first, the rest in the next
ENDED = (Status.RESOLVED, Status.CLOSED)

log = logs.get("reconciler")


def run(database: Database, desk: Desk, now: datetime, *, repairs: bool = True) -> list[Outcome]:
    """Look at everything once; what was found, worst first, and what was done about it."""
    with database.reading() as session:
        suspected = suspects(session, now)
    by_incident: dict[int | None, list[Finding]] = defaultdict(list)
    for finding in sorted(suspected, key=lambda each: each.rank):
        by_incident[finding.incident_id].append(finding)
    outcomes: list[Outcome] = []
    if of_none := by_incident.pop(None, None):
        outcomes += _about_no_incident(database, of_none, now, repairs=repairs)
    for count, number in enumerate(by_incident):
        if count == MENDED_MAX:
            text = (
                f"{len(by_incident) - count} more incidents have something wrong; they are looked at in the next round."
            )
            outcomes.append(Outcome(Finding(Kind.REPAIR_FAILED, text)))
            break
        assert number is not None  # noqa: S101  popped above
        outcomes += _guarded(number, lambda number=number: _of_one(database, desk, number, now, repairs=repairs))  # type: ignore[misc]  # the default binds the loop's value
    return outcomes


def suspects(session: Session, now: datetime) -> list[Finding]:
    """Over all incidents: what looks wrong. Reads each open incident, and of the others what is still under way."""
    found: list[Finding] = []
    after = 0
    while True:
        rows = session.execute(
            _incidents(now).where(Incident.status == Status.OPEN, Incident.id > after).limit(reconcile.PAGE_ROWS)
        ).all()
        found += _of_incidents(session, rows, now)
        if len(rows) < reconcile.PAGE_ROWS:
            break
        after = rows[-1].incident_id
    # By the timers there are: of the incidents there ever were most are over.
    timed = select(Escalation.incident_id).join(Timer, Timer.subject_id == Escalation.id)
    waiting = timed.where(Timer.kind == TimerKind.ADVANCE).scalar_subquery()
    running = _incidents(now).where(Incident.status != Status.OPEN, Incident.id.in_(waiting))
    found += _of_incidents(session, session.execute(running.limit(reconcile.PAGE_ROWS)).all(), now)
    found += [*owed.suspects(session), *_of_no_incidents(session, now), *reconciling_settling.suspects(session)]
    return [*found, *_alerts(session), *reconcile.suspects(session, now)]


def _of_one(database: Database, desk: Desk, number: int, now: datetime, *, repairs: bool) -> list[Outcome]:
    with database.transaction() as session:
        incident = noting.locked(session, number)
        reconcile.lock(session, number)
        rows = session.execute(_incidents(now).where(Incident.id == number)).all()
        found = _of_incidents(session, rows, now)
        found += [*owed.of_incident(session, number), *_alerts(session, number)]
        found += reconciling_settling.suspects(session, number)
        found += reconcile.of_incident(session, number, now)
        outcomes = []
        for finding in found:
            done = _repair(session, desk, incident, finding, now) if repairs and finding.repairable else ""
            outcomes.append(Outcome(finding, done))
            if done:
                session.flush()
                facts = {"finding": finding.kind.value}
                text = f"The reconciler found: {finding.text} {done}"
                desk.journal(session, number, "reconciler.repaired", text, occurred_at=now, payload=facts)
        return outcomes


def _about_no_incident(database: Database, suspected: list[Finding], now: datetime, *, repairs: bool) -> list[Outcome]:
    """No incident guards these, so they are looked at twice, and mended by what harms nobody twice: a timer set."""
    with database.transaction() as session:
        seen = [*reconcile.about_no_incident(session), *_of_no_incidents(session, now)]
        still = [finding for finding in seen if finding in suspected]
        return [Outcome(each, _repair_no_incidents(session, each, now) if repairs else "") for each in still]


def _of_no_incidents(session: Session, now: datetime) -> list[Finding]:
    return [
        *reconciling_heartbeats.suspects(session, now),
        *reconciling_silences.suspects(session, now),
        *reconciling_events.suspects(session),
    ]


def _repair_no_incidents(session: Session, finding: Finding, now: datetime) -> str:
    if finding.kind is Kind.HEARTBEAT_UNWATCHED:
        return reconciling_heartbeats.repair(session, finding, now)
    if finding.kind is Kind.EVENT_FORGOTTEN:
        return reconciling_events.repair(session, finding, now)
    if finding.kind is Kind.WINDOW_MISSING:
        return reconciling_silences.repair(session, finding, now)
    return reconcile.repair(session, finding, now)


def _guarded(number: int, look: Callable[[], list[Outcome]]) -> list[Outcome]:
    """One incident that cannot be looked at must not keep the others from it; only the database's absence may."""
    try:
        return look()
    except NotFoundError:
        return [Outcome(Finding(Kind.ALERT_ORPHANED, f"An alert belongs to incident {number}, which is not there."))]
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.warning("an incident could not be reconciled", incident=number, error=str(error.orig))
        problem = str(error.orig)
    except Exception as error:
        log.exception("an incident could not be reconciled", incident=number)
        problem = repr(error)
    text = (
        f"Incident {number} could not be put right: {problem}. Page people for it by other means, and look at the log."
    )
    return [Outcome(Finding(Kind.REPAIR_FAILED, text, number))]


def _incidents(now: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Incident.id.label("incident_id"),
            Incident.status,
            Incident.severity,
            Incident.snoozed_until,
            Escalation.id.label("escalation_id"),
            Escalation.stage,
            Escalation.urgency,
            Escalation.base_at,
            Timer.id.label("timer_id"),
            Timer.due_at,
            *reconciling_silences.columns(now),
        )
        .outerjoin(Escalation, Escalation.incident_id == Incident.id)
        .outerjoin(Timer, and_(Timer.kind == TimerKind.ADVANCE, Timer.subject_id == Escalation.id))
        .outerjoin(*reconciling_silences.RELEASE)
        .order_by(Incident.id)
    )


def _of_incidents(session: Session, rows: Iterable[Row[Any]], now: datetime) -> list[Finding]:
    seen = [findings.Incident(**row._mapping) for row in rows]
    late = [each.escalation_id for each in seen if findings.may_be_late(each, now)]
    of_late = session.execute(select(Escalation.id, Escalation.policy).where(Escalation.id.in_(late)))
    policies = {row.id: row.policy for row in of_late}
    judged = (findings.of_incident(each, policies.get(each.escalation_id or 0), now) for each in seen)
    return [finding for finding in judged if finding is not None]


def _alerts(session: Session, number: int | None = None) -> list[Finding]:
    """Alerts that still fire under an incident that has ended: their next report would wake nobody."""
    statement = (
        select(Alert.id, Alert.incident_id, Alert.title, Incident.status)
        .outerjoin(Incident, Incident.id == Alert.incident_id)
        .where(IS_FIRING, or_(Incident.id.is_(None), Incident.status.in_(ENDED)))
    )
    if number is not None:
        statement = statement.where(Alert.incident_id == number)
    return [
        Finding(
            Kind.ALERT_LEFT_FIRING,
            f"The alert {row.title[:80]!r} counted as firing under incident {row.incident_id}, which is {row.status}.",
            row.incident_id,
            row.id,
        )
        for row in session.execute(statement.limit(reconcile.PAGE_ROWS))
    ]


def _repair(session: Session, desk: Desk, incident: Incident, finding: Finding, now: datetime) -> str:
    """Mend it through the verbs of escalation; in words, what was done."""
    standing = briefing.standing(session, incident, now)
    match finding.kind:
        case Kind.ESCALATION_MISSING:
            _start(session, desk, incident, now)
            return "It is escalated from now on."
        case Kind.ESCALATION_STOPPED:
            urgency = routing.urgency_of(Severity(incident.severity))
            escalate.resume(session, desk.journal, incident.id, urgency=urgency, standing=standing, now=now)
            return "It is escalated anew."
        case Kind.ESCALATION_RUNNING:
            why = f"the incident is {incident.status}"
            escalate.stop(session, desk.journal, incident.id, standing=standing, why=why, now=now)
            return "That was stopped."
        case Kind.ADVANCE_MISSING | Kind.ADVANCE_LATE:
            return _advance(session, desk, incident, finding, now)
        case Kind.ACK_TIMEOUT_MISSING | Kind.PHASE_MISSING | Kind.SNOOZE_MISSING:
            return owed.repair(session, finding, incident, now)
        case Kind.SETTLE_MISSING:
            return reconciling_settling.repair(session, finding, now)
        case Kind.SILENCE_MISSING | Kind.SILENCE_UNFOUNDED:
            return reconciling_silences.repair_of_incident(session, incident, now)
        case Kind.ALERT_LEFT_FIRING:
            session.execute(
                update(Alert)
                .where(Alert.id == finding.subject_id, Alert.status == AlertStatus.FIRING)
                .values(status=AlertStatus.RESOLVED, resolved_at=now, settles_at=None)
            )
            return "It counts as ended now; if it is reported again, that opens an incident."
        case _:
            return reconcile.repair(session, finding, now)


def _advance(session: Session, desk: Desk, incident: Incident, finding: Finding, now: datetime) -> str:
    escalation = session.get_one(Escalation, finding.subject_id)
    if finding.kind is Kind.ADVANCE_LATE and reconcile.is_planned_late(escalation, now):
        escalate.hasten(session, desk.journal, incident.id, now)
        return "The next step was taken now."
    reconcile.advance_now(session, escalation, now)
    return "The engine looks at it now."


@dataclass(frozen=True, slots=True)
class _Judged:
    incident_class: IncidentClass
    severity: Severity


def _start(session: Session, desk: Desk, incident: Incident, now: datetime) -> None:
    service = session.get_one(Service, incident.service_id)
    alerts: Sequence[Alert] = session.scalars(
        select(Alert).where(Alert.incident_id == incident.id).order_by(Alert.id).limit(1)
    ).all()
    alert = alerts[0] if alerts else Alert(body="")
    link = links.link_of(session, incident.id)
    brief = briefing.brief(incident, alert, service.key, link, base_url=desk.base_url, shelf=desk.shelf)
    judged = _Judged(IncidentClass(incident.incident_class), Severity(incident.severity))
    agreed = settled.settled(session, routing.policy_for(service.policy_choices, service.policy_key, judged, now))
    terms = Terms(
        policy=agreed.policy,
        last_resort=agreed.last_resort,
        urgency=routing.urgency_of(judged.severity),
        days=BusinessDays(service.timezone, service.holidays),
    )
    escalate.start(session, desk.journal, brief, terms, now)
