"""What holds noise down, attacked: it must never hold down somebody whom people or the rules want woken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.database import Database
from incidents import assigning
from incidents.sources.base import AlertStatus
from tests.silenced import end, extend, held, silence, suspected
from tests.world import MONDAY, World, team

HOUR = timedelta(hours=1)
GROUPING = team().replace("checkout: {policy: standard, ", "checkout: {policy: standard, group: {within: 1h}, ")


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def give_back(world: World, number: int, by: str = "ana") -> None:
    with world.database.transaction() as session:
        assigning.unacknowledge(session, world.desk, number, world.actor(by), world.now, reason="I am on a train")
    world.run()


def test_who_gives_an_incident_back_has_people_woken_whichever_of_two_silences_fits_it(database: Database) -> None:
    world = World(database)
    longer, shorter = silence(world), silence(world, lasts_hours=1)
    number = world.alert()
    assert held(world, number) == [(longer, "")]
    world.acknowledge(number)
    give_back(world, number)
    assert (len(world.sent("sms")), world.incident(number).silenced_until) == (1, None)
    assert set(held(world, number)[1:]) == {(longer, "overridden"), (shorter, "overridden")}


def test_what_a_person_escalated_is_held_by_no_silence_that_went_on_then_and_is_extended_later(world: World) -> None:
    silence(world)
    shorter = silence(world, lasts_hours=1)
    number = world.alert()
    world.escalate_now(number)
    extend(world, shorter, MONDAY + 3 * HOUR)
    assert world.incident(number).silenced_until is None
    world.fast_forward(minutes=90)
    assert world.sent("sms") and suspected(world) == []


def test_a_silence_of_one_alert_of_several_does_not_hold_what_a_person_escalated_once_the_others_end(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=GROUPING)
    number = world.alert(dedup_key="a", labels={"host": "db-1"})
    assert world.alert(dedup_key="b", labels={"host": "web-1"}) == number
    of_one = silence(world, services=(), labels={"host": "db-*"})
    world.escalate_now(number)
    world.alert(dedup_key="b", labels={"host": "web-1"}, status=AlertStatus.RESOLVED)
    extend(world, of_one, MONDAY + 3 * HOUR)
    assert world.incident(number).silenced_until is None
    end(world, of_one)
    assert suspected(world) == []
