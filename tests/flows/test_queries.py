"""What lists show, where a response is said to stand, and what it costs to ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from config.database import Database
from escalation.queries import Person
from incidents import actions, queries, queries_detail, queries_reviews, queries_runbooks, queries_services
from incidents.desk import Actor
from incidents.queries import IncidentLine, Wanted
from incidents.queries_detail import IncidentDetail
from tests.calling import counted
from tests.factories import make_incident, make_responder, make_service
from tests.recording import NOW
from tests.world import World

CHAIN_BROKEN = "Hash chain broken at sequence 48211: previous_hash mismatch"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def listed(database: Database, wanted: Wanted | None = None, **more: Any) -> list[IncidentLine]:
    with database.reading() as session:
        return queries.incidents(session, wanted or Wanted(), NOW, **{"limit": 100, **more})


def detail(world: World, number: int) -> IncidentDetail:
    with world.database.reading() as session:
        return queries_detail.incident(session, world.desk, number, world.now)


# Lists


def test_incidents_come_newest_first_and_page_by_page_without_gap_or_repeat(database: Database) -> None:
    with database.transaction() as session:
        numbers = [make_incident(session, now=NOW, title=f"No. {n}").id for n in range(5)]
    first = listed(database, limit=2)
    second = listed(database, limit=2, before=first[-1].number)
    third = listed(database, limit=2, before=second[-1].number)
    assert [line.number for line in (*first, *second, *third)] == numbers[::-1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(statuses=("open", "resolved")), {"high", "record"}),
        (Wanted(severities=("CRITICAL",)), {"record"}),
        (Wanted(incident_class="operational"), {"high", "taken"}),
        (Wanted(service="event-store"), {"record"}),
        (Wanted(statuses=("acknowledged",), severities=("HIGH",), service="checkout"), {"taken"}),
        (Wanted(service="nobody-knows"), set()),
    ],
)
def test_incidents_are_found_by_status_severity_class_and_service(
    database: Database, wanted: Wanted, found: set[str]
) -> None:
    with database.transaction() as session:
        store = make_service(session, key="event-store")
        make_incident(session, now=NOW, title="high")
        make_incident(session, now=NOW, title="taken", status="acknowledged")
        make_incident(
            session,
            now=NOW,
            title="record",
            service=store,
            status="resolved",
            severity="CRITICAL",
            incident_class="constitutional",
        )
    assert {line.title for line in listed(database, wanted)} == found


def test_a_list_costs_as_many_statements_for_twenty_incidents_as_for_two(world: World) -> None:
    for number in range(20):
        world.acknowledge(world.alert(dedup_key=f"obs/{number}", run=False), run=False)
    counts = []
    for limit in (2, 20):
        with counted(world.database) as statements:
            assert len(listed(world.database, limit=limit)) == limit
        counts.append(len(statements))
    assert counts == [3, 3]


def test_who_acknowledged_is_named_with_their_key(world: World) -> None:
    number = world.alert()
    assert listed(world.database)[0].acknowledged_by is None
    world.acknowledge(number, by="ana")
    assert listed(world.database)[0].acknowledged_by == Person("ana", "Ana Lima")


def test_a_program_that_acknowledged_has_a_name_and_no_key(world: World) -> None:
    number = world.alert()
    robot = Actor(name="deploy-bot", kind="program", roles=frozenset({"responder"}))
    with world.database.transaction() as session:
        actions.acknowledge(session, world.desk, number, robot, world.now)
    assert detail(world, number).acknowledged_by == Person("", "deploy-bot")


# Where a response stands


def test_the_phase_goes_with_the_clock(world: World) -> None:
    number = world.alert()
    seen = [detail(world, number).phase]
    for minutes in (5, 10):
        world.fast_forward(minutes=minutes)
        seen.append(detail(world, number).phase)
    assert seen == ["immediate", "containment", "recovery"]


def test_a_level_reached_by_hand_brings_its_phase_with_it(world: World) -> None:
    number = world.alert()
    with world.database.transaction() as session:
        actions.escalate_now(session, world.desk, number, world.actor("ana"), world.now)
    shown = detail(world, number)
    assert (shown.level, shown.phase) == (2, "containment")


def test_after_resolution_the_phase_is_post_incident_and_nothing_comes_next(world: World) -> None:
    number = world.alert()
    world.resolve(number)
    shown = detail(world, number)
    assert (shown.phase, shown.next, shown.resolution) == ("post-incident", None, "fixed")


def test_what_comes_next_is_the_next_level_until_somebody_acknowledges(world: World) -> None:
    opened_at = world.now
    number = world.alert()
    seen = []
    for minutes in (0, 5, 10, 45):
        world.fast_forward(minutes=minutes)
        step = detail(world, number).next
        assert step is not None
        seen.append((step.what, (step.at - opened_at) / timedelta(minutes=1)))
    assert seen[:3] == [("level 2", 5), ("level 3", 15), ("level 4", 60)]
    assert seen[3][0] == "last resort"
    world.acknowledge(number)
    assert detail(world, number).next is None


def test_a_medium_incident_is_told_first_and_pages_at_level_1_after_15_minutes(world: World) -> None:
    opened_at = world.now
    number = world.alert("Worker returned unexpected state 7", dedup_key="worker/7")
    shown = detail(world, number)
    assert shown.severity == "MEDIUM"
    assert {page.purpose for page in shown.pages} == {"notification"}
    assert shown.next is not None
    assert (shown.next.what, shown.next.at) == ("level 1", opened_at + timedelta(minutes=15))


# Timeline and surroundings


def test_the_timeline_is_read_in_order_from_where_the_page_before_ended(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    with world.database.reading() as session:
        every = queries.entries(session, number, limit=100)
        rest = queries.entries(session, number, after_seq=3, limit=2)
    assert [entry.seq for entry in every] == list(range(1, len(every) + 1))
    assert rest == every[3:5]
    assert every[0].facts == {"service": "checkout", "source": "pagerduty", "dedup_key": "obs/api"}


def test_services_are_listed_with_their_ways_in_and_without_their_keys(world: World) -> None:
    with world.database.reading() as session, counted(world.database) as statements:
        found = queries_services.services(session, after="", limit=10)
    assert [(service.key, service.protected) for service in found] == [("checkout", False), ("event-store", True)]
    assert [(way.source, way.key_hint) for way in found[1].integrations] == [("pagerduty", "e0e0")]
    assert len(statements) == 2
    with world.database.reading() as session:
        assert [service.key for service in queries_services.services(session, after="checkout", limit=10)] == [
            "event-store"
        ]


def test_reviews_are_listed_with_owner_and_due_date(world: World) -> None:
    first, second = world.alert(), world.alert(dedup_key="obs/2")
    for number in (first, second):
        world.acknowledge(number, by="bo")
        world.resolve(number)
    with world.database.reading() as session:
        found = queries_reviews.reviews(session, "https://t.example.org", world.now, limit=10)
        older = queries_reviews.reviews(session, "https://t.example.org", world.now, before=second, limit=10)
    assert [review.number for review in found] == [second, first]
    assert older == found[1:]
    assert (older[0].owner, older[0].due_at) == (Person("bo", "Bo Chen"), world.now + timedelta(hours=24))


def test_runbooks_are_listed_by_id_with_their_certification(world: World) -> None:
    found = queries_runbooks.runbooks(world.desk.shelf.library, world.now.date(), "https://t.example.org")
    assert [book.id for book in found] == sorted(book.id for book in found)
    observer = next(book for book in found if book.id == "epic-4-observer")
    assert observer.certification == "certified"
    assert observer.steps > 1
    assert observer.url == "https://t.example.org/runbooks/epic-4-observer"


def test_people_who_have_left_are_still_named(database: Database) -> None:
    world = World(database)
    with database.transaction() as session:
        gone = make_responder(session, key="gus", name="Gus Gone", active=False)
        incident = make_incident(session, now=world.now, status="acknowledged")
        incident.acknowledged_by_id, incident.acknowledged_at = gone.id, world.now
    assert listed(database)[0].acknowledged_by == Person("gus", "Gus Gone")
