"""Policies in full: several who must acknowledge, turns, hours, quiet hours, and which policy an incident gets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from config.database import Database
from escalation import fire, roll
from tests.world import MONDAY, World, refused, team

NIGHT = datetime(2026, 11, 16, 1, 30, tzinfo=UTC)
ANA_30 = "[{after: 0s, by: sms}, {after: 30m, by: sms}]"


def config(levels: str, *, more: str = "", ana_by: str = "[{after: 0s, by: sms}]", service: str = "") -> str:
    text = team(ana_by=ana_by)
    start, end = text.index("    levels:"), text.index("services:")
    text = text[:start] + more + "    levels:\n" + levels + text[end:]
    return text.replace("  checkout: {policy: standard,", "  checkout: {policy: standard," + service) + HOURS


HOURS = """
hours: {office: {timezone: UTC, from: "09:00", to: "18:00"}}
"""
BOTH = """
      - {level: 1, after: 0s, page: ["responder:ana", "responder:bo"]}
      - {level: 2, after: 60m, page: ["responder:ana", "role:manager"]}
"""


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=config(BOTH, more="    acknowledgements: 2\n", ana_by=ANA_30))


def phones(world: World) -> list[str]:
    return [sent.to[-3:] for sent in world.sent("sms")]


# Several must acknowledge


def test_the_first_to_acknowledge_is_told_how_many_more_must(database: Database) -> None:
    world = World(database, config=config(BOTH, more="    acknowledgements: 2\n", ana_by=ANA_30))
    number = world.alert()
    outcome = world.acknowledge(number, "ana")
    assert outcome.sentence == f"You have it. 1 more must acknowledge {number}; paging goes on for the others."
    assert (outcome.status, outcome.changed) == ("open", True)
    again = world.acknowledge(number, "ana")
    assert again.sentence.startswith("You have it already. 1 more")
    assert not again.changed
    assert world.acknowledge(number, "bo").status == "acknowledged"
    assert [kind for kind in world.kinds(number) if kind.startswith("acknowledgement")] == ["acknowledgement.counted"]


def test_whoever_acknowledged_is_not_paged_by_their_remaining_rules_and_the_others_are(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, "bo")
    world.fast_forward(minutes=31)
    assert phones(world) == ["101", "102", "101"]  # ana's rule after 30 minutes


def test_the_one_who_has_it_hears_nothing_more(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, "ana")
    world.fast_forward(minutes=61)
    assert phones(world) == ["101", "102", "103"]  # level 2 pages the manager, and passes by ana
    assert "Has it already: Ana Lima." in [e.text for e in world.timeline(number) if e.kind == "level.reached"][-1]


def test_both_acknowledgements_are_on_the_timeline_and_the_second_stops_the_levels(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, "ana")
    world.acknowledge(number, "bo")
    world.fast_forward(hours=3)
    assert phones(world) == ["101", "102"]
    told = [entry.text for entry in world.timeline(number) if "acknowledge" in entry.kind]
    assert told == [
        "Ana Lima acknowledged by Slack; 1 more must, and paging goes on for the others.",
        "Bo Chen acknowledged by Slack.",
    ]


def test_resolving_cancels_what_was_queued_for_everybody(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, "bo")
    world.resolve(number, "bo")
    world.fast_forward(hours=3)
    assert phones(world) == ["101", "102"]


def test_a_worse_severity_pages_those_again_who_have_it(world: World) -> None:
    number = world.alert("Checkout p99 latency above 2 s")  # MEDIUM: told first
    world.fast_forward(minutes=16)
    world.acknowledge(number, "ana")
    before = len(world.sent("sms", to="+15005550101"))
    world.alert("Observer API down: health check failing on all replicas", dedup_key="obs/api")
    assert world.incident(number).severity == "HIGH"
    assert len(world.sent("sms", to="+15005550101")) > before


def test_the_last_resort_calls_also_those_who_have_it(sqlite_database: Database) -> None:
    only = '      - {level: 1, after: 0s, page: ["responder:mia", "responder:bo"]}\n'
    world = World(sqlite_database, config=config(only, more="    repeat_after: 5m\n    acknowledgements: 2\n"))
    number = world.alert()
    world.acknowledge(number, "mia")
    world.fast_forward(minutes=6)
    assert phones(world) == ["103", "102", "103", "102"]


# Turns


def test_each_incident_pages_the_next_in_turn(database: Database) -> None:
    turns = (
        '      - {level: 1, after: 0s, page: ["responder:ana", "responder:bo", "responder:mia"], round_robin: true}\n'
    )
    world = World(database, config=config(turns))
    for number in range(4):
        world.alert(dedup_key=f"obs/{number}")
    assert phones(world) == ["101", "102", "103", "101"]
    assert "Level 1 reached: paging Bo Chen, whose turn it is." in [entry.text for entry in world.timeline(2)]


def test_two_first_incidents_at_once_take_different_turns(database: Database) -> None:
    """Neither is refused for the other's sake: its sender would have to try again, or would not."""
    world = World(database, config=config(BOTH))
    started, picked = threading.Event(), []

    def second() -> None:
        started.set()
        with database.transaction() as session:
            picked.append(roll.call(session, (), world.now, place="p/1").last_turn("p/1"))
            roll.take_turn(session, "p/1", "bo")

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            assert roll.call(session, (), world.now, place="p/1").last_turn("p/1") == ""
            roll.take_turn(session, "p/1", "ana")
            session.flush()
            waiting = pool.submit(second)
            started.wait(5)
            with suppress(TimeoutError):
                waiting.result(0.2)
        waiting.result(10)
    assert picked == ["ana"]


