"""The page of simulations: who would be woken, as a picture and as a list, before it matters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from sqlalchemy import select

from config.clock import utc_text
from config.database import Database
from config.errors import InvalidInputError, NotFoundError
from config.schemas import NUMBER_MAX
from escalation import course_text, web_times
from escalation.channels import names
from escalation.models import PolicyRow
from escalation.oncall import taken
from escalation.oncall.taken import TakenError
from escalation.web_reader import times_of_reader
from incidents import simulating
from incidents.models import Service
from incidents.severity import IncidentClass, Severity
from incidents.simulating import Asked, Prepared

SPANS_DAYS = (7, 14, 28)
Kind = TypeVar("Kind", Severity, IncidentClass)
LOCAL = "%Y-%m-%dT%H:%M"


def pages(database: Database, clock: Callable[[], datetime]) -> Blueprint:
    drawn = Blueprint("simulation_pages", __name__, template_folder="templates")

    @drawn.get("/simulate")
    def simulate() -> str:
        now = clock()
        with database.reading() as session:
            services = session.scalars(select(Service.key).order_by(Service.key)).all()
            policies = session.scalars(select(PolicyRow.key).order_by(PolicyRow.key)).all()
            times = times_of_reader(session, now)
            problem, prepared, asked = "", None, _asked("", now)
            try:
                asked = _read(now, times.zone, services[0] if services else "")
                prepared = simulating.prepare(session, asked)
                stretches = prepared.stretches(asked.until) if asked.until else []
            except (InvalidInputError, NotFoundError) as refused:
                problem, stretches = refused.detail, []
        return render_template(
            "incidents/simulate.html",
            times=times,
            channels=names.NAMES,
            services=services,
            policies=policies,
            severities=[each.value for each in Severity],
            classes=[each.value for each in IncidentClass],
            asked=asked,
            at_local=asked.at.astimezone(ZoneInfo(times.zone)).strftime(LOCAL),
            days=_days(),
            spans=SPANS_DAYS,
            problem=problem,
            stretches=[(each.since, each.until, course_text.in_short(each.course)) for each in stretches],
            **_course(prepared, asked),
        )

    return drawn


def _course(prepared: Prepared | None, asked: Asked) -> dict[str, object]:
    if prepared is None:
        return {"course": None}
    course = prepared.course(asked)
    query = {"at": utc_text(asked.at), "severity": asked.severity.value, "class": asked.incident_class.value}
    query |= {name: value for name, value in (("service", asked.service), ("policy", asked.policy)) if value}
    if asked.incident is not None:
        query["incident"] = str(asked.incident)
    return {
        "course": course,
        "title": prepared.title,
        "silences": prepared.silences,
        "then": course_text.then(course),
        "where": course_text.where,
        "picture": f"/api/v1/simulate.svg?{urlencode(query)}",
        "in_short": course_text.in_short(course),
        "after": lambda length: "at once" if not length else f"after {web_times.span(length)}",
        "clock_of": lambda each: f"{each.at.astimezone(ZoneInfo(each.person.timezone)):%a %H:%M}",
    }


def _read(now: datetime, zone: str, first_service: str) -> Asked:
    """What the address asks; with nothing in it, an incident of the first service that opens now."""
    given = request.args.get("incident", "")
    if given.isascii() and given.isdigit() and 0 < int(given) <= NUMBER_MAX:
        return Asked(at=now, incident=int(given))
    at = now
    if written := request.args.get("at", ""):
        try:
            at = taken.instant(written, zone, days=False)
        except TakenError as refused:
            raise InvalidInputError(f"The moment {refused}.") from refused
    days = _days()
    kind, _, key = request.args.get("of", f"service:{first_service}").partition(":")
    asked = _asked(key, at, policy=kind == "policy")
    return asked if not days else _asked(key, at, policy=kind == "policy", until=at + timedelta(days=days))


def _asked(key: str, at: datetime, *, policy: bool = False, until: datetime | None = None) -> Asked:
    return Asked(
        at=at,
        policy=key if policy else "",
        service="" if policy else key,
        severity=_chosen("severity", Severity, Severity.HIGH),
        incident_class=_chosen("class", IncidentClass, IncidentClass.OPERATIONAL),
        until=until,
    )


def _chosen(name: str, kinds: type[Kind], otherwise: Kind) -> Kind:
    written = request.args.get(name, "")
    return next((each for each in kinds if each.value == written), otherwise)


def _days() -> int:
    written = request.args.get("days", "")
    return int(written) if written.isascii() and written.isdigit() and int(written[:4]) in SPANS_DAYS else 0
