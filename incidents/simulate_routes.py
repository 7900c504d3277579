"""The HTTP API of simulations: who would be woken, as JSON and as a picture; and what a proposed configuration changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response
from marshmallow import fields, validate

from config import auth, durations
from config.clock import utc_text
from config.database import Database
from config.declaration import DeclarationError
from config.errors import InvalidInputError
from config.routes import Routes
from config.schemas import NUMBER_MAX, Moment, Strict, Text
from escalation import course_text, picture
from escalation.comparison import ForPerson, OfPolicy
from escalation.oncall.differences import Moved
from incidents import simulating
from incidents.desk import Desk
from incidents.severity import IncidentClass, Severity
from incidents.simulating import Asked, Preview
from incidents.sources.table import SOURCES

CONFIG_CHARACTERS_MAX = 500_000
PROBLEMS_SHOWN_MAX = 50


class SimulationQuery(Strict):
    policy = Text(characters_max=64, load_default="")
    service = Text(characters_max=64, load_default="")
    incident = fields.Integer(strict=False, validate=validate.Range(1, NUMBER_MAX), load_default=None)
    severity = fields.Enum(Severity, by_value=True, load_default=Severity.HIGH)
    incident_class = fields.Enum(IncidentClass, by_value=True, data_key="class", load_default=IncidentClass.OPERATIONAL)
    at = Moment(load_default=None, metadata={"description": "when it opens; left out: now"})
    until = Moment(load_default=None, metadata={"description": "all that may happen between `at` and then"})
    acknowledged_after = Text(
        characters_max=20, load_default="", metadata={"description": "somebody acknowledges so long after: 10m"}
    )


class ProposalTaken(SimulationQuery):
    config = Text(characters_max=CONFIG_CHARACTERS_MAX, required=True, metadata={"description": "a whole tocsin.yaml"})


class SimulationShown(Strict):
    title = fields.String()
    policy = fields.String()
    urgency = fields.String(metadata={"description": "high, medium, low or none"})
    opened_at = fields.String()
    acknowledged_at = fields.String(allow_none=True)
    then = fields.String(metadata={"description": "what comes after the last of these messages"})
    silences = fields.List(
        fields.String(), metadata={"description": "of a service: what would hold it back, and until when"}
    )
    steps = fields.List(fields.Dict(), metadata={"description": "each step of the escalation, and whom it reaches"})
    messages = fields.List(fields.Dict(), metadata={"description": "each page and notification, by time"})
    stretches = fields.List(
        fields.Dict(), metadata={"description": "with `until`: for as long as the answer is the same, one"}
    )


class ProposalShown(SimulationShown):
    changes = fields.List(fields.String(), metadata={"description": "as `tocsin apply --dry-run` says them"})
    looked_until = Moment(metadata={"description": "how far it was looked for what changes for whom"})
    people = fields.List(fields.Dict(), metadata={"description": "shifts won and lost"})
    policies = fields.List(fields.Dict(), metadata={"description": "policies that wake others, or at other times"})


def blueprint(database: Database, desk: Desk, clock: Callable[[], datetime]) -> Blueprint:
    routes = Routes("simulations", "Who would be woken, before it matters")

    @routes.get("/simulate", query=SimulationQuery, gives=SimulationShown, refuses=[404])
    def simulate(query: dict[str, Any]) -> dict[str, Any]:
        """Who would be woken, when and by what, if nobody answered: for a policy, a service, or an incident on record."""
        asked = _asked(query, clock())
        with database.reading() as session:
            prepared = simulating.prepare(session, asked)
        return _shown(prepared, asked)

    @routes.document("/simulate.svg", media_type="image/svg+xml", query=SimulationQuery, refuses=[404])
    def simulate_svg(query: dict[str, Any]) -> Response:
        """The same as a picture: people below each other, time to the right."""
        asked = _asked(query, clock())
        with database.reading() as session:
            prepared = simulating.prepare(session, asked)
        drawn = picture.svg(prepared.course(asked), prepared.title)
        return Response(drawn, content_type="image/svg+xml; charset=utf-8")

    @routes.post("/simulate", takes=ProposalTaken, gives=ProposalShown, refuses=[404])
    def propose(taken: dict[str, Any]) -> dict[str, Any]:
        """The same for a configuration that is not applied, and what it would change for whom. For administrators."""
        auth.require("administer")
        now = clock()
        asked = _asked(taken, now)
        runbook_ids = {runbook.id for runbook in desk.shelf.library.runbooks}
        try:
            preview = simulating.proposed(
                database, taken["config"], asked, now=now, runbook_ids=runbook_ids, sources=SOURCES
            )
        except DeclarationError as refused:
            problems = [str(problem) for problem in refused.problems[:PROBLEMS_SHOWN_MAX]]
            raise InvalidInputError(
                "The configuration has problems.", fields={"config": "; ".join(problems)}
            ) from refused
        return _shown(preview.prepared, asked) | _changed(preview)

    return routes.blueprint


def _asked(query: dict[str, Any], now: datetime) -> Asked:
    return Asked(
        at=query["at"] or now,
        policy=query["policy"],
        service=query["service"],
        incident=query["incident"],
        severity=query["severity"],
        incident_class=query["incident_class"],
        until=query["until"],
        acknowledged_after=_duration(query["acknowledged_after"]),
    )


def _duration(written: str) -> timedelta | None:
    try:
        return timedelta(seconds=durations.to_seconds(written)) if written else None
    except durations.DurationError as refused:
        raise InvalidInputError(str(refused), fields={"acknowledged_after": str(refused)}) from refused


def _shown(prepared: simulating.Prepared, asked: Asked) -> dict[str, Any]:
    shown = course_text.as_json(prepared.course(asked), prepared.title)
    shown["silences"] = list(prepared.silences)
    if asked.until is not None:
        shown["stretches"] = [course_text.stretch_as_json(each) for each in prepared.stretches(asked.until)]
    return shown


def _changed(preview: Preview) -> dict[str, Any]:
    return {
        "changes": preview.changes.lines,
        "looked_until": preview.looked_until,
        "people": [_person(each) for each in preview.comparison.people],
        "policies": [_policy(each) for each in preview.comparison.policies],
    }


def _person(each: ForPerson) -> dict[str, Any]:
    return {
        "responder": each.key,
        "name": each.name,
        "gained": [_moved(move) for move in each.gained],
        "lost": [_moved(move) for move in each.lost],
    }


def _moved(move: Moved) -> dict[str, Any]:
    return {"schedule": move.schedule, "starts_at": utc_text(move.starts_at), "ends_at": utc_text(move.ends_at)}


def _policy(each: OfPolicy) -> dict[str, Any]:
    sides = {"before": each.before, "after": each.after}
    said = {side: course_text.in_short(course) if course else None for side, course in sides.items()}
    return {"policy": each.key, "since": utc_text(each.since), "until": utc_text(each.until), **said}
