"""The page that tells administrators whether Slack works, and lets them try it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import yaml
from flask import Blueprint, flash, redirect, render_template
from werkzeug import Response

from config import auth
from config.database import Database
from config.settings import Settings
from escalation import responders
from escalation.channels.base import ChannelError
from escalation.channels.slack import Slack
from incidents import once
from incidents.slack import buttons, first_run, manifest

READERS = ("admin",)


def blueprint(
    database: Database, settings: Settings, slack: Slack | None, read_clock: Callable[[], datetime]
) -> Blueprint:
    pages = Blueprint("slack_pages", __name__, template_folder="../templates")

    @pages.get("/slack")
    @auth.requires(*READERS)
    def first_steps() -> str:
        now = read_clock()
        with database.reading() as session:
            heard_at = once.last_at(session, "slack")
            address = _address(database)
        found = first_run.checks(settings, slack, heard_at, now)
        base_url = settings.base_url.rstrip("/")
        made = {
            name: yaml.safe_dump(manifest.manifest(base_url, socket_mode=socket), sort_keys=False, width=100)
            for name, socket in (("http", False), ("socket", True))
        }
        return render_template(
            "incidents/slack.html",
            checks=found,
            manifests=made,
            apps=first_run.APPS,
            address=address,
            has_token=slack is not None,
        )

    @pages.post("/slack/test")
    @auth.requires(*READERS)
    def test() -> Response:
        address = _address(database)
        if slack is None or not address:
            flash("Nothing was sent: Slack is not set up, or Tocsin does not know your Slack member id.", "problem")
            return redirect("/slack", 303)
        try:
            slack.send_test(address, buttons.HEARD)
        except ChannelError as error:
            meaning = first_run.MEANINGS.get(error.code, "")
            flash(f"Slack did not take it: {error} {meaning}".strip(), "problem")
        else:
            flash("Sent. Press its button in Slack, then load this page again.", "done")
        return redirect("/slack", 303)

    return pages


def _address(database: Database) -> str:
    """The signed-in person's member id."""
    who = auth.caller().responder_id
    if who is None:
        return ""
    with database.reading() as session:
        return responders.usable(session, [who]).get(who, {}).get("slack", "")
