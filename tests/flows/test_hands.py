"""An incident in other hands: given to somebody, taken over, snoozed, given back, or reported by a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.database import Database
from config.errors import ConflictError, InvalidInputError
from escalation.channels.base import Purpose
from incidents import assigning, manual, reclassifying
from incidents.desk import Outcome
from incidents.severity import IncidentClass, Severity
from tests.world import MONDAY, PHONES, STORE_KEY, World, refused, team

QUIETER = """
  gentle:
    repeat: 0
    ack_timeout: 0s
    levels:
      - {level: 1, after: 0m, page: ["responder:kai"]}
      - {level: 2, after: 10m, page: ["responder:kim"]}
services:"""


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=team().replace("services:", QUIETER.lstrip("\n"), 1))


def act(world: World, verb: Callable[..., Outcome], number: int, by: str = "ana", **more: Any) -> Outcome:
    with world.database.transaction() as session:
        outcome = verb(session, world.desk, number, world.actor(by), world.now, **more)
    world.run()
    return outcome


def paged(world: World) -> list[tuple[str, float]]:
    people = {phone: key for key, phone in PHONES.items()}
    pages = [d for d in world.sent("sms") if d.message.purpose is Purpose.PAGE]
    return [(people[d.to], (d.at - MONDAY) / timedelta(minutes=1)) for d in pages]


def report(world: World, by: str = "bo", **said: Any) -> int:
    with world.database.transaction() as session:
        given = {"service": "checkout", "title": "Customers cannot pay", **said}
        received = manual.report(session, world.desk, world.actor(by), world.now, **given)
    world.run()
    assert received.incident_id is not None
    return received.incident_id


# Reassigning


def test_who_is_given_an_incident_is_paged_first_and_the_later_levels_follow(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=2)
    act(world, assigning.reassign, number, to="kai", reason="knows the observer")
    assert world.incident(number).status == "open"
    world.fast_forward(minutes=16)
    # Level 2 is five minutes after level 1, and level 3 ten after that, as the policy has it.
    assert paged(world) == [("ana", 0), ("kai", 2), ("bo", 7), ("mia", 17)]
    assert world.sent("sms", to=PHONES["kai"])[0].message.note == "Ana Lima gives it to you: knows the observer"
    text = next(e.text for e in world.timeline(number) if e.kind == "incident.reassigned")
    assert text == "Ana Lima reassigned it to Kai Ito: knows the observer"


def test_the_one_it_was_given_to_acknowledges_and_has_it(world: World) -> None:
    number = world.alert()
    act(world, assigning.reassign, number, to="kai")
    world.acknowledge(number, by="kai")
    world.fast_forward(hours=1)
    assert world.incident(number).acknowledged_by == "Kai Ito"
    assert [key for key, _ in paged(world)] == ["ana", "kai"]


def test_a_given_page_that_no_way_takes_brings_the_next_level_at_once(world: World) -> None:
    number = world.alert()
    for channel in ("sms", "voice", "email", "slack"):
        world.channels[channel].faults = [refused()]
    act(world, assigning.reassign, number, to="kai")
    assert paged(world)[-1] == ("bo", 0)


def test_who_takes_it_over_is_not_paged_for_it(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, by="ana")
    outcome = act(world, assigning.reassign, number, by="bo", to="bo")
    assert outcome.sentence == f"{number} is yours now."
    assert world.incident(number).acknowledged_by == "Bo Chen"
    assert [key for key, _ in paged(world)] == ["ana"]


def test_a_stranger_is_given_nothing(world: World) -> None:
    number = world.alert()
    with pytest.raises(InvalidInputError):
        act(world, assigning.reassign, number, to="nobody")
    assert world.incident(number).status == "open"


def test_another_policy_begins_anew(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=6)
    act(world, assigning.reassign_to_policy, number, to="gentle")
    world.fast_forward(minutes=11)
    assert paged(world) == [("ana", 0), ("bo", 5), ("kai", 6), ("kim", 16)]


def test_a_resolved_incident_is_given_to_nobody(world: World) -> None:
    number = world.alert()
    world.resolve(number)
    with pytest.raises(ConflictError):
        act(world, assigning.reassign, number, to="bo")


# More people


def test_an_added_responder_is_paged_though_somebody_has_it(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    act(world, assigning.add_responder, number, responder="kai", reason="the database is yours")
    assert paged(world) == [("ana", 0), ("kai", 0)]
    assert world.sent("sms")[-1].message.note == "Ana Lima asks for your help: the database is yours"
    assert "already acknowledged by Ana Lima" in world.acknowledge(number, by="kai").sentence


def test_an_added_responders_page_falls_back_as_any_other(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.channels["sms"].faults = [refused()]
    act(world, assigning.add_responder, number, responder="kai")
    assert [d.to for d in world.sent("voice")] == [PHONES["kai"]]


# Giving it back, and snoozing


def test_what_is_given_back_pages_the_level_that_was_reached(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=6)
    world.acknowledge(number, by="bo")
    act(world, assigning.unacknowledge, number, by="bo", reason="I am on a train")
    assert paged(world) == [("ana", 0), ("bo", 5), ("bo", 6)]
    with pytest.raises(ConflictError):
        act(world, assigning.unacknowledge, number, reason="again")


def test_a_snoozed_incident_is_quiet_until_its_hour_and_then_nobodys(world: World) -> None:
    number = world.alert()
    act(world, assigning.snooze, number, until=world.now + timedelta(hours=2))
    assert world.incident(number).acknowledged_by == "Ana Lima"
    world.fast_forward(minutes=119)
    assert len(world.sent("sms")) == 1
    assert not world.sent("slack", to="U0ANA"), "the clock of the phases is quiet too"
    world.fast_forward(minutes=1)
    assert world.incident(number).status == "open"
    assert world.incident(number).snoozed_until is None
    assert paged(world) == [("ana", 0), ("ana", 120)]


def test_resolving_ends_a_snooze(world: World) -> None:
    number = world.alert()
    act(world, assigning.snooze, number, until=world.now + timedelta(hours=2))
    world.resolve(number)
    world.fast_forward(hours=3)
    assert paged(world) == [("ana", 0)]


def test_a_constitutional_incident_is_never_snoozed(world: World) -> None:
    number = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="chain")
    with pytest.raises(ConflictError, match="constitutional"):
        act(world, assigning.snooze, number, until=world.now + timedelta(hours=1))


def test_an_incident_that_becomes_constitutional_wakes_from_its_snooze(world: World) -> None:
    number = world.alert()
    act(world, assigning.snooze, number, until=world.now + timedelta(hours=2))
    act(world, reclassifying.reclassify, number, new_class=IncidentClass.CONSTITUTIONAL, reason="it is the chain")
    assert world.incident(number).status == "open"
    assert [key for key, _ in paged(world)] == ["ana", "ana"]


def test_a_snooze_has_an_end_within_seven_days(world: World) -> None:
    number = world.alert()
    for hours in (-1, 0, 24 * 8):
        with pytest.raises(InvalidInputError):
            act(world, assigning.snooze, number, until=world.now + timedelta(hours=hours))


# Reporting


def test_what_a_person_reports_is_classified_and_escalated_like_an_alert(world: World) -> None:
    number = report(world, description="Since ten o'clock the payment page shows an error.")
    incident = world.incident(number)
    assert (incident.incident_class, incident.severity) == ("operational", "MEDIUM")
    opened = world.timeline(number)[0]
    assert (opened.kind, opened.actor, opened.text) == (
        "incident.opened",
        "Bo Chen",
        "Bo Chen reported: Customers cannot pay",
    )


def test_the_reporters_severity_goes_beside_the_automatic_one(world: World) -> None:
    number = report(world, severity=Severity.CRITICAL)
    assert world.incident(number).severity == "CRITICAL"
    assert paged(world) == [("ana", 0)]
    assert "Bo Chen makes it operational CRITICAL." in world.incident(number).classification["sentence"]


def test_a_reporter_does_not_lower_what_the_rules_find_constitutional(world: World) -> None:
    number = report(
        world,
        title="Hash chain broken at sequence 48211",
        severity=Severity.LOW,
        incident_class=IncidentClass.OPERATIONAL,
    )
    incident = world.incident(number)
    assert (incident.incident_class, incident.severity) == ("constitutional", "CRITICAL")


def test_a_report_with_a_key_that_is_open_is_a_repeat(world: World) -> None:
    first = report(world, dedup_key="pay")
    assert report(world, dedup_key="pay") == first
    assert report(world) != first


def test_the_way_people_report_by_survives_apply(world: World) -> None:
    report(world, dedup_key="pay")
    world.apply(team())
    assert report(world, dedup_key="pay") == 1
