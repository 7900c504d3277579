"""What people see: the list, an incident, who is on call, the runbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import navigation, passwords
from config.database import Database
from config.settings import Settings
from escalation import responders
from escalation.models import EnginePulse
from escalation.paging.models import Reconciliation
from incidents.slack import pages as slack_pages
from tests.edge import PASSWORD, CountingHasher, sign_in
from tests.pages import Pages, words
from tests.world import STORE_KEY, World, team

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


# The way to every page


@pytest.mark.parametrize("role", ["responder", "observer", "manager", "admin"])
def test_the_menu_leads_where_its_reader_may_go_and_nowhere_else(quick: Pages, role: str) -> None:
    settings = Settings(base_url="https://tocsin.example.org")
    quick.app.register_blueprint(slack_pages.blueprint(quick.world.database, settings, None, lambda: quick.world.now))
    with quick.world.database.transaction() as session:
        person = responders.by_key(session, "ana")
        assert person is not None
        person.roles = [role]
    reader = quick.by("ana")
    menu = reader.get("/incidents").text.partition("<main")[0]
    for entry in (each for group in navigation.GROUPS for each in group.entries if not each.only_demo):
        shown = f'<a href="{entry.path}"' in menu
        assert reader.get(entry.path).status_code == (200 if shown else 403), entry.path


def test_the_page_that_is_looked_at_is_marked_in_the_menu(quick: Pages) -> None:
    reader, number = quick.by(), quick.world.alert()
    assert '<a href="/oncall/mine" aria-current="page">' in reader.get("/oncall/mine").text
    assert '<a href="/oncall" aria-current' not in reader.get("/oncall/mine").text
    assert '<a href="/incidents" aria-current="true">' in reader.get(f"/incidents/{number}").text
    assert '<a href="/silences" aria-current="true">' in reader.get("/silences/new").text


# The list


@pytest.mark.parametrize("path", ["/incidents", "/incidents/1", "/oncall", "/runbooks", "/runbooks/recovery"])
def test_strangers_are_shown_the_way_in(quick: Pages, path: str) -> None:
    response = quick.stranger().get(path)
    assert (response.status_code, response.location.partition("?")[0]) == (302, "/sign-in")


def test_the_worst_that_needs_somebody_comes_first_and_what_is_held_below(pages: Pages) -> None:
    world = pages.world
    held = world.alert("Worker returned unexpected state 7", dedup_key="held")
    world.acknowledge(held)
    constitutional = world.alert(BROKEN_CHAIN, key=STORE_KEY)
    high = world.alert()
    read = words(pages.by().get("/incidents"))
    places = [read.index(f"{number} · ") for number in (constitutional, high, held)]
    assert places == sorted(places)
    assert "Needs somebody 2" in read
    assert "Somebody has it 1" in read
    assert read.count("Acknowledge ") >= 2


def test_an_open_incident_is_acknowledged_from_the_list_by_one_press(quick: Pages) -> None:
    number = quick.world.alert()
    page = quick.by().get("/incidents").text
    assert f'action="/incidents/{number}/acknowledge"' in page
    assert "Level 1, immediate" in words(page)


def test_observers_see_everything_and_nothing_to_press(quick: Pages) -> None:
    number = quick.world.alert()
    observer = quick.by(role="observer")
    for path in ("/incidents", f"/incidents/{number}"):
        page = observer.get(path)
        assert "Observer API down" in page.text
        assert "/acknowledge" not in page.text
        assert "<form" not in page.text.replace('<form class="who"', "")
    assert observer.post(f"/incidents/{number}/acknowledge").status_code == 403
    assert quick.world.incident(number).status == "open"


def test_the_list_is_narrowed_by_status_severity_class_and_service(pages: Pages) -> None:
    world = pages.world
    high, medium = world.alert(), world.alert("Worker returned unexpected state 7", dedup_key="medium")
    constitutional = world.alert(BROKEN_CHAIN, key=STORE_KEY)
    world.resolve(medium)
    reader = pages.by()

    def found(query: str) -> set[int]:
        read = words(reader.get(f"/incidents?{query}"))
        return {number for number in (high, medium, constitutional) if f"{number} · " in read}

    assert found("status=open") == {high, constitutional}
    assert found("status=resolved") == {medium}
    assert found("status=all") == {high, medium, constitutional}
    assert found("severity=HIGH&severity=MEDIUM") == {high, medium}
    assert found("class=constitutional") == {constitutional}
    assert found("service=event-store&status=open") == {constitutional}
    assert found("service=checkout&status=acknowledged") == set()
    assert found("severity=nonsense&class=nonsense&cursor=nonsense&status=nonsense") == {high, medium, constitutional}


def test_older_incidents_are_on_the_next_page(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.web_list.PAGE_LINES", 2)
    pages = Pages(World(sqlite_database))
    numbers = [pages.world.alert(dedup_key=f"key {n}", run=False) for n in range(5)]
    reader, path, seen = pages.by(), "/incidents?status=all", []
    while path:
        read = reader.get(path).text
        seen += [number for number in reversed(numbers) if f'href="/incidents/{number}"' in read]
        older = read.partition('">Older</a>')
        path = older[0].rpartition('href="')[2].replace("&amp;", "&") if older[1] else ""
    assert seen == list(reversed(numbers))


def test_in_a_storm_the_critical_one_is_on_the_first_page(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.web_list.PAGE_LINES", 2)
    pages = Pages(World(sqlite_database))
    critical = pages.world.alert(BROKEN_CHAIN, key=STORE_KEY, run=False)
    assert pages.world.incident(critical).severity == "CRITICAL"
    for number in range(4):
        pages.world.alert(dedup_key=f"key {number}", run=False)
    assert f"{critical} · {BROKEN_CHAIN}" in words(pages.by().get("/incidents"))


def test_where_nothing_has_happened_yet_the_list_says_how_to_fire_a_test_alert(quick: Pages) -> None:
    read = words(quick.by().get("/incidents"))
    assert "curl -X POST https://tocsin.example.org/alerts/generic/KEY" in read


def test_the_list_looks_again_by_itself_unless_asked_not_to_or_while_filters_are_chosen(quick: Pages) -> None:
    refresh = '<meta http-equiv="refresh" content="5">'
    reader = quick.by()
    assert refresh in reader.get("/incidents").text
    assert refresh not in reader.get("/incidents?refresh=off").text
    assert refresh not in reader.get("/incidents?choose=1").text


def test_an_engine_that_is_silent_is_told_at_the_top(quick: Pages) -> None:
    reader = quick.by()
    assert "No engine has been seen lately: nobody is being paged." in words(reader.get("/incidents"))
    with quick.world.database.transaction() as session:
        session.add(EnginePulse(name="engine-1", started_at=quick.world.now, seen_at=quick.world.now))
    assert "No engine" not in words(reader.get("/incidents"))


def test_what_the_reconciler_cannot_put_right_is_told_at_the_top(quick: Pages) -> None:
    now = quick.world.now
    finding = {"kind": "repair.failed", "incident_id": 1, "text": "It would not.", "repaired": False}
    with quick.world.database.transaction() as session:
        session.add(EnginePulse(name="engine-1", started_at=now, seen_at=now))
        session.add(Reconciliation(id=1, checked_at=now, passed=False, findings=[finding], found_total=1, told={}))
    read = words(quick.by().get("/incidents"))
    assert "The reconciler found one thing that only people can put right" in read


# On call, and runbooks


def test_on_call_says_who_until_when_and_who_is_next(pages: Pages) -> None:
    read = words(pages.by().get("/oncall"))
    assert "primary Ana Lima with no end in sight" in read
    assert "After 5 min : page whoever is on call for secondary." in read
    assert "After 15 min : page every manager; announce in Slack #all-hands." in read
    assert "Last resort, when nobody else can be reached: Mia Berg" in read


def test_on_call_tells_turns_and_gaps(sqlite_database: Database) -> None:
    config = team(secondary_starts="2026-11-19T00:00").replace("members: [ana]", "members: [ana, bo]")
    read = words(Pages(World(sqlite_database, config=config)).by().get("/oncall"))
    assert "Ana Lima until Mon 23 Nov 00:00 UTC , in 6 days Next: Bo Chen, from Mon 23 Nov 00:00 UTC ." in read or (
        "Bo Chen until Mon 23 Nov 00:00 UTC , in 6 days Next: Ana Lima, from Mon 23 Nov 00:00 UTC ." in read
    )
    assert "Nobody is on call in the next 90 days: 10:00 UTC to Thu 19 Nov 00:00 UTC" in read


def test_a_runbook_reads_whole_and_its_links_stay_here(quick: Pages) -> None:
    reader = quick.by()
    assert "General Recovery and Disaster Scenarios" in words(reader.get("/runbooks"))
    page = reader.get("/runbooks/recovery")
    assert "Step 1: Assess and tell" in words(page)
    assert 'href="/runbooks/epic-1-event-store' in page.text
    assert reader.get("/runbooks/index").status_code == 200
    assert reader.get("/runbooks/no-such-thing").status_code == 404


def test_runbooks_are_read_while_the_database_is_away(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "HASHER", CountingHasher())
    pages = Pages(World(sqlite_database))
    with sqlite_database.transaction() as session:
        person = responders.by_key(session, "ana")
        assert person is not None
        passwords.set_password(session, person, PASSWORD)
    browser = pages.stranger()
    sign_in(browser)
    sqlite_database.engine.dispose()
    (tmp_path / "tocsin.db").unlink()
    (tmp_path / "tocsin.db").mkdir()
    for path in ("/runbooks", "/runbooks/recovery"):
        assert "General Recovery and Disaster Scenarios" in words(browser.get(path))
    assert browser.get("/incidents").status_code == 503
