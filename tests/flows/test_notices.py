"""Messages about no incident: to whom, by what, when, and what happens when nobody takes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from escalation import notices, responders
from escalation.models import Responder
from escalation.paging.models import Notice
from escalation.policies import Announcement
from tests.world import MONDAY, PHONES, World, refused, team, unwell

ROOM = Announcement("slack", "#oncall")


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def tell(world: World, *to: str | Announcement, run: bool = True, **more: Any) -> int:
    """How many notices were added."""
    words = {"kind": "handoff", "subject": "Your turn has begun", "text": "You are on call from now on."}
    with world.database.transaction() as session:
        recipients = [each if isinstance(each, Announcement) else person(session, each) for each in to]
        added = len(notices.queue(session, recipients, now=world.now, **(words | more)))
    if run:
        world.run()
    return added


def person(session: Any, key: str) -> Responder:
    found = responders.by_key(session, key)
    assert found is not None
    return found


def states(world: World) -> list[tuple[str, str]]:
    with world.database.reading() as session:
        return [(each.channel, each.state) for each in session.scalars(select(Notice).order_by(Notice.id))]


def lives_quietly(world: World, key: str) -> None:
    with world.database.transaction() as session:
        person(session, key).quiet = {"from": "22:00", "to": "07:00"}


def test_a_person_is_told_by_their_quietest_way(world: World) -> None:
    tell(world, "ana", url="https://tocsin.example.org/oncall")
    (told,) = world.sent()
    assert (told.channel, told.to, told.message.note) == ("slack", "U0ANA", "You are on call from now on.")
    assert (told.message.subject, told.message.to_name) == ("Your turn has begun", "Ana Lima")
    assert states(world) == [("slack", "sent")]


def test_what_is_urgent_goes_as_pages_do(world: World) -> None:
    tell(world, "ana", urgency="high")
    assert [(told.channel, told.to) for told in world.sent()] == [("sms", PHONES["ana"])]


def test_a_room_is_told_too(world: World) -> None:
    assert tell(world, "bo", ROOM) == 2
    assert [(told.to, told.message.purpose) for told in world.sent()] == [
        ("U0BO", "notification"),
        ("#oncall", "announcement"),
    ]


def test_in_quiet_hours_it_waits_for_their_end_unless_it_is_urgent(world: World) -> None:
    lives_quietly(world, "ana")  # in Lisbon, which keeps UTC in November
    world.now = MONDAY + timedelta(hours=16)
    tell(world, "ana")
    assert world.sent() == []
    tell(world, "ana", urgency="high", text="The engine is late.")
    world.fast_forward(hours=6)
    assert [(told.message.note, told.at - MONDAY) for told in world.sent()] == [
        ("The engine is late.", timedelta(hours=16)),
        ("You are on call from now on.", timedelta(hours=21)),
    ]


def test_a_provider_that_stumbles_is_asked_again(world: World) -> None:
    world.channels["slack"].faults = [unwell(), unwell()]
    tell(world, "ana")
    world.fast_forward(seconds=10)
    assert [told.channel for told in world.sent()] == ["slack"]
    assert states(world) == [("slack", "sent")]


def test_a_way_that_refuses_is_followed_by_the_next(world: World) -> None:
    world.channels["slack"].faults = [refused("user_not_found")]
    tell(world, "ana")
    assert [(told.channel, told.to) for told in world.sent()] == [("sms", PHONES["ana"])]


def test_a_notice_that_nobody_takes_fails_and_says_why(world: World) -> None:
    for channel in world.channels.values():
        channel.faults = [refused()] * 5
    tell(world, "bo")
    world.fast_forward(hours=1)
    with world.database.reading() as session:
        (notice,) = session.scalars(select(Notice))
    assert (notice.state, notice.error) == ("failed", "The number is not a valid phone number.")
    assert sorted(notice.tried) == ["email", "slack", "sms", "voice"]


def test_a_notice_for_a_channel_that_is_not_configured_goes_by_another(world: World) -> None:
    world.channels.pop("slack")
    tell(world, "ana")
    assert [told.channel for told in world.sent()] == ["sms"]


def test_whoever_cannot_be_reached_is_passed_over(world: World) -> None:
    with world.database.transaction() as session:
        person(session, "ana").active = False
        gone = session.get_one(Responder, 1)
        assert notices.queue(session, gone, kind="gap", subject="Gap", text="A gap.", now=world.now) == []


def test_somebody_who_leaves_meanwhile_is_not_told(world: World) -> None:
    tell(world, "ana", run=False)
    with world.database.transaction() as session:
        person(session, "ana").active = False
    world.run()
    assert world.sent() == []
    assert states(world) == [("slack", "failed")]


def test_an_address_that_is_given_up_while_a_notice_waits_is_not_written_to(world: World) -> None:
    lives_quietly(world, "ana")
    world.now = MONDAY + timedelta(hours=16)
    tell(world, "ana")
    world.apply(
        team().replace("slack: U0ANA, ", "").replace("low: [{after: 0s, by: slack}]", "low: [{after: 0s, by: sms}]", 1)
    )
    world.fast_forward(hours=6)
    assert [(told.channel, told.to) for told in world.sent()] == [("sms", PHONES["ana"])]


def test_what_has_a_dedup_key_is_said_once_to_each(database: Database) -> None:
    world = World(database)
    assert tell(world, "ana", dedup_key="gap primary 2026-11-20") == 1
    assert tell(world, "ana", "bo", ROOM, dedup_key="gap primary 2026-11-20") == 2
    assert tell(world, "ana", "bo", ROOM, dedup_key="gap primary 2026-11-20") == 0
    assert tell(world, "ana", dedup_key="x" * 500) == 1
    assert tell(world, "ana", dedup_key="x" * 500) == 0
    assert [told.to for told in world.sent()] == ["U0ANA", "U0BO", "#oncall", "U0ANA"]


def test_an_engine_that_dies_while_it_tells_loses_nothing(world: World) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    world.channels["slack"].on_send = die
    with pytest.raises(KeyboardInterrupt):
        tell(world, "ana")
    world.channels["slack"].on_send = None
    world.fast_forward(minutes=1)
    assert [told.to for told in world.sent()] == ["U0ANA"]


def test_pages_go_before_notices(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: slack}]"))
    tell(world, "ana", run=False)
    number = world.alert()
    assert [told.message.brief.incident_id for told in world.sent("slack", to="U0ANA")] == [number, 0]
