"""People: who they are, how each is reached, and whose address an answer came from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from escalation import reach
from escalation.models import ContactMethod, Responder
from escalation.reach import FALL_BACK_ORDER, Person, Way

# The file vouches for what it declares; what a person added must have been confirmed.
VOUCHED_FOR = or_(ContactMethod.declared, ContactMethod.verified_at.is_not(None))

_IN_USE = and_(VOUCHED_FOR, ContactMethod.disabled_reason == "")

_METHODS = (
    select(ContactMethod.responder_id, ContactMethod.channel, ContactMethod.address)
    .where(ContactMethod.responder_id.in_(bindparam("people", expanding=True)), _IN_USE)
    # Of two addresses on one channel the one confirmed last is used.
    .order_by(ContactMethod.verified_at.asc().nulls_first(), ContactMethod.id)
)


def by_id(session: Session, responder_id: int) -> Responder | None:
    return session.get(Responder, responder_id)


def by_key(session: Session, key: str) -> Responder | None:
    return session.scalar(select(Responder).where(Responder.key == key, Responder.active))


def by_email(session: Session, email: str) -> Responder | None:
    return session.scalar(select(Responder).where(Responder.email == email.strip().lower(), Responder.active))


def by_handle(session: Session, channel: str, address: str) -> Responder | None:
    """Whose address this is; None for a stranger, and for an address that nobody has vouched for yet."""
    return session.scalar(
        select(Responder)
        .join(ContactMethod, ContactMethod.responder_id == Responder.id)
        .where(ContactMethod.channel == channel, ContactMethod.address == address, VOUCHED_FOR, Responder.active)
    )


def method(session: Session, channel: str, address: str) -> ContactMethod | None:
    """Whoever's it is, and whether anybody vouches for it or not."""
    return session.scalar(
        select(ContactMethod).where(ContactMethod.channel == channel, ContactMethod.address == address)
    )


def with_role(session: Session, role: str) -> list[Responder]:
    """Everyone active who has the role, by key. Roles are a handful per person, so they are read and compared here."""
    people = session.scalars(select(Responder).where(Responder.active).order_by(Responder.key))
    return [person for person in people if role in person.roles]


def as_values(session: Session, people: Collection[Responder]) -> dict[int, Person]:
    """By id: each as a value, with the addresses that are in use."""
    addresses = usable(session, [row.id for row in people])
    return {
        row.id: Person(row.key, row.name, row.timezone, addresses.get(row.id, {}), reach.rules(row.page_by), row.quiet)
        for row in people
    }


def ways(session: Session, people: Collection[Responder], urgency: str, since: datetime) -> dict[int, tuple[Way, ...]]:
    """By id: how each is reached at this urgency (`high` or `low`) from `since` on; see reach.ways."""
    return {key: reach.ways(person, urgency, since) for key, person in as_values(session, people).items()}


def untried(session: Session, responder_id: int, tried: Collection[str]) -> Way | None:
    """A usable way beyond those channels; None when all have been tried."""
    there = addresses_of(session, responder_id)
    channel = next((c for c in FALL_BACK_ORDER if c in there and c not in tried), None)
    return Way(0, channel, there[channel]) if channel else None


def usable(session: Session, responder_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Of each the addresses in use, by channel. Somebody who has none is left out."""
    rows = session.execute(_METHODS, {"people": list(responder_ids)})
    found: dict[int, dict[str, str]] = {}
    for responder_id, channel, address in rows:
        found.setdefault(responder_id, {})[channel] = address
    return found


def addresses_of(session: Session, responder_id: int) -> dict[str, str]:
    """Channel -> the address in use on it."""
    return usable(session, [responder_id]).get(responder_id, {})


def channels_in_use(session: Session) -> dict[str, int]:
    """Channel -> how many active people are reached by it."""
    rows = session.execute(
        select(ContactMethod.channel, func.count())
        .join(Responder, Responder.id == ContactMethod.responder_id)
        .where(Responder.active, _IN_USE)
        .group_by(ContactMethod.channel)
    )
    return {row[0]: row[1] for row in rows}
