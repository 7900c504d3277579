"""The forms that give an incident into other hands, hold it, tick its checklists, and report a new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response

from config import auth, durations
from config.durations import DurationError
from config.errors import InvalidInputError, NotAllowedError, TocsinError
from config.forms import in_words, typed
from config.schemas import NUMBER_MAX
from escalation.models import PolicyRow, Responder
from incidents import assigning, checklists, holding, manual, noting
from incidents.desk import Actor, Outcome
from incidents.models import Service
from incidents.queries_detail import IncidentDetail
from incidents.queries_hands import ItemShown
from incidents.severity import IncidentClass, Severity
from incidents.web_edge import NUMBER, Edge

SNOOZES = {"30m": "30 minutes", "1h": "1 hour", "2h": "2 hours", "4h": "4 hours", "8h": "8 hours", "1d": "1 day"}
HOLD = f"{NUMBER}/holds/<int(max={NUMBER_MAX}):hold>"


@dataclass(frozen=True, slots=True)
class Checklist:
    phase: str
    is_now: bool
    ticked: int
    total: int
    groups: tuple[tuple[str, tuple[ItemShown, ...]], ...]


def add(pages: Blueprint, edge: Edge) -> None:
    _hands(pages, edge)
    _holds(pages, edge)
    _reporting(pages, edge)


def context(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    """What these forms need, beside what the incident's page has."""
    people = select(Responder.key, Responder.name).where(Responder.active).order_by(Responder.name)
    return {
        "responders": session.execute(people).all(),
        "policies": session.scalars(select(PolicyRow.key).order_by(PolicyRow.key)).all(),
        "snoozes": SNOOZES,
        "checklists": _checklists(detail),
        "may_hold": holding.HOLDING_ROLE in auth.caller().roles and auth.caller().responder_id is not None,
    }


def _checklists(detail: IncidentDetail) -> list[Checklist]:
    made = []
    for phase, items in groupby(detail.checklist, key=lambda item: item.phase):
        of_phase = tuple(items)
        groups = tuple((name, tuple(each)) for name, each in groupby(of_phase, key=lambda item: item.group))
        ticked = sum(bool(item.ticked_by) for item in of_phase)
        made.append(Checklist(phase, phase == detail.phase, ticked, len(of_phase), groups))
    return made


def _hands(pages: Blueprint, edge: Edge) -> None:
    desk = edge.desk

    @pages.post(f"{NUMBER}/reassign")
    def reassign(number: int) -> Response:
        kind, _, key = typed("to").partition(":")
        reason = typed("reason")
        verb = assigning.reassign_to_policy if kind == "policy" else assigning.reassign
        return edge.act(number, lambda session, who, now: verb(session, desk, number, who, now, to=key, reason=reason))

    @pages.post(f"{NUMBER}/responders")
    def responders(number: int) -> Response:
        key, reason = typed("responder"), typed("reason")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return assigning.add_responder(session, desk, number, who, now, responder=key, reason=reason)

        return edge.act(number, verb)

    @pages.post(f"{NUMBER}/snooze")
    def snooze(number: int) -> Response:
        span = typed("for")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return assigning.snooze(session, desk, number, who, now, until=now + _span(span, "for"))

        return edge.act(number, verb)

    @pages.post(f"{NUMBER}/unacknowledge")
    def unacknowledge(number: int) -> Response:
        reason = typed("reason")
        return edge.act(
            number, lambda session, who, now: assigning.unacknowledge(session, desk, number, who, now, reason=reason)
        )

    @pages.post(f"{NUMBER}/checklist")
    def checklist(number: int) -> Response:
        item = typed("item")
        return edge.act(
            number,
            lambda session, who, now: checklists.tick(session, desk, number, who, now, item=item),
            then="#checklists",
        )


def _holds(pages: Blueprint, edge: Edge) -> None:
    desk = edge.desk

    @pages.post(f"{NUMBER}/holds")
    def hold(number: int) -> Response:
        authority, reason, span = typed("authority"), typed("reason"), typed("for")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            end = now + _span(span, "for")
            return holding.begin(session, desk, number, who, now, reason=reason, authority=authority, min_end_at=end)

        return edge.act(number, verb, then="#holds")

    @pages.post(f"{HOLD}/extend")
    def extend(number: int, hold: int) -> Response:
        reason, span = typed("reason"), typed("for")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            end = now + _span(span, "for")
            return holding.extend(session, desk, number, hold, who, now, min_end_at=end, reason=reason)

        return edge.act(number, verb, then="#holds")

    @pages.post(f"{HOLD}/end")
    def end(number: int, hold: int) -> Response:
        reason = typed("reason")
        return edge.act(
            number,
            lambda session, who, now: holding.end(session, desk, number, hold, who, now, reason=reason),
            then="#holds",
        )


def _reporting(pages: Blueprint, edge: Edge) -> None:
    @pages.get("/incidents/new")
    def new_incident() -> str:
        return _form(edge)

    @pages.post("/incidents/new")
    def report() -> Response | str:
        try:
            if not auth.caller().may("act"):
                raise NotAllowedError(f"{auth.caller().name} may look but not act.")
            said = typed("severity")
            with edge.database.transaction() as session:
                received = manual.report(
                    session,
                    edge.desk,
                    auth.acting("web"),
                    edge.read_clock(),
                    service=typed("service"),
                    title=typed("title"),
                    description=typed("description"),
                    severity=Severity(said) if said in set(Severity) else None,
                    incident_class=IncidentClass.CONSTITUTIONAL if typed("constitutional") else None,
                )
        except TocsinError as refused:
            flash(in_words(refused), "problem")
            return _form(edge)
        edge.wake()
        flash(f"{received.incident_id} is open.", "done")
        return redirect(f"/incidents/{received.incident_id}", 303)


def _form(edge: Edge) -> str:
    with edge.database.reading() as session:
        services = session.scalars(select(Service.key).order_by(Service.key)).all()
    return render_template(
        "incidents/new.html",
        services=services,
        severities=[each.value for each in Severity],
        typed=request.form,
        title_max=manual.TITLE_CHARACTERS_MAX,
        description_max=manual.DESCRIPTION_CHARACTERS_MAX,
        may_act=auth.caller().may("act"),
        note_max=noting.NOTE_CHARACTERS_MAX,
    )


def _span(written: str, field: str) -> timedelta:
    try:
        return timedelta(seconds=durations.to_seconds(written))
    except DurationError as refused:
        raise InvalidInputError("How long?", fields={field: str(refused)}) from refused
