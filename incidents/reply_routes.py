"""Where Twilio brings people's answers; Slack's come in by `incidents.slack`. What is not provably theirs is refused and not acted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from flask import Blueprint, Response, request

from config import http, logs, security
from config.database import Database
from config.errors import NotSignedInError
from escalation import paged
from escalation.channels import answers, sms, twilio_receipts, twiml, voice
from escalation.channels.base import Reply, ReplyRefusedError, Verb
from escalation.paging import receipts
from incidents import replies
from incidents.desk import Desk
from incidents.replies import Answer

Parsed = TypeVar("Parsed")

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

    _receipts(routes, edge)
    security.exempt(routes)
    return routes


def _receipts(routes: Blueprint, edge: ReplyEdge) -> None:
    """What Twilio reports of a message after it took it over. Of a message that nobody knows, nothing is done."""

    def take(channel: str) -> Response:
        form, signature = request.form, _twilio_signature()
        receipt = _read(lambda: twilio_receipts.parse(channel, _url(edge), form, signature, edge.twilio_auth_token))
        if receipt is None:
            return Response(status=204)
        with edge.database.reading() as session:
            pages = receipts.told_by(session, receipt)
        changed = False
        for page_id in pages:  # each of its own incident, and so in a transaction of its own
            with edge.database.transaction() as session:
                changed |= receipts.take(session, edge.desk.journal, page_id, receipt, edge.read_clock())
        if changed:
            edge.wake()
        return Response(status=204)

    @routes.post("/sms/status")
    @security.public
    def sms_receipt() -> Response:
        return take("sms")

    @routes.post("/voice/status")
    @security.public
    def voice_receipt() -> Response:
        return take("voice")


def _said_before(edge: ReplyEdge, reply: Reply) -> str | None:
    """The call's page once more, as it stands now; None in a call that came in."""
    page_id = reply.context.get("page_id")
    if page_id is None:
        return None
    with edge.database.reading() as session:
        message = paged.message(session, page_id)
    return None if message is None else twiml.call(message, voice.action_url(edge.desk.base_url, message))


def _read(parse: Callable[[], Parsed]) -> Parsed:
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
