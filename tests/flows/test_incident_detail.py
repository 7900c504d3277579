"""What is shown of one incident, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from config.database import Database
from config.errors import NotFoundError
from escalation.queries import Person
from incidents import governance, queries, queries_alerts, queries_detail
from incidents.models import Alert, Integration
from incidents.queries_detail import IncidentDetail
from runbook_links import links
from runbook_links.models import RunbookLink, StepTick
from tests.calling import counted
from tests.factories import make_incident
from tests.world import STORE_KEY, World, refused

CHAIN_BROKEN = "Hash chain broken at sequence 48211: previous_hash mismatch"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def detail(world: World, number: int) -> IncidentDetail:
    with world.database.reading() as session:
        return queries_detail.incident(session, world.desk, number, world.now)


def decide(world: World, number: int, by: str, action: str = "resolve") -> None:
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


def test_one_incident_takes_at_most_13_statements_with_all_that_can_belong_to_it(world: World) -> None:
    number = world.alert(CHAIN_BROKEN, key=STORE_KEY, dedup_key="chain")
    world.fast_forward(minutes=16)
    world.acknowledge(number, by="kim")
    world.resolve(number, by="bo")
    decide(world, number, "kim")
    tick(world, number, 1)
    with counted(world.database) as statements:
        shown = detail(world, number)
    assert len(statements) <= 13
    assert shown.requests[0].decisions[0].by == Person("kim", "Kim Osei")
    assert shown.runbook is not None
    assert shown.runbook.steps[0].done_by == "Bo Chen"
    assert len(shown.pages) > 2
    assert shown.review_url is None  # nothing is mitigated yet


def tick(world: World, number: int, step: int) -> None:
    with world.database.transaction() as session:
        link = links.link_of(session, number)
        assert link is not None
        session.add(
            StepTick(
                incident_id=number, runbook_id=link.runbook_id, step=step, ticked_by="Bo Chen", ticked_at=world.now
            )
        )


def test_an_incident_says_why_it_was_judged_so(world: World) -> None:
    shown = detail(world, world.alert(CHAIN_BROKEN, key=STORE_KEY)).classification
    assert (shown.incident_class, shown.severity) == ("constitutional", "CRITICAL")
    assert any("hash chain broken" in reason for reason in shown.reasons)
    assert shown.record["hits"]
    assert "reasons" not in shown.record


def test_a_refused_page_is_shown_with_its_failed_attempt_and_the_one_that_followed(world: World) -> None:
    world.channels["sms"].faults.append(refused())
    pages = detail(world, world.alert()).pages
    assert [(page.responder, page.channel, page.state) for page in pages[:2]] == [
        ("ana", "sms", "failed"),
        ("ana", "voice", "sent"),
    ]
    assert [(made.outcome, made.code) for made in pages[0].attempts] == [("refused", "21211")]
    assert pages[0].attempts[0].error
    assert [made.outcome for made in pages[1].attempts] == ["sent"]


def test_an_attempt_in_flight_has_no_outcome_yet(world: World) -> None:
    seen: list[IncidentDetail] = []
    world.channels["sms"].on_send = lambda _, message: seen.append(detail(world, message.brief.incident_id))
    world.alert()
    assert [(made.outcome, made.finished_at) for made in seen[0].pages[0].attempts] == [(None, None)]


def test_a_request_that_has_run_out_counts_as_expired_before_anybody_notes_it(world: World) -> None:
    number = world.alert(CHAIN_BROKEN, key=STORE_KEY)
    world.resolve(number, by="bo")
    assert [request.state for request in detail(world, number).requests] == ["pending"]
    world.now += timedelta(hours=24)
    assert [request.state for request in detail(world, number).requests] == ["expired"]


def test_more_alerts_than_are_shown_are_counted(world: World) -> None:
    number = world.alert()
    with world.database.transaction() as session:
        integration_id = session.scalars(select(Integration.id)).first()
        for n in range(queries_alerts.NEWEST_MAX):
            session.add(
                Alert(
                    integration_id=integration_id, incident_id=number, source="pagerduty", dedup_key=f"more/{n}",
                    status="firing", title=f"More {n}", severity="HIGH", first_at=world.now, last_at=world.now,
                )
            )  # fmt: skip
    shown = detail(world, number)
    assert shown.alerts_total == queries_alerts.NEWEST_MAX + 1
    assert [alert.title for alert in shown.alerts] == [f"More {n}" for n in range(queries_alerts.NEWEST_MAX)]


def test_ticked_steps_stay_when_the_runbook_has_left_the_shelf(world: World) -> None:
    number = world.alert()
    tick(world, number, 3)
    with world.database.transaction() as session:
        session.execute(update(RunbookLink).values(runbook_id="withdrawn"))
        session.execute(update(StepTick).values(runbook_id="withdrawn"))
    runbook = detail(world, number).runbook
    assert runbook is not None
    assert runbook.changed
    assert [(step.number, step.title, step.done_by) for step in runbook.steps] == [(3, "", "Bo Chen")]


def test_an_incident_that_nobody_classified_or_was_paged_for_is_shown_too(database: Database) -> None:
    world = World(database)
    with database.transaction() as session:
        number = make_incident(session, now=world.now, severity="INFO").id
    shown = detail(world, number)
    assert (shown.level, shown.next, shown.pages, shown.runbook) == (0, None, (), None)
    assert shown.classification.reasons == ()


def test_an_unknown_number_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError, match="no incident 7"):
        detail(world, 7)
    with world.database.reading() as session, pytest.raises(NotFoundError, match="no incident 7"):
        queries.entries(session, 7, limit=10)
