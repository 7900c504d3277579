"""What the team has settled on: its policies, and the last resort."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from escalation.models import LastResort, PolicyRow
from escalation.policies import Level, Policy

# Used when a service names a policy that is gone: the last resort is better than silence.
EMPTY_POLICY = Policy(key="(none)", levels=(Level(level=1, after_seconds=0),), repeat=0)

_SETTLED = select(
    select(PolicyRow.definition).where(PolicyRow.key == bindparam("key")).scalar_subquery(),
    select(LastResort.targets).limit(1).scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Settled:
    policy: Policy  # one that goes straight to the last resort when there is none of this name
    last_resort: tuple[str, ...]  # targets as written; empty only before anything was applied


def settled(session: Session, policy_key: str) -> Settled:
    """Both in one round trip: an alert waits for it."""
    definition, targets = session.execute(_SETTLED, {"key": policy_key}).one()
    policy = Policy.from_json(definition) if definition is not None else EMPTY_POLICY
    return Settled(policy, tuple(targets or ()))


def find(session: Session, key: str) -> Policy | None:
    definition = session.scalar(select(PolicyRow.definition).where(PolicyRow.key == key))
    return Policy.from_json(definition) if definition is not None else None


def policies(session: Session) -> list[Policy]:
    """All there are, by key."""
    return list(map(Policy.from_json, session.scalars(select(PolicyRow.definition).order_by(PolicyRow.key))))


def policy(session: Session, key: str) -> Policy:
    return settled(session, key).policy


def last_resort(session: Session) -> tuple[str, ...]:
    return settled(session, "").last_resort
