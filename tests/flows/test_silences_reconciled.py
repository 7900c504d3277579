"""Nothing that is held back stays so because a timer is missing: the reconciler finds it, and mends it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from config.database import Database
from config.ids import secret_hash
from escalation import escalate
from escalation.findings import Kind
from escalation.models import Timer, TimerKind
from incidents import briefing, intake, maintaining, reconciling
from incidents.models import Incident
from incidents.silence_models import SilenceRow
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.silenced import end, held, recurring, release_at, silence, suspected
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
    incoming = IncomingAlert(source="pagerduty", dedup_key="race", status=AlertStatus.FIRING, title="Observer API down")
    begun, ended = threading.Event(), threading.Event()

    def end_it() -> None:
        begun.wait(10)
        with world.database.transaction() as session:
            maintaining.end(session, world.actor("bo"), number, world.now, reason="done")
        ended.set()

    other = threading.Thread(target=end_it)
    other.start()
    with world.database.transaction() as session:
        door = intake.door(session, secret_hash(KEY))
        assert door is not None
        received = intake.receive(session, world.desk, door, incoming, world.now)
        begun.set()
        assert not ended.wait(0.3)
    other.join(10)
    world.run()
    assert received.incident_id is not None
    assert held(world, received.incident_id) == [(number, "released")]
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]


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
