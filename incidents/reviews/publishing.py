"""Declaring a review finished, correcting that, and taking it back.

The text is finished outside Tocsin for now, so a publication names the address where it is. Each publication, each
correction and each withdrawal is an entry of its own on the timeline; none is edited.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from config.clock import utc_text
from config.errors import ConflictError, InvalidInputError, NotAllowedError
from escalation.channels import wording
from incidents import noting
from incidents.desk import Actor, Desk, Outcome
from incidents.models import Incident
from incidents.reviews import reviewing, sections
from incidents.reviews.models import Review
from incidents.severity import IncidentClass
from incidents.sources import reading

DRAFT, PUBLISHED = "draft", "published"
CONSTITUTIONAL_ROLE = "keeper"
URL_CHARACTERS_MAX = 2_000
UNWRITTEN_NAMED_MAX = 5

_UNFIT = re.compile(r"[\s\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # would show as another address


def publish(
    session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, url: str = "", note: str = ""
) -> Outcome:
    """A person declares the review finished; `url` is where the finished text is. Said again, it changes nothing.

    With another address or note it is a correction: a new entry on the timeline and a new event, while who published
    it, and when, stay. Raises ConflictError while the incident is not resolved.
    """
    incident, review = _locked(session, number, actor)
    if incident.resolved_at is None:
        raise ConflictError(f"Incident {number} is not resolved yet; its review is published after that.")
    url, note = _address(url), reading.clean(note).strip()
    if len(note) > noting.NOTE_CHARACTERS_MAX:
        raise InvalidInputError(
            "The note is too long.", fields={"note": f"at most {noting.NOTE_CHARACTERS_MAX} characters"}
        )
    already = review.published_at is not None
    if already and url in ("", review.document_url) and note in ("", review.published_note):
        by = wording.acted("published", review.published_by, review.published_at, now)
        sentence = (
            f"The review of {number} is already {by}. To correct it, publish it again with another address or note."
        )
        return Outcome(number, False, incident.status, sentence)
    review.document_url = url or review.document_url
    review.published_note = note or review.published_note
    if not already:
        review.state, review.published_at, review.published_by = PUBLISHED, now, actor.name
    facts = {"document": review.document_url, "note": review.published_note, "correction": already}
    where = f"; the finished text is at {review.document_url}" if review.document_url else ""
    said = f"{actor.name} {'corrected the publication of' if already else 'published'} the review{where}."
    noting.note(session, desk, incident, "review.published", said, actor, now, facts)
    done = "The publication is corrected" if already else "Published"
    return Outcome(
        number, True, incident.status, f"{done}: the review of {number}. {_unwritten(incident, review)}".strip()
    )


def withdraw(session: Session, desk: Desk, number: int, actor: Actor, now: datetime, *, reason: str) -> Outcome:
    """Take a publication back: the review is a draft again, and due as it was. What was published stays on record."""
    incident, review = _locked(session, number, actor)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    if review.published_at is None:
        return Outcome(number, False, incident.status, f"The review of {number} is a draft; nothing is published.")
    facts = {"document": review.document_url, "published_at": utc_text(review.published_at), "reason": reason}
    review.state, review.published_at, review.published_by = DRAFT, None, ""
    review.document_url = review.published_note = ""
    noting.note(
        session,
        desk,
        incident,
        "review.withdrawn",
        f"{actor.name} took the published review back: {reason}",
        actor,
        now,
        facts,
    )
    return Outcome(number, True, incident.status, f"The review of {number} is a draft again.")


def may_publish(actor_roles: Collection[str], responder_id: int | None, incident_class: str) -> bool:
    """Programs finish no review: what it says, somebody stands for."""
    needed = {CONSTITUTIONAL_ROLE} if incident_class == IncidentClass.CONSTITUTIONAL else noting.ACTING_ROLES
    return responder_id is not None and not needed.isdisjoint(actor_roles)


def _locked(session: Session, number: int, actor: Actor) -> tuple[Incident, Review]:
    incident = noting.locked(session, number)
    if not may_publish(actor.roles, actor.responder_id, incident.incident_class):
        constitutional = incident.incident_class == IncidentClass.CONSTITUTIONAL
        who = (
            "a keeper publishes the review of a constitutional incident"
            if constitutional
            else "a person who responds publishes a review"
        )
        raise NotAllowedError(f"Only {who}; {actor.name} is none.")
    return incident, reviewing.opened(session, number)[2]


def _address(url: str) -> str:
    """An address that browsers of people may be led to, or ""."""
    url = url.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not _UNFIT.search(url)
        named = bool(parts.username or parts.password)
        _ = parts.port
    except ValueError:
        usable = named = False
    problem = "" if usable else "needs to begin with https:// or http:// and name a host"
    problem = problem or ("must hold no name and password" if named else "")
    if len(url) > URL_CHARACTERS_MAX:
        problem = f"at most {URL_CHARACTERS_MAX} characters"
    if problem:
        raise InvalidInputError("The address of the finished review cannot be used.", fields={"url": problem})
    return url


def _unwritten(incident: Incident, review: Review) -> str:
    """What Tocsin itself shows as not written. Where the text is elsewhere, nobody can tell from here."""
    if review.document_url:
        return ""
    asked = [each for each in sections.for_class(incident.incident_class) if each.written_by_people]
    empty = [each.heading for each in asked if each.key not in review.sections]
    if not empty:
        return ""
    more = len(empty) - UNWRITTEN_NAMED_MAX
    named = ", ".join(empty[:UNWRITTEN_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
    return f"NOT YET WRITTEN here: {named}. If the finished text is elsewhere, publish again with its address."
