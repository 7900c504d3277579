"""One incident's page: where it stands, what to do, and all that is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import auth
from config.schemas import NUMBER_MAX
from escalation.models import Escalation
from escalation.policies import Policy
from escalation.web_reader import times_of_reader
from incidents import (
    noting,
    phases,
    queries_alerts,
    queries_detail,
    queries_timeline,
    silencing,
    stepping,
    web_hands,
    web_words,
)
from incidents.lifecycle import Status
from incidents.models import RequestState
from incidents.queries_detail import IncidentDetail, RequestShown
from incidents.queries_hands import StepShown
from incidents.reviews import due, publishing
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus
from incidents.web_edge import NUMBER, Edge
from runbook_links import rendering
from runbook_links.document import Runbook
from runbook_links.steps import Step
from runbook_links.web import LATE, address_of

LIKE_THIS_CHARACTERS = 100  # a label with a longer value is left out of a silence
TITLE_CHARACTERS_SHOWN = 160  # in the heading; the whole title is below it
ENTRIES_SHOWN = 100
SEQ_MAX = 2**31 - 1  # what the column holds
ALERTS_SHOWN = 20
STEPS_KEPT = 512  # rendered, between requests

_ID = re.compile(r' id="[^"]*"')


@dataclass(frozen=True, slots=True)
class StepOnPage:
    step: StepShown
    duration: str
    actor: str
    body: Markup  # what to do, as the runbook says it
    needs_note: bool
    waits_for: tuple[str, ...]  # approvals that do not exist yet


@dataclass(frozen=True, slots=True)
class Pending:
    request: RequestShown
    what: str
    may_decide: bool
    why_not: str  # of a keeper who may not


def add(pages: Blueprint, edge: Edge) -> None:
    @pages.get(NUMBER)
    def incident(number: int) -> str:
        now = edge.read_clock()
        with edge.database.reading() as session:
            detail = queries_detail.incident(session, edge.desk, number, now)
            context = _context(session, edge, detail, now)
        return render_template("incidents/incident.html", **context)


def _context(session: Session, edge: Edge, detail: IncidentDetail, now: datetime) -> dict[str, Any]:
    times = times_of_reader(session, now)
    policy = _policy(session, detail.number)
    book = edge.desk.shelf.library.get(detail.runbook.id) if detail.runbook else None
    before = _asked_before("before", SEQ_MAX)
    told = queries_timeline.newest(session, detail.number, before=before, limit=ENTRIES_SHOWN)
    return (
        web_hands.context(session, detail)
        | _alerts(session, detail)
        | {
            "incident": detail,
            "times": times,
            "status": web_words.status(detail, len(policy.levels) if policy else 0, times),
            "levels": web_words.levels(policy, detail),
            "people": web_words.paged(detail),
            "constitutional": detail.incident_class == IncidentClass.CONSTITUTIONAL,
            "over": detail.status in (Status.RESOLVED, Status.CLOSED),
            "pending": [_pending(each) for each in detail.requests if each.state == RequestState.PENDING],
            "decided": [
                (each, web_words.asked_for(each)) for each in detail.requests if each.state != RequestState.PENDING
            ],
            "recertification": _late(book, now.date()),
            "steps": _steps(detail, book, stepping.approved(session, detail.number)),
            "progress": phases.phase_report(_course(detail), now),
            "rows": web_words.rows(told),
            "older": told.before,
            "severities": [each.value for each in Severity],
            "classes": [each.value for each in IncidentClass],
            "may_act": auth.caller().may("act"),
            "may_publish": _may_publish(detail),
            "like_this": _silence_like_this(detail),
            "review_overdue": due.overdue(detail.review_due_at, detail.review_published_at, now),
            "url_max": publishing.URL_CHARACTERS_MAX,
            "title_max": TITLE_CHARACTERS_SHOWN,
            "reason_max": noting.REASON_CHARACTERS_MAX,
            "note_max": noting.NOTE_CHARACTERS_MAX,
        }
    )


def _alerts(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    """The newest first; `?alerts=firing` leaves out what has ended, `?alerts_before=` gives older ones."""
    only, before = request.args.get("alerts", ""), _asked_before("alerts_before", NUMBER_MAX)
    status = AlertStatus.FIRING.value if only == AlertStatus.FIRING else ""
    if before == NUMBER_MAX and not status:
        found = list(reversed(detail.alerts))[: ALERTS_SHOWN + 1]
    else:
        found = queries_alerts.page(session, detail.number, before=before, status=status, limit=ALERTS_SHOWN + 1)
    shown = found[:ALERTS_SHOWN]
    older = shown[-1].id if len(found) > ALERTS_SHOWN else None
    return {"alerts": shown, "alerts_older": older, "alerts_only": status, "alerts_are_newest": before == NUMBER_MAX}


def _asked_before(name: str, most: int) -> int:
    """As the address asks; `most`, which the column can hold, where it asks for nothing that a number could be."""
    return min(max(request.args.get(name, most, type=int), 0), most)


def _silence_like_this(detail: IncidentDetail) -> str:
    """The form for a silence of what its first alert is like; empty for what is never silenced."""
    if detail.incident_class == IncidentClass.CONSTITUTIONAL or not detail.alerts:
        return ""
    labels = [(name, str(value)) for name, value in sorted(detail.alerts[0].labels.items())]
    lines = [f"{name} = {value}" for name, value in labels if len(value) <= LIKE_THIS_CHARACTERS and "\n" not in value]
    query = {"services": detail.service, "labels": "\n".join(lines[: silencing.LABELS_MAX])}
    return f"/silences/new?{urlencode(query)}"


def _policy(session: Session, number: int) -> Policy | None:
    """As it was when the incident opened."""
    frozen = session.scalar(select(Escalation.policy).where(Escalation.incident_id == number))
    return Policy.from_json(frozen) if frozen else None


def _pending(asked: RequestShown) -> Pending:
    caller = auth.caller()
    why_not = ""
    if caller.key == asked.requested_by.key:
        why_not = "You asked for it, so two other keepers must decide."
    elif any(each.by.key == caller.key for each in asked.decisions):
        why_not = "You have decided; another keeper must."
    return Pending(asked, web_words.asked_for(asked), caller.may("approve") and not why_not, why_not)


def _may_publish(detail: IncidentDetail) -> bool:
    caller = auth.caller()
    return publishing.may_publish(caller.roles, caller.responder_id, detail.incident_class)


def _course(detail: IncidentDetail) -> phases.Course:
    reached = detail.milestones
    return phases.Course(
        opened_at=detail.opened_at,
        acknowledged_at=reached.acknowledged_at,
        contained_at=reached.contained_at,
        recovered_at=reached.recovered_at,
        resolved_at=reached.resolved_at,
        reviewed_at=detail.review_published_at,
        holds=tuple(hold.value for hold in detail.holds),
    )


def _late(book: Runbook | None, today: date) -> str:
    """What is wrong with the runbook's certification; "": nothing that matters now."""
    state = book.recert_state(today) if book else ""
    return state if state in LATE else ""


def _steps(detail: IncidentDetail, book: Runbook | None, approved: frozenset[str]) -> list[StepOnPage]:
    written = {step.number: step for step in book.steps} if book else {}
    shown = detail.runbook.steps if detail.runbook else ()
    return [_step(each, written.get(each.number), approved) for each in shown]


def _step(shown: StepShown, written: Step | None, approved: frozenset[str]) -> StepOnPage:
    if written is None:
        return StepOnPage(shown, "", "", Markup(""), needs_note=False, waits_for=())
    needed = sorted({approval.action for approval in written.approvals} - approved) if written.is_constitutional else []
    return StepOnPage(
        step=shown,
        duration=written.duration,
        actor=written.actor,
        body=_rendered(written.text.partition("\n")[2]),
        needs_note=written.is_constitutional,
        waits_for=tuple(needed),
    )


@lru_cache(maxsize=STEPS_KEPT)
def _rendered(markdown: str) -> Markup:
    # The same heading stands in several steps, and an id only once on a page.
    return Markup(_ID.sub("", rendering.render(markdown, link=address_of)))  # noqa: S704  # nh3 has cleaned it
