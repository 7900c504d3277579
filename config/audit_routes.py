"""The audit over HTTP: a list for programs, and a page. For administrators and managers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from config import audit, auth
from config.audit_schemas import AuditPage, AuditQuery
from config.database import Database
from config.forms import typed
from config.routes import Routes
from config.schemas import NUMBER_MAX, paged

READERS = ("admin", "manager")
ON_A_PAGE = 50


def api(database: Database) -> Blueprint:
    routes = Routes("audit", "Who changed the configuration, what it was before, and what it is now")

    @routes.get("/audit", query=AuditQuery, gives=AuditPage, refuses=[403])
    def changes(query: dict[str, Any]) -> dict[str, Any]:
        """Changes of the configuration, the newest first. It takes the role admin or manager."""
        auth.require_role(*READERS)
        with database.reading() as session:
            found = audit.entries(
                session, before_id=query["cursor"], limit=query["limit"] + 1, what=query["what"].strip()
            )
        return paged(found, query["limit"], "audit", lambda entry: entry.id)

    return routes.blueprint


def pages(database: Database) -> Blueprint:
    drawn = Blueprint("audit_pages", __name__, template_folder="templates")

    @drawn.get("/audit")
    @auth.requires(*READERS)
    def changes() -> str:
        what = typed("what")[: audit.WHAT_CHARACTERS_MAX]
        before = request.args.get("before", "")
        before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else 0
        with database.reading() as session:
            found = audit.entries(session, before_id=min(before_id, NUMBER_MAX), limit=ON_A_PAGE + 1, what=what)
        shown = found[:ON_A_PAGE]
        more = shown[-1].id if len(found) > ON_A_PAGE else None
        return render_template("audit.html", entries=shown, what=what, before_id=before_id, more=more)

    return drawn
