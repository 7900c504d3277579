"""What a review is drafted from: everything on record about one incident."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from config.database import Database
from escalation.models import Page
from incidents import actions, assigning, governance, reclassifying
from incidents.proof import timeline
from incidents.reviews import chronicle, collecting, due, export, response, reviewing
from incidents.reviews.models import Review
from incidents.reviews.record import Record
from incidents.severity import Severity
from runbook_links import links
from runbook_links.models import RunbookLink
from tests import tampering
from tests.world import STORE_KEY, World, refused, team

CHAIN_BROKEN = "Hash chain broken at sequence 48211: previous_hash mismatch"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def milestone(world: World, number: int, reached: str, by: str = "ana") -> None:
    with world.database.transaction() as session:
        actions.reach_milestone(session, world.desk, number, reached, world.actor(by), world.now)


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


def test_the_record_has_the_story_from_the_alert_to_the_resolution(world: World) -> None:
    opened_at = world.now
    number = world.alert()
    world.fast_forward(minutes=6)
    world.acknowledge(number, by="bo")
    milestone(world, number, "contained", by="bo")
    world.fast_forward(minutes=4)
    world.resolve(number, by="bo", reason="pool size put back")
    record = collected(world, number)
    assert (record.number, record.service, record.status) == (number, "checkout", "resolved")
    assert (record.acknowledged_by, record.resolved_by, record.resolution) == (
        "Bo Chen",
        "Bo Chen",
        "pool size put back",
    )
    assert record.opened_at == opened_at
    assert record.contained_at == opened_at + timedelta(minutes=6)
    assert [(alert.source, alert.count) for alert in record.alerts] == [("pagerduty", 1)]
    assert [entry.kind for entry in record.timeline] == world.kinds(number)
    assert record.timeline[0].payload["dedup_key"] == "obs/api"
    assert [book.id for book in record.runbooks] == ["epic-4-observer"]
    assert record.omissions == ()


def test_the_drafted_review_names_people_sections_and_what_is_not_written(world: World) -> None:
    number = resolved(world)
    with world.database.reading() as session:
        review = reviewing.review_of(session, number, world.now, "https://tocsin.example.org")
    text = export.to_markdown(review)
    for words in ("Observer API down", "Impact", "Contributing factors", "Action items", "Lessons", "Runbook", "15-60"):
        assert words in text
    assert "NOT YET WRITTEN (owner: Ana Lima" in text


def test_the_page_that_was_answered_is_the_last_one_sent_before_by_the_way_of_the_answer(database: Database) -> None:
    ana_by = "[{after: 0s, by: sms}, {after: 1m, by: slack}, {after: 2m, by: voice}, {after: 20m, by: email}]"
    world = World(database, config=team(ana_by=ana_by))
    number = world.alert()
    world.fast_forward(minutes=3)
    world.acknowledge(number, by="ana")  # by Slack, though the call came later
    world.resolve(number)
    pages = collected(world, number).pages
    assert [(page.channel, page.acknowledged) for page in pages] == [
        ("sms", False),
        ("slack", True),
        ("voice", False),
        ("email", False),
    ]


def test_of_an_incident_that_went_through_several_hands_the_first_answer_counts(database: Database) -> None:
    world = World(database, config=team(ana_by="[{after: 0s, by: slack}]"))  # which reports no delivery
    number = world.alert()
    opened_at = world.now
    world.fast_forward(minutes=2)
    world.acknowledge(number, by="ana")
    world.fast_forward(minutes=10)
    with database.transaction() as session:
        assigning.reassign(session, world.desk, number, world.actor("ana"), world.now, to="bo", reason="knows it")
    world.fast_forward(minutes=1)
    world.acknowledge(number, by="bo")
    world.resolve(number)
    record = collected(world, number)
    assert (record.acknowledged_by, record.acknowledged_at) == ("Ana Lima", opened_at + timedelta(minutes=2))
    assert due.measures(record)["tta"] == timedelta(minutes=2)
    assert [(page.responder, page.acknowledged) for page in record.pages if page.sent_at] == [
        ("Ana Lima", True),
        ("Bo Chen", True),
    ]
    assert "got no answer" not in response.went_badly(record)


def test_who_was_still_being_given_time_when_another_took_it_did_not_fail_to_answer(world: World) -> None:
    for minutes, told in ((4, False), (6, True)):
        number = world.alert()
        world.fast_forward(minutes=minutes)
        world.acknowledge(number, by="mia")  # who was not paged
        world.resolve(number)
        assert ("Ana Lima at level 1 by SMS got no answer" in response.went_badly(collected(world, number))) is told


def test_a_page_that_went_out_after_the_answer_is_not_what_was_answered(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    answered_at = world.now
    world.resolve(number)
    with world.database.transaction() as session:
        session.execute(update(Page).values(sent_at=answered_at + timedelta(seconds=1)))
    assert [page.acknowledged for page in collected(world, number).pages] == [False]


def test_pages_to_others_are_not_taken_for_answered(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, by="bo")  # who was not paged
    world.resolve(number)
    assert [page.acknowledged for page in collected(world, number).pages] == [False]


def test_failed_attempts_are_in_the_record_with_their_reason(world: World) -> None:
    world.channels["sms"].faults.append(refused())
    number = world.alert()
    world.resolve(number)
    attempts = collected(world, number).pages[0].attempts
    assert [(made.outcome, bool(made.error)) for made in attempts] == [("refused", True)]


def test_a_starred_note_is_for_the_review_and_another_is_not(world: World) -> None:
    number = world.alert()
    with world.database.transaction() as session:
        who = world.actor("ana")
        actions.add_note(session, world.desk, number, who, world.now, text="deploy 2.4.1 halved the pool", starred=True)
        actions.add_note(session, world.desk, number, who, world.now, text="coffee")
    world.resolve(number)
    assert [(note.by, note.text) for note in collected(world, number).notes] == [
        ("Ana Lima", "deploy 2.4.1 halved the pool")
    ]


def test_a_change_of_severity_by_one_person_is_an_override_and_a_change_over_time(world: World) -> None:
    opened_at = world.now
    number = world.alert()
    world.fast_forward(minutes=2)
    reclassify(world, number, "bo", Severity.CRITICAL)
    world.resolve(number)
    record = collected(world, number)
    (override,) = record.overrides
    assert (override.what, override.before, override.after) == ("severity", "HIGH", "CRITICAL")
    assert (override.requested_by, override.approved_by, override.reason) == ("Bo Chen", (), "on second thoughts")
    assert [(change.at, change.severity) for change in record.severity_changes] == [
        (opened_at, "HIGH"),
        (opened_at + timedelta(minutes=2), "CRITICAL"),
    ]


def test_a_lowering_that_needed_approval_names_who_asked_and_who_agreed(world: World) -> None:
    number = world.alert(CHAIN_BROKEN, key=STORE_KEY)
    milestone(world, number, "contained", by="bo")
    reclassify(world, number, "bo", Severity.HIGH)
    approve(world, number, "kim", "reclassify")
    world.fast_forward(minutes=1)
    approve(world, number, "kai", "reclassify")
    record = collected(world, number)
    (override,) = record.overrides
    assert (override.before, override.after) == ("CRITICAL", "HIGH")
    assert (override.requested_by, override.approved_by) == ("Bo Chen", ("Kim Osei", "Kai Ito"))
    (approval,) = record.approvals
    assert (approval.state, approval.quorum_needed) == ("approved", 2)
    assert [(decision.name, decision.role) for decision in approval.decisions] == [
        ("Kim Osei", "keeper"),
        ("Kai Ito", "keeper"),
    ]
    assert record.halt_recommended  # it was CRITICAL once


def test_ticked_steps_carry_the_titles_they_had_when_they_were_ticked(world: World) -> None:
    number = world.alert()
    with world.database.transaction() as session:
        links.tick_step(
            session, timeline.append, world.desk.shelf, number, 1, actor_name="Ana Lima", now=world.now, note="6 of 6"
        )
    world.resolve(number)
    (book,) = collected(world, number, shelf=None).runbooks
    (step,) = book.steps_done
    assert (step.number, step.title, step.by, step.note) == (1, "Restore reading", "Ana Lima", "6 of 6")


def test_the_runbook_s_own_words_come_from_the_shelf(world: World) -> None:
    number = world.alert(CHAIN_BROKEN, key=STORE_KEY)
    milestone(world, number, "contained")
    with_shelf = collected(world, number, shelf=world.desk.shelf)
    assert with_shelf.governance_refs
    assert with_shelf.runbooks[0].recert_status == "certified"
    without = collected(world, number)
    assert (without.governance_refs, without.runbooks[0].recert_status) == ((), "")


def test_how_a_runbook_was_certified_is_not_known_once_its_file_has_changed(world: World) -> None:
    number = resolved(world)
    with world.database.transaction() as session:
        session.execute(update(RunbookLink).values(sha256="ab" * 32))
    assert collected(world, number, shelf=world.desk.shelf).runbooks[0].recert_status == ""


def test_what_people_wrote_is_kept_under_its_section(world: World) -> None:
    number = resolved(world)
    written = {"lucky": {"author": "Ana Lima", "markdown": "None.", "at": "2026-11-16T12:00:00+00:00"}}
    with world.database.transaction() as session:
        session.execute(update(Review).values(sections=written))
    text = collected(world, number).sections_written["lucky"]
    assert (text.author, text.markdown, text.declined) == ("Ana Lima", "None.", False)


def test_earlier_incidents_are_those_with_the_same_key_rule_or_service_the_most_alike_first(world: World) -> None:
    twin = resolved(world)
    world.fast_forward(hours=1)
    cousin = resolved(world, title="Observer API down again", dedup_key="obs/other")
    neighbour = resolved(world, title="Worker returned unexpected state 7", dedup_key="worker/7")
    stranger = resolved(world, title=CHAIN_BROKEN, key=STORE_KEY, dedup_key="chain")
    number = resolved(world)
    found = collected(world, number).earlier
    assert found is not None
    assert [each.number for each in found] == [twin, cousin, neighbour]
    assert stranger not in {each.number for each in found}
    assert found[0].alike.startswith("same dedup key; same rule O01")
    assert found[2].alike == "same service"


def test_an_incident_of_more_than_a_year_ago_is_not_an_earlier_one(world: World) -> None:
    resolved(world)
    world.now += collecting.EARLIER_WITHIN + timedelta(minutes=1)
    assert collected(world, resolved(world)).earlier == ()


# Whether the record holds


def test_the_review_says_that_the_timeline_holds_and_where_it_ends(world: World) -> None:
    number = resolved(world)
    with world.database.reading() as session:
        last = timeline.entries(session, number)[-1]
    integrity = collected(world, number).integrity
    assert integrity["verdict"] == "VERIFIED WITH UNSEALED ENTRIES"
    assert (integrity["head"], integrity["entries"]) == (last.entry_hash, last.seq)


def test_a_changed_entry_makes_the_review_say_broken_and_which_it_is(world: World) -> None:
    number = resolved(world)
    tampering.change(world.database, 2, actor="somebody else")
    integrity = collected(world, number).integrity
    assert integrity["verdict"] == "BROKEN"
    assert "entry 2" in integrity["problems"][0]


def test_a_removed_entry_makes_the_review_say_broken(world: World) -> None:
    number = resolved(world)
    tampering.remove(world.database, tampering.ENTRY.c.global_seq == 3)
    assert collected(world, number).integrity["verdict"] == "BROKEN"


def test_an_entry_that_cannot_be_read_is_left_out_and_said_to_be(sqlite_database: Database) -> None:
    world = World(sqlite_database)
    number = resolved(world)
    with tampering.tampering(sqlite_database) as connection:
        connection.exec_driver_sql("UPDATE timeline_entries SET occurred_at = 'yesterday' WHERE seq = 2")
    record = collected(world, number)
    assert 2 not in {entry.seq for entry in record.timeline}
    assert "cannot be read" in record.omissions[0]
    assert record.integrity["verdict"] == "BROKEN"


def test_what_exceeds_the_limits_is_left_out_with_a_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = resolved(world)
    monkeypatch.setattr(chronicle, "ENTRIES_MAX", 4)
    record = collected(world, number)
    assert [entry.seq for entry in record.timeline] == [1, 2, 3, 4]
    assert record.omissions == ("Timeline entries after number 4; the timeline itself has them.",)
