"""Bringing the receivers of events to what is declared; see `apply`. Of an address only the host is told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import writing
from config.changes import Changes
from config.errors import ConflictError
from config.sealed import Vault
from escalation import declared_hooks
from escalation.models import TimerKind
from escalation.paging import timers
from incidents.declared_events import DeclaredReceiver
from incidents.event_models import DeliveryState, EventDelivery, EventReceiver


def write(
    session: Session, declared: Collection[DeclaredReceiver], changes: Changes, vault: Vault | None = None
) -> None:
    stored = {row.url: row for row in session.scalars(select(EventReceiver).order_by(EventReceiver.id))}
    for wanted in declared:
        if vault is None:
            raise ConflictError("Without TOCSIN_SECRET_KEY no secret of an event receiver can be kept.")
        row = stored.get(wanted.url)
        after = {"on": list(wanted.kinds)}
        if row is None or not row.active:
            changes.added(_name(wanted.url), after=after)
        elif (row.kinds, vault.open(row.secret)) != (list(wanted.kinds), wanted.secret):
            changes.changed(_name(wanted.url), {"on": row.kinds}, after, otherwise="its secret, which is not shown")
        else:
            continue
        if row is None:
            row = EventReceiver(url=wanted.url)
            session.add(row)
        row.kinds, row.active, row.secret = list(wanted.kinds), True, vault.seal(wanted.secret)
    urls = {wanted.url for wanted in declared}
    for row in stored.values():
        if row.active and row.url not in urls:
            _drop(session, row)
            changes.removed(_name(row.url), before={"on": row.kinds})
    session.flush()


def as_written(session: Session) -> list[dict[str, Any]]:
    """With the whole addresses; a secret is read from the environment."""
    rows = session.scalars(select(EventReceiver).where(EventReceiver.active).order_by(EventReceiver.id)).all()
    return [
        {"url": row.url, "secret": writing.variable(f"EVENTS_SECRET_{n}"), "on": list(row.kinds)}
        for n, row in enumerate(rows, start=1)
    ]


def _drop(session: Session, row: EventReceiver) -> None:
    """What it was told stays to be read; what waits for it goes no more."""
    row.active = False
    gone = session.scalars(
        update(EventDelivery)
        .where(EventDelivery.receiver_id == row.id, EventDelivery.state == DeliveryState.QUEUED)
        .values(state=DeliveryState.CANCELLED, result="Its receiver is no longer declared.")
        .returning(EventDelivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    timers.cancel_subjects(session, TimerKind.EVENT, gone)


def _name(url: str) -> str:
    return f"events to {declared_hooks.shown(url)}"
