"""What people answer to the letters that paged them, by letter.

The address that they answered says who they are and what about: it is as good as the mailbox it went to, for a day, as
the links in the letter are. What came of it goes back as a letter, once, however often a mail server brings theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import logs
from config.database import Database
from config.errors import TocsinError
from escalation import notices, responders
from escalation.channels import answers
from escalation.channels.base import Answering, Reply, Verb
from escalation.channels.reply_addresses import ReplyAddresses, ReplyTo
from escalation.models import Page, Responder
from escalation.paging.models import Notice
from escalation.reach import Way
from incidents import briefing, once, replies
from incidents.desk import Desk, Outcome
from incidents.lifecycle import Status
from incidents.mail import reply_text
from incidents.models import Deed, Incident
from incidents.sources import reading
from incidents.sources.letters import Letter

ANSWERS_MAX = 30  # letters to one person in an hour: two mailboxes that answer each other must come to an end
QUOTED_CHARACTERS_MAX = 80

TAKEN = "250 2.0.0 Taken. What came of it is told by letter."
BY_ITSELF = "250 2.0.0 Taken. It was written by no person, and nothing was done."
UNKNOWN = "550 5.1.1 This is no address that Tocsin made, or it was cut on the way. Nothing was done."
GONE = "550 5.1.1 Whoever this address was made for is not to be paged any more. Nothing was done."

HOW = (
    "On the first line of your answer write ACK (you take it), ESCALATE (the next level is paged now), RESOLVE and why "
    "(it is over), ACK ALL (everything the letter told of), or LIST (what is open)."
)

log = logs.get("mail")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One letter of one person's."""

    once: str
    letter: Letter
    to: ReplyTo
    page: Page
    person: Responder
    now: datetime


