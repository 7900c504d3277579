"""However silences, alerts, answers and crashes fall together: what is open when silences are over pages."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.database import Database
from config.errors import TocsinError
from escalation.models import Page, PageState, Timer, TimerKind
from incidents import maintaining, reconciling
from incidents.lifecycle import Status
from incidents.models import Incident
from incidents.severity import IncidentClass, Severity
from incidents.silence_models import SilenceRow
from incidents.sources.base import AlertStatus
from tests.silenced import recurring, silence
from tests.simulation.crashing import Crash, FragileDatabase, Moment
from tests.world import World, team

WORLDS = int(os.environ.get("TOCSIN_TEST_SIMULATIONS") or 12)
STEPS = 30
CONFIG = team(ack_timeout="30m")
TITLES = (
    "Hash chain broken at sequence 48211",
    "Observer API down: health check failing on all replicas",
    "Worker returned unexpected state 7",
    "Redis memory capacity warning 82% used",
    "Deployment 2.4.1 completed successfully",
)
HOSTS = ({}, {"host": "db-1"}, {"host": "web-1"})
OVER = timedelta(hours=1)


@pytest.fixture(scope="module")
def beginning(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("silent") / "tocsin.db"
    shutil.copyfile(migrated_sqlite_file, file)
    database = Database(f"sqlite:///{file}")
    World(database, config=CONFIG)
    database.close()
    return file


@pytest.fixture
def world(beginning: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copyfile(beginning, tmp_path / "tocsin.db")
    database = FragileDatabase(f"sqlite:///{tmp_path}/tocsin.db")
    with database.elsewhere():
        yield World(database, config=CONFIG)
    database.close()


@pytest.mark.parametrize("seed", range(WORLDS))
def test_whatever_is_held_back_is_released(world: World, seed: int) -> None:
    chance = random.Random(seed)
    numbers: list[int] = []
    for step in range(STEPS):
        try:
            _happens(world, chance, numbers)
        except TocsinError:
            pass  # refused: it cannot be done to an incident that stands as it does
        except Crash:
            world.engine = world.new_engine(f"engine {step}")
            world.now += timedelta(seconds=60)  # until the dead one's claims have ended
        world.database.crash_at(0)  # type: ignore[attr-defined]  # a FragileDatabase
        world.run()
        _check(world)
    _silences_end(world)
    _check_the_end(world)


def _happens(world: World, chance: random.Random, numbers: list[int]) -> None:
    number = chance.choice(numbers) if numbers else 0
    match chance.choice(
        ("alert", "alert", "alert", "over", "silence", "silence", "end", "verb", "pass", "pass", "crash")
    ):
        case "alert":
            title, labels = chance.choice(TITLES), chance.choice(HOSTS)
            if made := world.alert(title, dedup_key=f"thing {chance.randrange(5)}", labels=labels, run=False):
                numbers.append(made)
        case "over":
            world.alert(dedup_key=f"thing {chance.randrange(5)}", status=AlertStatus.RESOLVED, run=False)
        case "silence":
            _silence(world, chance)
        case "end":
            _end(world, chance)
        case "verb" if number:
            chance.choice((
                lambda: world.acknowledge(number, run=False),
                lambda: world.resolve(number),
                lambda: world.escalate_now(number),
                lambda: world.reclassify(number, chance.choice(list(Severity))),
            ))()  # fmt: skip
        case "pass":
            world.fast_forward(minutes=chance.choice((1, 5, 30, 100, 600)))
        case "crash":
            _with_crashes(world, chance)


def _silence(world: World, chance: random.Random) -> None:
    fits = chance.choice(({}, {"labels": {"host": "db-*"}}, {"title": "*e*"}, {"services": ("event-store",)}))
    if chance.random() < 0.3:
        fits |= recurring(chance.randrange(24), chance.randrange(24))
    later = timedelta(minutes=chance.choice((0, 0, 10)))
    lasts = {
        "starts_at": world.now + later,
        "ends_at": world.now + later + timedelta(minutes=chance.choice((5, 40, 180))),
    }
    silence(world, run=False, **lasts | fits)


def _end(world: World, chance: random.Random) -> None:
    with world.database.transaction() as session:
        alive = session.scalars(
            select(SilenceRow.id).where(SilenceRow.ended_at.is_(None)).order_by(SilenceRow.id)
        ).all()
        if not alive:
            return
        number = chance.choice(alive)
        if chance.random() < 0.5:
            maintaining.end(session, world.actor("bo"), number, world.now, reason="done")
        else:
            later = world.now + timedelta(hours=5)
            maintaining.extend(session, world.actor("bo"), number, world.now, ends_at=later)


def _with_crashes(world: World, chance: random.Random) -> None:
    """The engine dies at one of its next commits, or was away for a while."""
    database = world.database
    assert isinstance(database, FragileDatabase)
    if chance.random() < 0.5:
        world.now += timedelta(minutes=chance.choice((1, 45, 200)))
        return
    world.now += timedelta(minutes=chance.choice((0, 45)))
    database._sturdy = False
    try:
        database.crash_at(chance.randrange(1, 6), chance.choice(list(Moment)))
        world.run()
    finally:
        database._sturdy = True


def _check(world: World) -> None:
    with world.database.reading() as session:
        timers = {(timer.kind, timer.incident_id): timer for timer in session.scalars(select(Timer))}
        queued = session.scalars(select(Page).where(Page.state == PageState.QUEUED, Page.regardless.is_(False))).all()
        incidents = session.scalars(select(Incident)).all()
    for incident in incidents:
        if incident.silenced_until is not None:
            assert incident.status == Status.OPEN, f"{incident.id} is {incident.status}, and held back"
            assert incident.incident_class == IncidentClass.OPERATIONAL, f"constitutional {incident.id} is held back"
            release = timers.get((TimerKind.SILENCE, incident.id))
            assert release, f"{incident.id} is held back, and nothing will ever release it"
            assert release.due_at <= incident.silenced_until, f"{incident.id} is released too late"
            assert incident.id not in {page.incident_id for page in queued}, f"{incident.id} is held back, and pages"
        elif incident.status == Status.OPEN and incident.severity != Severity.INFO:
            assert (TimerKind.ADVANCE, incident.id) in timers, f"{incident.id} is open, and wakes nobody"


def _silences_end(world: World) -> None:
    with world.database.transaction() as session:
        for number in session.scalars(select(SilenceRow.id).where(SilenceRow.ended_at.is_(None))).all():
            maintaining.end(session, world.actor("bo"), number, world.now, reason="all is done")
    world.now += timedelta(seconds=60)
    world.run()
    _check(world)
    world.fast_forward(hours=1)


def _check_the_end(world: World) -> None:
    with world.database.reading() as session:
        assert not reconciling.suspects(session, world.now)
        assert not session.scalars(select(Incident.id).where(Incident.silenced_until.is_not(None))).all()
        loud = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM]
        still = select(Incident.id).where(Incident.status == Status.OPEN, Incident.severity.in_(loud))
        paged = select(Page.incident_id).where(Page.queued_at >= world.now - OVER - timedelta(minutes=2))
        for number in session.scalars(still):
            assert number in session.scalars(paged).all(), f"{number} is open, no silence goes on, and nobody is woken"
