"""The command that says who would be woken, before it matters."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from config import clock, durations
from config.database import Database
from config.errors import TocsinError
from config.orm import Base
from escalation import course_text, picture
from incidents import simulating
from incidents.cli_configuration import FILE, apply_file
from incidents.desk import Desk
from incidents.severity import IncidentClass, Severity
from incidents.simulating import Asked, Prepared

FORMATS = ("table", "json", "svg")


class Moment(click.ParamType[datetime]):
    """`2026-11-16T03:00`, in UTC unless it says otherwise."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-11-16T03:00 or 2026-11-16T03:00+01:00.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return timedelta(seconds=durations.to_seconds(str(value)))
        except durations.DurationError as refused:
            self.fail(str(refused), param, ctx)


def command(open_database: Callable[[], Database], make_desk: Callable[[], Desk]) -> click.Command:
    @click.command("simulate")
    @click.option("--policy", default="", help="An escalation policy, by its key.")
    @click.option("--service", default="", help="A service: its incident is escalated by the policy it chooses.")
    @click.option("--incident", type=int, help="An incident on record, by its number: its policy, when it opened.")
    @click.option("--severity", type=click.Choice([*Severity], case_sensitive=False), default=Severity.HIGH)
    @click.option("--class", "incident_class", type=click.Choice([*IncidentClass]), default=IncidentClass.OPERATIONAL)
    @click.option("--at", type=Moment(), help="When it opens; UTC unless it says otherwise. Left out: now.")
    @click.option(
        "--until", type=Moment(), help="Everything from --at until then: a line each time the answer changes."
    )
    @click.option("--acknowledged-after", type=Duration(), help="Somebody acknowledges so long after it opens: 10m.")
    @click.option("--config", type=FILE, help="A tocsin.yaml to try, without any database.")
    @click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
    def simulate(
        policy: str,
        service: str,
        incident: int | None,
        severity: str,
        incident_class: str,
        at: datetime | None,
        until: datetime | None,
        acknowledged_after: timedelta | None,
        config: Path | None,
        form: str,
    ) -> None:
        """Say who would be woken, when, by what, and what comes then, if nobody answered. Nobody is."""
        asked = Asked(
            at=at or clock.now(),
            policy=policy,
            service=service,
            incident=incident,
            severity=Severity(severity.upper()),
            incident_class=IncidentClass(incident_class),
            until=until,
            acknowledged_after=acknowledged_after,
        )
        if until is not None and form == "svg":
            raise click.UsageError("A picture is of one moment: leave --until out, or ask for a table.")
        try:
            prepared = _of_file(config, make_desk(), asked) if config else _of_database(open_database(), asked)
            click.echo(_shown(prepared, asked, form))
        except TocsinError as refused:
            raise click.ClickException(str(refused)) from refused

    return simulate


def _of_file(file: Path, desk: Desk, asked: Asked) -> Prepared:
    """In a database of its own, in memory, that holds what the file says and nothing else."""
    database = Database("sqlite://")
    found: list[Prepared] = []
    try:
        Base.metadata.create_all(database.engine)
        apply_file(
            database,
            desk,
            file,
            dry_run=True,
            look=lambda session, _: found.append(simulating.prepare(session, asked)),
            now=asked.at,
        )
    finally:
        database.close()
    return found[0]


def _of_database(database: Database, asked: Asked) -> Prepared:
    try:
        with database.reading() as session:
            return simulating.prepare(session, asked)
    finally:
        database.close()


def _shown(prepared: Prepared, asked: Asked, form: str) -> str:
    if asked.until is not None:
        found = prepared.stretches(asked.until)
        if form == "table":
            return "\n\n".join([course_text.stretches_table(found, prepared.title), *prepared.silences])
        stretches = [course_text.stretch_as_json(each) for each in found]
        shown = {"title": prepared.title, "silences": prepared.silences, "stretches": stretches}
        return json.dumps(shown, indent=2)
    course = prepared.course(asked)
    if form == "svg":
        return picture.svg(course, prepared.title)
    if form == "json":
        return json.dumps(course_text.as_json(course, prepared.title) | {"silences": prepared.silences}, indent=2)
    return "\n\n".join([course_text.table(course, prepared.title), *prepared.silences])
