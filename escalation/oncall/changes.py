"""Overrides: somebody is added to a schedule, takes over from somebody, or is taken off, for a while.

A responder adds themselves, takes over from others, and takes themselves off where that leaves nobody missing; managers
and administrators decide for anybody. What has been on call stays on record: an override that has begun is ended, and
never deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock
from config.actor import Actor
from config.errors import ConflictError, NotFoundError
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import moves, whose

SPAN_DAYS_MAX = 92
REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """`responder` alone is added; with `replaces` takes over that person's turns; `replaces` alone is taken off."""

    schedule: str  # keys
    starts_at: datetime  # aware
    ends_at: datetime
    responder: str | None = None
    replaces: str | None = None
    reason: str = ""


def add_override(session: Session, wanted: Wanted, actor: Actor, now: datetime, *, base_url: str = "") -> OverrideRow:
    """Whose shifts it moves is told. Raises NotFoundError for the schedule, InvalidInputError that names the field,
    NotAllowedError, and ConflictError that names the override in the way."""
    whose.refuse_onlookers(actor)
    schedule = whose.schedule(session, wanted.schedule)
    responder = whose.person(session, wanted.responder, "responder") if wanted.responder else None
    replaces = whose.person(session, wanted.replaces, "replaces") if wanted.replaces else None
    if responder is None and replaces is None:
        raise whose.refused("responder", "is missing: say who is added, or who is replaced or taken off")
    if responder is replaces:
        raise whose.refused("replaces", "is the same person as responder")
    _refuse_others(actor, responder, replaces)
    starts_at, ends_at = whose.span(wanted.starts_at, wanted.ends_at, now, days_max=SPAN_DAYS_MAX)
    refuse_overlap(session, schedule, responder, replaces, starts_at, ends_at)
    with moves.told(session, actor, now, schedules=[schedule.key], base_url=base_url) as watch:
        row = insert(session, schedule, responder, replaces, starts_at, ends_at, actor, now, reason=wanted.reason)
        session.flush()
        if responder is None and not whose.decides_for_all(actor) and watch.opens_gap(session):
            raise ConflictError(
                f"Nobody would be on call on {schedule.key} in that time. Let somebody take over, propose a swap, "
                "or ask a manager.",
                fields={"replaces": "would leave nobody on call"},
            )
    return row


def remove_override(
    session: Session, key: str, override_id: int, actor: Actor, now: datetime, *, base_url: str = ""
) -> None:
    """Takes it back; one that has begun ends now. Raises NotFoundError, NotAllowedError, and ConflictError for one
    that is over."""
    whose.refuse_onlookers(actor)
    schedule = whose.schedule(session, key)
    row = session.get(OverrideRow, override_id)
    if row is None or row.schedule_id != schedule.id:
        raise NotFoundError(f"There is no override {override_id} on schedule {key}.")
    if row.ends_at <= now:
        raise ConflictError("This override is over. What has been cannot be changed.")
    if not (whose.decides_for_all(actor) or _takes_back_own(session, row, actor, now)):
        raise whose.only_managers(actor, "take back this override")
    said = sentence(session, schedule.key, row)
    before = as_written(session, schedule.key, row)
    with moves.told(session, actor, now, schedules=[schedule.key], base_url=base_url):
        if row.starts_at < now:
            row.ends_at = now
            after = as_written(session, schedule.key, row)
            _note(session, actor, "changed", row.id, schedule.key, f"{said}: ended before its time", before, after, now)
        else:
            session.delete(row)
            _note(session, actor, "removed", row.id, schedule.key, f"{said}: taken back", before, None, now)


def insert(
    session: Session,
    schedule: ScheduleRow,
    responder: Responder | None,
    replaces: Responder | None,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
    *,
    reason: str,
) -> OverrideRow:
    """Without a look at who may, and what is in the way."""
    row = OverrideRow(
        schedule_id=schedule.id,
        responder_id=responder.id if responder else None,
        replaces_id=replaces.id if replaces else None,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=actor.name,
        created_at=now,
        reason=reason.strip()[:REASON_CHARACTERS_MAX],
    )
    session.add(row)
    session.flush()
    after = as_written(session, schedule.key, row)
    _note(session, actor, "added", row.id, schedule.key, sentence(session, schedule.key, row), None, after, now)
    return row


