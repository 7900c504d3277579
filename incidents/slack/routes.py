"""Where Slack brings what people do, over HTTP. What is not provably Slack's is refused and not acted on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from config import logs, security
from config.errors import NotSignedInError
from escalation.channels import slack_inbound
from escalation.channels.base import ReplyRefusedError
from incidents.slack.corridor import Corridor

log = logs.get("replies")


def blueprint(corridor: Corridor, read_clock: Callable[[], datetime], signing_secret: str) -> Blueprint:
    routes = Blueprint("slack_replies", __name__, url_prefix="/replies")

    @routes.post("/slack")
    @security.public
    def from_slack() -> Response:
        """A command, a pressed button, a sent form. Slack allows three seconds."""
        now = read_clock()
        try:
            said = slack_inbound.read(dict(request.headers), request.get_data(), now, signing_secret)
            body = corridor.take(said, now)
        except ReplyRefusedError as refused:
            log.warning("reply refused", path=request.path, why=str(refused))
            raise NotSignedInError(str(refused)) from refused
        return Response(status=200) if body is None else jsonify(body)

    security.exempt(routes)
    return routes
