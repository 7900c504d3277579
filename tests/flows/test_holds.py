"""Governance holds and checklists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.database import Database
from config.errors import ConflictError, InvalidInputError, NotAllowedError
from incidents import actions, assigning, checklists, holding, queries_detail
from incidents.desk import Outcome
from incidents.reviews import reviewing
from tests.calling import Edge
from tests.pages import Pages, words
from tests.world import STORE_KEY, World, team


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=team(ack_timeout="30m"))


@pytest.fixture
def number(world: World) -> int:
    number = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="chain")
    world.acknowledge(number)
    return number


def act(world: World, verb: Callable[..., Outcome], number: int, *ids: int, by: str = "kim", **more: Any) -> Outcome:
    with world.database.transaction() as session:
        outcome = verb(session, world.desk, number, *ids, world.actor(by), world.now, **more)
    world.run()
    return outcome


def contained(world: World, number: int) -> None:
    with world.database.transaction() as session:
        actions.reach_milestone(session, world.desk, number, "contained", world.actor("ana"), world.now)


def held(world: World, number: int, hours: float = 48) -> int:
    end = world.now + timedelta(hours=hours)
    act(world, holding.begin, number, reason="recovery wait", authority="FR21", min_end_at=end)
    with world.database.reading() as session:
        return queries_detail.incident(session, world.desk, number, world.now).holds[-1].id


def test_a_hold_stops_the_clocks_and_its_end_lets_them_go_on(world: World, number: int) -> None:
    world.fast_forward(minutes=10)
    hold = held(world, number)
    before = len(world.sent("sms"))
    world.fast_forward(hours=48)
    assert "phase.late" not in world.kinds(number)
    assert "holder.reminded" not in world.kinds(number)
    act(world, holding.end, number, hold, reason="the wait is over")
    assert [d.message.note[:8] for d in world.sent("sms")[before:]] == ["The hold"] * 2
    world.fast_forward(minutes=4)
    assert "phase.late" not in world.kinds(number)
    world.fast_forward(minutes=1)  # fifteen minutes of running time
    assert "level.raised" in world.kinds(number)


def test_phases_under_a_hold_are_reported_as_held_and_not_as_late(world: World, number: int) -> None:
    held(world, number)
    world.fast_forward(hours=2)
    contained(world, number)
    with world.database.reading() as session:
        review = reviewing.review_of(session, number, world.now, world.desk.base_url)
    verdicts = {row["phase"]: row["verdict"] for row in review["phases"]}
    assert verdicts["containment"] == "held"
    assert [hold["authority"] for hold in review["holds"]] == ["FR21"]


def test_a_holds_end_is_only_moved_later(world: World, number: int) -> None:
    hold = held(world, number)
    with pytest.raises(InvalidInputError):
        act(world, holding.extend, number, hold, min_end_at=world.now + timedelta(hours=47), reason="enough")
    act(world, holding.extend, number, hold, min_end_at=world.now + timedelta(hours=72), reason="more to check")
    world.fast_forward(hours=49)
    with pytest.raises(ConflictError, match="does not end before"):
        act(world, holding.end, number, hold, reason="now")
    assert world.kinds(number).count("hold.extended") == 1


def test_only_a_keeper_holds_and_only_what_is_constitutional(world: World, number: int) -> None:
    end = world.now + timedelta(hours=1)
    with pytest.raises(NotAllowedError):
        act(world, holding.begin, number, by="ana", reason="r", authority="a", min_end_at=end)
    operational = world.alert()
    with pytest.raises(ConflictError):
        act(world, holding.begin, operational, reason="r", authority="a", min_end_at=end)


def test_when_the_minimum_has_passed_the_keepers_are_told_once(world: World, number: int) -> None:
    held(world, number, hours=1)
    world.fast_forward(hours=3)
    assert world.kinds(number).count("hold.due") == 1
    told = [d for d in world.sent("sms") if d.message.note.startswith("The hold by FR21")]
    assert len(told) == 2, "both keepers"


def test_giving_the_incident_back_does_not_lose_sight_of_the_hold(world: World, number: int) -> None:
    held(world, number, hours=1)
    act(world, assigning.unacknowledge, number, by="ana", reason="end of my shift")
    world.acknowledge(number, by="bo")
    world.fast_forward(hours=2)
    assert world.kinds(number).count("hold.due") == 1


def test_a_tick_is_on_the_timeline_and_in_the_review(world: World, number: int) -> None:
    outcome = act(world, checklists.tick, number, by="ana", item="preserve-evidence")
    assert outcome.sentence == "Ticked: Preserve evidence."
    assert not act(world, checklists.tick, number, by="bo", item="preserve-evidence").changed
    contained(world, number)
    with world.database.reading() as session:
        review = reviewing.review_of(session, number, world.now, world.desk.base_url)
    assert [(tick["item"], tick["by"]) for tick in review["checklist"]] == [("preserve-evidence", "Ana Lima")]
    assert "checklist.ticked" in world.kinds(number)
    with pytest.raises(InvalidInputError):
        act(world, checklists.tick, number, by="ana", item="make-coffee")


def test_the_list_marks_what_is_held_and_until_when(world: World, number: int) -> None:
    other = world.alert()
    hold = held(world, number)
    edge = Edge(world)
    assert {each["number"]: each["held"] for each in edge.get("/incidents")["items"]} == {
        number: {"authority": "FR21", "min_end_at": "2026-11-18T10:00:00.000000Z"},
        other: None,
    }
    assert edge.get(f"/incidents/{number}")["held"]["authority"] == "FR21"
    pages = Pages(world)
    assert 'class="badge is-held">hold: FR21<' in pages.by().get("/incidents").text
    assert "On hold, not to end before Wed 18 Nov 10:00" in words(pages.by().get("/incidents"))
    world.fast_forward(hours=49)
    act(world, holding.end, number, hold, reason="the wait is over")
    assert "hold: FR21" not in pages.by().get("/incidents").text
