"""Rows into the facts a review is drafted from, one function a kind of fact. What is left out for its number is
said in a sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session, aliased

from escalation import queries as paging_queries
from escalation.queries import PageMade, Paging
from incidents import queries, requests
from incidents.models import Alert, ChangeRequest, Decision, Incident
from incidents.reviews import chronicle
from incidents.reviews.chronicle import Answer
from incidents.reviews.record import (
    AlertFact,
    ApprovalFact,
    AttemptFact,
    DecisionFact,
    EarlierIncident,
    EntryFact,
    PageFact,
    RunbookFact,
    StepFact,
)
from runbook_links import links
from runbook_links.document import Runbook
from runbook_links.shelf import Shelf

ALERTS_MAX = 500
REQUESTS_MAX = 200
EARLIER_WITHIN = timedelta(days=365)
EARLIER_LOOKED_AT_MAX = 500  # the newest before this one
EARLIER_SHOWN_MAX = 10
DECIDING_ROLE = "keeper"  # nobody else can decide


def alerts(session: Session, incident_id: int) -> tuple[tuple[AlertFact, ...], tuple[str, ...]]:
    """(the first ALERTS_MAX, what was left out)."""
    of_incident = select(Alert).where(Alert.incident_id == incident_id).order_by(Alert.id)
    rows = session.scalars(of_incident.limit(ALERTS_MAX + 1)).all()
    facts = tuple(
        AlertFact(
            title=row.title,
            source=row.source,
            dedup_key=row.dedup_key,
            first_at=row.first_at,
            last_at=row.last_at,
            resolved_at=row.resolved_at,
            count=row.count,
            url=row.url,
        )
        for row in rows[:ALERTS_MAX]
    )
    return facts, (f"Alerts after the first {ALERTS_MAX}.",) if len(rows) > ALERTS_MAX else ()


def pages(made: Sequence[PageMade], answers: Sequence[Answer]) -> tuple[PageFact, ...]:
    """No page is marked as the answered one when people acknowledge: they answer the incident. Taken for it is the last
    page that person was sent before, by the way they answered if there is one, else by any.
    """
    answered = [_answered(made, answer) for answer in answers]
    return tuple(
        PageFact(
            responder=page.responder_name,
            channel=page.channel,
            level=page.level,
            state=page.state,
            queued_at=page.queued_at,
            sent_at=page.sent_at,
            delivered_at=page.delivered_at,
            acknowledged=any(page is each for each in answered),
            attempts=tuple(
                AttemptFact(attempt.started_at, attempt.outcome or "in flight", attempt.error)
                for attempt in page.attempts
            ),
        )
        for page in made
    )


def _answered(made: Sequence[PageMade], answer: Answer) -> PageMade | None:
    before = [page for page in made if page.responder_name == answer.by and page.sent_at and page.sent_at <= answer.at]
    return max(before, key=lambda page: (page.channel == answer.via, page.sent_at), default=None)


def page_omissions(paging: Paging) -> tuple[str, ...]:
    left_out = paging.pages_total - len(paging.pages)
    return (f"The first {left_out} of {paging.pages_total} pages.",) if left_out else ()


def approvals(session: Session, incident_id: int, now: datetime) -> tuple[ApprovalFact, ...]:
    of_incident = select(ChangeRequest).where(ChangeRequest.incident_id == incident_id)
    asked = session.scalars(of_incident.order_by(ChangeRequest.id).limit(REQUESTS_MAX)).all()
    if not asked:
        return ()
    made = session.scalars(
        select(Decision).where(Decision.request_id.in_([request.id for request in asked])).order_by(Decision.id)
    ).all()
    names = paging_queries.people(session, {r.requested_by_id for r in asked} | {d.responder_id for d in made})
    decisions: defaultdict[int, list[DecisionFact]] = defaultdict(list)
    for each in made:
        decided = DecisionFact(
            names[each.responder_id].name, DECIDING_ROLE, each.decision, each.reason, each.decided_at
        )
        decisions[each.request_id].append(decided)
    return tuple(
        ApprovalFact(
            action=request.action,
            requested_by=names[request.requested_by_id].name,
            requested_at=request.requested_at,
            reason=request.reason,
            decisions=tuple(decisions[request.id]),
            quorum_needed=requests.APPROVALS_NEEDED,
            state=queries.request_state(request, now),
        )
        for request in asked
    )


def runbook(
    session: Session, incident_id: int, entries: Sequence[EntryFact], shelf: Shelf | None
) -> tuple[RunbookFact | None, Runbook | None]:
    """(what was attached, its file as it is now). The file is None without a shelf, or when it is gone."""
    link = links.link_of(session, incident_id)
    if link is None:
        return None, None
    file = shelf.library.get(link.runbook_id) if shelf else None
    titles = chronicle.step_titles(entries, link.runbook_id)
    done = tuple(
        StepFact(tick.step, titles.get(tick.step, ""), tick.ticked_by, tick.ticked_at, tick.note)
        for tick in links.ticks_of(session, incident_id)
        if tick.runbook_id == link.runbook_id
    )
    unchanged = file is not None and file.sha256 == link.sha256
    fact = RunbookFact(
        id=link.runbook_id,
        title=link.title,
        version=link.version,
        sha256=link.sha256,
        reason=link.reason,
        primary=True,
        recert_status=file.recert_state(link.attached_at.date()) if file and unchanged else "",
        steps_done=done,
    )
    return fact, file


def earlier(session: Session, incident: Incident) -> tuple[EarlierIncident, ...]:
    """Those of the year before that are like it: the most alike first, then the newest."""
    columns = select(Incident.id, Incident.title, Incident.opened_at, Incident.classification, Incident.service_id)
    rows = session.execute(
        columns.where(Incident.id < incident.id, Incident.opened_at >= incident.opened_at - EARLIER_WITHIN)
        .order_by(Incident.id.desc())
        .limit(EARLIER_LOOKED_AT_MAX)
    ).all()
    rules, same_key = _rules(incident.classification), _with_same_key(session, incident.id, {row.id for row in rows})
    found: list[tuple[Row[Any], list[str]]] = []
    for row in rows:
        shared = sorted(rules & _rules(row.classification))
        alike = ["same dedup key"] if row.id in same_key else []
        alike += [f"same rule {', '.join(shared)}"] if shared else []
        alike += ["same service"] if row.service_id == incident.service_id else []
        if alike:
            found.append((row, alike))
    found.sort(key=lambda pair: (-len(pair[1]), -pair[0].id))
    return tuple(
        EarlierIncident(row.id, row.title, row.opened_at, "; ".join(alike), actions_open=0)
        for row, alike in found[:EARLIER_SHOWN_MAX]
    )


def _rules(classification: dict[str, Any]) -> set[str]:
    return {hit["rule"] for hit in classification.get("hits", ())}


def _with_same_key(session: Session, incident_id: int, others: Collection[int]) -> set[int]:
    mine, theirs = aliased(Alert), aliased(Alert)
    statement = (
        select(theirs.incident_id)
        .join(mine, and_(mine.integration_id == theirs.integration_id, mine.dedup_key == theirs.dedup_key))
        .where(mine.incident_id == incident_id, theirs.incident_id.in_(others))
        .distinct()
    )
    return set(session.scalars(statement))
