"""What waits for two keepers is told to them, or it would lapse after a day without anybody knowing of it."""

from __future__ import annotations

from config.database import Database
from tests.world import STORE_KEY, World, team

KIM, KAI = "+15005550104", "+15005550105"


def test_keepers_are_told_what_waits_for_them_and_who_asked_is_not(database: Database) -> None:
    world = World(database)
    number = world.alert("Replica is slow", key=STORE_KEY)
    world.acknowledge(number)
    before = len(world.sent("sms"))
    world.resolve(number, by="kim", reason="the disk was replaced")
    world.run()
    (told,) = world.sent("sms")[before:]
    assert (told.to, told.message.purpose) == (KAI, "notification")
    assert told.message.note == (
        f"Kim Osei asks to resolve incident {number}: the disk was replaced. 2 keepers other than them must approve; you "
        "are one"
    )
    assert "(2 keepers other than them must approve; told: Kai Ito.)" in world.timeline(number)[-2].text
    world.resolve(number, by="kim", reason="the disk was replaced")  # the request stands already
    world.run()
    assert len(world.sent("sms")) == before + 1


def test_where_nobody_is_a_keeper_the_record_says_that_none_can_be_told(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team().replace("[keeper]", "[responder]"))
    number = world.alert("Replica is slow", key=STORE_KEY)
    world.resolve(number, reason="the disk was replaced")
    assert any("; no keeper can be told.)" in entry.text for entry in world.timeline(number))
