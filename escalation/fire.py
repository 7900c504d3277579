"""What happens when a level fires: what `wake` decided is written down, pages queued, rooms told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from escalation import brief, reporting, roll
from escalation.brief import Standing
from escalation.channels.base import Purpose
from escalation.journal import Journal
from escalation.models import Escalation, LivingMessage, Page, TimerKind
from escalation.paging import timers
from escalation.paging.timers import Wanted
from escalation.plan import Stage
from escalation.policies import Level
from escalation.reach import Way
from escalation.wake import Reached, Step

SHADOW_NOTE = "Others are paged, and nothing is asked of you, who shadow this shift."
PHASES = ("immediate", "containment", "recovery", "recovery")  # while levels 1 to 4 run


_LIVING = select(LivingMessage).where(LivingMessage.escalation_id == bindparam("escalation"))


def rank(escalation: Escalation) -> int:
    """What goes first among what is due (`brief.rank`)."""
    return brief.rank(escalation.brief["incident_class"], escalation.brief["severity"])


def level(
    session: Session,
    journal: Journal,
    escalation: Escalation,
    step: Step,
    now: datetime,
    *,
    ids: Mapping[str, int],
    wanted: list[Wanted],
) -> None:
    """Write down what `wake` has decided: pages and announcements. Their timers are added to `wanted`, for the caller
    to set.

    What changes on the escalation is written before its pages, so that a new one costs one INSERT. `ids` are those of
    the people, by key.
    """
    escalation.firing += 1
    standing = Standing.from_json(escalation.standing)
    phase = standing.phase
    if step.stage is Stage.PAGING:
        escalation.level = max(escalation.level, step.level.level)
        phase = PHASES[step.level.level - 1]
    escalation.standing = replace(standing, level=escalation.level, phase=phase).to_json()
    session.flush()
    pages = [page for each in step.people for page in _pages(escalation, step, each, now, ids)]
    pages += _shadows(session, escalation, step, now, ids)
    session.add_all(pages)
    if step.turn:
        roll.take_turn(session, step.place, step.turn)
    reporting.report(session, journal, escalation.incident_id, step, now)
    living = [] if step.passed_over else _living_messages(session, escalation, step.level)
    session.flush()
    if step.level.runbook and not step.passed_over:
        wanted.append(Wanted(TimerKind.RUNBOOK, escalation.incident_id, escalation.incident_id, now))
    wanted += [_delivery(escalation, page) for page in pages] + [_showing(escalation, each, now) for each in living]


def show(session: Session, escalation: Escalation, messages: Sequence[LivingMessage], now: datetime) -> None:
    """Have living messages posted or edited at the next tick."""
    timers.set_all(session, [_showing(escalation, message, now) for message in messages])


def queue(session: Session, escalation: Escalation, page: Page) -> None:
    """Have a page handed over at its time."""
    timers.set_all(session, [_delivery(escalation, page)])


def page_by(
    session: Session,
    escalation: Escalation,
    ways: Mapping[int, Sequence[Way]],
    now: datetime,
    *,
    level: int,
    firing: int,
    purpose: Purpose = Purpose.PAGE,
    note: str = "",
    regardless: bool = False,
    last_resort: bool = False,
) -> list[Page]:
    """Queue what no policy's step asks for: each person, by their id, by these ways."""
    pages = [
        Page(
            escalation_id=escalation.id,
            incident_id=escalation.incident_id,
            responder_id=responder_id,
            purpose=purpose,
            level=level,
            firing=firing,
            step=step,
            regardless=regardless,
            channel=way.channel,
            address=way.address,
            last_resort=last_resort,
            note=note,
            queued_at=now,
            due_at=now + timedelta(seconds=way.after_seconds),
        )
        for responder_id, found in ways.items()
        for step, way in enumerate(found)
    ]
    session.add_all(pages)
    session.flush()
    timers.set_all(session, [_delivery(escalation, page) for page in pages])
    return pages


def firing_beside(session: Session, escalation: Escalation) -> int:
    """The number of a new firing that is none of a level's: these count downwards from -1."""
    first = session.scalar(select(func.min(Page.firing)).where(Page.escalation_id == escalation.id))
    return min(first or 0, 0) - 1


def announce_new(session: Session, escalation: Escalation, level: Level, now: datetime) -> None:
    """In the rooms of this level that have heard nothing of the incident yet."""
    there = session.scalars(_LIVING, {"escalation": escalation.id}).all()
    new = _new_rooms(session, escalation, level, there)
    session.flush()
    show(session, escalation, new, now)


def _showing(escalation: Escalation, message: LivingMessage, now: datetime) -> Wanted:
    # Pages of equal weight go first.
    return Wanted(
        TimerKind.SHOW, message.id, escalation.incident_id, now, lane=message.channel, rank=rank(escalation) + 3
    )


def _delivery(escalation: Escalation, page: Page) -> Wanted:
    return Wanted(
        TimerKind.DELIVER,
        page.id,
        page.incident_id,
        page.due_at,
        lane=page.channel,
        rank=rank(escalation) + (page.step > 0),  # of equal ones, first pages go before those that follow them up
        party=timers.party(page.responder_id, page.purpose, alone=page.id if page.note else None),
    )


def _pages(escalation: Escalation, step: Step, reached: Reached, now: datetime, ids: Mapping[str, int]) -> list[Page]:
    return [
        Page(
            escalation_id=escalation.id,
            incident_id=escalation.incident_id,
            responder_id=ids[reached.person.key],
            purpose=step.purpose,
            level=step.level.level,
            firing=escalation.firing,
            step=number,
            channel=sending.channel,
            address=sending.address,
            last_resort=step.stage is Stage.LAST_RESORT,
            queued_at=now,
            due_at=sending.due_at,
        )
        for number, sending in enumerate(reached.sendings)
    ]


def _shadows(session: Session, escalation: Escalation, step: Step, now: datetime, ids: Mapping[str, int]) -> list[Page]:
    """Beside the level, as a firing of its own: that a shadow was told must not count as having reached anybody."""
    if not step.shadows:
        return []
    firing, about = firing_beside(session, escalation), escalation.brief
    # First what it is about: the subject of a letter is cut off.
    what = f"{escalation.incident_id} {about['severity']}: {about['title'].rstrip('.')}. {SHADOW_NOTE}"
    pages = [page for each in step.shadows for page in _pages(escalation, step, each, now, ids)]
    for page in pages:
        page.purpose = Purpose.NOTIFICATION
        page.note = what
        page.firing = firing
    return pages


def _living_messages(session: Session, escalation: Escalation, level: Level) -> list[LivingMessage]:
    """Those there are, and new ones for the rooms that this level announces in for the first time."""
    there: Sequence[LivingMessage] = ()
    if escalation.firing > 1:  # before the first firing nothing was said anywhere
        there = session.scalars(_LIVING, {"escalation": escalation.id}).all()
    return [*there, *_new_rooms(session, escalation, level, there)]


def _new_rooms(
    session: Session, escalation: Escalation, level: Level, there: Sequence[LivingMessage]
) -> list[LivingMessage]:
    known = {(message.channel, message.address) for message in there}
    new = [
        LivingMessage(
            escalation_id=escalation.id,
            incident_id=escalation.incident_id,
            channel=announcement.channel,
            address=announcement.address,
            level=level.level,
        )
        for announcement in level.announce
        if (announcement.channel, announcement.address) not in known
    ]
    session.add_all(new)
    return new
