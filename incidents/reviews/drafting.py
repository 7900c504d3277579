"""A record of facts into the review document, `pir/1`: every section, in order, always. Pure.

The document is JSON and is the review; Markdown, HTML and all other formats are functions of it. What Tocsin drafts
states facts with the numbers of their timeline entries. Causes, judgement and the story are left to people, and
what they have not written yet says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from config.clock import utc_text
from incidents import phases
from incidents.reviews import course, due, entries, follow_up, response, sections
from incidents.reviews.due import DueDates, due_dates
from incidents.reviews.record import Record, Written, as_json
from incidents.reviews.sections import Gate, Section

__all__ = ["AUTHOR", "SCHEMA", "DueDates", "draft", "due_dates"]

SCHEMA = "pir/1"
AUTHOR = "Tocsin"

_DRAFTED: Mapping[str, Callable[[Record], str]] = {
    "control": course.control,
    "summary": course.summary,
    "impact": course.impact,
    "detection": course.detection,
    "classification": course.classification,
    "timeline": course.timeline,
    "phases": response.against_targets,
    "paging": response.paging,
    "responders": response.responders,
    "runbook": response.runbooks,
    "lead-up": course.lead_up,
    "went-well": response.went_well,
    "went-badly": response.went_badly,
    "resolution": course.resolution,
    "recurrence": course.recurrence,
    "risks": follow_up.risks,
    "actions": follow_up.actions,
    "lessons": follow_up.lessons,
    "communications": response.communications,
    "evidence": follow_up.evidence,
    "integrity": follow_up.integrity,
    "meeting": follow_up.meeting,
    "guarantee": follow_up.guarantee,
    "integrity-scope": follow_up.integrity_scope,
    "stopped": follow_up.stopped,
    "halt-and-hold": follow_up.halt_and_hold,
    "approvals": follow_up.approvals,
    "ceremony": follow_up.ceremony,
    "custody": follow_up.custody,
    "constitutional-metrics": follow_up.constitutional_metrics,
    "independent-review": follow_up.independent_review,
}


def draft(record: Record) -> dict[str, Any]:
    """The `pir/1` document: JSON values only, durations in whole seconds, null for what is not known.

    `sections` has up to two parts for each section: what was drafted (`auto`) and what people write (`human`,
    with status written, empty or declined). The same record gives an equal document.
    """
    report = phases.phase_report(record.course, record.generated_at)
    return {
        "schema": SCHEMA,
        "incident": _incident(record),
        "snapshot": {
            "generated_at": utc_text(record.generated_at),
            "generated_by": AUTHOR,
            "head": as_json(record.integrity.get("head")),
            "checkpoint": as_json(record.integrity.get("checkpoint")),
            "ruleset": record.ruleset_version,
            "template": record.template_version,
        },
        "review": {
            "state": record.review_state,
            "owner": record.owner,
            "due": as_json(due_dates(record)),
            "published_at": as_json(record.published_at),
            "published_by": record.published_by,
            "document": record.document_url,
            "note": record.published_note,
        },
        "metrics": _metrics(record),
        "phases": as_json(report),
        "holds": as_json(record.holds),
        "checklist": as_json(record.ticks),
        "alerts": as_json(record.alerts),
        "pages": as_json(record.pages),
        "runbooks": [_runbook(book) for book in as_json(record.runbooks)],
        "classification": {"decision": as_json(record.classification), "overrides": as_json(record.overrides)},
        "timeline": as_json(record.timeline),
        "notes": as_json(record.notes),
        "sections": list(_parts(record)),
        "actions": as_json(record.actions),
        "earlier": as_json(record.earlier),
        "approvals": as_json(record.approvals),
        "attachments": as_json(record.attachments),
        "governance": _governance(record) if record.constitutional else None,
        "integrity": as_json(record.integrity),
        "omissions": list(record.omissions),
    }


def _incident(record: Record) -> dict[str, Any]:
    return {
        "id": record.number,
        "title": record.title,
        "class": record.incident_class,
        "severity": {
            "initial": record.severity_initial,
            "peak": record.severity_peak,
            "final": record.severity_final,
        },
        "status": record.status,
        "service": record.service,
        "commander": record.commander,
        "acknowledged_by": record.acknowledged_by,
        "resolved_by": record.resolved_by,
        "url": record.url,
        "started_at": as_json(record.started_at),
        "opened_at": as_json(record.opened_at),
        "acknowledged_at": as_json(record.acknowledged_at),
        "contained_at": as_json(record.contained_at),
        "recovered_at": as_json(record.recovered_at),
        "resolved_at": as_json(record.resolved_at),
        "closed_at": as_json(record.closed_at),
    }


def _runbook(book: dict[str, Any]) -> dict[str, Any]:
    return {("steps" if key == "steps_done" else key): value for key, value in book.items()}


def _governance(record: Record) -> dict[str, Any]:
    return {
        "references": list(record.governance_refs),
        "halt_recommended": record.halt_recommended,
        "took_part": list(entries.people(record)),
        "metrics": as_json(record.constitutional_metrics),
    }


def _metrics(record: Record) -> dict[str, Any]:
    """Seconds; and whether the time to acknowledge counts from a page that was `delivered` or only `sent`."""
    reached = due.first_reached(record.pages, record.acknowledged_at)
    basis = None if reached is None else "sent" if reached.handed_over_by else "delivered"
    return {key: _seconds(span) for key, span in due.measures(record).items()} | {"tta_from": basis}


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _parts(record: Record) -> Iterator[dict[str, Any]]:
    template = sections.for_class(record.incident_class)
    for section in template:
        if section.drafted:
            yield _part(
                section, kind="auto", status="written", author=AUTHOR, markdown=str(_DRAFTED[section.key](record))
            )
        if section.written_by_people:
            yield _human(record, section, record.sections_written.get(section.key))
    asked_for = {section.key for section in template if section.written_by_people}
    for key, text in sorted(record.sections_written.items()):  # the template has changed; nobody's text is dropped
        if key not in asked_for and text.markdown.strip():
            kept = Section("+", f"kept-{key}", f"Kept from another template: {key}", Gate.NONE)
            yield _human(record, kept, text)


def _human(record: Record, section: Section, text: Written | None) -> dict[str, Any]:
    if text is None or not text.markdown.strip():
        return _part(section, kind="human", status="empty", author="", markdown="") | {
            "owner": record.owner,
            "due": _due(section.gate, due_dates(record)),
            "prompts": list(section.prompts),
        }
    status = "declined" if text.declined else "written"
    part = _part(section, kind="human", status=status, author=text.author, markdown=text.markdown)
    return part | {"written_at": utc_text(text.at)}


def _part(section: Section, *, kind: str, status: str, author: str, markdown: str) -> dict[str, Any]:
    return {
        "number": section.number,
        "key": section.key,
        "heading": section.heading,
        "gate": section.gate.value,
        "kind": kind,
        "status": status,
        "author": author,
        "markdown": markdown,
    }


def _due(gate: Gate, dates: DueDates) -> str | None:
    due_at = dates.meeting_on if gate in (Gate.REVIEWED, Gate.CLOSED) else dates.review_at
    return as_json(due_at) if due_at is not None else None
