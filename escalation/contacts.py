"""A person's own contact methods: added, proved with a code, tried with a test page, and taken away again.

What a file declares is usable because an administrator vouches for it. What a person adds is used, and trusted to
answer from, only once a code that went there has come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit
from config.actor import Actor
from config.errors import ConflictError, InvalidInputError, NotFoundError, TooManyError
from escalation import addresses, contact_codes, locks, notices, oneself, own_rules, responders
from escalation.channels import names, wording
from escalation.contact_codes import Verdict
from escalation.models import ContactMethod, Responder
from escalation.paging.models import Notice, Verification
from escalation.reach import Way

ADDRESS_CHARACTERS_MAX = 320
OWN_METHODS_MAX = 10
CODE_EVERY = timedelta(minutes=1)
CODES_PER_HOUR = 5
TESTS_PER_HOUR = 5
LOOKED_AT_MAX = 50  # for the newest of each contact method
TEST_SUBJECT = "TEST page"

CODE_REFUSED = {
    Verdict.WRONG: "That is not the code. Look at the newest message, and try again.",
    Verdict.SPENT: f"That was the {contact_codes.TRIES_MAX}th wrong try. Have a new code sent.",
    Verdict.EXPIRED: "That code has expired. Have a new one sent.",
    Verdict.NONE: "No code has gone there yet, or it has been used. Have one sent.",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact method as its owner sees it."""

    id: int
    channel: str
    address: str
    declared: bool  # by the file: it can't be removed here
    verified_at: datetime | None
    disabled_reason: str
    in_use: bool  # what pages by this channel go to
    code_expires_at: datetime | None  # a code is out that may still be sent back
    code: Notice | None  # the newest message with a code, without the code
    test: Notice | None  # the newest test page


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it; `changed` False: it is refused, or was so already, and the sentence says why."""

    changed: bool
    sentence: str


def own(session: Session, who: Actor, now: datetime) -> list[Contact]:
    """By the order of their making."""
    person = oneself.person(session, who)
    used = responders.addresses_of(session, person.id)
    rows = session.execute(
        select(ContactMethod, Verification.expires_at, Verification.tries)
        .outerjoin(Verification, Verification.contact_method_id == ContactMethod.id)
        .where(ContactMethod.responder_id == person.id)
        .order_by(ContactMethod.id)
    )
    codes, tests = (_newest(session, person, kind) for kind in (notices.CODE, notices.TEST))
    return [
        Contact(
            id=method.id,
            channel=method.channel,
            address=addresses.shown(method.channel, method.address),
            declared=method.declared,
            verified_at=method.verified_at,
            disabled_reason=method.disabled_reason,
            in_use=used.get(method.channel) == method.address,
            code_expires_at=expires if expires and expires > now and tries < contact_codes.TRIES_MAX else None,
            code=codes.get((method.channel, method.address)),
            test=tests.get((method.channel, method.address)),
        )
        for method, expires, tries in rows
    ]


def add(session: Session, who: Actor, channel: str, written: str, now: datetime) -> ContactMethod:
    """Not used before it is confirmed. Raises InvalidInputError, and ConflictError for an address that is taken."""
    person = oneself.person(session, who, lock=True)
    address = _read(channel, written)
    locks.one_at_a_time(session, f"contact {channel} {address}")  # two people adding it at once: one has it
    if (there := responders.method(session, channel, address)) is not None:
        _make_way(session, there, person)
    mine = select(func.count()).where(ContactMethod.responder_id == person.id, ContactMethod.declared.is_(False))
    if (session.scalar(mine) or 0) >= OWN_METHODS_MAX:
        raise ConflictError(f"{person.name} has {OWN_METHODS_MAX} contact methods already. Remove one first.")
    method = ContactMethod(responder_id=person.id, channel=channel, address=address, declared=False)
    session.add(method)
    session.flush()
    _audit(session, who, "added", method, "added, not confirmed yet", now)
    return method


def send_code(session: Session, who: Actor, method_id: int, now: datetime) -> Told:
    """Have a code sent there, whether the file declares it or not. Raises TooManyError."""
    person, method = _mine(session, who, method_id)
    newest = _refuse_too_many(session, person, notices.CODE, CODES_PER_HOUR, "codes", now)
    if newest is not None and newest > now - CODE_EVERY:
        raise TooManyError("A code was sent less than a minute ago. Wait a minute, then have another one sent.")
    way = Way(0, method.channel, method.address)
    # The code itself is made when it is handed over, and is in no row.
    text = f"A code for {person.name} to send back."
    notices.queue_by(session, person, way, kind=notices.CODE, subject=contact_codes.SUBJECT, text=text, now=now)
    return Told(
        True,
        f"A code is on its way by {names.name(method.channel)} to {addresses.shown(method.channel, method.address)}. Enter it here.",
    )


def confirm(session: Session, who: Actor, method_id: int, typed: str, now: datetime) -> Told:
    """The code that came. A wrong one is told and not raised: the caller commits, because tries count."""
    person, method = _mine(session, who, method_id)
    verdict = contact_codes.judge(session, method.id, typed, now)
    if verdict is not Verdict.RIGHT:
        return Told(False, CODE_REFUSED[verdict])
    method.verified_at = now
    method.disabled_reason = ""
    session.flush()
    own_rules.follow_ways(session, person)
    _audit(session, who, "changed", method, "confirmed with a code", now)
    return Told(
        True,
        f"Confirmed: {names.name(method.channel)} to {addresses.shown(method.channel, method.address)} is used for your pages from now on.",
    )


def remove(session: Session, who: Actor, method_id: int, now: datetime) -> Told:
    """Raises ConflictError for what the file declares, and for the last way there is to reach its owner."""
    person, method = _mine(session, who, method_id)
    if method.declared:
        raise ConflictError(
            "It is declared in the configuration file, and can be removed only there. Ask an administrator."
        )
    used = responders.addresses_of(session, person.id)
    if used == {method.channel: method.address}:
        raise ConflictError("It is the only way to reach you. Add another and confirm it first.")
    session.delete(method)
    session.flush()
    own_rules.follow_ways(session, person)
    _audit(session, who, "removed", method, "removed", now)
    return Told(True, f"Removed: {names.name(method.channel)} to {addresses.shown(method.channel, method.address)}.")


def send_test(session: Session, who: Actor, method_id: int, now: datetime) -> Told:
    """Have a page sent there that is marked as a test. Raises ConflictError if pages do not go there."""
    person, method = _mine(session, who, method_id)
    if not (method.declared or method.verified_at) or method.disabled_reason:
        raise ConflictError("Pages do not go there yet. Confirm it with a code first.")
    _refuse_too_many(session, person, notices.TEST, TESTS_PER_HOUR, "test pages", now)
    way = Way(0, method.channel, method.address)
    text = (
        f"TEST page to {wording.one_line(person.name, 60)}, who asked for it at {wording.moment(now)}. A real page would "
        "reach you like this. This is a test: there is nothing to acknowledge."
    )
    notices.queue_by(session, person, way, kind=notices.TEST, subject=TEST_SUBJECT, text=text, now=now)
    return Told(
        True,
        f"A test page is on its way by {names.name(method.channel)} to {addresses.shown(method.channel, method.address)}.",
    )


def _mine(session: Session, who: Actor, method_id: int) -> tuple[Responder, ContactMethod]:
    """Somebody else's is not told apart from one that is not there."""
    person = oneself.person(session, who, lock=True)
    method = session.get(ContactMethod, method_id)
    if method is None or method.responder_id != person.id:
        raise NotFoundError(f"{person.name} has no contact method {method_id}.")
    return person, method


