"""Every way in for monitoring: one line each."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from incidents import heartbeat_routes, webhooks
from incidents.compat import grafana_oncall_routes, opsgenie_routes, pagerduty_routes
from incidents.edge_in import Edge


def register(app: Flask, documented: Api, edge: Edge) -> None:
    app.register_blueprint(webhooks.blueprint(edge))
    app.register_blueprint(pagerduty_routes.blueprint(edge))
    app.register_blueprint(opsgenie_routes.blueprint(edge))
    app.register_blueprint(grafana_oncall_routes.blueprint(edge))
    app.register_blueprint(heartbeat_routes.blueprint(edge))
    app.register_blueprint(heartbeat_routes.pages(edge.database, edge.read_clock))
    documented.register_blueprint(heartbeat_routes.api(edge.database))