def test_when_the_page_of_whose_turn_it_is_cannot_be_handed_over_the_next_level_fires(
    sqlite_database: Database,
) -> None:
    levels = """
      - {level: 1, after: 0s, page: ["responder:bo", "responder:ana"], round_robin: true}
      - {level: 2, after: 60m, page: ["role:manager"]}
"""
    world = World(sqlite_database, config=config(levels))
    world.channels["sms"].faults = [refused()]
    world.channels["voice"].faults = [refused()]
    world.channels["slack"].faults = [refused()]
    world.channels["email"].faults = [refused()]
    world.alert()
    assert phones(world) == ["103"]


# Hours


def test_outside_office_hours_the_next_level_fires_at_once_and_the_timeline_says_why(database: Database) -> None:
    levels = """
      - {level: 1, after: 0s, page: ["responder:ana"], during: office}
      - {level: 2, after: 5m, page: ["responder:bo"]}
"""
    world = World(database, config=config(levels), now=NIGHT)
    number = world.alert()
    assert phones(world) == ["102"]
    passed = next(entry for entry in world.timeline(number) if entry.kind == "level.passed_over")
    assert passed.text == "Level 1 is passed over: it is for office only; going on at once."


NIGHT_POLICY = """
      - {level: 1, after: 0s, page: ["responder:ana"]}
  night:
    levels: [{level: 1, after: 0s, page: ["role:manager"]}]
"""


def test_a_service_may_have_a_policy_for_the_night(sqlite_database: Database) -> None:
    text = config(NIGHT_POLICY, service=" policies: [{outside: office, policy: night}],")
    world = World(sqlite_database, config=text, now=NIGHT)
    world.resolve(world.alert(), "mia")
    assert phones(world) == ["103"]
    world.now = NIGHT + timedelta(hours=9)
    world.alert(dedup_key="another")
    assert phones(world) == ["103", "101"]


# Shadows


def with_shadow(database: Database) -> World:
    """bo learns beside ana."""
    rotation = '{members: [ana], starts: "2026-01-05T00:00", turn: 1w}'
    shadow = '{members: [bo], starts: "2026-01-05T00:00", turn: 1w, shadow: true}'
    return World(database, config=team().replace(f"[{rotation}]", f"[{rotation}, {shadow}]"))


def test_whoever_shadows_is_told_beside_and_never_paged(database: Database) -> None:
    world = with_shadow(database)
    number = world.alert()
    assert phones(world) == ["101"]
    [told] = world.sent("slack", to="U0BO")
    assert told.message.purpose == "notification"
    assert told.message.note == f"{number} HIGH: {world.incident(number).title}. {fire.SHADOW_NOTE}"
    assert "Told as shadows: Bo Chen." in next(e.text for e in world.timeline(number) if e.kind == "level.reached")


def test_what_a_shadow_was_told_is_not_edited_into_a_page(sqlite_database: Database) -> None:
    world = with_shadow(sqlite_database)
    world.acknowledge(world.alert())
    [edited] = world.sent("slack", to="U0BO", edits=True)
    assert (edited.message.purpose, edited.message.standing.status) == ("notification", "acknowledged")


def test_a_shadow_who_was_told_is_nobody_reached(sqlite_database: Database) -> None:
    world = with_shadow(sqlite_database)
    world.channels["sms"].faults = [refused()]
    world.channels["voice"].faults = [refused()]
    world.channels["email"].faults = [refused()]
    world.channels["slack"].on_send = lambda to, _: world.channels["slack"].faults.extend([refused()] * (to == "U0ANA"))
    world.alert()
    assert phones(world) == ["102"]  # level 2, at once
    assert world.now == MONDAY


def test_when_only_the_shadow_cannot_be_told_nobody_is_woken_for_it(sqlite_database: Database) -> None:
    world = with_shadow(sqlite_database)
    world.channels["slack"].on_send = lambda to, _: world.channels["slack"].faults.extend([refused()] * (to == "U0BO"))
    world.channels["email"].faults = [refused()]
    number = world.alert()
    assert "nobody.reachable" not in world.kinds(number)
    assert "103" not in phones(world)


# Quiet hours


def test_low_waits_for_the_end_of_a_persons_quiet_hours(sqlite_database: Database) -> None:
    text = team().replace("slack: U0ANA,", 'slack: U0ANA, quiet: {from: "08:00", to: "11:00"},')
    world = World(sqlite_database, config=text, now=NIGHT)
    number = world.alert("Redis memory capacity warning 82% used")
    assert world.incident(number).severity == "LOW"
    world.fast_forward(hours=9)  # 10:30: told at 09:00, which is quiet for ana
    assert not [sent for sent in world.sent("slack") if sent.to == "U0ANA"]
    world.fast_forward(hours=1)
    assert [sent.at.hour for sent in world.sent("slack") if sent.to == "U0ANA"] == [11]


def test_pages_never_wait_for_quiet_hours(sqlite_database: Database) -> None:
    text = team().replace("slack: U0ANA,", 'slack: U0ANA, quiet: {from: "08:00", to: "11:00"},')
    world = World(sqlite_database, config=text)
    world.alert()
    assert phones(world) == ["101"]
