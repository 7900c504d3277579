"""What people answer from Slack, by SMS and on the telephone. All come down to the same verbs as the API's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.database import Database
from config.errors import NotAllowedError, NotFoundError, TocsinError
from escalation import brief, putting_aside, responders
from escalation.channels import answers, names
from escalation.channels.base import Purpose, Reply, Verb
from escalation.models import Page, PageState, Responder
from incidents import actions
from incidents.desk import Actor, Desk, Outcome
from incidents.lifecycle import UNSETTLED, Status
from incidents.models import Incident

ALL_MAX = 200  # in one answer; the worst go first, and the answer says what is left
TOLD = (PageState.SENT, PageState.DELIVERED, PageState.BUNDLED)

# The holder is asked whether they still have it.
_ASKED = (Incident.status == Status.ACKNOWLEDGED) & Incident.reminded_at.is_not(None)
# What a page asks of the person who got it: to take it, or, paged although somebody has it, to say that they heard.
_WAITS = (Incident.status == Status.OPEN) | (
    (Incident.status == Status.ACKNOWLEDGED)
    & Page.regardless
    & (Page.purpose == Purpose.PAGE)
    & (Page.sent_at >= Incident.activity_at)
)


@dataclass(frozen=True, slots=True)
class Answer:
    sentence: str
    number: int | None = None  # the incident it is about
    changed: bool = False


def act(database: Database, desk: Desk, reply: Reply, now: datetime) -> Answer:
    """Do what the reply says, as whoever's address it came from; a stranger has no power and is told so."""
    person = person_of(database, reply.channel, reply.sender)
    if reply.verb in (Verb.STOP, Verb.START) and reply.sender.isprintable():
        return _opt(database, reply, now)
    if person is None:
        return Answer(answers.unknown_sender())
    if reply.verb is Verb.HELP:
        return Answer(answers.usage(), reply.number)
    if reply.verb is Verb.LIST:
        return Answer(listed(database))
    actor = actor_of(person, via=reply.channel)
    if reply.context.get("all") and reply.verb is Verb.ACKNOWLEDGE:
        try:
            carrier_id = reply.context.get("page_id")
            return acknowledge_all(database, desk, person, actor, now, carrier_id=carrier_id)
        except TocsinError as refused:
            return Answer(refused.detail)
    number = reply.number if reply.number is not None else _newest_page(database, person)
    if number is None:
        return Answer(answers.nothing_open())
    try:
        with database.transaction() as session:
            outcome = verb(session, desk, reply, number, actor, now)
    except NotFoundError:
        return Answer(answers.unknown_number(number))
    except TocsinError as refused:
        return Answer(in_words(refused, number, reply.verb), number)
    return Answer(outcome.sentence, number, outcome.changed)


def _opt(database: Database, reply: Reply, now: datetime) -> Answer:
    """Twilio has told the person already that it stops, and would carry no answer of ours."""
    with database.transaction() as session:
        if reply.verb is Verb.STOP:
            putting_aside.stopped(session, reply.sender, now)
            return Answer("", changed=True)
        person = putting_aside.started(session, reply.sender, now)
    return Answer(answers.started() if person else answers.unknown_sender(), changed=person is not None)


def person_of(database: Database, channel: str, sender: str) -> Responder | None:
    """Whose address it is; None for a stranger."""
    # An address with a NUL or half a surrogate pair is nobody's, and no database could be asked for it.
    if not sender.isprintable():
        return None
    with database.reading() as session:
        # A telephone is one address with two channels: a call from it and a text from it are the same person's.
        return responders.by_handle(session, channel, sender)


def in_words(refused: TocsinError, number: int, verb: str) -> str:
    """What a verb's refusal is called on a channel, where there is no form to show it in."""
    if isinstance(refused, NotFoundError):
        return answers.unknown_number(number)
    if isinstance(refused, NotAllowedError):
        return answers.refused(number, verb)
    return refused.detail


def actor_of(person: Responder, *, via: str) -> Actor:
    return Actor(person.name, "responder", person.id, person.key, frozenset(person.roles), via)


def verb(session: Session, desk: Desk, reply: Reply, number: int, actor: Actor, now: datetime) -> Outcome:
    """What the reply says, to this incident."""
    if reply.verb is Verb.ACKNOWLEDGE:
        return actions.acknowledge(session, desk, number, actor, now)
    if reply.verb is Verb.ESCALATE:
        return actions.escalate_now(session, desk, number, actor, now)
    said = str(reply.context.get("rest") or "").strip()
    return actions.resolve(
        session, desk, number, actor, now, reason=said or f"Resolved by {names.name(reply.channel)}."
    )


def acknowledge_all(
    database: Database, desk: Desk, person: Responder, actor: Actor, now: datetime, *, carrier_id: int | None
) -> Answer:
    """Every open incident that this person was told of (`carrier_id`: in that message), the worst first; what they
    were not told of yet stays as it is. One transaction each, so that none waits for another."""
    with database.reading() as session:
        numbers = told_of(session, person, carrier_id)
        theirs = set(session.scalars(select(Incident.id).where(_ASKED, Incident.acknowledged_by_id == person.id)))
    if not numbers:
        return Answer(answers.nothing_open())
    done: list[int] = []
    for number in numbers[:ALL_MAX]:
        with database.transaction() as session:
            if actions.acknowledge(session, desk, number, actor, now).changed or number in theirs:
                done.append(number)
    return Answer(answers.acknowledged_all(done, left=len(numbers) - len(numbers[:ALL_MAX])), changed=bool(done))


def told_of(session: Session, person: Responder, carrier_id: int | None) -> list[int]:
    told = (
        (Page.id == carrier_id) | (Page.carrier_id == carrier_id)
        if carrier_id is not None
        else (Page.responder_id == person.id) & Page.state.in_(TOLD)
    )
    rows = session.execute(
        select(Incident.id, Incident.incident_class, Incident.severity)
        .join(Page, Page.incident_id == Incident.id)
        .where(told, _WAITS)
        .distinct()
    ).all()
    return [row.id for row in sorted(rows, key=lambda row: (brief.rank(row.incident_class, row.severity), row.id))]


def _newest_page(database: Database, person: Responder) -> int | None:
    """The incident of the newest page that went out to this person and is still open; of one message, the worst."""
    with database.reading() as session:
        return session.scalar(
            select(Page.incident_id)
            .join(Incident, Incident.id == Page.incident_id)
            .where(Page.responder_id == person.id, Page.state.in_(TOLD), _WAITS)
            .order_by(Page.sent_at.desc(), Page.carrier_id.is_(None).desc(), Page.id.desc())
            .limit(1)
        )


def listed(database: Database) -> str:
    with database.reading() as session:
        rows = session.scalars(
            select(Incident).where(Incident.status.in_(UNSETTLED)).order_by(Incident.id.desc()).limit(ALL_MAX)
        ).all()
    worst_first = sorted(rows, key=lambda i: (("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO").index(i.severity), -i.id))
    return answers.open_incidents([answers.listed(i.id, i.severity, i.title, i.status) for i in worst_first])
