"""What GoAlert was measured to do in a storm, and Tocsin must not: who goes first, and what leaves whom alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.database import Database
from escalation import notices, responders
from escalation.channels.base import Message, Purpose
from incidents import actions
from incidents.severity import Severity
from tests.flows.test_storms import ANA, CONSTITUTIONAL, numbers, says, storm
from tests.world import MONDAY, PHONES, STORE_KEY, World, team


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def limited(world: World, **rates: float) -> None:
    world.engine = world.new_engine("engine of a small account", rates=rates)


def test_many_queued_pages_of_one_service_hold_up_neither_another_person_nor_anything_worse(world: World) -> None:
    """GoAlert's TestPrioritization, with all of them for one person over a line of two messages a second."""
    limited(world, sms=2)
    storm(world, 60, run=False)
    others = world.alert("Somebody else's", dedup_key="bo", hint=Severity.HIGH, run=False)
    escalated(world, others)
    worse = world.alert(CONSTITUTIONAL, key=STORE_KEY, run=False)
    world.run()
    pages = [d for d in world.sent("sms") if d.message.purpose is Purpose.PAGE]
    assert [(d.to, numbers(d.message)[0]) for d in pages] == [(ANA, worse), (PHONES["bo"], others)]
    assert {d.at for d in pages} == {MONDAY}


def test_of_pages_to_different_people_the_worst_goes_first_and_nobody_has_two_turns_before_others(
    world: World,
) -> None:
    limited(world, sms=0.5)
    for _ in range(3):
        world.engine.lanes.begin("sms", "", 2, world.now)
    escalated(world, *storm(world, 3, run=False))
    world.alert("Region 9 does not answer", dedup_key="worse", hint=Severity.HIGH, key=STORE_KEY, run=False)
    world.run()
    world.fast_forward(seconds=10)
    pages = [(d.to, numbers(d.message)) for d in world.sent("sms") if d.message.purpose is Purpose.PAGE]
    assert pages[:2] == [(ANA, [4, 1, 2, 3]), (PHONES["bo"], [1, 2, 3])]


def escalated(world: World, *incidents: int) -> None:
    for number in incidents:
        with world.database.transaction() as session:
            actions.escalate_now(session, world.desk, number, world.actor("ana"), world.now)


def test_a_spent_budget_lets_the_engine_sleep_until_there_is_room_and_holds_up_no_other_channel(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 0s, by: voice}]"))
    limited(world, sms=0.5)
    for _ in range(4):
        world.engine.lanes.begin("sms", "", 2, world.now)
    storm(world, 1)
    assert [d.channel for d in world.sent() if d.message.to_name] == ["voice"]
    due = world.engine.next_due_at()
    assert due is not None
    assert timedelta(seconds=1.9) < due - world.now < timedelta(seconds=2.1)
    world.fast_forward(seconds=3)
    assert [d.channel for d in world.sent() if d.message.to_name] == ["voice", "sms"]


def test_a_thousand_announcements_never_take_the_budget_of_a_page(sqlite_database: Database) -> None:
    """GoAlert: three on-call posts in Slack block an alert."""
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: slack}]"))
    limited(world, slack=2)
    storm(world, 20, hint=Severity.MEDIUM)
    world.acknowledge(1)
    world.now += timedelta(milliseconds=100)
    number = storm(world, 1)[0]
    page = next(d for d in world.sent("slack", to="U0ANA") if d.message.purpose is Purpose.PAGE)
    assert (page.message.brief.incident_id, page.at) == (number, world.now)


def test_three_notices_by_text_never_hold_up_the_first_page(world: World) -> None:
    """GoAlert: one status message by SMS blocks the first page of a new service for three minutes."""
    limited(world, sms=1)
    with world.database.transaction() as session:
        ana = responders.by_key(session, "ana")
        assert ana is not None
        for n in range(6):
            said = f"Notice {n}"
            notices.queue(session, ana, kind="test", subject=said, text=said, now=world.now, urgency="high")
    world.run()
    number = storm(world, 1)[0]
    pages = [d for d in world.sent("sms", to=ANA) if d.message.purpose is Purpose.PAGE]
    assert [(numbers(d.message), d.at) for d in pages] == [([number], world.now)]


def test_eight_alerts_each_answered_are_each_told_within_a_window(world: World) -> None:
    """GoAlert's TestManyAlerts."""
    for _ in range(8):
        number = storm(world, 1)[0]
        world.fast_forward(seconds=20)
        assert numbers(world.sent("sms", to=ANA)[-1].message) == [number]
        says(world, "ack all")
        assert world.incident(number).status == "acknowledged"


def test_a_slow_announcement_does_not_stand_in_a_pages_way(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: slack}]"))
    pool: list[object] = []
    world.engine = world.new_engine("with a slow room", pool.append)
    for n in range(8):
        world.alert("It warms up", dedup_key=f"warm/{n}", hint=Severity.MEDIUM, run=False)
    world.engine.tick(world.now)
    waiting = len(pool)
    world.alert("Region 1 does not answer", dedup_key="r1", hint=Severity.HIGH, run=False)
    world.engine.tick(world.now)
    assert len(pool) > waiting, "the page has a sender of its own"


def test_nothing_is_said_of_a_message_until_what_is_on_its_way_has_arrived(world: World) -> None:
    """Fifty pages a second to one person are not eight texts at once."""

    def meanwhile(address: str, message: Message) -> None:
        world.channels["sms"].on_send = None
        storm(world, 5, run=False)
        while world.engine.tick(world.now):
            pass

    world.channels["sms"].on_send = meanwhile
    world.alert(dedup_key="first", hint=Severity.HIGH)
    assert [len(numbers(d.message)) for d in world.sent("sms", to=ANA)] == [1, 5]


def test_what_is_worse_does_not_wait_for_a_bundle_that_is_on_its_way(world: World) -> None:
    worse: list[int] = []

    def meanwhile(address: str, message: Message) -> None:
        world.channels["sms"].on_send = None
        worse.append(world.alert(CONSTITUTIONAL, key=STORE_KEY, run=False))
        while world.engine.tick(world.now):
            pass

    storm(world, 40, run=False)
    world.channels["sms"].on_send = meanwhile
    world.run()
    assert [numbers(d.message)[0] for d in world.sent("sms", to=ANA)] == [*worse, 1]
