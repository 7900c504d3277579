"""Simulate and the engine, side by side: the same pages for the same people at the same times, in any team.

python -m tests.simulation.agreement [WORLDS] [FIRST]

Each seed is a team, its calendar and a story of incidents. The engine takes them in for real and advances them; its
lanes to the providers stay shut, because what is asked is what it decided to send and when, which are the pages it
queued. Simulate says beforehand what they will be.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from config import logs
from config.database import Database
from config.orm import Base
from escalation import escalate
from escalation.brief import Standing
from escalation.models import Page, Responder, TimerKind
from escalation.paging import timers
from escalation.paging.lanes import ENGINE_LANE
from escalation.paging.models import RoundRobin
from escalation.simulate import Course, simulate
from incidents import simulating
from incidents.simulating import Asked
from tests.simulation import random_teams
from tests.world import World

INCIDENTS = 3  # of one team
WATCHED = timedelta(hours=4)
WATCHED_LOW = timedelta(days=8)
TITLES = (
    "Observer API down: health check failing on all replicas",
    "Checkout p99 latency above 2 s",
    "Redis memory capacity warning 82% used",
    "Deployment 2.4.1 completed successfully",
    "Hash chain broken at sequence 48211",  # constitutional and CRITICAL: keepers are asked beside
)

Sent = tuple[datetime, str, str, str, int, bool]  # when, to whom, by what, as what, of which level, as last resort


@dataclass(frozen=True)
class Difference:
    seed: int
    number: int
    said: list[Sent]  # by simulate only
    done: list[Sent]  # by the engine only
    team: str

    def __str__(self) -> str:
        told = [f"seed {self.seed}, incident {self.number}"]
        told += [f"  simulate only: {each}" for each in self.said] + [f"  engine only:   {each}" for each in self.done]
        return "\n".join(told)


def differences(seed: int) -> Iterator[Difference]:
    rng = random.Random(seed)
    begins = rng.choice(random_teams.MOMENTS) + timedelta(minutes=rng.randint(-90, 90))
    text = random_teams.team(rng, begins=begins)
    database = Database("sqlite://")
    try:
        Base.metadata.create_all(database.engine)
        world = World(database, config=text, now=begins)
        for each in range(INCIDENTS):
            service = rng.choice(random_teams.SERVICES)
            turns = _turns(world)
            number = world.alert(
                rng.choice(TITLES), dedup_key=f"{each}", key=random_teams.service_key(service), run=False
            )
            course, until = _said(world, number, turns)
            world.now = _advanced(world, until)
            said, done = _simulated(course, until), _queued(world, number)
            if said != done:
                yield Difference(seed, number, sorted(said - done), sorted(done - said), text)
            _stop(world, number)
            world.now += timedelta(minutes=rng.randint(0, 2_000))
    finally:
        database.close()


def _stop(world: World, number: int) -> None:
    """Without handing over what is queued, as a verb on the incident would."""
    with world.database.transaction() as session:
        escalate.stop(session, world.desk.journal, number, standing=Standing(), why="enough is seen", now=world.now)


def _turns(world: World) -> dict[str, str]:
    with world.database.reading() as session:
        return {turn.place: turn.last for turn in session.scalars(select(RoundRobin))}


def _said(world: World, number: int, turns: dict[str, str]) -> tuple[Course, datetime]:
    severity = world.incident(number).severity
    with world.database.reading() as session:
        prepared = simulating.prepare(session, Asked(at=world.now, incident=number))
    until = world.now + (WATCHED_LOW if severity == "LOW" else WATCHED)
    return simulate(replace(prepared.world, turns=turns), prepared.case, until=until), until


def _simulated(course: Course, until: datetime) -> set[Sent]:
    return {
        (each.at, each.person.key, each.channel, each.purpose, each.level, each.stage == "last_resort")
        for each in course.woken
    }


def _advanced(world: World, until: datetime) -> datetime:
    """Only the escalation's own timers: what is due to providers stays due."""
    while (due := _next_due_at(world)) is not None and due <= until:
        world.now = max(world.now, due)
        with world.database.transaction() as session:
            claimed = timers.claim(session, "agreement", world.now, rooms={ENGINE_LANE: 10})
        for timer in claimed:
            with world.database.transaction() as session:
                if timer.kind is TimerKind.ADVANCE:
                    escalate.advance(session, world.desk.journal, timer, world.now)
                else:
                    timers.finish(session, timer)
    return until


def _next_due_at(world: World) -> datetime | None:
    with world.database.reading() as session:
        return timers.next_due_at(session, [ENGINE_LANE])


def _queued(world: World, number: int) -> set[Sent]:
    with world.database.reading() as session:
        rows = session.execute(
            select(Page, Responder.key)
            .join(Responder, Responder.id == Page.responder_id)
            .where(Page.incident_id == number, Page.due_at <= world.now)
        ).all()
    return {(page.due_at, key, page.channel, page.purpose, page.level, page.last_resort) for page, key in rows}


def main(worlds: int = 1_000, first: int = 0) -> int:
    began = time.process_time()
    found = 0
    for seed in range(first, first + worlds):
        for difference in differences(seed):
            found += 1
            print(difference)
    seconds = time.process_time() - began
    print(f"{worlds} worlds of {INCIDENTS} incidents, {found} differences, {seconds:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    logs.configure("ERROR", process="agreement")
    sys.exit(main(*map(int, sys.argv[1:3])))
