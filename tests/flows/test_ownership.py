"""What is the file's and what is people's, when a file is applied."""

from __future__ import annotations

from datetime import time

import pytest

from config import audit
from config.database import Database
from config.declaration import DeclarationError
from escalation.models import ContactMethod, HoursRow, OverrideRow, Owner, PolicyRow, Responder, ScheduleRow
from escalation.oncall.hours import Hours, Window
from escalation.oncall.schedules import Schedule
from escalation.policies import Level, Policy, Target
from tests.declaring import NOW, TEAM, apply, changed, without

NIGHTS = 'rotations: [{members: [bo], starts: "2026-01-05T00:00", turn: 1w}]'


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Applied, and with a schedule and a policy that people made."""
    apply(sqlite_database, TEAM)
    with sqlite_database.transaction() as session:
        primary = session.query(ScheduleRow).filter_by(key="primary").one()
        rotations = Schedule.from_json(primary.definition).rotations
        session.add(
            ScheduleRow(key="nights", owner=Owner.PEOPLE, definition=Schedule("nights", "UTC", rotations).to_json())
        )
        gentle = Policy("gentle", (Level(1, 0, (Target("schedule", "nights"),)),))
        session.add(PolicyRow(key="gentle", owner=Owner.PEOPLE, definition=gentle.to_json()))
    return sqlite_database


def owner_of_nights(database: Database) -> str | None:
    with database.reading() as session:
        return session.query(ScheduleRow.owner).filter_by(key="nights").scalar()


def test_a_file_leaves_alone_what_people_own(database: Database) -> None:
    assert not apply(database, TEAM)
    assert owner_of_nights(database) == Owner.PEOPLE


def test_a_file_may_refer_to_what_people_own(database: Database) -> None:
    text = changed(
        "policy: quiet", "policy: gentle", changed('page: ["schedule:secondary"]', 'page: ["schedule:nights"]')
    )
    assert apply(database, text).lines == [
        "~ policy standard: levels[1].page [schedule:secondary] -> [schedule:nights]",
        "~ service event-store: policy quiet -> gentle",
    ]


def test_a_name_that_nobody_has_is_still_refused(database: Database) -> None:
    with pytest.raises(DeclarationError, match='no schedule "night" is declared; did you mean "nights"'):
        apply(database, changed('page: ["schedule:secondary"]', 'page: ["schedule:night"]'))


def test_a_file_that_declares_a_thing_of_peoples_takes_it_over_and_says_so(database: Database) -> None:
    text = changed("schedules:\n", f"schedules:\n  nights: {{timezone: UTC, {NIGHTS}}}\n")
    assert apply(database, text).lines == [
        "~ schedule nights: rotations[0].members [ana] -> [bo]",
        "~ schedule nights: now declared in the file",
    ]
    assert owner_of_nights(database) == Owner.FILE
    with database.reading() as session:
        assert "now declared in the file" in [e.text.rpartition(": ")[2] for e in audit.entries(session, limit=2)]
    assert not apply(database, text)


def test_overrides_survive_a_file_that_changes_the_schedule(database: Database) -> None:
    with database.transaction() as session:
        primary = session.query(ScheduleRow).filter_by(key="primary").one()
        bo = session.query(Responder).filter_by(key="bo").one()
        session.add(
            OverrideRow(
                schedule_id=primary.id,
                responder_id=bo.id,
                starts_at=NOW,
                ends_at=NOW.replace(day=9),
                created_by="Bo Chen",
                created_at=NOW,
            )
        )
    apply(database, changed("primary: {timezone: UTC", "primary: {timezone: Europe/Lisbon"))
    with database.reading() as session:
        assert session.query(OverrideRow).count() == 1


def test_what_the_file_drops_and_a_policy_of_peoples_refers_to_becomes_peoples(database: Database) -> None:
    with_hours = changed("policies:\n", 'hours: {office: {timezone: UTC, from: "09:00", to: "17:00"}}\npolicies:\n')
    apply(database, with_hours)
    office = Hours("office", "UTC", Window(time(9), time(17)))
    with database.transaction() as session:
        gentle = Policy("gentle", (Level(1, 0, (Target("schedule", "secondary"),), during=office),))
        session.query(PolicyRow).filter_by(key="gentle").one().definition = gentle.to_json()
    text = without(changed('page: ["schedule:secondary"]', 'page: ["schedule:primary"]'), "secondary:")
    said = "not declared any more; people's now, whose policy refers to it"
    assert apply(database, text).lines == [
        f"~ hours office: {said}",
        "~ policy standard: levels[1].page [schedule:secondary] -> [schedule:primary]",
        f"~ schedule secondary: {said}",
    ]
    assert not apply(database, text)


def set_by_bo(database: Database) -> None:
    """A second telephone, verified, and rules of his own."""
    with database.transaction() as session:
        bo = session.query(Responder).filter_by(key="bo").one()
        bo.page_by, bo.page_by_origin = {"high": [{"after_seconds": 0, "by": "voice"}]}, "own"
        own = ContactMethod(responder_id=bo.id, channel="sms", address="+15005550199", declared=False, verified_at=NOW)
        session.add(own)


def methods(database: Database, key: str) -> list[tuple[str, bool]]:
    with database.reading() as session:
        found = session.query(ContactMethod).join(Responder, Responder.id == ContactMethod.responder_id)
        return [(m.address, m.declared) for m in found.filter(Responder.key == key, ContactMethod.channel == "sms")]


def test_what_people_set_for_themselves_survives(database: Database) -> None:
    declared = (
        ",\n        page_by: {high: [{after: 0s, by: sms}, {after: 2m, by: voice}], low: [{after: 0s, by: slack}]}"
    )
    left_open = changed(declared, "")
    apply(database, left_open)
    set_by_bo(database)
    assert apply(database, left_open).lines == []
    assert apply(database, changed("name: Bo Chen", "name: Robert Chen", left_open)).lines == [
        "~ responder bo: name Bo Chen -> Robert Chen"
    ]
    assert methods(database, "bo") == [("+15005550102", True), ("+15005550199", False)]
    with database.reading() as session:
        assert "voice" in str(session.query(Responder.page_by).filter_by(key="bo").scalar())


def test_an_address_that_the_file_gives_to_another_goes_there(database: Database) -> None:
    set_by_bo(database)
    lines = apply(
        database,
        changed(
            'mia: {name: Mia Berg, roles: [manager], phone: "+15005550103"}',
            'mia: {name: Mia Berg, roles: [manager], phone: "+15005550199"}',
        ),
    ).lines
    assert "~ responder bo: sms to +15005550199, which Bo Chen had added, is Mia Berg's by the file" in lines
    assert methods(database, "bo") == [("+15005550102", True)]
    assert methods(database, "mia") == [("+15005550199", True)]


def test_the_address_somebody_added_is_theirs_by_the_file_once_it_says_so(database: Database) -> None:
    set_by_bo(database)
    apply(database, changed('phone: "+15005550102"', 'phone: "+15005550199"'))
    assert methods(database, "bo") == [("+15005550199", True)]


def test_hours_that_people_own_stay_and_can_be_referred_to(database: Database) -> None:
    office = Hours("office", "Europe/Lisbon", Window(time(9), time(18)))
    with database.transaction() as session:
        session.add(HoursRow(key="office", owner=Owner.PEOPLE, definition=office.to_json()))
    text = changed('page: ["schedule:secondary"]}', 'page: ["schedule:secondary"], during: office}')
    assert apply(database, text).lines == ["~ policy standard: levels[1].during none -> office"]
    with database.reading() as session:
        assert session.query(HoursRow).count() == 1
