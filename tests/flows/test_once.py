"""What a channel brings twice is done once, also when both arrive at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from config.database import Database
from config.errors import ConflictError
from incidents import actions, once
from incidents.desk import Outcome
from incidents.models import Deed
from tests.world import MONDAY, World


def test_two_that_arrive_together_are_one_deed_with_one_answer(database: Database) -> None:
    world = World(database)
    number = world.alert(run=False)
    who = world.actor("ana")

    def note(_: int) -> Outcome:
        return once.do(
            database,
            "slack/T1",
            world.now,
            lambda session: actions.add_note(session, world.desk, number, who, world.now, text="hello"),
        )

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(note, range(4)))
    assert world.kinds(number).count("note.added") == 1
    assert {each.sentence for each in outcomes} == {"Noted."}
    assert [each.changed for each in outcomes].count(True) == 1


def test_what_was_refused_may_be_tried_again(sqlite_database: Database) -> None:
    World(sqlite_database)

    def refuse(_: object) -> Outcome:
        raise ConflictError("Not now.")

    with pytest.raises(ConflictError):
        once.do(sqlite_database, "slack/T1", MONDAY, refuse)
    assert once.do(sqlite_database, "slack/T1", MONDAY, lambda _: Outcome(0, True, "", "Done.")).changed


def test_deeds_are_kept_for_a_day(sqlite_database: Database) -> None:
    World(sqlite_database)
    for hours in (0, 1, 26):
        at = MONDAY + timedelta(hours=hours)
        once.do(sqlite_database, f"slack/T{hours}", at, lambda _: Outcome(0, True, "", "Done."))
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Deed)) == 1
        assert once.last_at(session, "slack") == MONDAY + timedelta(hours=26)
        assert once.last_at(session, "sms") is None
