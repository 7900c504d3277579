"""The emergency runbook that a level calls for."""

from __future__ import annotations

import pytest

from config.database import Database
from incidents import queries_detail
from tests.world import STORE_KEY, World, team


@pytest.fixture
def world(sqlite_database: Database) -> World:
    written = team().replace('page: ["role:manager", "responder:ana"]', 'page: ["role:manager"], runbook: shutdown')
    return World(sqlite_database, config=written)


def test_the_level_that_names_it_attaches_it_beside_the_incidents_own(world: World) -> None:
    number = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="chain")
    world.fast_forward(minutes=59)
    with world.database.reading() as session:
        before = queries_detail.incident(session, world.desk, number, world.now).runbook
    assert before is not None
    assert before.emergency is None
    world.fast_forward(minutes=2)
    with world.database.reading() as session:
        after = queries_detail.incident(session, world.desk, number, world.now).runbook
    assert after is not None
    assert after.id == before.id, "the first stays the first"
    assert after.emergency is not None
    assert (after.emergency.id, after.emergency.reason) == ("shutdown", "level 4 was reached")
    edit = world.sent("slack", edits=True)[-1].message.brief
    assert (edit.runbook_title, edit.emergency_title) == (after.title, after.emergency.title)
    told = [entry.text for entry in world.timeline(number) if entry.kind == "runbook.attached"]
    assert told[-1] == f"Emergency runbook {after.emergency.title} attached beside {after.title}: level 4 was reached."


def test_before_its_level_nothing_is_attached(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=30)
    assert world.kinds(number).count("runbook.attached") == 1
