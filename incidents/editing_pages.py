"""The configuration in the browser: everything there is and whose it is, and editing what is people's as YAML.

Preview first: a change is shown with what it does for whom, and saved from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug import Response

from config import auth, writing
from config.database import Database
from config.declaration import DeclarationError
from config.errors import ConflictError, NotFoundError, TocsinError
from config.forms import in_words, typed
from escalation import course_text, editing, one_thing
from escalation.editing import Shown
from escalation.one_thing import Thing
from incidents import editing as saving
from incidents.desk import Desk

HOME = "/configuration"
KINDS = {"schedule": "Schedules", "policy": "Policies", "hours": "Hours"}
TEXT_CHARACTERS_MAX = 100_000
SAMPLES: dict[str, dict[str, Any]] = {
    "schedule": {
        "timezone": "Europe/Lisbon",
        "rotations": [{"members": ["ana", "bo"], "starts": "2026-11-02T09:00", "turn": "1w"}],
    },
    "policy": {
        "repeat": 1,
        "levels": [
            {"level": 1, "after": "0s", "page": ["schedule:primary"]},
            {"level": 2, "after": "5m", "page": ["role:manager"]},
        ],
    },
    "hours": {"timezone": "Europe/Lisbon", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"},
}


def pages(database: Database, clock: Callable[[], datetime], desk: Desk) -> Blueprint:
    drawn = Blueprint("configuration_pages", __name__, template_folder="templates")

    @drawn.get(HOME)
    @auth.requires(*editing.EDITORS)
    def everything() -> str:
        with database.reading() as session:
            things = editing.things(session)
        return render_template("incidents/configuration.html", things=things, kinds=KINDS)

    @drawn.get(f"{HOME}/<kind>/<key>")
    @auth.requires(*editing.EDITORS)
    def one(kind: str, key: str) -> str:
        shown = _shown(database, kind, key)
        return _form(kind, shown, shown.text)

    @drawn.get(f"{HOME}/<kind>")
    @auth.requires(*editing.EDITORS)
    def new(kind: str) -> str:
        _known_kind(kind)
        return _form(kind, None, writing.to_text(SAMPLES[kind]), key=typed("key"))

    @drawn.post(f"{HOME}/<kind>")
    @auth.requires(*editing.EDITORS)
    def write(kind: str) -> Response | str | tuple[str, int]:
        _known_kind(kind)
        return _written(database, clock(), kind, desk)

    return drawn


def _written(database: Database, now: datetime, kind: str, desk: Desk) -> Response | str | tuple[str, int]:
    key, text, was, who = (
        typed("key"),
        request.form.get("text", "").replace("\r\n", "\n"),
        typed("was"),
        auth.acting("web"),
    )
    shown = _shown_or_none(database, kind, key)
    try:
        if was != _mark(shown):
            raise ConflictError(f"Somebody else changed {kind} {key} in the meantime. Look at it anew.")
        if typed("do") == "delete":
            with database.transaction() as session:
                saving.remove(session, who, kind, key, now, base_url=desk.base_url)
            flash(f"{KINDS[kind]}: {key} is gone.", "done")
            return redirect(HOME, 303)
        thing = _read(database, kind, key, text)
        if typed("do") == "save":
            with database.transaction() as session:
                changes = saving.save(session, who, kind, thing, now, base_url=desk.base_url)
            flash("Saved." if changes else "Nothing to change.", "done" if changes else "note")
            return redirect(f"{HOME}/{kind}/{key}", 303)
        seen = saving.preview(database, desk, who, kind, thing, now)
    except DeclarationError as refused:
        return _form(kind, shown, text, key=key, problems=[str(problem) for problem in refused.problems]), 422
    except TocsinError as refused:
        return _form(kind, shown, text, key=key, problems=[in_words(refused)]), refused.status
    return _form(kind, shown, text, key=key, preview=seen)


def _form(
    kind: str,
    shown: Shown | None,
    text: str,
    *,
    key: str = "",
    problems: list[str] | None = None,
    preview: saving.Preview | None = None,
) -> str:
    return render_template(
        "incidents/configuration_thing.html",
        kind=kind,
        key=shown.key if shown else key,
        shown=shown,
        was=_mark(shown),
        text=text,
        problems=problems or [],
        preview=preview,
        in_short=course_text.in_short,
    )


def _read(database: Database, kind: str, key: str, text: str) -> Thing:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ConflictError(f"The text is longer than {TEXT_CHARACTERS_MAX} characters.")
    with database.reading() as session:
        known = editing.known(session)
    return one_thing.from_text(kind, key, text, known)


def _mark(shown: Shown | None) -> str:
    """Of what the form was filled with, so that two people do not write over each other."""
    if shown is None:
        return ""
    return hashlib.sha256(json.dumps(shown.written, sort_keys=True).encode()).hexdigest()[:16]


def _shown(database: Database, kind: str, key: str) -> Shown:
    _known_kind(kind)
    with database.reading() as session:
        return editing.one(session, kind, key)


def _shown_or_none(database: Database, kind: str, key: str) -> Shown | None:
    try:
        return _shown(database, kind, key)
    except NotFoundError:
        return None


def _known_kind(kind: str) -> None:
    if kind not in KINDS:
        raise NotFoundError("There is no such page.")
