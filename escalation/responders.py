"""People: who they are, how each is reached, and whose address an answer came from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from escalation.models import ContactMethod, Responder

# Tried in this order when a person's own rules have run out.
FALL_BACK_ORDER = ("sms", "voice", "slack", "email")


# The file vouches for what it declares; what a person added must have been confirmed.
VOUCHED_FOR = or_(ContactMethod.declared, ContactMethod.verified_at.is_not(None))

_METHODS = (
    select(ContactMethod.responder_id, ContactMethod.channel, ContactMethod.address)
    .where(
        ContactMethod.responder_id.in_(bindparam("people", expanding=True)),
        ContactMethod.disabled_reason == "",
        VOUCHED_FOR,
    )
    # Of two addresses on one channel the one confirmed last is used.
    .order_by(ContactMethod.verified_at.asc().nulls_first(), ContactMethod.id)
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a person, and how long after a level fires it is used."""

    after_seconds: float
    channel: str
    address: str


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


def ways(session: Session, people: Collection[Responder], urgency: str) -> dict[int, list[Way]]:
    """How each is reached at this urgency (`high` or `low`): the steps of their rules that have a usable address.

    A person whose rules for this urgency lead nowhere is reached by any usable address they have: better by the
    wrong channel than not at all. Nobody usable: an empty list.
    """
    methods = usable(session, [person.id for person in people])
    found: dict[int, list[Way]] = {}
    for person in people:
        there = methods.get(person.id, {})
        rules: Sequence[dict[str, Any]] = person.page_by.get(urgency, ())
        mine = [Way(rule["after_seconds"], rule["by"], there[rule["by"]]) for rule in rules if rule["by"] in there]
        if not mine:
            mine = [Way(0, channel, there[channel]) for channel in FALL_BACK_ORDER if channel in there][:1]
        elif mine[0].after_seconds > 0 and len(mine) < len(rules):
            # The immediate step leads nowhere: what is left of the rules begins at once.
            mine[0] = Way(0, mine[0].channel, mine[0].address)
        found[person.id] = mine
    return found


def untried(session: Session, responder_id: int, tried: Collection[str]) -> Way | None:
    """A usable way beyond those channels; None when all have been tried."""
    there = usable(session, [responder_id]).get(responder_id, {})
    channel = next((c for c in FALL_BACK_ORDER if c in there and c not in tried), None)
    return Way(0, channel, there[channel]) if channel else None


def usable(session: Session, responder_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Of each the addresses in use, by channel. Somebody who has none is left out."""
    rows = session.execute(_METHODS, {"people": list(responder_ids)})
    found: dict[int, dict[str, str]] = {}
    for responder_id, channel, address in rows:
        found.setdefault(responder_id, {})[channel] = address
    return found


def channels_in_use(session: Session) -> dict[str, int]:
    """Channel -> how many active people are reached by it."""
    rows = session.execute(
        select(ContactMethod.channel, func.count())
        .join(Responder, Responder.id == ContactMethod.responder_id)
        .where(Responder.active, VOUCHED_FOR)
        .group_by(ContactMethod.channel)
    )
    return {row[0]: row[1] for row in rows}