def _read(channel: str, written: str) -> str:
    if channel not in addresses.OWN_WAYS:
        problem = f"must be one of {', '.join(addresses.OWN_WAYS)}"
        raise InvalidInputError(f"The channel {problem}.", fields={"channel": problem})
    try:
        return addresses.READERS[addresses.WAYS[channel]](written.strip())
    except ValueError as refused:
        raise InvalidInputError(f"{refused}.", fields={"address": str(refused)}) from refused


def _make_way(session: Session, there: ContactMethod, person: Responder) -> None:
    """An address belongs to whoever confirmed it, or has it from the file. What is neither holds nobody up."""
    if there.responder_id == person.id:
        raise ConflictError("You have that already.")
    owner = session.get_one(Responder, there.responder_id)
    if owner.active and (there.declared or there.verified_at):
        raise ConflictError("That address is somebody else's. Ask an administrator whose, if it is yours by now.")
    session.delete(there)
    session.flush()


def _refuse_too_many(
    session: Session, person: Responder, kind: str, per_hour: int, what: str, now: datetime
) -> datetime | None:
    """When the newest of this kind was asked for. Raises TooManyError at the limit."""
    count, newest = session.execute(
        select(func.count(), func.max(Notice.queued_at)).where(
            Notice.responder_id == person.id, Notice.kind == kind, Notice.queued_at > now - timedelta(hours=1)
        )
    ).one()
    if count >= per_hour:
        raise TooManyError(f"{per_hour} {what} have been sent to {person.name} within an hour. Try again later.")
    asked_at: datetime | None = newest
    return asked_at


def _newest(session: Session, person: Responder, kind: str) -> dict[tuple[str, str], Notice]:
    """By channel and address."""
    newest = (
        select(Notice)
        .where(Notice.responder_id == person.id, Notice.kind == kind)
        .order_by(Notice.id.desc())
        .limit(LOOKED_AT_MAX)
    )
    return {(notice.channel, notice.address): notice for notice in reversed(session.scalars(newest).all())}


def _audit(
    session: Session, who: Actor, action: audit.Action, method: ContactMethod, what_happened: str, now: datetime
) -> None:
    what = f"{names.name(method.channel)} to {addresses.shown(method.channel, method.address)}"
    audit.note(
        session,
        actor=who.name,
        via=who.via,
        action=action,
        what=f"responder {who.key}",
        text=f"contact method {what} {what_happened}",
        now=now,
    )
