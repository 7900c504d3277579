"""What `tocsin check` finds, as a page and over the API. For administrators and managers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template
from marshmallow import Schema, fields

from config import auth
from config.database import Database
from config.routes import Routes
from config.schemas import Cursor, Moment, Strict, limit_field, paged_by_place
from escalation.ground import Finding
from incidents import check
from incidents.desk import Desk

Finder = Callable[[datetime], list[Finding]]

READERS = ("admin", "manager")


class FindingShown(Schema):
    severity = fields.String(metadata={"description": "error or warning"})
    code = fields.String()
    what = fields.String(metadata={"description": "the thing it is about, as `schedule primary`"})
    sentence = fields.String()
    advice = fields.String(metadata={"description": "what to do"})


class ReadinessQuery(Strict):
    limit = limit_field()
    cursor = Cursor(of="readiness", position=int, load_default=None)


class Readiness(Schema):
    at = Moment(metadata={"description": "the moment this is true of"})
    ready = fields.Boolean(metadata={"description": "there is no error"})
    items = fields.List(fields.Nested(FindingShown), metadata={"description": "errors first"})
    next = fields.String(allow_none=True)


def finder(database: Database, desk: Desk, channels: Collection[str]) -> Finder:
    """`channels`: those that are configured."""

    def found(now: datetime) -> list[Finding]:
        with database.reading() as session:
            return check.of_database(session, desk, now, channels=channels)

    return found


def api(found: Finder, clock: Callable[[], datetime]) -> Blueprint:
    routes = Routes("readiness", "What would keep somebody from being woken")

    @routes.get("/readiness", query=ReadinessQuery, gives=Readiness, refuses=[403])
    def readiness(query: dict[str, Any]) -> dict[str, Any]:
        """What `tocsin check` finds in the database now. It takes the role admin or manager."""
        auth.require_role(*READERS)
        now = clock()
        items = found(now)
        ready = all(item.severity != "error" for item in items)
        return {"at": now, "ready": ready} | paged_by_place(items, query, "readiness")

    return routes.blueprint


def pages(found: Finder, clock: Callable[[], datetime]) -> Blueprint:
    drawn = Blueprint("readiness_pages", __name__, template_folder="templates")

    @drawn.get("/readiness")
    @auth.requires(*READERS)
    def readiness() -> str:
        return render_template("incidents/readiness.html", findings=found(clock()))

    return drawn
