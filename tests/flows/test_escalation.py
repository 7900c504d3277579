"""A page goes out, level by level, until somebody acknowledges."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.database import Database
from escalation.models import TimerKind
from incidents import actions, reclassifying
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus
from runbook_links import links
from tests.world import MONDAY, PHONES, STORE_KEY, World, refused, team, unwell


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def quick(sqlite_database: Database) -> World:
    """On SQLite only, for what does not depend on the database."""
    return World(sqlite_database)


def test_level_1_pages_the_primary_at_once_and_announces_in_the_channel(world: World) -> None:
    number = world.alert()
    assert [(d.channel, d.to) for d in world.sent()] == [("sms", PHONES["ana"]), ("slack", "#incidents")]
    assert world.incident(number).severity == "HIGH"
    kinds = world.kinds(number)
    assert kinds[:4] == ["incident.opened", "incident.classified", "runbook.attached", "level.reached"]
    assert "page.sent" in kinds


def test_levels_2_to_4_page_at_5_15_and_60_minutes(world: World) -> None:
    world.alert()
    world.fast_forward(minutes=61)
    paged = [(d.to, (d.at - MONDAY) / timedelta(minutes=1)) for d in world.sent("sms")]
    assert paged[0] == (PHONES["ana"], 0)
    assert paged[1] == (PHONES["bo"], 5)
    assert paged[2] == (PHONES["mia"], 15)
    assert set(paged[3:5]) == {(PHONES["mia"], 60), (PHONES["ana"], 60)}
    assert [d.to for d in world.sent("slack")] == ["#incidents", "#all-hands"]


def test_an_acknowledgement_stops_the_levels_and_edits_the_message(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=6)
    assert world.acknowledge(number).changed
    world.fast_forward(hours=5)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"], PHONES["bo"]]
    edit = world.sent("slack", edits=True)[-1]
    assert edit.message.standing.status == "acknowledged"
    assert edit.message.standing.acknowledged_by == "Ana Lima"
    assert not [timer for timer in world.timers(number) if timer.kind != TimerKind.PHASE]


def test_a_second_acknowledgement_says_who_was_first(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, by="ana")
    outcome = world.acknowledge(number, by="bo")
    assert not outcome.changed
    assert "Ana Lima" in outcome.sentence


def test_an_acknowledgement_cancels_the_pages_that_wait(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 3m, by: voice}]"))
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=10)
    assert not world.sent("voice")
    assert [page.state for page in world.pages(number)] == ["sent", "cancelled"]


def test_a_persons_rules_are_followed_in_time(sqlite_database: Database) -> None:
    world = World(
        sqlite_database,
        config=team(ana_by="[{after: 0s, by: slack}, {after: 1m, by: sms}, {after: 3m, by: voice}]"),
    )
    world.alert()
    world.fast_forward(minutes=4)
    mine = [(d.channel, (d.at - MONDAY).total_seconds()) for d in world.sent() if d.message.to_name == "Ana Lima"]
    assert mine == [("slack", 0), ("sms", 60), ("voice", 180)]


def test_a_refused_page_moves_on_to_the_next_way_at_once(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 3m, by: voice}]"))
    world.channels["sms"].faults = [refused()]
    number = world.alert()
    assert [(d.channel, d.to) for d in world.sent() if d.channel != "slack"] == [("voice", PHONES["ana"])]
    assert [page.state for page in world.pages(number)] == ["failed", "sent"]


def test_when_the_rules_have_run_out_any_other_way_is_tried(quick: World) -> None:
    quick.channels["sms"].faults = [refused()]
    quick.alert()
    assert [(d.channel, d.to) for d in quick.sent("voice")] == [("voice", PHONES["ana"])]


def test_a_level_that_nobody_can_be_reached_at_goes_on_to_the_next_at_once(quick: World) -> None:
    for channel in ("sms", "voice", "email"):
        quick.channels[channel].faults = [refused()]
    quick.channels["slack"].on_send = lambda address, message: _refuse_people(address)
    quick.alert()
    assert [d.to for d in quick.sent("sms")] == [PHONES["bo"]]
    assert quick.now == MONDAY


def _refuse_people(address: str) -> None:
    if not address.startswith("#"):
        raise refused("user_not_found")


def test_an_empty_schedule_advances_at_once_and_says_so(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(secondary_starts="2027-01-04T00:00"))
    number = world.alert()
    world.fast_forward(minutes=5)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"], PHONES["mia"]]
    assert "nobody.reachable" in world.kinds(number)


def test_a_transient_failure_is_retried_with_growing_pauses(quick: World) -> None:
    quick.channels["sms"].faults = [unwell(), unwell()]
    number = quick.alert()
    quick.fast_forward(seconds=30)
    assert [d.to for d in quick.sent("sms")] == [PHONES["ana"]]
    assert [a.outcome for a in quick.attempts(number) if a.page_id == quick.pages(number)[0].id] == [
        "failed",
        "failed",
        "sent",
    ]
    assert quick.sent("voice"), "after two failures another way is tried beside it"


def test_a_policy_that_runs_out_calls_the_last_resort_until_somebody_answers(quick: World) -> None:
    number = quick.alert()
    quick.fast_forward(hours=3)
    late = [d for d in quick.sent("sms", to=PHONES["mia"]) if d.message.last_resort]
    assert len(late) >= 4
    assert any(timer.kind == TimerKind.ADVANCE for timer in quick.timers(number))
    quick.acknowledge(number, by="mia")
    before = [page.id for page in quick.pages(number) if page.purpose == "page"]
    quick.fast_forward(hours=3)
    assert [page.id for page in quick.pages(number) if page.purpose == "page"] == before


def test_a_policy_that_repeats_begins_anew(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(repeat=1))
    world.alert()
    world.fast_forward(minutes=105)
    assert [d.at - MONDAY for d in world.sent("sms", to=PHONES["ana"])] == [
        timedelta(),
        timedelta(minutes=60),
        timedelta(minutes=105),
    ]


def test_missed_levels_are_caught_up_in_order_when_the_engine_is_back(world: World) -> None:
    world.alert(run=False)
    world.now += timedelta(minutes=20)
    world.run()
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"], PHONES["bo"], PHONES["mia"]]


def test_medium_notifies_first_and_pages_after_15_minutes(world: World) -> None:
    number = world.alert("Worker returned unexpected state 7")
    assert world.incident(number).severity == "MEDIUM"
    assert [(d.channel, d.to, d.message.purpose) for d in world.sent() if d.to != "#incidents"] == [
        ("slack", "U0ANA", "notification")
    ]
    world.fast_forward(minutes=15)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"]]
    world.fast_forward(minutes=5)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"], PHONES["bo"]]


def test_low_waits_for_nine_in_the_morning_of_the_next_business_day(quick: World) -> None:
    number = quick.alert("Redis memory capacity warning 82% used")
    assert quick.incident(number).severity == "LOW"
    assert not [d for d in quick.sent() if d.message.to_name]
    quick.fast_forward(hours=24)
    assert [d.at.isoformat() for d in quick.sent() if d.message.to_name] == ["2026-11-17T09:00:00+00:00"]


def test_info_is_logged_and_wakes_nobody(quick: World) -> None:
    number = quick.alert("Deployment 2.4.1 completed successfully")
    assert quick.incident(number).severity == "INFO"
    quick.fast_forward(hours=48)
    assert not quick.sent()


def test_a_repeat_is_counted_and_does_not_page_again(world: World) -> None:
    first = world.alert()
    assert world.alert() == first
    assert len(world.sent("sms")) == 1
    assert world.kinds(first).count("alert.repeated") == 1


def test_a_repeat_that_is_worse_pages_again_even_when_acknowledged(world: World) -> None:
    number = world.alert("Worker returned unexpected state 7")
    world.acknowledge(number)
    assert not world.sent("sms")
    world.alert("Worker returned unexpected state 7", hint=Severity.HIGH)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"]]
    assert world.incident(number).status == "open"


def test_the_sources_resolve_ends_an_operational_incident(world: World) -> None:
    number = world.alert()
    world.alert(status=AlertStatus.RESOLVED)
    assert world.incident(number).status == "resolved"
    world.fast_forward(hours=2)
    assert len(world.sent("sms")) == 1


def test_after_a_resolve_the_same_key_opens_another_incident(world: World) -> None:
    first = world.alert()
    world.alert(status=AlertStatus.RESOLVED)
    assert world.alert() not in (0, first)


def test_the_sources_resolve_never_ends_a_constitutional_incident(world: World) -> None:
    number = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    world.alert(status=AlertStatus.RESOLVED, key=STORE_KEY)
    assert world.incident(number).status == "open"
    assert "resolve.withheld" in world.kinds(number)
    world.fast_forward(minutes=5)
    paged = [d.to for d in world.sent("sms") if d.message.purpose == "page"]
    assert paged == [PHONES["ana"], PHONES["bo"]]


def test_a_constitutional_critical_asks_every_keeper_to_decide_on_a_halt_and_pages_on(quick: World) -> None:
    number = quick.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    assert quick.incident(number).severity == "CRITICAL"
    asked = {d.to for d in quick.sent("sms") if d.message.purpose == "notification"}
    assert asked == {PHONES["kim"], PHONES["kai"]}
    assert [d.to for d in quick.sent("sms") if d.message.purpose == "page"] == [PHONES["ana"]]
    assert quick.kinds(number).count("halt.recommended") == 1
    quick.fast_forward(minutes=5)
    assert [d.to for d in quick.sent("sms") if d.message.purpose == "page"] == [PHONES["ana"], PHONES["bo"]]


def test_when_an_acknowledged_incident_becomes_one_to_halt_for_the_keepers_are_asked(quick: World) -> None:
    number = quick.alert()
    quick.acknowledge(number)
    with quick.database.transaction() as session:
        reclassifying.reclassify(
            session,
            quick.desk,
            number,
            quick.actor("bo"),
            quick.now,
            new_severity=Severity.CRITICAL,
            new_class=IncidentClass.CONSTITUTIONAL,
            reason="it is the event store behind it",
        )
    quick.run()
    asked = {d.to for d in quick.sent("sms") if d.message.purpose == "notification"}
    assert asked == {PHONES["kim"], PHONES["kai"]}
    assert quick.incident(number).status == "acknowledged"


def test_a_constitutional_incident_gives_up_its_operational_runbook(quick: World) -> None:
    number = quick.alert("Primary database unreachable from api pool")
    with quick.database.transaction() as session:
        before = links.link_of(session, number)
        assert before is not None
        runbook = quick.desk.shelf.library.get(before.runbook_id)
        assert runbook is not None
        reclassifying.reclassify(
            session,
            quick.desk,
            number,
            quick.actor("bo"),
            quick.now,
            new_class=IncidentClass.CONSTITUTIONAL,
            reason="the record is in it",
        )
        after = links.link_of(session, number)
        assert after is not None
        attached = quick.desk.shelf.library.get(after.runbook_id)
        assert attached is not None
        assert attached.is_constitutional


def test_escalating_what_is_only_logged_begins_to_page(quick: World) -> None:
    number = quick.alert("Deployment 2.4.1 completed successfully")
    with quick.database.transaction() as session:
        outcome = actions.escalate_now(session, quick.desk, number, quick.actor("bo"), quick.now)
    assert outcome.changed
    quick.run()
    assert [d.to for d in quick.sent("sms")] == [PHONES["ana"]]


def test_resolving_what_is_unknown_opens_nothing(quick: World) -> None:
    assert quick.alert(status=AlertStatus.RESOLVED) == 0
    assert not quick.deliveries
