"""What is the file's and what is people's, when a file is applied."""

from __future__ import annotations

import pytest

from config import audit
from config.database import Database
from config.declaration import DeclarationError
from escalation.models import OverrideRow, Owner, PolicyRow, Responder, ScheduleRow
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


def test_a_policy_of_peoples_keeps_the_schedule_that_the_file_no_longer_declares(database: Database) -> None:
    with database.transaction() as session:
        gentle = Policy("gentle", (Level(1, 0, (Target("schedule", "secondary"),)),))
        session.query(PolicyRow).filter_by(key="gentle").one().definition = gentle.to_json()
    text = without(changed('page: ["schedule:secondary"]', 'page: ["schedule:primary"]'), "secondary:")
    apply(database, text)
    with database.reading() as session:
        assert session.query(ScheduleRow).filter_by(key="secondary").count() == 1
