"""The pages people respond on: the list of incidents, one incident with everything to do about it, and its forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint

from config.database import Database
from incidents import web_console, web_hands, web_incident, web_list, web_verbs
from incidents.desk import Desk
from incidents.web_edge import Edge


def blueprint(
    database: Database,
    desk: Desk,
    read_clock: Callable[[], datetime],
    wake: Callable[[], None],
    *,
    demo: bool = False,
) -> Blueprint:
    """`wake` is called after each commit. `demo` adds sample alerts to fire, and answers from the console in other
    people's names: it must never be set where people are really paged."""
    pages = Blueprint("incident_pages", __name__, template_folder="templates")
    edge = Edge(database, desk, read_clock, wake)

    web_list.add(pages, edge)
    web_incident.add(pages, edge)
    web_verbs.add(pages, edge)
    web_hands.add(pages, edge)
    if demo:
        web_console.add(pages, edge)
    return pages
