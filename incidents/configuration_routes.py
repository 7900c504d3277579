"""Everything over HTTP that is about the configuration itself: what was changed, whether it would wake somebody, and
whom."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from flask import Flask
from flask_smorest import Api

from config import audit_routes
from config.database import Database
from incidents import (
    editing_pages,
    editing_routes,
    event_routes,
    integration_pages,
    readiness_routes,
    silence_pages,
    silence_routes,
    simulate_pages,
    simulate_routes,
)
from incidents.desk import Desk


def register(
    app: Flask,
    documented: Api | None,
    database: Database,
    desk: Desk,
    clock: Callable[[], datetime],
    *,
    wake: Callable[[], None],
    channels: Collection[str],
) -> None:
    """`documented` takes the API, unless only the pages are wanted; `channels` are those that are configured;
    `wake` rings the engine's bell."""
    found = readiness_routes.finder(database, desk, channels)
    app.register_blueprint(audit_routes.pages(database))
    app.register_blueprint(readiness_routes.pages(found, clock))
    app.register_blueprint(
        integration_pages.pages(database, clock, base_url=desk.base_url, mail_domain=desk.mail_domain)
    )
    app.register_blueprint(editing_pages.pages(database, clock, desk))
    app.register_blueprint(simulate_pages.pages(database, clock))
    app.register_blueprint(silence_pages.pages(database, clock, wake))
    if documented is not None:
        documented.register_blueprint(audit_routes.api(database))
        documented.register_blueprint(event_routes.api(database, clock, wake))
        documented.register_blueprint(readiness_routes.api(found, clock))
        documented.register_blueprint(editing_routes.api(database, clock, desk))
        documented.register_blueprint(silence_routes.api(database, clock, wake))
        documented.register_blueprint(simulate_routes.blueprint(database, desk, clock))
