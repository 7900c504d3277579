"""What is simulated: a policy, a service's incident of some severity, or an incident on record, as a case for
`escalation.simulate`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.changes import Changes
from config.database import Database
from config.errors import InvalidInputError, NotFoundError
from escalation import comparison, simulate, snapshot, state, stretches
from escalation.comparison import COMPARED, Comparison
from escalation.models import Escalation
from escalation.plan import BusinessDays
from escalation.policies import Policy
from escalation.simulate import Case, Course, World
from escalation.stretches import Stretch
from incidents import configuration, routing, severity, simulated_silences
from incidents.configuration import Configuration
from incidents.models import Incident, Service
from incidents.severity import IncidentClass, Severity

LOOKED_AHEAD = timedelta(days=31)  # how far rosters are read: a LOW may wait over long holidays
SPAN_MAX = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Asked:
    """Either `policy` or `service` or `incident`."""

    at: datetime
    policy: str = ""
    service: str = ""
    incident: int | None = None
    severity: Severity = Severity.HIGH
    incident_class: IncidentClass = IncidentClass.OPERATIONAL
    until: datetime | None = None  # with it, all that may happen in between
    acknowledged_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What an incident would be found to be."""

    incident_class: IncidentClass
    severity: Severity


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that was read; what is worked out from it needs no database."""

    world: World
    case: Case
    title: str  # what was asked, in words
    silences: tuple[str, ...] = ()  # what would hold it back, a sentence each

    def course(self, asked: Asked) -> Course:
        after = asked.acknowledged_after
        acknowledged_at = self.case.opened_at + after if after is not None else None
        return simulate.simulate(self.world, self.case, acknowledged_at=acknowledged_at)

    def stretches(self, until: datetime) -> list[Stretch]:
        """Raises InvalidInputError if so much happens in this time that it would take too long."""
        try:
            return stretches.over(self.world, self.case, until)
        except ValueError as refused:
            raise InvalidInputError(
                f"This cannot be worked out: {refused}.", fields={"until": str(refused)}
            ) from refused


def prepare(session: Session, asked: Asked) -> Prepared:
    """Raises InvalidInputError unless exactly one thing is asked about, and NotFoundError where it is not there."""
    named = [name for name, value in _named(asked).items() if value]
    if len(named) != 1:
        said = f"not {' and '.join(named)}" if named else "none was given"
        raise InvalidInputError(f"Say one of policy, service and incident; {said}.")
    if asked.until is not None and not asked.at < asked.until <= asked.at + SPAN_MAX:
        raise InvalidInputError(
            f"The end of the time must be later than its beginning, and at most {SPAN_MAX.days} days later.",
            fields={"until": f"within {SPAN_MAX.days} days after at"},
        )
    if asked.incident is not None:
        return _of_incident(session, asked.incident)
    world = snapshot.world(session, asked.at, (asked.until or asked.at) + LOOKED_AHEAD)
    if asked.service:
        return _of_service(session, world, asked)
    policy = _policy(world, asked.policy)
    title = f"Policy {policy.key}, {asked.severity}"
    halt = severity.recommends_halt(asked.incident_class, asked.severity)
    return Prepared(world, Case(policy, routing.urgency_of(asked.severity), asked.at, halt_recommended=halt), title)


def _named(asked: Asked) -> Mapping[str, Any]:
    return {"policy": asked.policy, "service": asked.service, "incident": asked.incident is not None}


def _of_service(session: Session, world: World, asked: Asked) -> Prepared:
    service = session.scalar(select(Service).where(Service.key == asked.service))
    if service is None:
        there = ", ".join(session.scalars(select(Service.key).order_by(Service.key))) or "none"
        raise NotFoundError(f"There is no service {asked.service!r}; there are: {there}.")
    incident_class = IncidentClass.CONSTITUTIONAL if service.protected else asked.incident_class
    found = _Found(incident_class, asked.severity)
    policy = _policy(world, routing.policy_for(service.policy_choices, service.policy_key, found, asked.at))
    days = BusinessDays(service.timezone, service.holidays)
    title = f"{service.key}, {incident_class} {asked.severity}, by policy {policy.key}"
    halt = severity.recommends_halt(incident_class, asked.severity)
    case = Case(policy, routing.urgency_of(asked.severity), asked.at, days, halt_recommended=halt)
    silences = simulated_silences.of_service(session, service.key, incident_class, asked.at, asked.until)
    return Prepared(world, case, title, silences)


def _policy(world: World, key: str) -> Policy:
    if key not in world.policies:
        there = ", ".join(world.policies) or "none"
        raise NotFoundError(f"There is no policy {key!r}; there are: {there}.")
    return world.policies[key]


def _of_incident(session: Session, number: int) -> Prepared:
    """By the policy that was frozen into it and the severity it opened with; people as they are now."""
    row = session.execute(
        select(Incident, Escalation)
        .join(Escalation, Escalation.incident_id == Incident.id)
        .where(Incident.id == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no incident {number}, or nobody was to be woken for it.")
    incident, escalation = row
    case = Case(
        policy=state.policy(escalation),
        urgency=routing.urgency_of(Severity(incident.severity_initial)),
        opened_at=incident.opened_at,
        days=state.days(escalation),
        last_resort=state.last_resort(escalation),
        halt_recommended=severity.recommends_halt(
            IncidentClass(incident.incident_class), Severity(incident.severity_initial)
        ),
    )
    world = snapshot.world(session, incident.opened_at, incident.opened_at + LOOKED_AHEAD)
    title = f"Incident {number}: {incident.title} ({incident.severity_initial}), by policy {case.policy.key}"
    return Prepared(world, case, title)


@dataclass(frozen=True, slots=True)
class Preview:
    """What was asked, in the world as the text would make it, and what that changes for whom until `looked_until`."""

    prepared: Prepared
    changes: Changes
    comparison: Comparison
    looked_until: datetime


def proposed(
    database: Database,
    text: str,
    asked: Asked,
    *,
    now: datetime,
    runbook_ids: Collection[str],
    sources: Collection[str],
) -> Preview:
    """As `prepare`, with a configuration that is tried and taken back: overrides, and what people said themselves, stay
    as they are. The text reads nothing of the environment. Raises DeclarationError too."""
    looked_until = now + COMPARED
    with database.reading() as session:
        before = snapshot.world(session, now, looked_until)
    prepared: list[tuple[Prepared, World]] = []

    def look(session: Session, _: Configuration) -> None:
        prepared.append((prepare(session, asked), snapshot.world(session, now, looked_until)))

    changes = configuration.apply_text(
        database,
        text,
        env={},
        file_name="the proposed configuration",
        now=now,
        dry_run=True,
        look=look,
        sources=sources,
        runbook_ids=runbook_ids,
    )
    [(found, after)] = prepared
    return Preview(found, changes, comparison.compare(before, after, now, looked_until), looked_until)
