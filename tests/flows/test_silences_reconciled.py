"""Nothing that is held back stays so because a timer is missing: the reconciler finds it, and mends it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from config.database import Database
from config.ids import secret_hash
from escalation import escalate
from escalation.findings import Kind
from escalation.models import Timer, TimerKind
from incidents import briefing, intake, maintaining, reconciling
from incidents.models import Incident
from incidents.silence_models import SilenceRow
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.silenced import end, held, recurring, release_at, row, silence, suspected
from tests.world import KEY, MONDAY, World

HOUR = timedelta(hours=1)


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def lose(world: World, kind: TimerKind) -> None:
    with world.database.transaction() as session:
        session.execute(delete(Timer).where(Timer.kind == kind))


def move(world: World, kind: TimerKind, by: timedelta) -> None:
    with world.database.transaction() as session:
        for timer in session.query(Timer).where(Timer.kind == kind):
            timer.due_at += by
            timer.visible_at += by


def mend(world: World) -> list[Kind]:
    outcomes = reconciling.run(world.database, world.desk, world.now)
    assert all(outcome.done for outcome in outcomes)
    world.run()
    return [outcome.finding.kind for outcome in outcomes]


def test_an_incident_whose_release_was_lost_is_found_and_is_released_at_its_time(database: Database) -> None:
    world = World(database)
    silence(world)
    incident = world.alert()
    lose(world, TimerKind.SILENCE)
    assert mend(world) == [Kind.SILENCE_MISSING]
    assert (release_at(world, incident), world.sent(), suspected(world)) == (MONDAY + 2 * HOUR, [], [])
    move(world, TimerKind.SILENCE, HOUR)
    assert mend(world) == [Kind.SILENCE_MISSING]
    assert release_at(world, incident) == MONDAY + 2 * HOUR
    lose(world, TimerKind.SILENCE)
    world.now += 3 * HOUR
    mend(world)
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]
    assert "reconciler.repaired" in world.kinds(incident)


@pytest.mark.parametrize("how", ["removed", "constitutional"])
def test_an_incident_that_no_silence_holds_is_found_and_released(world: World, how: str) -> None:
    number = silence(world)
    incident = world.alert()
    with world.database.transaction() as session:
        if how == "removed":  # as somebody's hand in the database would
            session.execute(update(SilenceRow).where(SilenceRow.id == number).values(ended_at=world.now))
        else:
            session.execute(update(Incident).values(incident_class="constitutional"))
    world.now += timedelta(minutes=3)
    assert mend(world) == [Kind.SILENCE_UNFOUNDED]
    assert (world.incident(incident).silenced_until, suspected(world)) == (None, [])
    assert "+15005550101" in {sent.to for sent in world.sent("sms")}


def test_one_whose_escalation_stopped_for_no_reason_is_still_found(world: World) -> None:
    silence(world, services=("event-store",))
    incident = world.alert()
    with world.database.transaction() as session:
        standing = briefing.standing(session, session.get_one(Incident, incident), world.now)
        escalate.stop(session, world.desk.journal, incident, standing=standing, why="a mistake", now=world.now)
    assert mend(world) == [Kind.ESCALATION_STOPPED]


@pytest.mark.parametrize("again", [False, True])
def test_a_silence_that_nothing_would_begin_or_end_is_found(world: World, again: bool) -> None:
    silence(world, **(recurring(22, 2) if again else {"starts_at": MONDAY + HOUR}))
    assert suspected(world) == []
    lose(world, TimerKind.WINDOW)
    assert mend(world) == [Kind.WINDOW_MISSING]
    move(world, TimerKind.WINDOW, 10 * HOUR)
    assert mend(world) == [Kind.WINDOW_MISSING]
    incident = world.alert()
    world.fast_forward(hours=12 if again else 1)
    assert world.incident(incident).silenced_until is not None


def test_silences_are_no_trouble_while_they_come_go_on_and_end(world: World) -> None:
    night = silence(world, **recurring(22, 2))
    silence(world, starts_at=MONDAY + HOUR, ends_at=MONDAY + 2 * HOUR, services=("checkout", "event-store"))
    world.alert()
    for _ in range(20):
        world.fast_forward(minutes=90)
        assert suspected(world) == []
    end(world, night)
    assert suspected(world) == []


def test_a_silence_that_is_ended_while_it_is_laid_on_an_alert_releases_it(postgresql_database: Database) -> None:
    """The one who ends it waits until the alert is in, and then sees whom it holds."""
    world = World(postgresql_database)
    number = silence(world)
    begun, ended = threading.Event(), threading.Event()

    def end_it() -> None:
        begun.wait(10)
        with world.database.transaction() as session:
            maintaining.end(session, world.actor("bo"), number, world.now, reason="done")
        ended.set()

    other = threading.Thread(target=end_it)
    other.start()
    with world.database.transaction() as session:
        incident = take(world, session, "race")
        begun.set()
        assert not ended.wait(0.3)
    other.join(10)
    world.run()
    assert incident is not None
    assert held(world, incident) == [(number, "released")]
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]


def test_who_ends_a_silence_waits_for_nobody_that_comes_later(postgresql_database: Database) -> None:
    """In a storm there is always another alert that it holds back: one after the other kept it from ending for good."""
    world = World(postgresql_database)
    number = silence(world)
    storm: list[int | None] = []

    def end_it() -> None:
        with world.database.transaction() as session:
            maintaining.end(session, world.actor("bo"), number, world.now, reason="done")

    with world.database.transaction() as session:
        take(world, session, "first")
        ending = threading.Thread(target=end_it)
        ending.start()
        wait_for_waiting(world, 1)
        later = threading.Thread(target=lambda: storm.append(world.alert(dedup_key="later", run=False)))
        later.start()
        wait_for_waiting(world, 2)
    for thread in (ending, later):
        thread.join(10)
    assert storm[0] is not None and world.incident(storm[0]).silenced_until is None
    assert row(world, number).ended_at == world.now


def take(world: World, session: Session, dedup_key: str) -> int | None:
    incoming = IncomingAlert("pagerduty", dedup_key, AlertStatus.FIRING, "Observer API down")
    door = intake.door(session, secret_hash(KEY))
    assert door is not None
    return intake.receive(session, world.desk, door, incoming, world.now).incident_id


def wait_for_waiting(world: World, others: int) -> None:
    """Until so many transactions wait for locks, or until one that should has not in 5 seconds."""
    waiting = text("SELECT count(DISTINCT pid), pg_sleep(0.01) FROM pg_locks WHERE NOT granted")
    with world.database.engine.connect() as connection:
        assert any(connection.execute(waiting).one()[0] >= others for _ in range(500))


def test_a_crash_between_the_end_of_a_silence_and_its_incidents_releases_them_afterwards(world: World) -> None:
    number = silence(world)
    incidents = [world.alert(dedup_key=f"thing {each}") for each in range(3)]
    with world.database.transaction() as session:
        maintaining.end(session, world.actor("bo"), number, world.now, reason="done")
    claimed = world.engine  # nothing of it has run yet: an engine that starts an hour later does it
    world.now += HOUR
    world.engine = world.new_engine("another")
    assert claimed is not world.engine
    world.run()
    assert [held(world, each) for each in incidents] == [[(number, "released")]] * 3
