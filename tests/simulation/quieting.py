"""People who make silences, have them last longer and end them."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from escalation.oncall.hours import Hours, Window
from incidents import maintaining
from incidents.desk import Actor
from incidents.silence_models import SilenceRow
from incidents.silencing import Silence
from tests.simulation import noise, steps


def do(session: Session, act: steps.Quieting, actor: Actor, now: datetime) -> int | None:
    """The silence that goes on from now on; None: none began. Raises TocsinError where it is refused."""
    match act:
        case steps.Silence():
            return maintaining.make(session, actor, _silence(act, now), now, reason="maintenance").id
        case steps.Extend(which, by_seconds):
            row = _choose(session, which)
            if row is not None and row.ends_at is not None:
                ends_at = row.ends_at + timedelta(seconds=by_seconds)
                maintaining.extend(session, actor, row.id, now, ends_at=ends_at)
                return row.id
        case steps.End(which):
            if (row := _choose(session, which)) is not None:
                maintaining.end(session, actor, row.id, now, reason="done")
        case steps.EndAll():
            for row in noise.silences(session):
                if row.ended_at is None:
                    maintaining.end(session, actor, row.id, now, reason="done")
    return None


def _choose(session: Session, which: int) -> SilenceRow | None:
    alive = [row for row in noise.silences(session) if row.ended_at is None]
    return alive[which % len(alive)] if alive else None


def _silence(act: steps.Silence, now: datetime) -> Silence:
    starts_at = now + timedelta(seconds=act.after_seconds)
    hours = None
    if act.daily is not None:
        begins, ends = map(time.fromisoformat, act.daily)
        hours = Hours("maintenance", "UTC", Window(begins, ends), act.weekdays)
    return Silence(
        services=act.services,
        labels=dict(act.labels),
        title=act.title,
        starts_at=starts_at,
        ends_at=None if hours else starts_at + timedelta(seconds=act.lasts_seconds),
        hours=hours,
    )
