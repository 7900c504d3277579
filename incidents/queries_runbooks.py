"""The runbooks as lists show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from incidents import briefing
from runbook_links.shelf import Library


@dataclass(frozen=True, slots=True)
class RunbookShown:
    id: str
    title: str
    version: str
    incident_class: str
    severities: tuple[str, ...]
    services: tuple[str, ...]
    owner: str
    active: bool
    last_updated: date | None
    next_review: date | None
    certification: str  # "": never certified
    steps: int
    sha256: str
    url: str


def runbooks(library: Library, today: date, base_url: str) -> list[RunbookShown]:
    """In the order of their ids. Reads no database."""
    return [
        RunbookShown(
            id=book.id,
            title=book.title,
            version=book.version,
            incident_class=book.incident_class,
            severities=book.severities,
            services=book.services,
            owner=book.owner,
            active=book.active,
            last_updated=book.last_updated,
            next_review=book.next_review,
            certification=book.recert_state(today),
            steps=len(book.steps),
            sha256=book.sha256,
            url=briefing.runbook_url(base_url, book.id),
        )
        for book in sorted(library.runbooks, key=lambda book: (book.id, book.name))
    ]
