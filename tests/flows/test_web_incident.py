"""What an incident's page tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.database import Database
from config.ids import secret_hash
from incidents import intake
from incidents.sources.base import AlertStatus, IncomingAlert, Link
from tests.pages import Pages, section, words
from tests.world import KEY, STORE_KEY, World, refused, team

BROKEN_CHAIN = "Hash chain broken at sequence 48211"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(world)


@pytest.fixture
def quick(sqlite_database: Database) -> Pages:
    """On SQLite only, for what does not depend on the database."""
    return Pages(World(sqlite_database))


def receive(world: World, alert: IncomingAlert) -> int:
    with world.database.transaction() as session:
        door = intake.door(session, secret_hash(KEY))
        assert door is not None
        received = intake.receive(session, world.desk, door, alert, world.now)
    assert received.incident_id is not None
    return received.incident_id


def test_the_state_is_told_in_words(pages: Pages) -> None:
    number = pages.world.alert()
    pages.world.fast_forward(minutes=6)
    read = words(pages.by().get(f"/incidents/{number}"))
    told = "Open · level 2 of 4 · containment phase (5-15 min) · next: level 3 at 10:15 UTC, in 9 min"
    assert told in read
    pages.world.acknowledge(number)
    pages.world.fast_forward(minutes=2)
    read = words(pages.by("bo").get(f"/incidents/{number}"))
    assert "Acknowledged by Ana Lima at 10:06 UTC, 2 min ago · level 2 of 4" in read


def test_times_are_told_on_the_readers_own_clock_too_where_it_differs(quick: Pages) -> None:
    number = quick.world.alert()
    quick.lives_in("bo", "Asia/Singapore")
    assert "next: level 2 at 10:05 UTC (18:05 Singapore), in 5 min" in words(quick.by("bo").get(f"/incidents/{number}"))
    assert "next: level 2 at 10:05 UTC, in 5 min" in words(quick.by("ana").get(f"/incidents/{number}"))


def test_who_was_paged_and_whether_it_arrived_is_one_line_a_person(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 3m, by: voice}]"))
    world.channels["sms"].faults = [refused()]
    number = world.alert()
    world.fast_forward(minutes=6)
    world.acknowledge(number, by="bo")
    page = Pages(world).by().get(f"/incidents/{number}")
    told = section(page, "Who was paged</h2>")
    assert "Ana Lima sent, no receipt yet by phone call, 10:00 UTC" in told
    assert "SMS: The number is not valid phone number." not in told
    assert "SMS: The number is not a valid phone number." in told
    assert "Bo Chen sent, no receipt yet acknowledged by SMS, 10:05 UTC" in told
    assert "10:00:00 refused 21211" in told


def test_why_it_is_so_severe_is_told_with_every_reason(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    told = section(quick.by().get(f"/incidents/{number}"), "Why CRITICAL and constitutional</h2>")
    stored = quick.world.incident(number).classification
    assert stored["sentence"] in told
    assert all(reason in told for reason in stored["reasons"])


def test_what_the_monitor_said_stands_before_why_and_what_to_do(quick: Pages) -> None:
    page = quick.by().get(f"/incidents/{quick.world.alert()}").text
    headings = ["Alert</h2>", "<h2>Why ", "Who was paged</h2>", "Runbook</h2>", "Checklists</h2>", "Timeline</h2>"]
    places = [page.index(heading) for heading in headings]
    assert places == sorted(places)


def test_a_constitutional_critical_incident_says_who_must_decide(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    read = words(quick.by().get(f"/incidents/{number}"))
    assert "A halt is recommended. Ask a keeper to decide" in read
    assert "two keepers other than who asks approve its resolution" in read


def test_what_a_monitor_says_cannot_become_markup_and_its_links_cannot_run(quick: Pages) -> None:
    links = (Link("javascript:alert(1)", "press me"), Link("https://graphs.example.org/1", "graph"))
    evil = "<script>alert('title')</script>"
    number = receive(
        quick.world,
        IncomingAlert("generic", "key", AlertStatus.FIRING, evil, body=evil, links=links, labels={evil: evil}),
    )
    for path in ("/incidents", f"/incidents/{number}"):
        page = quick.by().get(path).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert 'href="javascript:' not in page
    assert 'href="https://graphs.example.org/1"' in page


def test_a_long_body_is_folded(quick: Pages) -> None:
    number = receive(
        quick.world, IncomingAlert("generic", "key", AlertStatus.FIRING, "Much to say", body="word " * 13_000)
    )
    page = quick.by().get(f"/incidents/{number}").text
    assert "<details><summary>Show all of it (" in page


def test_the_runbook_is_there_with_its_reason_and_what_each_step_says(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    page = quick.by().get(f"/incidents/{number}")
    assert 'href="/runbooks/epic-1-event-store"' in page.text
    told = section(page, "Runbook</h2>")
    assert "named by the classification rule" in told
    assert "1. Ask for the halt decision constitutional" in told
    assert "Waits for approval of: restore-event-store." in told


def test_a_runbook_whose_recertification_is_overdue_says_so_in_red(sqlite_database: Database) -> None:
    world = World(sqlite_database, now=datetime(2027, 3, 1, 3, 0, tzinfo=UTC))
    number = world.alert(BROKEN_CHAIN, key=STORE_KEY)
    pages = Pages(world)
    assert 'class="flash is-problem" role="alert"><strong>This runbook' in pages.by().get(f"/incidents/{number}").text
    assert "Its recertification is overdue" in words(pages.by().get("/runbooks/epic-1-event-store"))
    assert "recertification" not in Pages(World(sqlite_database)).by().get(f"/incidents/{number}").text


def test_the_timeline_is_newest_first_and_repeats_are_one_line(quick: Pages) -> None:
    world = quick.world
    number = world.alert()
    for _ in range(3):
        world.now += timedelta(minutes=1)
        world.alert(run=False)
    world.acknowledge(number)
    told = section(quick.by().get(f"/incidents/{number}"), 'id="timeline">')
    assert told.index("Ana Lima acknowledged") < told.index("reported it again (4 times now)")
    assert "and 2 more like it" in told
    assert "(3 times now)" not in told
    assert "10:03:00" in told


def test_older_timeline_entries_are_a_page_away(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.web_incident.ENTRIES_SHOWN", 3)
    pages = Pages(World(sqlite_database))
    number = pages.world.alert()
    pages.world.acknowledge(number)
    reader, path, shown = pages.by(), f"/incidents/{number}", 0
    while path:
        page = reader.get(path).text
        shown += page.count('<time datetime="') and page.partition('<ol class="timeline"')[2].count("<li")
        older = page.partition('#timeline">Older entries')
        query = older[0].rpartition('href="')[2]
        path = f"/incidents/{number}{query}" if older[1] else ""
    assert shown == len(pages.world.kinds(number))


def test_the_review_is_one_press_away_once_it_is_drafted(quick: Pages) -> None:
    number = quick.world.alert()
    reader = quick.by()
    assert "/review.html" not in reader.get(f"/incidents/{number}").text
    quick.world.resolve(number)
    page = reader.get(f"/incidents/{number}").text
    assert f'href="/api/v1/incidents/{number}/review.html"' in page
    assert f'href="/api/v1/incidents/{number}/review.md"' in page
    assert "Resolved by Ana Lima at 10:00 UTC" in words(page)


def test_an_incident_that_wakes_nobody_says_so(quick: Pages) -> None:
    number = quick.world.alert("Deployment 2.4.1 completed successfully")
    assert "Open · immediate phase (0-5 min) · nobody is going to be woken" in words(
        quick.by().get(f"/incidents/{number}")
    )


def test_an_unknown_incident_is_not_found(quick: Pages) -> None:
    response = quick.by().get("/incidents/4711")
    assert response.status_code == 404
    assert "There is no incident 4711." in response.text
    assert quick.by().get(f"/incidents/{2**63}").status_code == 404


def test_whoever_is_asked_whether_they_still_have_it_says_so_by_one_press(sqlite_database: Database) -> None:
    pages = Pages(World(sqlite_database, config=team(ack_timeout="30m")))
    number = pages.world.alert()
    pages.world.acknowledge(number)
    ana = pages.by("ana")
    assert "Still on it" not in words(ana.get(f"/incidents/{number}"))
    pages.world.fast_forward(minutes=31)
    assert "Still on it" in words(ana.get(f"/incidents/{number}"))
    ana.post(f"/incidents/{number}/acknowledge")
    assert "Still on it" not in words(ana.get(f"/incidents/{number}"))
    pages.world.fast_forward(minutes=20)
    assert pages.world.incident(number).status == "acknowledged"
