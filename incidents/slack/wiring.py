"""Slack's parts put together, for the web side and for the engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint

from config.database import Database
from config.settings import Settings
from escalation.channels import configured
from incidents.desk import Desk
from incidents.slack import pages, routes
from incidents.slack.corridor import Corridor
from incidents.slack.socket_mode import Line


def web(
    database: Database, desk: Desk, read_clock: Callable[[], datetime], wake: Callable[[], None], settings: Settings
) -> list[Blueprint]:
    slack = configured.slack(settings)
    corridor = Corridor(database, desk, read_clock, wake, slack)
    return [
        routes.blueprint(corridor, read_clock, settings.slack_signing_secret),
        pages.blueprint(database, settings, slack, read_clock),
    ]


def line(
    database: Database, desk: Desk, read_clock: Callable[[], datetime], wake: Callable[[], None], settings: Settings
) -> Line | None:
    """Socket Mode, where that is set up: beside an engine, which needs no public address."""
    if not settings.slack_app_token or settings.demo:
        return None
    corridor = Corridor(database, desk, read_clock, wake, configured.slack(settings))
    return Line(corridor, settings.slack_app_token, read_clock, api_url=settings.slack_api_url)
