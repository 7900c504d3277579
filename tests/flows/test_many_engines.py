"""Many engines at one database, with acknowledgements coming in: each timer acts once, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from config import per_channel
from config.database import Database
from config.ids import secret_hash
from escalation.channels.base import Message
from escalation.models import Attempt, Page, PageState, Timer
from escalation.paging import engine, timers
from escalation.paging.engine import Engine
from incidents import actions, intake
from incidents.proof import timeline, verify
from incidents.proof.models import TimelineEntry
from incidents.proof.report import Verdict
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.world import KEY, World

ROUNDS_MAX = 10
OUT = (PageState.SENT, PageState.BUNDLED)


@dataclass
class Complaints:
    """The engines' log: with a sound order of locks and enough time, there is nothing to say."""

    heard: list[str] = field(default_factory=list)

    def warning(self, event: str, **facts: object) -> None:
        self.heard.append(f"{event} {facts}")

    error = exception = warning


def all_at_once(tasks: Sequence[Callable[[], None]]) -> None:
    """Each in a thread of its own, from the same moment on. What one raises is raised here."""
    start = threading.Barrier(len(tasks))

    def begin(task: Callable[[], None]) -> None:
        start.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        for done in [threads.submit(begin, task) for task in tasks]:
            done.result()


@contextmanager
def databases(url: str, world: World, count: int) -> Iterator[list[Database]]:
    """One for each process that there would be."""
    write = partial(timeline.write, read_clock=lambda: world.now)
    opened = [Database(url, before_commit=write) for _ in range(count)]
    try:
        yield opened
    finally:
        for database in opened:
            database.close()


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> Complaints:
    found = Complaints()
    monkeypatch.setattr(engine, "log", found)
    return found


def test_8_engines_on_postgresql_act_once_on_each_of_300_timers_while_people_and_sources_answer(
    postgresql_database: Database, postgresql_url: str, complaints: Complaints
) -> None:
    play(postgresql_database, postgresql_url, engines=8, answering=6, incidents=100)
    assert not complaints.heard


def test_3_engines_on_sqlite_act_once_on_each_timer_while_people_and_sources_answer(
    sqlite_database: Database, sqlite_url: str, complaints: Complaints
) -> None:
    play(sqlite_database, sqlite_url, engines=3, answering=3, incidents=30)
    assert not complaints.heard


def test_taking_over_from_a_dead_engine_does_not_wait_for_an_acknowledgement_under_way(
    postgresql_database: Database, postgresql_url: str
) -> None:
    world = World(postgresql_database)
    number = world.alert(run=False)
    other = world.alert(dedup_key="another", run=False)
    with postgresql_database.transaction() as session:
        assert len(timers.claim(session, "dead", world.now, rooms={"sms": 10})) == 2
    with databases(postgresql_url, world, 1) as (opened,), postgresql_database.transaction() as session:
        actions.acknowledge(session, world.desk, number, world.actor("mia"), world.now)
        with opened.transaction() as taking_over:
            assert timers.release(taking_over, ["dead"], world.now) == 1
    world.run()
    assert [d.message.brief.incident_id for d in world.sent("sms")] == [other]


def play(database: Database, url: str, *, engines: int, answering: int, incidents: int) -> None:
    """Every incident has its first page, its announcement and its second level due. At the same moment people
    acknowledge a third of them, and sources end another third and report the last one again."""
    world = World(database)
    world.run()  # who is on call is looked at once
    numbers = [world.alert(dedup_key=f"observer {n}", run=False) for n in range(incidents)]
    world.now += timedelta(minutes=5)
    assert due(world) == 3 * incidents
    with databases(url, world, engines + answering) as opened:
        made = [_engine(world, each, f"engine-{n}") for n, each in enumerate(opened[:engines])]
        running = [partial(_run, each, world) for each in made]
        others = [
            partial(_answer, world, each, list(enumerate(numbers))[n::answering])
            for n, each in enumerate(opened[engines:])
        ]
        all_at_once([*running, *others])
        all_at_once(running)
        world.now += timedelta(seconds=per_channel.WINDOWS.usual["sms"])  # what is held for company is told now
        for _ in range(ROUNDS_MAX):  # an engine that finds nothing goes, though another is still making something due
            if not due(world):
                break
            all_at_once(running)
    assert not due(world)
    stopped = {number for n, number in enumerate(numbers) if n % 3 != 2}
    assert [world.incident(number).status for number in numbers[:3]] == ["acknowledged", "resolved", "open"]
    _each_page_went_out_once(world, stopped)
    _each_level_was_reached_once(world, numbers, stopped)
    assert verify.run(database).verdict is not Verdict.BROKEN


def due(world: World) -> int:
    with world.database.reading() as session:
        claimed_or_due = (Timer.visible_at <= world.now) | (Timer.claim != "")
        return session.scalar(select(func.count()).select_from(Timer).where(claimed_or_due)) or 0


def _engine(world: World, database: Database, name: str) -> Engine:
    return Engine(
        database,
        world.channels,
        timeline.append,
        name=name,
        read_clock=lambda: world.now,
        submit=lambda send: send(),
    )


def _run(each: Engine, world: World) -> None:
    while each.tick(world.now):
        pass


def _answer(world: World, database: Database, numbered: Sequence[tuple[int, int]]) -> None:
    mia = world.actor("mia")
    for n, number in numbered:
        with database.transaction() as session:
            if n % 3 == 0:
                assert actions.acknowledge(session, world.desk, number, mia, world.now).changed
            else:
                door = intake.door(session, secret_hash(KEY))
                assert door is not None
                assert intake.receive(session, world.desk, door, _said(n), world.now).incident_id == number


def _said(n: int) -> IncomingAlert:
    status = AlertStatus.RESOLVED if n % 3 == 1 else AlertStatus.FIRING
    return IncomingAlert(
        source="pagerduty", dedup_key=f"observer {n}", status=status, title="Observer API down: no replica answers"
    )


def _each_page_went_out_once(world: World, stopped: set[int]) -> None:
    delivered = Counter(d.message.page_id for d in world.deliveries if d.message.page_id is not None)
    told = Counter(
        (d.to, incident) for d in world.deliveries if d.message.page_id is not None for incident in _named(d.message)
    )
    with world.database.reading() as session:
        pages = session.scalars(select(Page)).all()
        outcomes = Counter(session.scalars(select(Attempt.outcome)))
    assert set(outcomes) == {"sent"}
    assert outcomes["sent"] == told.total() >= delivered.total()
    for page in pages:
        times = told[page.address, page.incident_id]
        if page.incident_id in stopped:
            assert times <= 1
            assert page.state in (*OUT, PageState.CANCELLED)
        else:
            assert times == 1
            assert page.state in OUT


def _named(message: Message) -> list[int]:
    return [message.brief.incident_id, *(other.incident_id for other in message.others)]


def _each_level_was_reached_once(world: World, numbers: list[int], stopped: set[int]) -> None:
    reached, ends = "level.reached", ("incident.acknowledged", "incident.resolved")
    with world.database.reading() as session:
        rows = session.execute(
            select(TimelineEntry.incident_id, TimelineEntry.kind)
            .where(TimelineEntry.kind.in_((reached, *ends)))
            .order_by(TimelineEntry.global_seq)
        ).all()
    for number in numbers:
        told = [kind for incident, kind in rows if incident == number]
        if number in stopped:
            assert told.pop() in ends, f"{number}: a level came after the answer"
            assert told in ([reached], [reached, reached])
        else:
            assert told == [reached, reached]
