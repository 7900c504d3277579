"""The world of values that `simulate` runs on, from the database."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import responders, settled
from escalation.models import Responder
from escalation.oncall import rota
from escalation.paging.models import RoundRobin
from escalation.policies import Target
from escalation.simulate import World


def world(session: Session, since: datetime, until: datetime) -> World:
    """As it is now, to be asked about the time in [since, until]. In a transaction that has changed the configuration
    and is rolled back afterwards, the world as it would be."""
    rows = session.scalars(select(Responder).where(Responder.active).order_by(Responder.key)).all()
    people = responders.as_values(session, rows)
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        for role in row.roles:
            roles[role].append(row.key)
    rosters = rota.rosters(session, since, until)
    return World(
        people={row.key: people[row.id] for row in rows},
        rosters={roster.schedule.key: roster for roster in rosters},
        roles={role: tuple(keys) for role, keys in roles.items()},
        policies={policy.key: policy for policy in settled.policies(session)},
        last_resort=tuple(Target.parse(written) for written in settled.last_resort(session)),
        turns={turn.place: turn.last for turn in session.scalars(select(RoundRobin))},
    )
