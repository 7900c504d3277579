"""When a review is opened, for which incidents, and whose it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from config.errors import NotFoundError
from incidents import actions, governance, reclassifying
from incidents.proof import timeline
from incidents.reviews import reviewing
from incidents.reviews.models import Review
from incidents.reviews.record import Record
from incidents.severity import Severity
from tests.factories import make_incident
from tests.world import World

CHAIN_BROKEN = "Hash chain broken at sequence 48211: previous_hash mismatch"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def milestone(world: World, number: int, reached: str, by: str = "ana") -> None:
    with world.database.transaction() as session:
        actions.reach_milestone(session, world.desk, number, reached, world.actor(by), world.now)


def review_row(world: World, number: int) -> Review | None:
    with world.database.reading() as session:
        return session.scalar(select(Review).where(Review.incident_id == number))


def collected(world: World, number: int, **more: Any) -> Record:
    with world.database.reading() as session:
        return reviewing.collect(session, number, now=world.now, base_url="https://tocsin.example.org", **more)


def resolved(world: World, **alert: Any) -> int:
    number = world.alert(**alert)
    world.acknowledge(number)
    world.resolve(number)
    return number


def approve(world: World, number: int, by: str, action: str) -> None:
    with world.database.transaction() as session:
        governance.decide(
            session,
            world.desk,
            number,
            world.actor(by),
            world.now,
            action=action,
            decision="approve",
            reason="verified",
        )


def reclassify(world: World, number: int, by: str, severity: Severity) -> None:
    with world.database.transaction() as session:
        reclassifying.reclassify(
            session, world.desk, number, world.actor(by), world.now, new_severity=severity, reason="on second thoughts"
        )


def test_a_review_is_opened_when_the_incident_is_contained_and_due_24_hours_after_it_is_resolved(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, by="bo")
    assert review_row(world, number) is None
    milestone(world, number, "contained")
    opened = review_row(world, number)
    assert opened is not None
    assert (opened.state, opened.due_at, opened.opened_at) == ("draft", None, world.now)
    world.fast_forward(minutes=10)
    world.resolve(number)
    due = review_row(world, number)
    assert due is not None
    assert due.due_at == world.now + timedelta(hours=24)
    assert due.opened_at == opened.opened_at
    assert world.kinds(number).count("review.opened") == 1


def test_whoever_acknowledged_owns_the_review_at_first(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, by="bo")
    world.resolve(number, by="ana")
    assert collected(world, number).owner == "Bo Chen"


def test_an_incident_that_nobody_acknowledged_has_a_review_without_owner(world: World) -> None:
    number = world.alert()
    world.resolve(number)
    assert collected(world, number).owner == ""


@pytest.mark.parametrize(
    ("severity", "peak", "incident_class", "is_opened"),
    [
        ("CRITICAL", "CRITICAL", "operational", True),
        ("HIGH", "HIGH", "operational", True),
        ("MEDIUM", "MEDIUM", "operational", False),
        ("MEDIUM", "HIGH", "operational", True),
        ("LOW", "LOW", "constitutional", True),
        ("INFO", "INFO", "operational", False),
    ],
)
def test_critical_high_and_constitutional_incidents_get_a_review_and_others_none(
    sqlite_database: Database, severity: str, peak: str, incident_class: str, is_opened: bool
) -> None:
    world = World(sqlite_database)
    with sqlite_database.transaction() as session:
        incident = make_incident(
            session, now=world.now, severity=severity, severity_peak=peak, incident_class=incident_class
        )
        reviewing.open_review(session, timeline.append, incident, world.now)
        reviewing.open_review(session, timeline.append, incident, world.now)
    assert (review_row(world, incident.id) is not None) == is_opened
    assert world.kinds(incident.id) == (["review.opened"] if is_opened else [])


def test_a_review_that_is_not_opened_yet_is_not_found_and_says_when_it_will_be(world: World) -> None:
    number = world.alert()
    with pytest.raises(NotFoundError, match="drafted when the incident is mitigated or resolved"):
        collected(world, number)
    with pytest.raises(NotFoundError, match="no incident 99"):
        collected(world, 99)
