"""Doing once what a channel may bring twice: Slack and Twilio repeat a request whose answer they did not see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.database import Database
from incidents.desk import Outcome
from incidents.models import Deed

KEPT_FOR = timedelta(days=1)  # nobody repeats a request for longer
DROPPED_AT_ONCE_MAX = 100


def do(database: Database, once: str, now: datetime, verb: Callable[[Session], Outcome]) -> Outcome:
    """`verb` in a transaction of its own; of a deed that is done already, what came of it then.

    What is refused leaves nothing behind, and is refused again. Without a name (`once` is empty) it is simply done.
    """
    with database.transaction() as session:
        if not once:
            return verb(session)
        deed = _begin(session, once, now)
        if deed is None:
            before = session.execute(select(Deed.incident_id, Deed.sentence).where(Deed.once == once)).one()
            return Outcome(before.incident_id, False, "", before.sentence)
        outcome = verb(session)
        row = session.get_one(Deed, deed)
        row.incident_id, row.sentence = outcome.incident_id, outcome.sentence
        return outcome


def last_at(session: Session, channel: str) -> datetime | None:
    """When somebody last did something by this channel, of what is kept still."""
    newest = select(Deed.done_at).where(Deed.once.startswith(f"{channel}/", autoescape=True))
    return session.scalar(newest.order_by(Deed.done_at.desc()).limit(1))


def _begin(session: Session, once: str, now: datetime) -> int | None:
    """First of all, before any lock: whoever does the same at this moment waits here, and then finds it done."""
    old = select(Deed.id).where(Deed.done_at < now - KEPT_FOR).limit(DROPPED_AT_ONCE_MAX)
    session.execute(
        delete(Deed)
        .where(Deed.id.in_(old.with_for_update(skip_locked=True).scalar_subquery()))
        .execution_options(synchronize_session=False)
    )
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    made = insert(Deed).values(once=once, done_at=now, incident_id=0, sentence="")
    return session.scalar(made.on_conflict_do_nothing(index_elements=["once"]).returning(Deed.id))
