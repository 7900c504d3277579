"""A person's own ways to be reached: used once a code that went there has come back, and never before."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.audit_models import AuditEntry
from config.database import Database
from config.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, TooManyError
from escalation import contacts
from escalation.contacts import Told
from escalation.models import ContactMethod
from escalation.paging.models import Notice, Verification
from incidents.desk import Actor
from tests.contacting import NEW, add, code_sent, confirm, confirmed, declared_id, do, own, paged_at, whose, wrong
from tests.world import PHONES, World, refused


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


# Adding and confirming


def test_what_is_not_confirmed_pages_nobody_and_answers_for_nobody(world: World) -> None:
    add(world)
    assert paged_at(world) == [PHONES["ana"]]
    assert whose(world, "sms", NEW) is None


def test_what_is_confirmed_is_paged_in_the_place_of_the_declared_address(world: World) -> None:
    confirmed(world)
    assert paged_at(world) == [NEW]
    assert whose(world, "sms", NEW) == whose(world, "sms", PHONES["ana"]) == "ana"
    assert [(each.address, each.in_use) for each in own(world) if each.channel == "sms"] == [
        (PHONES["ana"], False),
        (NEW, True),
    ]


def test_a_declared_address_that_is_confirmed_last_is_used_again(world: World) -> None:
    confirmed(world)
    world.fast_forward(minutes=2)
    declared = declared_id(world, "ana", "sms")
    assert confirm(world, declared, code_sent(world, declared)).changed
    assert paged_at(world) == [PHONES["ana"]]


def test_the_message_says_who_asked_and_what_to_do_if_it_was_not_you(world: World) -> None:
    code = code_sent(world, add(world))
    (told,) = world.sent("sms", to=NEW)
    assert told.message.note == (
        f"Your code is {code}. It is good for 10 minutes. Ana Lima asked for it at 10:00 UTC, to be paged here. "
        "If that was not you, ignore this: nobody will be paged here."
    )


def test_a_call_reads_the_code_digit_by_digit(world: World) -> None:
    do(world, contacts.send_code, add(world, "voice"))
    (told,) = world.sent("voice", to=NEW)
    assert re.match(r"Your code is \d, \d, \d, \d, \d, \d\. ", told.message.note)


@pytest.mark.parametrize(("channel", "address"), [("email", "ana@home.example.org"), ("slack", "U0ANB")])
def test_a_code_goes_by_email_and_slack_too(world: World, channel: str, address: str) -> None:
    confirmed(world, channel, address)
    assert [told.to for told in world.sent(channel)] == [address]


def test_a_code_is_kept_nowhere_and_is_in_no_audit(world: World) -> None:
    code = code_sent(world, add(world))
    with world.database.reading() as session:
        (notice,) = session.scalars(select(Notice))
        (kept,) = session.scalars(select(Verification))
        entries = session.scalars(select(AuditEntry)).all()
    said = f"{notice.subject} {notice.text} {notice.error} {kept.code_hash} " + " ".join(each.text for each in entries)
    assert code not in said
    assert entries[-1].text == f"contact method SMS to {NEW} added, not confirmed yet"


def test_a_code_may_be_typed_with_spaces_and_works_once(world: World) -> None:
    method_id = add(world)
    code = code_sent(world, method_id)
    assert confirm(world, method_id, f" {code[:3]} {code[3:]} ").changed
    assert confirm(world, method_id, code) == Told(False, contacts.CODE_REFUSED["none"])


def test_after_5_wrong_tries_the_right_code_is_refused(world: World) -> None:
    method_id = add(world)
    code = code_sent(world, method_id)
    told = [confirm(world, method_id, wrong(code)).sentence for _ in range(5)]
    assert told[:4] == [contacts.CODE_REFUSED["wrong"]] * 4
    assert told[4] == contacts.CODE_REFUSED["spent"]
    assert not confirm(world, method_id, code).changed
    world.fast_forward(minutes=1)
    assert confirm(world, method_id, code_sent(world, method_id)).changed


def test_a_code_is_good_for_10_minutes(world: World) -> None:
    method_id = add(world)
    code = code_sent(world, method_id)
    world.fast_forward(minutes=10)
    assert confirm(world, method_id, code) == Told(False, contacts.CODE_REFUSED["expired"])


def test_only_the_newest_code_is_good(world: World) -> None:
    method_id = add(world)
    old = code_sent(world, method_id)
    world.fast_forward(minutes=1)
    new = code_sent(world, method_id)
    assert old == new or not confirm(world, method_id, old).changed
    assert confirm(world, method_id, new).changed


def test_a_code_for_one_address_confirms_no_other(world: World) -> None:
    first, second = add(world), add(world, "sms", "+15005550198")
    code = code_sent(world, first)
    assert confirm(world, second, code) == Told(False, contacts.CODE_REFUSED["none"])


def test_one_code_a_minute_and_5_an_hour_are_sent_to_one_person(world: World) -> None:
    first, second = add(world), add(world, "sms", "+15005550198")
    code_sent(world, first)
    with pytest.raises(TooManyError, match="less than a minute"):
        code_sent(world, second)
    for method_id in (second, first, second, first):
        world.fast_forward(minutes=1)
        code_sent(world, method_id)
    world.fast_forward(minutes=1)
    with pytest.raises(TooManyError, match="5 codes"):
        code_sent(world, first)
    world.fast_forward(hours=1)
    code_sent(world, first)


def test_a_code_that_is_refused_comes_by_no_other_way(world: World) -> None:
    world.channels["sms"].faults = [refused()]
    do(world, contacts.send_code, add(world))
    assert world.sent() == []
    with world.database.reading() as session:
        assert [notice.state for notice in session.scalars(select(Notice))] == ["failed"]


# Whose an address is


def test_an_address_that_is_vouched_for_is_refused_to_others(world: World) -> None:
    with pytest.raises(ConflictError, match="somebody else's"):
        add(world, "sms", PHONES["bo"])
    confirmed(world)
    with pytest.raises(ConflictError, match="somebody else's"):
        add(world, by="bo")
    with pytest.raises(ConflictError, match="already"):
        add(world)


def test_an_address_nobody_has_confirmed_holds_nobody_up(world: World) -> None:
    add(world, by="bo")
    confirmed(world)
    assert whose(world, "sms", NEW) == "ana"
    assert NEW not in [each.address for each in own(world, "bo")]


@pytest.mark.parametrize(
    ("channel", "address", "field"),
    [("fax", NEW, "channel"), ("sms", "12345", "address"), ("slack", "ana", "address"), ("email", "ana", "address")],
)
def test_what_is_no_address_is_refused_by_field(world: World, channel: str, address: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        add(world, channel, address)
    assert list(error.value.fields) == [field]


def test_nobody_touches_what_is_somebody_elses(world: World) -> None:
    method_id = add(world)
    for verb in (contacts.send_code, contacts.remove, contacts.send_test):
        with pytest.raises(NotFoundError):
            do(world, verb, method_id, by="bo")
    with pytest.raises(NotFoundError):
        confirm(world, method_id, "000000", by="bo")


def test_a_program_has_no_contact_methods(world: World) -> None:
    program = Actor(name="ci", kind="program", roles=frozenset({"admin"}))
    with world.database.transaction() as session, pytest.raises(NotAllowedError, match="is a program"):
        contacts.add(session, program, "sms", NEW, world.now)


def test_at_most_10_methods_of_ones_own(world: World) -> None:
    for n in range(contacts.OWN_METHODS_MAX):
        add(world, "email", f"ana{n}@home.example.org")
    with pytest.raises(ConflictError, match="Remove one first"):
        add(world)


def test_codes_are_told_apart_on_postgresql_too(postgresql_database: Database) -> None:
    world = World(postgresql_database)
    method_id = add(world)
    code = code_sent(world, method_id)
    assert not confirm(world, method_id, wrong(code)).changed
    assert confirm(world, method_id, code).changed
    assert paged_at(world) == [NEW]


def test_an_engine_that_dies_with_a_code_in_hand_sends_another(world: World) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    method_id = add(world)
    world.channels["sms"].on_send = die
    with pytest.raises(KeyboardInterrupt):
        do(world, contacts.send_code, method_id)
    world.channels["sms"].on_send = None
    world.now += timedelta(minutes=1)
    world.run()
    found = re.search(r"\d{6}", world.sent("sms", to=NEW)[-1].message.note)
    assert found is not None
    assert confirm(world, method_id, found[0]).changed


def test_of_two_people_who_add_one_address_at_once_the_later_has_it(database: Database) -> None:
    """Nobody has confirmed it, so it is nobody's yet; on PostgreSQL both would find it free, and one would fail."""
    world = World(database)
    failures: list[BaseException] = []
    ready = threading.Barrier(2)

    def add_at_once(who: Actor) -> None:
        ready.wait(timeout=10)
        try:
            with world.database.transaction() as session:
                contacts.add(session, who, "email", "shared@example.org", world.now)
        except Exception as failure:  # noqa: BLE001  the test reports it
            failures.append(failure)

    threads = [threading.Thread(target=add_at_once, args=(world.actor(key),)) for key in ("ana", "bo")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    with world.database.reading() as session:
        assert (
            len(session.scalars(select(ContactMethod).where(ContactMethod.address == "shared@example.org")).all()) == 1
        )
