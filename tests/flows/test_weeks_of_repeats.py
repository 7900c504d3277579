"""A sender that never resolves: it says the same again each minute for a week, or says it once and is never heard of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from config.database import Database
from incidents.models import Alert, Incident
from incidents.proof import timeline, verify
from incidents.reviews import export, reviewing
from incidents.sources.base import AlertStatus
from tests.calling import counted
from tests.databases import migrated_sqlite_file
from tests.pages import Pages
from tests.world import SHELF, World, team

REPEATS = 10_000
PAGE_BYTES_MAX = 200_000
REVIEW_BYTES_MAX = 400_000


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An incident that was acknowledged after a minute and resolved after a week, with every repeat on record."""
    file = migrated_sqlite_file(tmp_path_factory.mktemp("week"))
    database = Database(f"sqlite:///{file}", before_commit=timeline.write)
    world = World(database)
    world.alert()
    world.now += timedelta(minutes=1)
    world.alert(run=False)
    world.acknowledge(1)
    with database.transaction() as session:  # in one, for the test's sake; in earnest each is one of its own
        for minute in range(REPEATS):
            world.now += timedelta(minutes=1)
            _repeat(world, session, minute)
        session.get_one(Alert, 1).count += REPEATS
    world.resolve(1)
    yield world
    database.close()


def _repeat(world: World, session: object, minute: int) -> None:
    """What intake notes of a repeat."""
    world.desk.journal(
        session,  # type: ignore[arg-type]  # a Session
        1,
        "alert.repeated",
        f"pagerduty reported it again ({minute + 3} times now).",
        occurred_at=world.now,
        actor="pagerduty",
        actor_kind="source",
        payload={"dedup_key": "obs/api", "count": minute + 3, "title": "Observer API down"},
    )


def test_its_page_shows_what_people_did_and_stays_small(week: World) -> None:
    pages = Pages(week)
    reader = pages.by()
    with counted(week.database) as statements:
        page = reader.get("/incidents/1")
    assert page.status_code == 200
    told = page.text.partition('id="timeline"')[2]
    assert told.index("resolved") < told.index("and 9999 more like it") < told.index("Ana Lima acknowledged")
    assert "reported: Observer API down" in told
    assert "Older entries" not in told
    assert len(page.data) < PAGE_BYTES_MAX
    assert len(statements) < 40


def test_pages_of_the_timeline_lead_through_without_repeating_the_repeats(
    week: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.web_incident.ENTRIES_SHOWN", 3)
    reader, path, seen = Pages(week).by(), "/incidents/1", 0
    for _ in range(20):
        page = reader.get(path).text
        seen += page.count("reported it again")
        older = page.partition('#timeline">Older entries')
        if not older[1]:
            break
        path = "/incidents/1" + older[0].rpartition('href="')[2]
    assert not older[1], "it never ends"
    assert seen == 2  # before the acknowledgement, and after


def test_its_review_holds_the_end_says_what_it_leaves_out_and_verifies(week: World) -> None:
    with week.database.reading() as session:
        review = reviewing.review_of(session, 1, week.now, week.desk.base_url, shelf=SHELF)
    kinds = [entry["kind"] for entry in json.loads(export.to_json(review))["timeline"]]
    assert kinds.count("alert.repeated") == 3
    assert kinds.index("incident.acknowledged") < kinds.index("incident.resolved")
    text = export.to_markdown(review)
    assert f"{REPEATS - 2} times that an alert was reported again" in text
    assert len(text) + len(export.to_json(review)) < REVIEW_BYTES_MAX
    assert "problems" not in review["integrity"]
    assert review["integrity"]["entries"] > REPEATS


def test_the_whole_record_still_verifies(week: World) -> None:
    found = verify.run(week.database)
    assert found.entries > REPEATS
    assert not found.problems


def test_every_entry_is_still_read_by_the_api_a_page_at_a_time(week: World) -> None:
    with week.database.reading() as session:
        assert len(timeline.entries(session, 1, after_seq=5_000, limit=200)) == 200


def test_one_that_is_never_heard_of_again_stays_open_and_its_holder_is_asked(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ack_timeout="30m"))
    number = world.alert()
    world.acknowledge(number)
    world.deliveries.clear()
    world.fast_forward(minutes=31)
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]  # does Ana still have it?
    world.fast_forward(hours=6)
    assert world.incident(number).status in ("open", "acknowledged")
    assert world.timers(number), "nothing will ever be done about it again"
    assert max(sent.at for sent in world.sent()) > world.now - timedelta(hours=1), "it went silent"


def test_what_goes_on_after_somebody_resolved_it_opens_anew_and_pages(sqlite_database: Database) -> None:
    world = World(sqlite_database)
    first = world.alert()
    world.acknowledge(first)
    world.resolve(first)
    world.deliveries.clear()
    world.now += timedelta(minutes=1)
    again = world.alert()
    assert again != first
    assert world.incident(again).status == "open"
    assert world.sent("sms")
    assert world.incident(first).status == "resolved"


def test_a_repeat_that_arrives_late_after_its_end_opens_anew_and_an_end_before_its_beginning_is_nothing(
    sqlite_database: Database,
) -> None:
    """Out of order: a monitor's retries may overtake each other. To page once more is the harm that can be borne."""
    world = World(sqlite_database)
    assert world.alert(status=AlertStatus.RESOLVED) == 0
    assert world.alert(status=AlertStatus.ACKNOWLEDGED) == 0
    number = world.alert()
    assert number
    assert world.alert(status=AlertStatus.RESOLVED) == number
    assert world.alert(status=AlertStatus.ACKNOWLEDGED) == 0
    assert world.incident(number).status == "resolved"
    assert world.alert() != number
    with sqlite_database.reading() as session:
        assert session.query(Incident).count() == 2
