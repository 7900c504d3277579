"""Calling the roll: from the database, the people that one step of an escalation may wake, for `wake` to decide about.

A step at the front of a page is waited for, so this asks little: each schedule that is named, then everybody at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from escalation import responders
from escalation.models import Responder
from escalation.oncall import rota
from escalation.paging.models import RoundRobin
from escalation.policies import Target
from escalation.reach import Person

_NAMED = select(Responder).where(Responder.key.in_(bindparam("keys", expanding=True)), Responder.active)
# Two incidents that open at once take turns here too.
_TURN = select(RoundRobin).where(RoundRobin.place == bindparam("place")).with_for_update()


@dataclass(slots=True)
class Roll:
    """A wake.Directory for one moment, and the rows behind it."""

    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    duties: dict[str, rota.OnDuty] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    turns: dict[str, str] = field(default_factory=dict)

    def person(self, key: str) -> Person | None:
        return self.people.get(key)

    def on_call(self, schedule: str, at: datetime) -> Sequence[str]:
        return [row.key for row in self.duties[schedule].on_call]

    def shadows(self, schedule: str, at: datetime) -> Sequence[str]:
        return [row.key for row in self.duties[schedule].shadows]

    def with_role(self, role: str) -> Sequence[str]:
        return self.roles[role]

    def last_turn(self, place: str) -> str:
        return self.turns.get(place, "")


def call(session: Session, targets: Iterable[Target], at: datetime, *, place: str = "") -> Roll:
    """Everybody whom these targets name at this moment; with `place`, also whose turn it was there last."""
    roll = Roll()
    rows: dict[str, Responder] = {}
    keys: set[str] = set()
    for target in targets:
        if target.kind == "responder":
            keys.add(target.key)
        elif target.kind == "role":
            if target.key not in roll.roles:
                holders = responders.with_role(session, target.key)
                roll.roles[target.key] = tuple(row.key for row in holders)
                rows |= {row.key: row for row in holders}
        elif target.key not in roll.duties:
            on_duty = rota.on_duty(session, target.key, at)
            roll.duties[target.key] = on_duty
            rows |= {row.key: row for row in (*on_duty.on_call, *on_duty.shadows)}
    missing = sorted(keys - rows.keys())
    if missing:
        rows |= {row.key: row for row in session.scalars(_NAMED, {"keys": missing})}
    _add(session, roll, rows)
    if place:
        roll.turns[place] = _last_turn(session, place)
    return roll


def _last_turn(session: Session, place: str) -> str:
    """ "" at the beginning. Of two first incidents at once one makes the row, and the other waits for it."""
    turn = session.scalar(_TURN, {"place": place})
    if turn is None:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        first = insert(RoundRobin).values(place=place, last="")
        session.execute(first.on_conflict_do_nothing(index_elements=["place"]))
        turn = session.scalars(_TURN, {"place": place}).one()
    return turn.last


def take_turn(session: Session, place: str, key: str) -> None:
    """Whose turn it was, for the next one. The roll was called there in this transaction."""
    session.get_one(RoundRobin, place).last = key


def _add(session: Session, roll: Roll, rows: Mapping[str, Responder]) -> None:
    found = responders.as_values(session, rows.values()) if rows else {}
    roll.ids |= {key: row.id for key, row in rows.items()}
    roll.people |= {key: found[row.id] for key, row in rows.items()}
