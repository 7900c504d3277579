"""Bringing heartbeats to what is declared. Of a key only the hash is kept.

A heartbeat is known by its service and name. One that is no longer declared is not waited for any more; an incident
that its silence opened goes on until people resolve it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import durations, ids, writing
from config.changes import Changes
from config.writing import Noted
from escalation.models import TimerKind
from escalation.paging import timers
from incidents import heartbeats
from incidents.apply import kept_hash
from incidents.declared import DeclaredService
from incidents.declared_heartbeats import DeclaredHeartbeat
from incidents.models import Heartbeat, Service


def write(session: Session, services: Collection[DeclaredService], changes: Changes, now: datetime) -> None:
    """Services are written before. What is new counts its silence from now."""
    keys = {row.id: row.key for row in session.scalars(select(Service))}
    stored = {(keys[row.service_id], row.name): row for row in session.scalars(select(Heartbeat))}
    wanted = {(service.key, each.name): each for service in services for each in service.heartbeats}
    for place in sorted(stored.keys() - wanted.keys()):
        _drop(session, stored.pop(place), place[0], changes)
    for place, row in stored.items():
        if row.key_hash != ids.secret_hash(wanted[place].key):
            row.key_hash = kept_hash(f"heartbeat/{row.id}")  # keys may have changed places
    session.flush()
    service_ids = {key: number for number, key in keys.items()}
    for place, each in wanted.items():
        _write(session, stored.get(place), service_ids[place[0]], place[0], each, changes, now)


def _write(
    session: Session, row: Heartbeat | None, service_id: int, service: str, wanted: DeclaredHeartbeat,
    changes: Changes, now: datetime,
) -> None:  # fmt: skip
    what = _name(wanted.name, service)
    after = _shown(wanted.every_seconds, wanted.grace_seconds, wanted.severity)
    key_hash = ids.secret_hash(wanted.key)
    before = _shown(row.every_seconds, row.grace_seconds, row.severity) if row else {}
    if row is None:
        row = Heartbeat(service_id=service_id, name=wanted.name, declared_at=now)
        session.add(row)
        changes.added(what, f"(every {after['every']})", after=after)
    elif before == after and row.key_hash == key_hash:
        return
    else:
        changes.changed(what, before, after, otherwise="its key, which is not shown")
    row.key_hash, row.key_hint = key_hash, wanted.hint
    row.every_seconds, row.grace_seconds, row.severity = wanted.every_seconds, wanted.grace_seconds, wanted.severity
    session.flush()
    heartbeats.watch(session, row, now)


def as_written(session: Session) -> dict[int, list[Noted]]:
    """Service id -> its heartbeats as the file writes them, a variable in the place of each key."""
    found: defaultdict[int, list[Noted]] = defaultdict(list)
    for row in session.scalars(select(Heartbeat).order_by(Heartbeat.service_id, Heartbeat.name)):
        shown = _shown(row.every_seconds, row.grace_seconds, row.severity)
        variable = writing.variable(f"HEARTBEAT_{row.id}_KEY")
        found[row.service_id].append(
            Noted({"name": row.name, "key": variable, **shown}, f"the key that ends in {row.key_hint}")
        )
    return found


def _drop(session: Session, row: Heartbeat, service: str, changes: Changes) -> None:
    timers.cancel_subjects(session, TimerKind.HEARTBEAT, [row.id])
    session.delete(row)
    changes.removed(_name(row.name, service), before=_shown(row.every_seconds, row.grace_seconds, row.severity))


def _shown(every_seconds: int, grace_seconds: int, severity: str) -> dict[str, Any]:
    found = {"every": durations.to_text(every_seconds), "grace": durations.to_text(grace_seconds)}
    return found | ({"severity": severity} if severity else {})


def _name(name: str, service: str) -> str:
    return f"heartbeat {name} of {service}"
