"""One incident with all that belongs to it, in a dozen statements however much that is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFoundError
from escalation import queries as paging_queries
from escalation.queries import NextStep, PageMade, Person
from incidents import briefing, change_events, queries, queries_alerts, queries_hands, silence_queries
from incidents.change_events import ChangeShown
from incidents.desk import Desk
from incidents.models import ChangeRequest, Decision, Incident, Service
from incidents.queries import IncidentLine
from incidents.queries_alerts import AlertShown
from incidents.queries_hands import EmergencyShown, HoldShown, ItemShown, StepShown
from incidents.reviews.models import Review
from runbook_links import links

REQUESTS_MAX = 100
EXPLAINED_APART = ("sentence", "reasons")  # of what is stored of a classification; the rest is the rules' record


@dataclass(frozen=True, slots=True)
class Milestones:
    acknowledged_at: datetime | None
    contained_at: datetime | None
    recovered_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClassificationShown:
    """Class and severity as the rules judged them; people may have changed the incident's own since."""

    incident_class: str
    severity: str
    sentence: str
    reasons: tuple[str, ...]
    confirm_class: bool
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunbookAttached:
    """`steps` are those of the file as it is now; `changed` says that it is not the one that was attached."""

    id: str
    title: str
    version: str
    url: str
    reason: str
    attached_at: datetime
    sha256: str
    changed: bool
    candidates: tuple[Candidate, ...]
    steps: tuple[StepShown, ...]
    emergency: EmergencyShown | None


@dataclass(frozen=True, slots=True)
class DecisionShown:
    by: Person
    decision: str
    reason: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class RequestShown:
    action: str
    change: dict[str, Any]
    reason: str
    requested_by: Person
    requested_at: datetime
    expires_at: datetime
    state: str
    decided_at: datetime | None
    decisions: tuple[DecisionShown, ...]


@dataclass(frozen=True, slots=True)
class IncidentDetail(IncidentLine):
    severity_initial: str
    milestones: Milestones
    resolved_by: str
    resolution: str
    classification: ClassificationShown
    runbook: RunbookAttached | None
    alerts: tuple[AlertShown, ...]  # oldest first
    alerts_total: int
    alerts_ended: int
    flaps: str  # why one that fires counts as flapping, in a sentence; or empty
    pages: tuple[PageMade, ...]
    pages_total: int
    requests: tuple[RequestShown, ...]  # oldest first
    review_url: str | None  # None, as what follows: no review is opened yet
    review_state: str | None
    review_due_at: datetime | None
    review_published_at: datetime | None
    review_published_by: str
    review_document_url: str
    reminded_at: datetime | None  # its holder is being asked whether they still have it
    holds: tuple[HoldShown, ...]  # oldest first
    checklist: tuple[ItemShown, ...]  # every item of every phase
    next: NextStep | None
    changes: tuple[ChangeShown, ...]  # of its service, the newest first
    url: str


def incident(session: Session, desk: Desk, number: int, now: datetime) -> IncidentDetail:
    """Raises NotFoundError."""
    found = session.execute(
        select(Incident, Service.key, Review)
        .join(Service, Service.id == Incident.service_id)
        .outerjoin(Review, Review.incident_id == Incident.id)
        .where(Incident.id == number)
    ).first()
    if found is None:
        raise NotFoundError(f"There is no incident {number}.")
    row, service, review = found
    paging = paging_queries.paging(session, number)
    requests, decisions = _requests(session, number)
    people = paging_queries.people(session, _named(row, requests, decisions))
    alerts = queries_alerts.newest(session, number)
    holds = queries_hands.holds(session, number)
    by = silence_queries.holders(session, [number] if row.silenced_until else ()).get(number, ())
    waits = tuple(hold.value for hold in holds)
    line = queries.line(row, service, paging.standing, people, now, holds=waits, silenced_by=by)
    return IncidentDetail(
        **{each.name: getattr(line, each.name) for each in fields(line)},
        severity_initial=row.severity_initial,
        milestones=Milestones(row.acknowledged_at, row.contained_at, row.recovered_at, row.resolved_at, row.closed_at),
        resolved_by=row.resolved_by,
        resolution=row.resolution,
        classification=classification(row),
        runbook=_runbook(session, desk, number),
        alerts=alerts.shown,
        alerts_total=alerts.total,
        alerts_ended=alerts.ended,
        flaps=alerts.flaps,
        pages=paging.pages,
        pages_total=paging.pages_total,
        requests=tuple(_request(request, decisions, people, now) for request in requests),
        review_url=queries.review_url(desk.base_url, number) if review else None,
        review_state=review.state if review else None,
        review_due_at=review.due_at if review else None,
        review_published_at=review.published_at if review else None,
        review_published_by=review.published_by if review else "",
        review_document_url=review.document_url if review else "",
        reminded_at=row.reminded_at,
        holds=holds,
        checklist=queries_hands.checklist(session, number),
        next=paging.next,
        changes=change_events.near(session, row),
        url=briefing.incident_url(desk.base_url, number),
    )


