"""Every way in for monitoring: one line each."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint

from incidents import webhooks
from incidents.compat import opsgenie_routes, pagerduty_routes
from incidents.edge_in import Edge


def blueprints(edge: Edge) -> Iterator[Blueprint]:
    yield webhooks.blueprint(edge)
    yield pagerduty_routes.blueprint(edge)
    yield opsgenie_routes.blueprint(edge)
