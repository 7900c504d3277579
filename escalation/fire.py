"""What happens when a level fires: people are looked up, pages queued, rooms told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from escalation import responders
from escalation.brief import Standing
from escalation.channels.base import Purpose
from escalation.journal import Journal
from escalation.models import Escalation, LivingMessage, Page, Responder, TimerKind
from escalation.oncall import rota
from escalation.paging import timers
from escalation.paging.timers import Wanted
from escalation.plan import Stage, Urgency
from escalation.policies import Level, Target

PHASES = ("immediate", "containment", "recovery", "recovery")  # while levels 1 to 4 run
SEVERITY_RANKS = {"CRITICAL": 0, "HIGH": 2, "MEDIUM": 5, "LOW": 7, "INFO": 8}
CONSTITUTIONAL_RANK = 1
CONSULTATION_LEVEL = 0  # of a page that asks a keeper; the levels begin with 1
CONSULTED = (Target("role", "keeper"),)  # who decides on a recommended halt


_LIVING = select(LivingMessage).where(LivingMessage.escalation_id == bindparam("escalation"))


def rank(escalation: Escalation) -> int:
    """CRITICAL first, then constitutional, then by severity: what goes first among what is due."""
    of_severity = SEVERITY_RANKS.get(escalation.brief["severity"], 5)
    constitutional = escalation.brief["incident_class"] == "constitutional"
    return min(of_severity, CONSTITUTIONAL_RANK) if constitutional else of_severity


def level(
    session: Session,
    journal: Journal,
    escalation: Escalation,
    level: Level,
    stage: Stage,
    now: datetime,
    *,
    wanted: list[Wanted],
) -> bool:
    """Queue this level's pages and announcements; their timers are added to `wanted`, for the caller to set.

    False when nobody could be paged. What changes on the escalation is written before its pages, so that a new one
    costs one INSERT.
    """
    quiet = _is_quiet(escalation, stage)
    targets = list(level.page)
    if stage is Stage.LAST_RESORT:
        targets = [Target.parse(written) for written in escalation.last_resort] + ([] if quiet else targets)
    with session.no_autoflush:
        people = rota.people(session, targets, now)
        ways = responders.ways(session, people, "low" if quiet else "high")
    escalation.firing += 1
    if stage is Stage.PAGING:
        escalation.level = max(escalation.level, level.level)
    standing = Standing.from_json(escalation.standing)
    phase = PHASES[level.level - 1] if stage is Stage.PAGING else standing.phase
    escalation.standing = replace(standing, level=escalation.level, phase=phase).to_json()
    session.flush()
    pages: list[Page] = []
    for person in people:
        pages += [_page(escalation, level, person, step, way, stage, now) for step, way in enumerate(ways[person.id])]
    session.add_all(pages)
    _report(session, journal, escalation, level, stage, people, pages, now)
    living = _living_messages(session, escalation, level)
    session.flush()
    wanted += [_delivery(escalation, page) for page in pages] + [_showing(escalation, each, now) for each in living]
    # A room can't acknowledge, so announcements alone reach nobody.
    return bool(pages)


def consult(session: Session, journal: Journal, escalation: Escalation, now: datetime) -> None:
    """Constitutional CRITICAL: the recommended halt goes on record, and every keeper is asked at once to decide on it.

    Nothing is halted by Tocsin itself. Asking needs no acknowledgement, so it neither stops nor advances the levels.
    """
    keepers = rota.people(session, CONSULTED, now)
    ways = responders.ways(session, keepers, "high")
    # Counted downwards: to be asked is no firing of a level, and must not make the newest one look overtaken.
    first = session.scalar(select(func.min(Page.firing)).where(Page.escalation_id == escalation.id))
    consultation = min(first or 0, 0) - 1
    asked = [(keeper, ways[keeper.id][0]) for keeper in keepers if ways[keeper.id]]
    pages = []
    for keeper, way in asked:
        page = Page(
            escalation_id=escalation.id,
            incident_id=escalation.incident_id,
            responder_id=keeper.id,
            purpose=Purpose.NOTIFICATION,
            level=CONSULTATION_LEVEL,
            firing=consultation,
            step=0,
            regardless=True,
            channel=way.channel,
            address=way.address,
            queued_at=now,
            due_at=now,
        )
        pages.append(page)
    session.add_all(pages)
    session.flush()
    timers.set_all(session, [_delivery(escalation, page) for page in pages])
    names = ", ".join(keeper.name for keeper, _ in asked)
    text = (
        f"A halt is recommended; asked to decide: {names}."
        if names
        else "A halt is recommended, and no keeper can be asked."
    )
    facts = {"asked": [keeper.key for keeper, _ in asked]}
    journal(session, escalation.incident_id, "halt.recommended", text, occurred_at=now, payload=facts)


def show(session: Session, escalation: Escalation, messages: Sequence[LivingMessage], now: datetime) -> None:
    """Have living messages posted or edited at the next tick."""
    timers.set_all(session, [_showing(escalation, message, now) for message in messages])


def queue(session: Session, escalation: Escalation, page: Page) -> None:
    """Have a page handed over at its time."""
    timers.set_all(session, [_delivery(escalation, page)])


def _showing(escalation: Escalation, message: LivingMessage, now: datetime) -> Wanted:
    # Pages of equal weight go first.
    return Wanted(
        TimerKind.SHOW, message.id, escalation.incident_id, now, lane=message.channel, rank=rank(escalation) + 3
    )


def _delivery(escalation: Escalation, page: Page) -> Wanted:
    return Wanted(TimerKind.DELIVER, page.id, page.incident_id, page.due_at, lane=page.channel, rank=rank(escalation))


def _is_quiet(escalation: Escalation, stage: Stage) -> bool:
    """Whether people are told and not woken. LOW wakes nobody, not even the last resort."""
    return stage is Stage.NOTIFYING or escalation.urgency == Urgency.LOW


def _page(
    escalation: Escalation, level: Level, person: Responder, step: int, way: responders.Way, stage: Stage, now: datetime
) -> Page:
    return Page(
        escalation_id=escalation.id,
        incident_id=escalation.incident_id,
        responder_id=person.id,
        purpose=Purpose.NOTIFICATION if _is_quiet(escalation, stage) else Purpose.PAGE,
        level=level.level,
        firing=escalation.firing,
        step=step,
        channel=way.channel,
        address=way.address,
        last_resort=stage is Stage.LAST_RESORT,
        queued_at=now,
        due_at=now + timedelta(seconds=way.after_seconds),
    )


def _living_messages(session: Session, escalation: Escalation, level: Level) -> list[LivingMessage]:
    """Those there are, and new ones for the rooms that this level announces in for the first time."""
    there: Sequence[LivingMessage] = ()
    if escalation.firing > 1:  # before the first firing nothing was said anywhere
        there = session.scalars(_LIVING, {"escalation": escalation.id}).all()
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
    return [*there, *new]


def _report(
    session: Session,
    journal: Journal,
    escalation: Escalation,
    level: Level,
    stage: Stage,
    people: list[Responder],
    pages: list[Page],
    now: datetime,
) -> None:
    reached = {page.responder_id for page in pages}
    names = ", ".join(person.name for person in people if person.id in reached)
    unreachable = [person for person in people if person.id not in reached]
    where = {
        Stage.PAGING: f"Level {level.level} reached",
        Stage.LAST_RESORT: "Nobody else is left; the last resort is called",
    }.get(stage, "On-call is told" if escalation.urgency != Urgency.LOW else "The business day has begun")
    kind = {Stage.PAGING: "level.reached", Stage.LAST_RESORT: "last_resort.reached"}.get(stage, "oncall.notified")
    verb = "notifying" if _is_quiet(escalation, stage) else "paging"
    then = "they are tried again later" if stage is Stage.LAST_RESORT else "going on at once"
    text = f"{where}: {verb} {names}." if names else f"{where}, and nobody is reachable; {then}."
    facts = {
        "level": level.level,
        "pages": [
            {
                "responder": person.key,
                "channel": page.channel,
                "after_seconds": int((page.due_at - now).total_seconds()),
            }
            for person in people
            for page in pages
            if page.responder_id == person.id
        ],
        "announced": [str(announcement) for announcement in level.announce],
        "unreachable": [person.key for person in unreachable],
    }
    journal(session, escalation.incident_id, kind, text, occurred_at=now, payload=facts)
    if unreachable or not people:
        who = ", ".join(person.name for person in unreachable) or "nobody is on call for " + ", ".join(
            map(str, level.page)
        )
        problem = f"No usable way to reach {who}." if unreachable else f"At level {level.level}, {who}."
        journal(
            session,
            escalation.incident_id,
            "nobody.reachable",
            problem,
            occurred_at=now,
            payload={"level": level.level},
        )