def classification(row: Incident) -> ClassificationShown:
    stored = row.classification
    judged_class, judged_severity = stored.get("class", {}), stored.get("severity", {})
    return ClassificationShown(
        incident_class=judged_class.get("value", row.incident_class),
        severity=judged_severity.get("value", row.severity_initial),
        sentence=stored.get("sentence", ""),
        reasons=tuple(stored.get("reasons", ())),
        confirm_class=row.confirm_class,
        record={name: value for name, value in stored.items() if name not in EXPLAINED_APART},
    )


def _requests(session: Session, number: int) -> tuple[list[ChangeRequest], dict[int, list[Decision]]]:
    newest = (
        select(ChangeRequest)
        .where(ChangeRequest.incident_id == number)
        .order_by(ChangeRequest.id.desc())
        .limit(REQUESTS_MAX)
    )
    requests = session.scalars(newest).all()[::-1]
    decisions: defaultdict[int, list[Decision]] = defaultdict(list)
    if requests:
        made = select(Decision).where(Decision.request_id.in_([request.id for request in requests]))
        for decision in session.scalars(made.order_by(Decision.id)):
            decisions[decision.request_id].append(decision)
    return list(requests), decisions


def _named(row: Incident, requests: list[ChangeRequest], decisions: dict[int, list[Decision]]) -> set[int]:
    asked = {request.requested_by_id for request in requests}
    decided = {decision.responder_id for made in decisions.values() for decision in made}
    return asked | decided | ({row.acknowledged_by_id} if row.acknowledged_by_id else set())


def _request(
    request: ChangeRequest, decisions: dict[int, list[Decision]], people: dict[int, Person], now: datetime
) -> RequestShown:
    return RequestShown(
        action=request.action,
        change=request.change,
        reason=request.reason,
        requested_by=people[request.requested_by_id],
        requested_at=request.requested_at,
        expires_at=request.expires_at,
        state=queries.request_state(request, now),
        decided_at=request.decided_at,
        decisions=tuple(
            DecisionShown(people[each.responder_id], each.decision, each.reason, each.decided_at)
            for each in decisions.get(request.id, ())
        ),
    )


def _runbook(session: Session, desk: Desk, number: int) -> RunbookAttached | None:
    link = links.link_of(session, number)
    if link is None:
        return None
    ticks = {tick.step: tick for tick in links.ticks_of(session, number) if tick.runbook_id == link.runbook_id}
    book = desk.shelf.library.get(link.runbook_id)
    return RunbookAttached(
        id=link.runbook_id,
        title=link.title,
        version=link.version,
        url=briefing.runbook_url(desk.base_url, link.runbook_id),
        reason=link.reason,
        attached_at=link.attached_at,
        sha256=link.sha256,
        changed=book is None or book.sha256 != link.sha256,
        candidates=tuple(Candidate(candidate, reason) for candidate, reason in link.candidates),
        steps=queries_hands.steps(book, ticks),
        emergency=queries_hands.emergency(link, desk.base_url),
    )
