"""The forms of an incident's page. Each is one verb; its outcome is told on the page it came from."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session
from werkzeug import Response

from config.forms import typed
from incidents import actions, governance, noting, reclassifying, stepping
from incidents.desk import Actor, Outcome
from incidents.reviews import publishing
from incidents.severity import IncidentClass, Severity
from incidents.web_edge import NUMBER, Edge


def add(pages: Blueprint, edge: Edge) -> None:
    _response(pages, edge)
    _judgement(pages, edge)
    _record(pages, edge)
    _review(pages, edge)


def _response(pages: Blueprint, edge: Edge) -> None:
    desk = edge.desk

    @pages.post(f"{NUMBER}/acknowledge")
    def acknowledge(number: int) -> Response:
        return edge.act(number, lambda session, who, now: actions.acknowledge(session, desk, number, who, now))

    @pages.post(f"{NUMBER}/resolve")
    def resolve(number: int) -> Response:
        reason = typed("reason")
        return edge.act(
            number, lambda session, who, now: actions.resolve(session, desk, number, who, now, reason=reason)
        )

    @pages.post(f"{NUMBER}/escalate")
    def escalate(number: int) -> Response:
        return edge.act(number, lambda session, who, now: actions.escalate_now(session, desk, number, who, now))

    @pages.post(f"{NUMBER}/milestones")
    def milestones(number: int) -> Response:
        reached = typed("milestone")
        return edge.act(
            number, lambda session, who, now: actions.reach_milestone(session, desk, number, reached, who, now)
        )


def _judgement(pages: Blueprint, edge: Edge) -> None:
    desk = edge.desk

    @pages.post(f"{NUMBER}/reclassify")
    def reclassify(number: int) -> Response:
        severity, its_class, reason = typed("severity"), typed("class"), typed("reason")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return reclassifying.reclassify(
                session,
                desk,
                number,
                who,
                now,
                new_severity=next((each for each in Severity if each.value == severity), None),
                new_class=next((each for each in IncidentClass if each.value == its_class), None),
                reason=reason,
            )

        return edge.act(number, verb)

    @pages.post(f"{NUMBER}/approvals")
    def approvals(number: int) -> Response:
        action, decision, reason = typed("action"), typed("decision"), typed("reason")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            said = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
            return governance.decide(session, desk, number, who, now, action=action, decision=decision, reason=said)

        return edge.act(number, verb)


def _record(pages: Blueprint, edge: Edge) -> None:
    desk = edge.desk

    @pages.post(f"{NUMBER}/notes")
    def notes(number: int) -> Response:
        text, starred = typed("text"), bool(typed("starred"))

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return actions.add_note(session, desk, number, who, now, text=text, starred=starred)

        return edge.act(number, verb, then="#timeline")

    @pages.post(f"{NUMBER}/steps/<int(max=10000):step>")
    def steps(number: int, step: int) -> Response:
        said = typed("note")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return stepping.tick(session, desk, number, step, who, now, note=said)

        return edge.act(number, verb, then=f"#step-{step}")


def _review(pages: Blueprint, edge: Edge) -> None:
    desk = edge.desk

    @pages.post(f"{NUMBER}/review/publish")
    def publish(number: int) -> Response:
        url, said = typed("url"), typed("note")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return publishing.publish(session, desk, number, who, now, url=url, note=said)

        return edge.act(number, verb, then="#review")

    @pages.post(f"{NUMBER}/review/withdraw")
    def withdraw(number: int) -> Response:
        reason = typed("reason")

        def verb(session: Session, who: Actor, now: datetime) -> Outcome:
            return publishing.withdraw(session, desk, number, who, now, reason=reason)

        return edge.act(number, verb, then="#review")
