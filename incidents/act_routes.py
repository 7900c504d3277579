"""The links in letters that act: they ask first, and the button does it, once.

Whoever has the link acts as the person it was sent to. That is as good as the mailbox it went to, for a day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug import Response as AnyResponse

from config import ids, security
from config.actor import Actor
from config.database import Database
from config.errors import NotFoundError, TocsinError
from escalation.channels import answers, wording
from escalation.channels.action_links import PATH, Deed, Link, Links
from escalation.models import Page, Responder
from incidents import actions, replies
from incidents.desk import Desk
from incidents.lifecycle import Status
from incidents.models import Incident, Service, UsedLink

NOT_OURS = (
    "This link is not one that Tocsin made, or it was cut on the way. Open the letter again, or the incident itself."
)
EXPIRED = "This link was good for a day, and that is over."
OPEN_IT = "Nothing was done. Open the incident instead."
BUTTONS = {
    Deed.ACKNOWLEDGE: "Acknowledge incident {}",
    Deed.ACKNOWLEDGE_ALL: "Acknowledge all that this message told of",
    Deed.ESCALATE: "Escalate incident {} now",
}


@dataclass(frozen=True, slots=True)
class ActEdge:
    database: Database
    desk: Desk
    read_clock: Callable[[], datetime]
    wake: Callable[[], None]
    links: Links


def blueprint(edge: ActEdge) -> Blueprint:
    routes = Blueprint("act", __name__, url_prefix=PATH, template_folder="templates")

    @routes.get("/<token>")
    @security.public
    def ask(token: str) -> Response:
        return _page(edge, token)

    @routes.post("/<token>")
    @security.public
    def act(token: str) -> AnyResponse:
        now = edge.read_clock()
        with edge.database.reading() as session:
            link, person, _ = _found(session, edge, token)
            done_before = _used(session, token) is not None
        if done_before or now >= link.expires_at:
            return _page(edge, token)
        try:
            _do(edge, token, link, person, now)
        except IntegrityError:  # pressed twice at the same moment: the other one has done it
            return redirect(f"{PATH}/{token}", 303)
        except TocsinError as refused:
            return _page(edge, token, refused=refused.detail)
        edge.wake()
        return redirect(f"{PATH}/{token}", 303)

    security.exempt(routes)
    return routes


def _page(edge: ActEdge, token: str, *, refused: str = "") -> Response:
    now = edge.read_clock()
    with edge.database.reading() as session:
        link, person, incident = _found(session, edge, token)
        used = _used(session, token)
        service = session.get_one(Service, incident.service_id).key
    said, asks, standing = refused, False, _answered(incident, person, now)
    if used is not None:
        said = used.sentence
    elif now >= link.expires_at:
        said = f"{EXPIRED} {standing or OPEN_IT}"
    elif not refused:
        said = "" if link.deed is Deed.ACKNOWLEDGE_ALL else standing
        asks = not said
    page = render_template(
        "incidents/act.html",
        incident=incident,
        person=person,
        used=used,
        said=said,
        asks=asks,
        button=BUTTONS[link.deed].format(incident.id),
        path=f"{PATH}/{token}",
        service=service,
        opened=wording.moment(incident.opened_at, now),
        used_at=wording.moment(used.used_at, now) if used is not None else "",
        since=_since(incident, person, standing) if used is not None else "",
    )
    gone = used is None and now >= link.expires_at
    return make_response(page, 410 if gone else 409 if refused else 200)


def _found(session: Session, edge: ActEdge, token: str) -> tuple[Link, Responder, Incident]:
    """Raises NotFoundError for what is forged, and for a page or a person that is no longer there."""
    link = edge.links.read(token)
    page = session.get(Page, link.page_id) if link else None
    person = session.get(Responder, page.responder_id) if page else None
    incident = session.get(Incident, link.incident_id) if link else None
    if link is None or page is None or incident is None or person is None or not person.active:
        raise NotFoundError(NOT_OURS)
    return link, person, incident


def _used(session: Session, token: str) -> UsedLink | None:
    return session.scalar(select(UsedLink).where(UsedLink.token_hash == ids.secret_hash(token)))


def _answered(incident: Incident, person: Responder, now: datetime) -> str:
    """How it stands, where there is nothing left to answer; the holder who is asked still has something to."""
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        return answers.already_resolved(incident.id, incident.resolved_by, incident.resolved_at, now)
    if incident.status != Status.ACKNOWLEDGED or incident.reminded_at is not None:
        return ""
    if incident.acknowledged_by_id == person.id:
        return answers.already_yours(incident.id, incident.acknowledged_at, now)
    return answers.already_acknowledged(incident.id, incident.acknowledged_by, incident.acknowledged_at, now)


def _since(incident: Incident, person: Responder, standing: str) -> str:
    """What has become of it after this link acted, where that is something else than what the link did."""
    if incident.status == Status.OPEN:
        return "It is open now."
    over = incident.status in (Status.RESOLVED, Status.CLOSED)
    return standing if over or incident.acknowledged_by_id != person.id else ""


def _do(edge: ActEdge, token: str, link: Link, person: Responder, now: datetime) -> None:
    actor = replies.actor_of(person, via="link")
    if link.deed is Deed.ACKNOWLEDGE_ALL:  # a transaction an incident; doing it twice would change nothing
        answer = replies.acknowledge_all(edge.database, edge.desk, person, actor, now, carrier_id=link.page_id)
        with edge.database.transaction() as session:
            _note_used(session, token, link, person, answer.sentence, now)
        return
    with edge.database.transaction() as session:
        sentence = _act(session, edge.desk, link, actor, now)
        _note_used(session, token, link, person, sentence, now)


def _act(session: Session, desk: Desk, link: Link, actor: Actor, now: datetime) -> str:
    if link.deed is Deed.ESCALATE:
        return actions.escalate_now(session, desk, link.incident_id, actor, now).sentence
    return actions.acknowledge(session, desk, link.incident_id, actor, now).sentence


def _note_used(session: Session, token: str, link: Link, person: Responder, sentence: str, now: datetime) -> None:
    session.add(
        UsedLink(
            token_hash=ids.secret_hash(token),
            incident_id=link.incident_id,
            responder_id=person.id,
            used_at=now,
            sentence=sentence,
        )
    )
    session.flush()
