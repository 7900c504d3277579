"""What holds noise down, attacked: it must never hold down somebody whom people or the rules want woken."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from config.database import Database
from config.errors import ConflictError
from incidents import assigning
from incidents.desk import Actor
from incidents.models import Alert
from incidents.severity import Severity
from incidents.sources.base import AlertStatus
from tests.silenced import end, extend, held, silence, suspected
from tests.world import KEY, MONDAY, World, team

HOUR = timedelta(hours=1)
GROUPING = team().replace("checkout: {policy: standard, ", "checkout: {policy: standard, group: {within: 1h}, ")

SOURCE = Actor(name="pagerduty (checkout)", kind="source", via="pagerduty")


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


@pytest.fixture
def grouping(sqlite_database: Database) -> World:
    return World(sqlite_database, config=GROUPING)


def give_back(world: World, number: int, by: str = "ana") -> None:
    with world.database.transaction() as session:
        assigning.unacknowledge(session, world.desk, number, world.actor(by), world.now, reason="I am on a train")
    world.run()


def test_who_gives_an_incident_back_has_people_woken_whichever_of_two_silences_fits_it(database: Database) -> None:
    world = World(database)
    longer, shorter = silence(world), silence(world, lasts_hours=1)
    number = world.alert()
    assert held(world, number) == [(longer, "")]
    world.acknowledge(number)
    give_back(world, number)
    assert (len(world.sent("sms")), world.incident(number).silenced_until) == (1, None)
    assert set(held(world, number)[1:]) == {(longer, "overridden"), (shorter, "overridden")}


def test_what_a_person_escalated_is_held_by_no_silence_that_went_on_then_and_is_extended_later(world: World) -> None:
    silence(world)
    shorter = silence(world, lasts_hours=1)
    number = world.alert()
    world.escalate_now(number)
    extend(world, shorter, MONDAY + 3 * HOUR)
    assert world.incident(number).silenced_until is None
    world.fast_forward(minutes=90)
    assert world.sent("sms") and suspected(world) == []


def test_a_silence_of_one_alert_of_several_does_not_hold_what_a_person_escalated_once_the_others_end(
    grouping: World,
) -> None:
    world = grouping
    number = world.alert(dedup_key="a", labels={"host": "db-1"})
    assert world.alert(dedup_key="b", labels={"host": "web-1"}) == number
    of_one = silence(world, services=(), labels={"host": "db-*"})
    world.escalate_now(number)
    world.alert(dedup_key="b", labels={"host": "web-1"}, status=AlertStatus.RESOLVED)
    extend(world, of_one, MONDAY + 3 * HOUR)
    assert world.incident(number).silenced_until is None
    end(world, of_one)
    assert suspected(world) == []


@pytest.mark.parametrize("key", [KEY, "c1" * 16])
def test_a_source_that_acknowledges_one_alert_quiets_neither_a_worse_one_nor_another_integrations(
    sqlite_database: Database, key: str
) -> None:
    another = f'integrations: [{{source: pagerduty, key: "{"c1" * 16}"}}, {{source: pagerduty, key: "{KEY}"}}]'
    ours = f'integrations: [{{source: pagerduty, key: "{KEY}"}}]'
    world = World(sqlite_database, config=GROUPING.replace(ours, another))
    number = world.alert(dedup_key="a")
    mild = "Disk usage is odd" if key == KEY else "Observer API down"
    assert world.alert(mild, dedup_key="b", key=key) == number
    world.alert(dedup_key="b", key=key, status=AlertStatus.ACKNOWLEDGED)
    assert world.incident(number).status == "open"
    said = [entry.text for entry in world.timeline(number) if entry.kind == "source.acknowledged"]
    assert said and said[0].endswith("a worse alert of the incident fires too, or one of another integration.")
    with world.database.transaction() as session, pytest.raises(ConflictError, match="a worse alert"):
        of = session.scalars(select(Alert).where(Alert.dedup_key == "b")).one()
        assigning.snooze(session, world.desk, number, SOURCE, world.now, until=world.now + HOUR, of=of)
    world.alert(dedup_key="a", status=AlertStatus.RESOLVED)
    world.alert(dedup_key="b", key=key, status=AlertStatus.ACKNOWLEDGED)
    assert world.incident(number).status == "acknowledged"


def test_what_no_person_has_is_joined_by_nothing_so_that_somebody_learns_of_the_next_alert(grouping: World) -> None:
    quieted = grouping.alert(dedup_key="a")
    grouping.alert(dedup_key="a", status=AlertStatus.ACKNOWLEDGED)
    before = len(grouping.sent("sms"))
    number = grouping.alert(dedup_key="b")
    assert number != quieted
    assert grouping.alert(dedup_key="c") == number
    assert len(grouping.sent("sms")) == before + 1


def test_what_a_source_quieted_is_nobodys_once_it_turns_out_to_be_constitutional(world: World) -> None:
    number = world.alert()
    world.alert(status=AlertStatus.ACKNOWLEDGED)
    assert world.incident(number).status == "acknowledged"
    before = len(world.sent("sms"))
    world.alert("Hash chain broken")
    found = world.incident(number)
    assert (found.status, found.incident_class) == ("open", "constitutional")
    assert len(world.sent("sms")) == before + 1


@pytest.mark.parametrize("first", [Severity.INFO, Severity.LOW])
def test_what_is_told_of_at_once_does_not_wait_for_the_end_of_a_snooze(grouping: World, first: Severity) -> None:
    number = grouping.alert(dedup_key="a")
    grouping.reclassify(number, first)
    grouping.acknowledge(number)
    with grouping.database.transaction() as session:
        ana = grouping.actor("ana")
        assigning.snooze(session, grouping.desk, number, ana, grouping.now, until=grouping.now + 72 * HOUR)
    before = len(grouping.sent("slack"))
    assert grouping.alert("Something is odd", dedup_key="b") == number
    found = grouping.incident(number)
    assert (found.severity, found.status, found.snoozed_until) == ("MEDIUM", "open", None)
    assert len(grouping.sent("slack")) == before + 1
    grouping.fast_forward(minutes=15)
    assert [sent.to for sent in grouping.sent("sms")][-1] == "+15005550101"


def test_who_is_to_confirm_a_class_is_asked_when_a_repeat_gives_the_incident_that_class(world: World) -> None:
    number = world.alert("CPU at 80 %")
    assert world.incident(number).confirm_class is False
    world.alert("halt signal seen", labels={"host": "unknown-7"})
    found = world.incident(number)
    assert (found.incident_class, found.severity, found.confirm_class) == ("constitutional", "HIGH", True)
