"""Heartbeats: what must be heard of at least every so often. One that is not heard of opens an incident, and a sign
of life ends it.

Each has a timer for the moment by which it must be heard of; a ping moves it. The heartbeat's row is locked before its
timer and before any incident.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import durations, logs
from config.ids import secret_hash
from escalation.models import TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed, Wanted
from incidents import intake, manual
from incidents.desk import Actor, Desk
from incidents.intake import Door
from incidents.judging import Report
from incidents.models import Heartbeat, Service
from incidents.severity import Severity
from incidents.sources import reading
from incidents.sources.base import AlertStatus, IncomingAlert

SOURCE = "heartbeat"
RANK = 2  # an incident that is not there yet cannot wake anybody
# One that stays silent is reported again: if people resolved its incident meanwhile, that opens another.
AGAIN_AFTER = timedelta(hours=1)
# Tocsin was away itself when it was due: pings may have been lost with it, and it is waited for once more, briefly.
AWAY = timedelta(seconds=60)
EXCUSED_FOR = timedelta(minutes=5)

log = logs.get("heartbeats")


def by_key(session: Session, key: str) -> Heartbeat | None:
    return session.scalar(select(Heartbeat).where(Heartbeat.key_hash == secret_hash(key)))


def by_name(session: Session, name: str, service_id: int) -> Heartbeat | None:
    """The service's own of that name, or else the only one that another service has."""
    found = session.scalars(select(Heartbeat).where(Heartbeat.name == reading.name_of(name)).limit(20)).all()
    own = [row for row in found if row.service_id == service_id]
    return own[0] if own else found[0] if len(found) == 1 else None


def expected_by(row: Heartbeat) -> datetime:
    """One that was never heard of counts from its declaration."""
    return (row.pinged_at or row.declared_at) + timedelta(seconds=row.every_seconds + row.grace_seconds)


def watch(session: Session, row: Heartbeat, now: datetime) -> None:
    """Set its timer. What is missing already is looked at soon: its times may have changed."""
    due_at = expected_by(row) if row.missing_since is None else max(expected_by(row), now)
    timers.set_all(session, [Wanted(TimerKind.HEARTBEAT, row.id, None, due_at, rank=RANK)])


def ping(session: Session, desk: Desk, heartbeat: Heartbeat, now: datetime) -> datetime:
    """A sign of life; until when the next one is due. Ends what its silence opened, unless that is constitutional."""
    row = _locked(session, heartbeat.id)
    if row is None:  # it was taken out of the file this moment
        return now
    was_missing = row.missing_since is not None
    row.pinged_at = max(now, row.pinged_at or now)
    row.missing_since = row.excused_at = None
    watch(session, row, now)
    if was_missing:
        _report(session, desk, row, AlertStatus.RESOLVED, now)
    return expected_by(row)


def expired(session: Session, desk: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act."""
    row = _locked(session, claimed.subject_id)
    if not timers.still_held(session, claimed):
        return
    if row is None:
        timers.finish(session, claimed)
        return
    due_by = expected_by(row)
    if due_by > now:
        watch(session, row, now)
        return
    if row.missing_since is None and row.excused_at != due_by and now - max(due_by, claimed.due_at) > AWAY:
        row.excused_at = due_by
        wait = min(timedelta(seconds=row.every_seconds), EXCUSED_FOR)
        log.warning("heartbeat was due while nobody could hear it; waiting once more", heartbeat=row.name)
        timers.set_all(session, [Wanted(TimerKind.HEARTBEAT, row.id, None, now + wait, rank=RANK)])
        return
    row.missing_since = row.missing_since or now
    again = max(timedelta(seconds=row.every_seconds + row.grace_seconds), AGAIN_AFTER)
    timers.set_all(session, [Wanted(TimerKind.HEARTBEAT, row.id, None, now + again, rank=RANK)])
    session.flush()
    _report(session, desk, row, AlertStatus.FIRING, now)


def _report(session: Session, desk: Desk, row: Heartbeat, status: AlertStatus, now: datetime) -> None:
    """As an alert of an integration of its service's own, with the heartbeat's name as the key."""
    service = session.get_one(Service, row.service_id)
    door: Door = manual.own_door(session, service.key, SOURCE)
    every = durations.to_text(row.every_seconds)
    grace = f" (and {durations.to_text(row.grace_seconds)} of grace)" if row.grace_seconds else ""
    last = row.pinged_at
    heard = f"last heard of at {last:%H:%M:%S} UTC on {last:%Y-%m-%d}" if last else "never heard of"
    incoming = IncomingAlert(
        source=SOURCE,
        dedup_key=row.name,
        status=status,
        title=f"Heartbeat {row.name} of {service.key} is missing: {heard}, expected every {every}{grace}",
        body=(
            f"Whatever sends it has stopped, or cannot reach Tocsin. It was declared at {row.declared_at:%Y-%m-%d %H:%M}"
            f" UTC and was to be heard of by {expected_by(row):%Y-%m-%d %H:%M:%S} UTC."
        ),
        labels={"alertname": "HeartbeatMissing", "heartbeat": row.name, "every": every},
        started_at=expected_by(row),
    )
    said = Report(Actor(f"heartbeat {row.name}", kind="source", via=SOURCE), _severity(row))
    intake.receive(session, desk, door, incoming, now, report=said)


def _severity(row: Heartbeat) -> Severity | None:
    return Severity(row.severity) if row.severity else None


def _locked(session: Session, heartbeat_id: int) -> Heartbeat | None:
    return session.scalar(
        select(Heartbeat)
        .where(Heartbeat.id == heartbeat_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
