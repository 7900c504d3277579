"""Where Twilio brings people's answers; Slack's come in by `incidents.slack`. What is not provably theirs is refused and not acted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request

from config import http, logs, security
from config.database import Database
from config.errors import NotSignedInError
from escalation import paged
from escalation.channels import answers, sms, twiml, voice
from escalation.channels.base import Reply, ReplyRefusedError, Verb
from incidents import replies
from incidents.desk import Desk
from incidents.replies import Answer

log = logs.get("replies")


@dataclass(frozen=True, slots=True)
class ReplyEdge:
    database: Database
    desk: Desk
    read_clock: Callable[[], datetime]
    wake: Callable[[], None]
    twilio_auth_token: str


def blueprint(edge: ReplyEdge) -> Blueprint:
    routes = Blueprint("replies", __name__, url_prefix="/replies")

    @routes.post("/sms")
    @security.public
    def from_sms() -> Response:
        reply = _read(lambda: sms.parse_reply(_url(edge), request.form, _twilio_signature(), edge.twilio_auth_token))
        answer = _act(edge, reply, edge.read_clock())
        return Response(twiml.sms_answer(answer.sentence), mimetype="text/xml")

    @routes.post("/voice")
    @security.public
    def from_voice() -> Response:
        reply = _read(lambda: voice.parse_reply(_url(edge), request.form, _twilio_signature(), edge.twilio_auth_token))
        if reply.verb is Verb.HELP and (again := _said_before(edge, reply)):
            return Response(again, mimetype="text/xml")
        answer = _act(edge, reply, edge.read_clock())
        return Response(twiml.call_answer(answer.sentence, answer.number), mimetype="text/xml")

    security.exempt(routes)
    return routes


def _said_before(edge: ReplyEdge, reply: Reply) -> str | None:
    """The call's page once more, as it stands now; None in a call that came in."""
    page_id = reply.context.get("page_id")
    if page_id is None:
        return None
    with edge.database.reading() as session:
        message = paged.message(session, page_id)
    return None if message is None else twiml.call(message, voice.action_url(edge.desk.base_url, message))


def _read(parse: Callable[[], Reply]) -> Reply:
    try:
        return parse()
    except ReplyRefusedError as refused:
        log.warning("reply refused", path=request.path, why=str(refused))
        raise NotSignedInError(str(refused)) from refused


def _act(edge: ReplyEdge, reply: Reply, now: datetime) -> Answer:
    try:
        answer = replies.act(edge.database, edge.desk, reply, now)
    except http.DATABASE_AWAY as away:
        log.error("reply not acted on, the database does not answer", channel=reply.channel, error=str(away))
        return Answer(answers.try_again())
    edge.wake()
    return answer


def _url(edge: ReplyEdge) -> str:
    """The URL as Twilio called it: behind a proxy that is the public one, not the request's."""
    return edge.desk.base_url + request.full_path.removesuffix("?")


def _twilio_signature() -> str:
    return request.headers.get("X-Twilio-Signature", "")
