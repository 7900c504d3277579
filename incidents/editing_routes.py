"""Editing schedules, policies and hours over the API, in the JSON of the file's own shape. For administrators and
managers; what the file declares is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint
from marshmallow import INCLUDE, Schema, fields

from config import auth
from config.actor import Actor
from config.database import Database
from config.declaration import DeclarationError
from config.routes import Routes
from escalation import editing, one_thing
from escalation.one_thing import Thing
from incidents import editing as saving
from incidents.desk import Desk
from incidents.readiness_routes import FindingShown

# The path of each kind of thing.
PATHS = {"schedule": "schedules", "policy": "policies", "hours": "hours"}


class Written(Schema):
    """What stands below the thing's name in tocsin.yaml."""

    class Meta:
        unknown = INCLUDE


class ThingShown(Schema):
    key = fields.String()
    owner = fields.String(metadata={"description": "file: read only, changed in tocsin.yaml; people: edited here"})
    written = fields.Dict(metadata={"description": "as tocsin.yaml writes it"})


class Saved(Schema):
    changes = fields.List(fields.String(), metadata={"description": "a line for each difference; none: it was so"})
    people = fields.List(fields.String(), metadata={"description": "of a preview: what changes for whom"})
    findings = fields.List(
        fields.Nested(FindingShown), metadata={"description": "of a preview: what `tocsin check` would find then"}
    )


def api(database: Database, clock: Callable[[], datetime], desk: Desk) -> Blueprint:
    routes = Routes("editing", "Schedules, policies and hours: as the file writes them, and editing those of people")
    for kind, path in PATHS.items():
        _one(routes, database, kind, path)
        _writing(routes, database, clock, kind, path, desk)
    return routes.blueprint


def _one(routes: Routes, database: Database, kind: str, path: str) -> None:
    def shown(key: str) -> editing.Shown:
        auth.require_role(*editing.EDITORS)  # addresses of announcements are whole
        with database.reading() as session:
            return editing.one(session, kind, key)

    shown.__name__ = f"{kind}_as_written"
    shown.__doc__ = f"The {kind} as tocsin.yaml writes it. It takes the role admin or manager."
    routes.get(f"/{path}/<key>", gives=ThingShown, refuses=[403])(shown)


def _writing(
    routes: Routes, database: Database, clock: Callable[[], datetime], kind: str, path: str, desk: Desk
) -> None:
    def put(body: dict[str, Any], key: str) -> dict[str, Any]:
        who, thing = _taken(database, kind, key, body)
        with database.transaction() as session:
            changes = saving.save(session, who, kind, thing, clock(), base_url=desk.base_url)
        return {"changes": changes.lines, "people": [], "findings": []}

    def preview(body: dict[str, Any], key: str) -> dict[str, Any]:
        who, thing = _taken(database, kind, key, body)
        seen = saving.preview(database, desk, who, kind, thing, clock())
        return {"changes": seen.lines, "people": seen.people, "findings": seen.findings}

    def delete(key: str) -> dict[str, Any]:
        who = _editor()
        with database.transaction() as session:
            changes = saving.remove(session, who, kind, key, clock(), base_url=desk.base_url)
        return {"changes": changes.lines, "people": [], "findings": []}

    _named(put, f"put_{kind}", f"Make or change a {kind} that people own. Whose shifts it moves is told.")
    _named(preview, f"preview_{kind}", "What saving this would change, and for whom. Changes nothing.")
    _named(delete, f"delete_{kind}", "Take it away, if nothing refers to it.")
    routes.put(f"/{path}/<key>", takes=Written, gives=Saved)(put)
    routes.post(f"/{path}/<key>/preview", takes=Written, gives=Saved)(preview)
    routes.delete(f"/{path}/<key>", gives=Saved)(delete)


def _named(view: Callable[..., Any], name: str, summary: str) -> None:
    """Each kind's views are told apart by their names."""
    view.__name__ = name
    view.__doc__ = summary


def _taken(database: Database, kind: str, key: str, body: dict[str, Any]) -> tuple[Actor, Thing]:
    who = _editor()
    with database.reading() as session:
        known = editing.known(session)
    try:
        return who, one_thing.from_value(kind, key, body, known)
    except DeclarationError as refused:
        raise editing.refused(refused.problems) from None


def _editor() -> Actor:
    auth.require_role(*editing.EDITORS)
    return auth.acting("api")