@dataclass(frozen=True, slots=True)
class Replies:
    database: Database
    desk: Desk
    addresses: ReplyAddresses
    wake: Callable[[], None]

    def refusal(self, tag: str) -> str:
        return "" if self.addresses.read(tag) else UNKNOWN

    def take(self, tag: str, sender: str, letter: Letter, now: datetime) -> str:
        """SMTP's answer; `sender` is the envelope's. Raises what the database raises."""
        to = self.addresses.read(tag)
        if to is None:
            return UNKNOWN
        if sender in ("", "<>") or writes_by_itself(letter):
            log.info("a letter that no person wrote is not acted on", page=to.page_id)
            return BY_ITSELF
        with self.database.reading() as session:
            page = session.get(Page, to.page_id)
            person = session.get(Responder, page.responder_id) if page else None
            other = _whose(session, letter.sender)
        if page is None or person is None or not person.active:
            return GONE
        named = letter.message_id or letter.digest
        deed = hashlib.sha256(f"{to.page_id} {named}".encode()).hexdigest()
        asked = _Asked(f"mail/reply/{deed}", letter, to, page, person, now)
        if other is not None and other.id != person.id:
            log.warning(
                "an answer by another person than it went to is not acted on", page=page.id, responder=other.key
            )
            said = f"You answered a letter that went to {person.name}. Nothing was done. Answer one that came to you."
            self._only_tell(asked, said, to=other)
        elif now >= to.expires_at:
            self._only_tell(asked, "The letter that you answered is more than a day old. Nothing was done.")
        else:
            self._act(asked)
        self.wake()
        return TAKEN

    def _act(self, asked: _Asked) -> None:
        line = reply_text.first_line(asked.letter.text)
        words = reply_text.read(line)
        number = asked.page.incident_id
        with self.database.reading() as session:
            told = {number, *replies.told_of(session, asked.person, asked.page.id)}
            done_before = session.scalar(select(Deed.id).where(Deed.once == asked.once)) is not None
        if done_before:
            return
        if words.verb is Verb.LIST:
            self._only_tell(asked, replies.listed(self.database))
        elif words.verb is Verb.HELP:
            self._only_tell(asked, _not_understood(line))
        elif words.number is not None and words.number not in told:
            said = f"The letter that you answered is about {number}, and you wrote {words.number}. Nothing was done."
            self._only_tell(asked, said)
        elif words.everything:
            actor = replies.actor_of(asked.person, via="email")
            try:
                done = replies.acknowledge_all(
                    self.database, self.desk, asked.person, actor, asked.now, carrier_id=asked.page.id
                )
                self._only_tell(asked, done.sentence)
            except TocsinError as refused:
                self._only_tell(asked, refused.detail)
        else:
            reply = Reply("email", "", words.verb, words.number or number, line, {"rest": words.rest})
            self._verb(asked, reply, told)

    def _verb(self, asked: _Asked, reply: Reply, told: set[int]) -> None:
        number = reply.number or asked.page.incident_id
        actor = replies.actor_of(asked.person, via="email")

        def act(session: Session) -> Outcome:
            outcome = replies.verb(session, self.desk, reply, number, actor, asked.now)
            left = len(told) - 1 if reply.verb is Verb.ACKNOWLEDGE else 0
            more = f" The letter told of {left} more that wait: ACK ALL takes them." if left else ""
            self._tell(session, asked, outcome.sentence + more, asked.person, asks_again=False)
            return outcome

        try:
            once.do(self.database, asked.once, asked.now, act)
        except TocsinError as refused:
            self._only_tell(asked, replies.in_words(refused, number, reply.verb))

    def _only_tell(self, asked: _Asked, said: str, *, to: Responder | None = None) -> None:
        def tell(session: Session) -> Outcome:
            self._tell(session, asked, said, to or asked.person)
            return Outcome(asked.page.incident_id, False, "", said)

        once.do(self.database, asked.once, asked.now, tell)

    def _tell(self, session: Session, asked: _Asked, said: str, person: Responder, *, asks_again: bool = True) -> None:
        """`asks_again`: nothing came of their letter, and they are told how to write one that something comes of."""
        if _answered_lately(session, person, asked.now) >= ANSWERS_MAX:
            log.warning("a letter is not answered, so many were", responder=person.key, answers=ANSWERS_MAX)
            return
        own = person.id == asked.person.id
        session.flush()
        incident = session.get(Incident, asked.page.incident_id)
        stands = _standing(incident) if incident else ""
        good = own and asked.now < asked.to.expires_at
        notices.queue_by(
            session,
            person,
            Way(0, "email", asked.page.address if own and asked.page.channel == "email" else asked.letter.sender),
            kind=notices.ANSWER,
            subject=said,
            text="\n\n".join(filter(None, (said, stands, HOW if good and asks_again else ""))),
            now=asked.now,
            url=briefing.incident_url(self.desk.base_url, asked.page.incident_id),
            answering=Answering(
                asked.letter.message_id, asked.page.id if good else 0, int(asked.to.expires_at.timestamp())
            ),
        )


def writes_by_itself(letter: Letter) -> bool:
    """An absence notice, a bounce, a mailing list: nothing that a person wrote just now."""
    return (
        letter.is_report
        or letter.answers_by_itself
        or letter.header("Auto-Submitted").lower().partition(";")[0].strip() not in ("", "no")
        or letter.header("Precedence").lower() in ("bulk", "junk", "list", "auto_reply")
        or letter.header("Return-Path") == "<>"
    )


def _standing(incident: Incident) -> str:
    listed = answers.listed(incident.id, incident.severity, incident.title, incident.status)
    return f"As it stands: {listed}{', and paging goes on' if incident.status == Status.OPEN else ''}."


def _whose(session: Session, address: str) -> Responder | None:
    if not address or not address.isprintable():
        return None
    return responders.by_handle(session, "email", address) or responders.by_email(session, address)


def _answered_lately(session: Session, person: Responder, now: datetime) -> int:
    lately = Notice.queued_at > now - timedelta(hours=1)
    of_theirs = select(func.count()).where(Notice.responder_id == person.id, Notice.kind == notices.ANSWER, lately)
    return session.scalar(of_theirs) or 0


def _not_understood(line: str) -> str:
    if not line:
        return "Your letter has no word of yours above what it quotes. Nothing was done."
    quoted = reading.cut(reading.one_line(reading.clean(line)), QUOTED_CHARACTERS_MAX)
    return f"Not understood: “{quoted}”. Nothing was done."
