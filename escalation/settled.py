"""What the team has settled on: the policy of a name, and the last resort."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from escalation.models import LastResort, PolicyRow
from escalation.policies import Level, Policy

# Used when a service names a policy that is gone: the last resort is better than silence.
EMPTY_POLICY = Policy(key="(none)", levels=(Level(level=1, after_seconds=0),), repeat=0)


_POLICY = select(PolicyRow.definition).where(PolicyRow.key == bindparam("key"))
_LAST_RESORT = select(LastResort.targets)


def policy(session: Session, key: str) -> Policy:
    """The policy of this name, or one that goes straight to the last resort when there is none."""
    definition = session.scalar(_POLICY, {"key": key})
    return Policy.from_json(definition) if definition is not None else EMPTY_POLICY


def last_resort(session: Session) -> tuple[str, ...]:
    """Targets as written; empty only before anything was applied."""
    targets = session.scalar(_LAST_RESORT)
    return tuple(targets or ())
