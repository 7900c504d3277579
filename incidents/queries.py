"""Incidents as lists show them, and their timelines.

Reads only, and gives values only. How many statements a list takes does not depend on how long it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config.errors import NotFoundError
from escalation import queries as paging_queries
from escalation.brief import Standing
from escalation.queries import Person
from incidents import briefing, phases, severity, silence_queries
from incidents.lifecycle import Status
from incidents.models import ChangeRequest, Incident, RequestState, Service
from incidents.phases import Hold, Phase
from incidents.proof import timeline
from incidents.proof.models import TimelineEntry
from incidents.reviews import chronicle
from incidents.severity import IncidentClass, Severity
from incidents.silence_queries import HeldBy


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents; empty: whatever it is."""

    statuses: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    incident_class: str = ""
    service: str = ""
    silenced: bool | None = None


@dataclass(frozen=True, slots=True)
class IncidentLine:
    number: int
    title: str
    incident_class: str
    severity: str
    severity_peak: str
    status: str
    service: str
    level: int  # 0: none has fired
    phase: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: Person | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    silenced_until: datetime | None
    silenced_by: tuple[HeldBy, ...]
    confirm_class: bool
    halt_recommended: bool
    awaiting: str  # what it waits for: "two keepers' approval to resolve"
    held: Hold | None  # by governance, now; of several the one that must last longest


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    global_seq: int
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    actor_kind: str
    kind: str
    text: str
    facts: dict[str, Any]
    supersedes: int | None
    hash: str


def incidents(
    session: Session, wanted: Wanted, now: datetime, *, before: int | None = None, limit: int
) -> list[IncidentLine]:
    """The newest first; `before` is the last number of the page before."""
    statement = select(Incident, Service.key).join(Service, Service.id == Incident.service_id)
    rows = session.execute(_narrowed(statement, wanted, before).order_by(Incident.id.desc()).limit(limit)).all()
    found = [incident for incident, _ in rows]
    standings = paging_queries.standings(session, [incident.id for incident in found])
    people = paging_queries.people(session, {i.acknowledged_by_id for i in found if i.acknowledged_by_id})
    holders = silence_queries.holders(session, [incident.id for incident in found if incident.silenced_until])
    holds = briefing.holds(session, [incident.id for incident in found if incident.incident_class == "constitutional"])
    return [
        line(
            incident,
            key,
            standings.get(incident.id, Standing()),
            people,
            now,
            holds=holds.get(incident.id, ()),
            silenced_by=holders.get(incident.id, ()),
        )
        for incident, key in rows
    ]


def _narrowed(statement: Select[Incident, str], wanted: Wanted, before: int | None) -> Select[Incident, str]:
    if wanted.statuses:
        statement = statement.where(Incident.status.in_(wanted.statuses))
    if wanted.severities:
        statement = statement.where(Incident.severity.in_(wanted.severities))
    if wanted.incident_class:
        statement = statement.where(Incident.incident_class == wanted.incident_class)
    if wanted.service:
        statement = statement.where(Service.key == wanted.service)
    if wanted.silenced:  # only what is open ever is, and of that there is an index
        statement = statement.where(Incident.status == Status.OPEN, Incident.silenced_until.is_not(None))
    elif wanted.silenced is not None:
        statement = statement.where(Incident.silenced_until.is_(None))
    return statement if before is None else statement.where(Incident.id < before)


def line(
    incident: Incident,
    service: str,
    standing: Standing,
    people: dict[int, Person],
    now: datetime,
    *,
    holds: tuple[Hold, ...],
    silenced_by: tuple[HeldBy, ...],
) -> IncidentLine:
    return IncidentLine(
        number=incident.id,
        title=incident.title,
        incident_class=incident.incident_class,
        severity=incident.severity,
        severity_peak=incident.severity_peak,
        status=incident.status,
        service=service,
        level=standing.level,
        phase=phase(incident, standing, now, holds),
        opened_at=incident.opened_at,
        acknowledged_at=incident.acknowledged_at,
        acknowledged_by=acknowledger(incident, people),
        resolved_at=incident.resolved_at,
        snoozed_until=incident.snoozed_until,
        silenced_until=incident.silenced_until,
        silenced_by=silenced_by,
        confirm_class=incident.confirm_class,
        halt_recommended=severity.recommends_halt(IncidentClass(incident.incident_class), Severity(incident.severity)),
        awaiting=standing.awaiting,
        held=phases.held_at(holds, now),
    )


def phase(incident: Incident, standing: Standing, now: datetime, holds: tuple[Hold, ...]) -> str:
    """The later of what milestones and clock say and of the phase whose level has been reached."""
    order = [each.value for each in Phase]
    reckoned = phases.phase_at(briefing.course(incident, holds), now).value
    return max(reckoned, standing.phase, key=order.index)


def acknowledger(incident: Incident, people: dict[int, Person]) -> Person | None:
    """A responder, or a program, which has no key."""
    if incident.acknowledged_at is None:
        return None
    return people.get(incident.acknowledged_by_id or 0) or Person("", incident.acknowledged_by)


def request_state(request: ChangeRequest, now: datetime) -> str:
    """A request that has run out counts as expired, though nobody has noted it yet."""
    ran_out = request.state == RequestState.PENDING and request.expires_at <= now
    return RequestState.EXPIRED if ran_out else request.state


def incident_or_refuse(session: Session, number: int) -> Incident:
    """Raises NotFoundError."""
    incident = session.get(Incident, number)
    if incident is None:
        raise NotFoundError(f"There is no incident {number}.")
    return incident


def entries(session: Session, number: int, *, after_seq: int = 0, limit: int) -> list[Entry]:
    """An incident's timeline in its order. Raises NotFoundError if there is no such incident."""
    incident_or_refuse(session, number)
    return [entry(row) for row in timeline.entries(session, number, after_seq=after_seq, limit=limit)]


def entry(row: TimelineEntry) -> Entry:
    return Entry(
        seq=row.seq,
        global_seq=row.global_seq,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        actor=row.actor,
        actor_kind=row.actor_kind,
        kind=row.kind,
        text=row.text,
        facts=chronicle.facts(row.payload),
        supersedes=row.supersedes,
        hash=row.entry_hash,
    )


def review_url(base_url: str, number: int) -> str:
    return f"{base_url}/api/v1/incidents/{number}/review.html"
