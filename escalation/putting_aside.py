"""A way to somebody that is put aside: they replied STOP, or the address was refused for good again and again.

It stays theirs, with the reason on their page and in `tocsin check`, and nobody is paged by it until it works again:
START from that telephone, or a code that went there and came back.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, logs
from escalation import addresses, notices, responders
from escalation.channels import names, twilio_errors
from escalation.models import Attempt, ContactMethod, Page, Responder

REFUSALS_MAX = 3  # messages in a row; one that told of many counts once
LOOKED_AT_MAX = 50
STOPPED = (
    "STOP was sent from this telephone, so that it gets no text messages. START from it takes that back. Calls go on."
)

log = logs.get("contacts")


def stopped(session: Session, number: str, now: datetime) -> None:
    """The telephone's owner wants no text messages; Twilio sends none from here on."""
    method = responders.method(session, "sms", number)
    if method is not None and not method.disabled_reason:
        _put_aside(session, method, STOPPED, now)


def started(session: Session, number: str, now: datetime) -> Responder | None:
    """They want them again, which also proves that the number works. Whose it is; None for a stranger's."""
    method = responders.method(session, "sms", number)
    if method is None:
        return None
    person = session.get_one(Responder, method.responder_id)
    if method.disabled_reason:
        method.disabled_reason = ""
        _audit(session, person, method, "is used again: START was sent from it", now)
    return person


def refused(session: Session, page: Page, code: str, why: str, now: datetime) -> bool:
    """The address of this page was refused for what it is; whether it is put aside now."""
    method = responders.method(session, page.channel, page.address)
    if method is None or method.disabled_reason or method.responder_id != page.responder_id:
        return False
    if page.channel == "sms" and code == str(twilio_errors.OPTED_OUT):
        _put_aside(session, method, STOPPED, now)
        return True
    if _refusals(session, page) < REFUSALS_MAX:
        return False
    reason = (
        f"Refused {REFUSALS_MAX} times in a row, the last time because {why}. Confirm it with a code to use it again."
    )
    _put_aside(session, method, reason, now)
    return True


def _refusals(session: Session, page: Page) -> int:
    """How many of the last messages to this address were refused for what it is, without another between them."""
    session.flush()
    rows = session.execute(
        select(Attempt.finished_at, Attempt.of_address)
        .join(Page, Page.id == Attempt.page_id)
        .where(
            Page.responder_id == page.responder_id,
            Page.channel == page.channel,
            Page.address == page.address,
            Attempt.finished_at.is_not(None),
        )
        .order_by(Attempt.id.desc())
        .limit(LOOKED_AT_MAX)
    )
    messages: set[datetime | None] = set()
    for finished_at, of_address in rows:
        if not of_address:
            break
        messages.add(finished_at)
    return len(messages)


def _put_aside(session: Session, method: ContactMethod, reason: str, now: datetime) -> None:
    method.disabled_reason = reason
    session.flush()
    person = session.get_one(Responder, method.responder_id)
    _audit(session, person, method, f"is put aside: {reason}", now)
    name = names.name(method.channel)
    log.warning("a way to somebody is put aside", responder=person.key, channel=method.channel, why=reason)
    notices.queue(
        session,
        person,
        kind="way.off",
        subject=f"You are no longer reached by {name}",
        text=f"You are not paged by {name} any more. {reason}",
        now=now,
        urgency="high",
    )


def _audit(session: Session, person: Responder, method: ContactMethod, what_happened: str, now: datetime) -> None:
    audit.note(
        session,
        actor="tocsin",
        via="engine",
        action="changed",
        what=f"responder {person.key}",
        text=f"contact method {names.name(method.channel)} to {addresses.shown(method.channel, method.address)} {what_happened}",
        now=now,
    )
