"""What becomes of a person's own ways to be reached: removed, tried with a test page, and kept beside the file."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from config.database import Database
from config.errors import ConflictError, TooManyError
from escalation import contacts
from escalation.models import ContactMethod
from incidents import configuration
from incidents.sources.table import SOURCES
from tests.contacting import NEW, add, confirmed, declared_id, do, own, paged_at, whose
from tests.world import PHONES, SHELF, World, refused, team


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


# Removing


def test_what_is_removed_is_not_used(world: World) -> None:
    method_id = confirmed(world)
    do(world, contacts.remove, method_id)
    assert paged_at(world) == [PHONES["ana"]]
    assert whose(world, "sms", NEW) is None


def test_what_the_file_declares_is_not_removed_here(world: World) -> None:
    with pytest.raises(ConflictError, match="declared in the configuration file"):
        do(world, contacts.remove, declared_id(world, "ana", "sms"))


def test_the_last_way_to_reach_somebody_is_not_removed(world: World) -> None:
    method_id = confirmed(world)
    with world.database.transaction() as session:
        for method in session.scalars(select(ContactMethod).where(ContactMethod.declared)):
            session.delete(method)
    with pytest.raises(ConflictError, match="only way"):
        do(world, contacts.remove, method_id)


def test_a_code_for_what_was_removed_is_not_sent(world: World) -> None:
    method_id = add(world)
    with world.database.transaction() as session:
        contacts.send_code(session, world.actor("ana"), method_id, world.now)
    do(world, contacts.remove, method_id)
    assert world.sent() == []


# Trying one


def test_a_test_page_says_that_it_is_one(world: World) -> None:
    do(world, contacts.send_test, declared_id(world, "ana", "voice"))
    (told,) = world.sent()
    assert (told.channel, told.message.brief.incident_id, told.message.subject) == ("voice", 0, "TEST page")
    assert told.message.note == (
        "TEST page to Ana Lima, who asked for it at 10:00 UTC. A real page would reach you like this. "
        "This is a test: there is nothing to acknowledge."
    )
    assert [each.test.state for each in own(world) if each.test] == ["sent"]


def test_a_test_page_that_is_refused_says_why(world: World) -> None:
    world.channels["sms"].faults = [refused()]
    do(world, contacts.send_test, declared_id(world, "ana", "sms"))
    assert world.sent() == []
    (failed,) = [each.test for each in own(world) if each.test]
    assert (failed.state, failed.error) == ("failed", "The number is not a valid phone number.")


def test_a_test_page_goes_only_where_pages_go(world: World) -> None:
    with pytest.raises(ConflictError, match="Confirm it"):
        do(world, contacts.send_test, add(world))


def test_5_test_pages_an_hour_go_to_one_person(world: World) -> None:
    for _ in range(5):
        do(world, contacts.send_test, declared_id(world, "ana", "sms"))
    with pytest.raises(TooManyError):
        do(world, contacts.send_test, declared_id(world, "ana", "sms"))
    world.fast_forward(hours=1)
    do(world, contacts.send_test, declared_id(world, "ana", "sms"))


# Beside the file


def test_applying_a_file_leaves_what_a_person_added(world: World) -> None:
    confirmed(world)
    add(world, "email", "ana@home.example.org")
    world.apply(team())
    assert [(each.channel, each.address) for each in own(world) if not each.declared] == [
        ("sms", NEW),
        ("email", "ana@home.example.org"),
    ]
    assert paged_at(world) == [NEW]


def test_what_a_person_added_and_the_file_then_declares_is_the_files_and_stays_confirmed(world: World) -> None:
    confirmed(world)
    world.apply(team().replace(PHONES["ana"], NEW))
    assert [
        (each.address, each.declared, each.verified_at is not None) for each in own(world) if each.channel == "sms"
    ] == [(NEW, True, True)]


def test_the_file_wins_over_whoever_else_had_added_an_address(world: World) -> None:
    confirmed(world)
    changes = configuration.apply_text(
        world.database,
        team().replace(PHONES["bo"], NEW),
        env={},
        file_name="tocsin.yaml",
        now=world.now,
        sources=SOURCES,
        runbook_ids={runbook.id for runbook in SHELF.library.runbooks},
    )
    assert f"~ responder ana: sms to {NEW}, which Ana Lima had added, is Bo Chen's by the file" in changes.lines
    assert whose(world, "sms", NEW) == "bo"
    assert [each.address for each in own(world) if each.channel == "sms"] == [PHONES["ana"]]
