"""Making silences, ending them, and what the engine does when one begins or is over.

Each silence that is not over has a timer for the next moment at which it begins or ends. Its act only sets the timers
of the incidents that it may hold or releases; each of those is looked at under its own lock. A silence is locked
before its timer, and never while incidents' timers are set: whoever holds back an incident has it locked, shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from config import audit
from config.clock import utc_text
from config.errors import ConflictError, InvalidInputError, NotFoundError
from escalation.models import Timer, TimerKind
from escalation.paging import timers
from escalation.paging.timers import Claimed, Wanted
from incidents import noting, silence_rows, silences, silencing
from incidents.desk import Actor, Desk
from incidents.lifecycle import Status
from incidents.models import Incident, Service
from incidents.severity import IncidentClass
from incidents.silence_models import SilencedIncident, SilenceRow
from incidents.silencing import Silence

AT_ONCE = 200  # incidents whose timers are set in one transaction
LOOKED_AT = 200  # open incidents that are looked at in one statement
COUNTED_MAX = 1_000  # open incidents that are looked at for a figure
ENDED_BY_TIME = "its end"


@dataclass(frozen=True, slots=True)
class Made:
    id: int
    holds_now: int  # open incidents that it fits


def make(session: Session, actor: Actor, silence: Silence, now: datetime, *, reason: str) -> Made:
    """Silence what fits from its start on. Incidents that are open then are held back too."""
    noting.may_act(actor)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    check(session, silence, now)
    alive = session.scalar(select(func.count()).select_from(SilenceRow).where(SilenceRow.ended_at.is_(None))) or 0
    if alive >= silence_rows.LIVE_MAX:
        raise ConflictError(f"There are {alive} silences already that are not over. End some of them first.")
    row = add(session, silence, now, reason=reason, created_by=actor.name)
    _audit(session, actor, row.id, "added", reason, now, after=_shown(row))
    return Made(row.id, count_fitting(session, silence, now))


def add(
    session: Session, silence: Silence, now: datetime, *, reason: str, created_by: str, name: str = ""
) -> SilenceRow:
    """Store it, with the timer that makes it begin."""
    row = _row(silence, now, reason=reason, created_by=created_by, name=name)
    session.add(row)
    session.flush()
    _look_at(session, row.id, now)
    return row


def check(session: Session, silence: Silence, now: datetime) -> None:
    """Raises InvalidInputError that names each field which is wrong."""
    found = silencing.problems(silence)
    known = set(session.scalars(select(Service.key).where(Service.key.in_(silence.services))))
    unknown = sorted(set(silence.services) - known)
    if unknown:
        found["services"] = f'there is no service "{unknown[0][:64]}"'
    if "ends_at" not in found and silence.is_over(now):
        found["ends_at"] = "is past: it would be over already"
    if found:
        raise InvalidInputError("That cannot be silenced.", fields=found)


def end(session: Session, actor: Actor, number: int, now: datetime, *, reason: str) -> SilenceRow:
    """It is over now; whom it held back is looked at at once, and paged if no other silence fits."""
    noting.may_act(actor)
    reason = noting.worded(reason, "reason", noting.REASON_CHARACTERS_MAX)
    row = of_people(session, number)
    finish(session, row, now, by=actor.name)
    _audit(session, actor, row.id, "removed", reason, now, before=_shown(row))
    return row


def extend(session: Session, actor: Actor, number: int, now: datetime, *, ends_at: datetime) -> SilenceRow:
    """Let it go on for longer. One that happens once lasts a month at most, from its start."""
    noting.may_act(actor)
    row = of_people(session, number)
    if row.ends_at is None:
        raise ConflictError(f"Silence {number} has no end that could be moved: it recurs until it is ended.")
    if ends_at <= row.ends_at:
        problem = f"must be after {utc_text(row.ends_at)}, when it ends now; to shorten it, end it"
        raise InvalidInputError("That is not longer.", fields={"ends_at": problem})
    check(session, replace(silence_rows.value(row), ends_at=ends_at), now)
    before = _shown(row)
    row.ends_at = ends_at
    session.flush()
    _look_at(session, row.id, now)
    text = f"until {utc_text(ends_at)}"
    _audit(session, actor, row.id, "changed", text, now, before=before, after=_shown(row))
    return row


def finish(session: Session, row: SilenceRow, now: datetime, *, by: str) -> None:
    """The caller has locked the row."""
    row.ended_at, row.ended_by = now, by
    session.flush()
    _look_at(session, row.id, now)


def of_people(session: Session, number: int) -> SilenceRow:
    """The row, locked, of one that is not over and that people may change."""
    row = locked(session, number)
    if row is None:
        raise NotFoundError(f"There is no silence {number}.")
    if row.name:
        where = f"maintenance.{row.name} of the declared file"
        raise ConflictError(f"Silence {number} is declared: change or remove {where}, and apply it.")
    if row.ended_at is not None:
        raise ConflictError(f"Silence {number} is over since {utc_text(row.ended_at)}.")
    return row


def locked(session: Session, number: int) -> SilenceRow | None:
    silence_rows.alone(session, [number])
    return session.scalar(
        select(SilenceRow)
        .where(SilenceRow.id == number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def window(session: Session, _: Desk, claimed: Claimed, now: datetime) -> None:
    """The engine's act: a silence begins, or has ended, or another length of it has come."""
    row = session.get(SilenceRow, claimed.subject_id)
    if row is not None and row.ended_at is None and silence_rows.value(row).is_over(now):
        row = locked(session, row.id)
        if row is not None and row.ended_at is None and silence_rows.value(row).is_over(now):
            if timers.still_held(session, claimed):
                finish(session, row, now, by=ENDED_BY_TIME)
            return
    if not timers.still_held(session, claimed):
        return
    timers.finish(session, claimed)
    if row is None:
        return
    until = silence_rows.value(row).until(now) if row.ended_at is None else None
    found = _to_look_at(session, row, until, now)
    timers.set_all(session, [silences.timer(each, now) for each in sorted(found)])
    if len(found) >= AT_ONCE:
        _look_at(session, row.id, now)
    elif row.ended_at is None:
        following = silence_rows.value(row).next_change(now)
        _look_at(session, row.id, following or now)


