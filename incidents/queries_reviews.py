"""Post-incident reviews as lists show them. Reads only, and gives values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import queries as paging_queries
from escalation.queries import Person
from incidents.models import Incident, Service
from incidents.queries import review_url
from incidents.reviews import due
from incidents.reviews.models import Review


@dataclass(frozen=True, slots=True)
class ReviewLine:
    number: int
    title: str
    incident_class: str
    severity: str
    service: str
    state: str
    owner: Person | None
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    published_at: datetime | None
    published_by: str
    document_url: str
    sections_written: int
    url: str


def reviews(
    session: Session, base_url: str, now: datetime, *, state: str = "", before: int | None = None, limit: int
) -> list[ReviewLine]:
    """By incident, the newest first; `before` is the last number of the page before."""
    statement = (
        select(Review, Incident, Service.key)
        .join(Incident, Incident.id == Review.incident_id)
        .join(Service, Service.id == Incident.service_id)
        .order_by(Review.incident_id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Review.incident_id < before)
    if state:
        statement = statement.where(Review.state == state)
    rows = session.execute(statement).all()
    people = paging_queries.people(session, {review.owner_id for review, _, _ in rows if review.owner_id})
    return [
        ReviewLine(
            number=incident.id,
            title=incident.title,
            incident_class=incident.incident_class,
            severity=incident.severity,
            service=key,
            state=review.state,
            owner=people.get(review.owner_id or 0),
            opened_at=review.opened_at,
            due_at=review.due_at,
            overdue=due.overdue(review.due_at, review.published_at, now),
            published_at=review.published_at,
            published_by=review.published_by,
            document_url=review.document_url,
            sections_written=len(review.sections),
            url=review_url(base_url, incident.id),
        )
        for review, incident, key in rows
    ]