def refuse_overlap(
    session: Session,
    schedule: ScheduleRow,
    responder: Responder | None,
    replaces: Responder | None,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    """Two answers to the same question must not both stand: who takes over from one person, or what one person takes
    over. Handing on what one has taken over is another question. Raises ConflictError."""
    same = [
        column == person.id
        for column, person in ((OverrideRow.responder_id, responder), (OverrideRow.replaces_id, replaces))
        if person is not None
    ]
    in_the_way = session.scalar(
        select(OverrideRow)
        .where(
            OverrideRow.schedule_id == schedule.id,
            OverrideRow.starts_at < ends_at,
            OverrideRow.ends_at > starts_at,
            or_(*same),
        )
        .order_by(OverrideRow.starts_at)
        .limit(1)
    )
    if in_the_way is not None:
        taken_by = responder is not None and in_the_way.responder_id == responder.id
        raise ConflictError(
            f"Override {in_the_way.id} is in the way: {sentence(session, schedule.key, in_the_way)}. "
            "Take it back first, or choose another time.",
            fields={"responder" if taken_by else "replaces": f"has override {in_the_way.id} in that time"},
        )


def sentence(session: Session, key: str, row: OverrideRow) -> str:
    """Bo Chen takes over from Ana Lima on primary, 2026-11-17 09:00 to …"""
    names = whose.names(session, (row.responder_id, row.replaces_id))
    taking, leaving = names.get(row.responder_id), names.get(row.replaces_id)
    time = whose.when(row.starts_at, row.ends_at)
    if taking and leaving:
        return f"{taking} takes over from {leaving} on {key}, {time}"
    return f"{taking} is added to {key}, {time}" if taking else f"{leaving} is taken off {key}, {time}"


def as_written(session: Session, key: str, row: OverrideRow) -> dict[str, Any]:
    wanted = {each for each in (row.responder_id, row.replaces_id) if each is not None}
    keys = {each.id: each.key for each in session.scalars(select(Responder).where(Responder.id.in_(wanted)))}
    return {
        "schedule": key,
        "responder": keys.get(row.responder_id) if row.responder_id else None,
        "replaces": keys.get(row.replaces_id) if row.replaces_id else None,
        "starts_at": clock.utc_text(row.starts_at),
        "ends_at": clock.utc_text(row.ends_at),
        "reason": row.reason,
    }


def _refuse_others(actor: Actor, responder: Responder | None, replaces: Responder | None) -> None:
    if whose.decides_for_all(actor) or (responder is not None and responder.id == actor.responder_id):
        return
    if responder is not None and replaces is not None and replaces.id == actor.responder_id:
        raise whose.only_managers(actor, f"give their time to {responder.name}, who must agree (propose a swap)")
    if responder is not None:
        raise whose.only_managers(actor, f"put {responder.name} on call")
    if replaces is not None and replaces.id != actor.responder_id:
        raise whose.only_managers(actor, f"take {replaces.name} off")


def _takes_back_own(session: Session, row: OverrideRow, actor: Actor, now: datetime) -> bool:
    """Whoever gets their own turn back may always have it, unless a manager decided so. Whoever took one over by
    themselves may give it back before it begins; later the other has gone to sleep on it."""
    if actor.responder_id is None:
        return False
    if row.replaces_id == actor.responder_id:
        taker = whose.names(session, [row.responder_id]).get(row.responder_id)
        return row.created_by in (actor.name, taker)
    return row.responder_id == actor.responder_id and row.created_by == actor.name and row.starts_at > now


def _note(
    session: Session,
    actor: Actor,
    action: audit.Action,
    override_id: int,
    key: str,
    text: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    audit.note(
        session,
        actor=actor.name,
        via=actor.via,
        action=action,
        what=f"override {override_id} of schedule {key}",
        text=text,
        before=before,
        after=after,
        now=now,
    )