def count_fitting(session: Session, silence: Silence, now: datetime) -> int:
    """How many open incidents it would hold back by itself, if it went on now; at most COUNTED_MAX are looked at."""
    at_once = replace(silence, starts_at=now, ends_at=now + silencing.ONCE_MAX, hours=None, weeks=())
    alone = _row(at_once, now, reason="", created_by="", name="")
    alone.id = 0  # it is not stored
    numbers = _open(session, silence, after=0, limit=COUNTED_MAX, silenced=True)
    return sum(
        len(silence_rows.decided(session, numbers[at : at + LOOKED_AT], [alone], now))
        for at in range(0, len(numbers), LOOKED_AT)
    )


def _row(silence: Silence, now: datetime, *, reason: str, created_by: str, name: str) -> SilenceRow:
    return SilenceRow(
        name=name,
        services=list(silence.services),
        labels=dict(silence.labels),
        title=silence.title,
        reason=reason,
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        hours=silence.hours.to_json() if silence.hours else {},
        weeks=list(silence.weeks),
        created_by=created_by,
        created_at=now,
    )


def _to_look_at(session: Session, row: SilenceRow, until: datetime | None, now: datetime) -> list[int]:
    """Incidents that it holds, if it has another end than when they were held; and, if it goes on, those it will."""
    waits = select(Timer.due_at).where(
        Timer.kind == TimerKind.SILENCE, Timer.subject_id == SilencedIncident.incident_id
    )
    held = (
        select(SilencedIncident.incident_id)
        .where(SilencedIncident.silence_id == row.id, SilencedIncident.outcome == "")
        .where(~waits.where(Timer.due_at <= now).exists())
        .order_by(SilencedIncident.incident_id)
        .limit(AT_ONCE)
    )
    if until is not None:
        held = held.where(SilencedIncident.until != until)
    found = list(session.scalars(held))
    if until is None:
        return found
    silence, rows, after = silence_rows.value(row), silence_rows.live(session, now), 0
    while len(found) < AT_ONCE and (numbers := _open(session, silence, after=after, limit=LOOKED_AT)):
        found += silence_rows.decided(session, numbers, rows, now)
        after = numbers[-1]
    return found[:AT_ONCE]


def _open(session: Session, silence: Silence, *, after: int, limit: int, silenced: bool = False) -> Sequence[int]:
    """Open operational incidents of its services; without `silenced` those that are not held and not looked at soon."""
    statement = (
        select(Incident.id)
        .where(Incident.status == Status.OPEN, Incident.incident_class == IncidentClass.OPERATIONAL)
        .where(Incident.id > after)
        .order_by(Incident.id)
        .limit(limit)
    )
    if silence.services:
        of_these = select(Service.id).where(Service.key.in_(silence.services))
        statement = statement.where(Incident.service_id.in_(of_these))
    if not silenced:
        soon = exists().where(Timer.kind == TimerKind.SILENCE, Timer.subject_id == Incident.id)
        statement = statement.where(Incident.silenced_until.is_(None), ~soon)
    return session.scalars(statement).all()


def _look_at(session: Session, silence_id: int, at: datetime) -> None:
    timers.set_all(session, [Wanted(TimerKind.WINDOW, silence_id, None, at, rank=silences.RANK)])


def _audit(
    session: Session, actor: Actor, number: int, action: audit.Action, text: str, now: datetime,
    *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    what = f"silence {number}"
    audit.note(
        session,
        actor=actor.name,
        via=actor.via,
        action=action,
        what=what,
        text=text,
        before=before,
        after=after,
        now=now,
    )


def _shown(row: SilenceRow) -> dict[str, Any]:
    return {
        "services": row.services,
        "labels": row.labels,
        "title": row.title,
        "starts_at": utc_text(row.starts_at),
        "ends_at": utc_text(row.ends_at) if row.ends_at else None,
        "hours": row.hours,
        "weeks": row.weeks,
        "reason": row.reason,
    }
