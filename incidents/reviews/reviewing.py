"""Opening a review, and drafting it from the record as it is now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFoundError
from escalation import queries as paging_queries
from escalation.journal import Journal
from incidents import briefing, checklists, severity
from incidents.models import Incident, Service
from incidents.reviews import chronicle, collecting, drafting, due
from incidents.reviews.models import Review
from incidents.reviews.record import Record, TickFact, Written
from incidents.severity import IncidentClass, Severity
from runbook_links.shelf import Shelf

TEMPLATE_VERSION = "1"


def open_review(session: Session, journal: Journal, incident: Incident, now: datetime) -> None:
    """Open the review that a CRITICAL, HIGH or constitutional incident gets once it is mitigated; others get none.

    May be called at each milestone, and must be at resolution: it is due 24 hours after that. Its owner is at first
    whoever acknowledged. The caller holds the incident's lock.
    """
    if not _gets_review(incident):
        return
    review = session.scalar(select(Review).where(Review.incident_id == incident.id))
    due_at = incident.resolved_at + due.DRAFT_WITHIN if incident.resolved_at else None
    if review is not None:
        if review.due_at is None:
            review.due_at = due_at
        return
    session.add(
        Review(
            incident_id=incident.id,
            state="draft",
            owner_id=incident.acknowledged_by_id,
            sections={},
            opened_at=now,
            due_at=due_at,
        )
    )
    session.flush()
    owner = f"{incident.acknowledged_by} owns it" if incident.acknowledged_by_id else "nobody owns it yet"
    text = f"The post-incident review was opened and drafted from the record; {owner}."
    journal(session, incident.id, "review.opened", text, occurred_at=now)


def _gets_review(incident: Incident) -> bool:
    grave = Severity(incident.severity_peak).rank >= Severity.HIGH.rank
    return grave or incident.incident_class == IncidentClass.CONSTITUTIONAL


def review_of(
    session: Session, number: int, now: datetime, base_url: str, *, shelf: Shelf | None = None
) -> dict[str, Any]:
    """The `pir/1` document. Raises NotFoundError if there is no such incident, or its review is not opened yet."""
    return drafting.draft(collect(session, number, now=now, base_url=base_url, shelf=shelf))


def collect(session: Session, incident_id: int, *, now: datetime, base_url: str, shelf: Shelf | None = None) -> Record:
    """Everything on record about one incident. `shelf` tells what the attached runbook's file says of itself."""
    row, service, review = opened(session, incident_id)
    told = chronicle.read(session, incident_id)
    approvals = collecting.approvals(session, incident_id, now)
    paging = paging_queries.paging(session, incident_id)
    alerts, alert_omissions = collecting.alerts(session, incident_id)
    book, runbook = collecting.runbook(session, incident_id, told.entries, shelf)
    owner = paging_queries.people(session, [review.owner_id]).get(review.owner_id) if review.owner_id else None
    answers = chronicle.answers(told.entries)
    # Who has it now may have been given it; how long people let it wait is told by whoever took it first.
    first = next((answer for answer in answers if answer.takes), None)
    return Record(
        number=row.id,
        title=row.title,
        incident_class=row.incident_class,
        severity_initial=row.severity_initial,
        severity_peak=row.severity_peak,
        severity_final=row.severity,
        status=row.status,
        service=service,
        opened_at=row.opened_at,
        acknowledged_at=first.at if first else row.acknowledged_at,
        contained_at=row.contained_at,
        recovered_at=row.recovered_at,
        resolved_at=row.resolved_at,
        closed_at=row.closed_at,
        resolved_by=row.resolved_by,
        owner=owner.name if owner else "",
        classification=row.classification,
        overrides=chronicle.overrides(told.entries, approvals),
        alerts=alerts,
        pages=collecting.pages(paging.pages, answers),
        timeline=told.entries,
        runbooks=(book,) if book else (),
        approvals=approvals,
        notes=chronicle.starred(told.entries),
        integrity=told.integrity,
        sections_written=_sections(review),
        ruleset_version=_ruleset(row),
        template_version=TEMPLATE_VERSION,
        base_url=base_url,
        generated_at=now,
        review_due_at=review.due_at,
        review_state=review.state,
        published_at=review.published_at,
        published_by=review.published_by,
        document_url=review.document_url,
        published_note=review.published_note,
        acknowledged_by=first.by if first else row.acknowledged_by,
        resolution=row.resolution,
        severity_changes=chronicle.severities(told.entries, row.opened_at, row.severity_initial),
        governance_refs=runbook.governance_refs if runbook else (),
        halt_recommended=severity.recommends_halt(IncidentClass(row.incident_class), Severity(row.severity_peak)),
        earlier=collecting.earlier(session, row),
        holds=briefing.holds(session, [row.id]).get(row.id, ()),
        ticks=tuple(TickFact(each.item, each.ticked_by, each.ticked_at) for each in checklists.ticks(session, row.id)),
        omissions=(*told.omissions, *alert_omissions, *collecting.page_omissions(paging)),
    )


def opened(session: Session, incident_id: int) -> tuple[Incident, str, Review]:
    """(the incident, its service's key, its review). Raises NotFoundError, which says when there will be one."""
    found = session.execute(
        select(Incident, Service.key, Review)
        .join(Service, Service.id == Incident.service_id)
        .outerjoin(Review, Review.incident_id == Incident.id)
        .where(Incident.id == incident_id)
    ).first()
    if found is None:
        raise NotFoundError(f"There is no incident {incident_id}.")
    incident, service, review = found
    if review is None:
        raise NotFoundError(
            f"The review of incident {incident_id} is not drafted yet: it is drafted when the incident is mitigated "
            "or resolved, if it is CRITICAL, HIGH or constitutional."
        )
    return incident, service, review


def _sections(review: Review) -> dict[str, Written]:
    return {
        key: Written(
            author=stored["author"],
            markdown=stored["markdown"],
            at=datetime.fromisoformat(stored["at"]),
            declined=stored.get("declined", False),
        )
        for key, stored in review.sections.items()
    }


def _ruleset(incident: Incident) -> str:
    """The version its authors gave it, and the beginning of its digest: "1.314faf38"."""
    ruleset = incident.classification.get("ruleset")
    return f"{ruleset['version']}.{ruleset['sha256'][:8]}" if ruleset else "not known"
