"""What was promised to others than the people who are woken, made by hand to be forgotten: found, and kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select

from config.database import Database
from escalation.findings import Kind
from escalation.models import Timer, TimerKind
from escalation.oncall.models import CalendarCopy
from escalation.paging import reconcile_upkeep
from incidents import reconciling
from tests.fakes.providers import FakeProviders
from tests.world import STORE_KEY, World, team


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


def made(database: Database, providers: FakeProviders) -> World:
    url = providers.webhook_url
    remedy = f'remediation: {{url: "{url}", retries: 2}}, integrations'
    events = f'events: [{{url: "{url}", secret: "a secret between us two"}}]\n'
    return World(database, config=team().replace("integrations", remedy, 1) + events + f'hooks: {{halt: "{url}"}}\n')


@pytest.fixture
def world(sqlite_database: Database, providers: FakeProviders) -> World:
    return made(sqlite_database, providers)


def forget(world: World, *kinds: TimerKind) -> None:
    with world.database.transaction() as session:
        session.execute(delete(Timer).where(Timer.kind.in_(kinds)))


def reconcile(world: World) -> list[tuple[Kind, int | None]]:
    outcomes = reconciling.run(world.database, world.desk, world.now)
    assert all(outcome.done for outcome in outcomes), outcomes
    assert reconciling.run(world.database, world.desk, world.now) == []
    return [(outcome.finding.kind, outcome.finding.incident_id) for outcome in outcomes]


def told(providers: FakeProviders) -> list[str]:
    return [delivery.json["event"] for delivery in providers.deliveries]


def test_events_without_timers_are_told_in_order(database: Database, providers: FakeProviders) -> None:
    world = made(database, providers)
    number = world.alert(run=False)
    forget(world, TimerKind.EVENT, TimerKind.HOOK)
    world.acknowledge(number, run=False)
    forget(world, TimerKind.EVENT)
    assert reconcile(world) == [
        (Kind.EVENT_FORGOTTEN, None),
        (Kind.EVENT_FORGOTTEN, None),
        (Kind.HOOK_FORGOTTEN, number),
    ]
    world.run()
    assert [each for each in told(providers) if each != "remediation"] == ["opened", "acknowledged"]
    assert reconcile(world) == []


def test_a_halt_hook_without_a_timer_is_called_and_the_timeline_says_why(
    database: Database, providers: FakeProviders
) -> None:
    world = made(database, providers)
    number = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, run=False)
    forget(world, TimerKind.HOOK)
    world.run()
    assert "halt" not in told(providers)
    assert reconcile(world) == [(Kind.HOOK_FORGOTTEN, number)]
    assert "reconciler.repaired" in world.kinds(number)
    world.run()
    assert told(providers).count("halt") == 1
    assert "hook.succeeded" in world.kinds(number)


def test_a_hook_that_was_cancelled_or_called_is_let_be(world: World) -> None:
    world.resolve(world.alert(run=False))
    world.alert(dedup_key="called")
    forget(world, TimerKind.HOOK)
    assert reconcile(world) == []


def test_a_calendar_that_nothing_would_read_again_is_read(world: World) -> None:
    with world.database.transaction() as session:
        session.add(CalendarCopy(url_hash="c" * 64, shifts=[], error="", findings=[], validators={}))
    assert reconcile(world) == [(Kind.CALENDAR_MISSING, None)]
    world.run()
    with world.database.reading() as session:
        assert session.scalars(select(CalendarCopy)).all() == [], "no schedule names it: it goes when it is looked at"


def test_gaps_to_come_are_looked_for_though_the_timer_for_it_was_lost(world: World) -> None:
    forget(world, TimerKind.COVERAGE)
    assert reconcile(world) == [(Kind.COVERAGE_MISSING, None)]


def test_nothing_is_to_be_covered_before_there_is_a_schedule(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        assert reconcile_upkeep.suspects(session) == []
