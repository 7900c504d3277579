"""An incident of many alerts: all of them kept, counted and listed, a page at a time."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from config.database import Database
from escalation.channels import wording
from incidents import briefing
from incidents.models import Alert
from incidents.sources.base import AlertStatus
from tests.calling import Edge, counted
from tests.pages import Pages, words
from tests.world import World, team

PLAIN = "checkout: {policy: standard, "
CONFIG = team().replace(PLAIN, f"{PLAIN}group: {{within: 1h}}, flap: {{toggles: 1, within: 30m}}, ")
OVER = AlertStatus.RESOLVED


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=CONFIG)


def storm(world: World, count: int, ended: int = 0) -> int:
    number = 0
    for n in range(count):
        number = world.alert(f"Observer API down on node <{n}>", dedup_key=f"node {n}", run=False)
    for n in range(ended):
        world.alert(dedup_key=f"node {n}", status=OVER, run=False)
    world.run()
    return number


def nodes(page: str) -> list[int]:
    return [int(n) for n in re.findall(r"<summary>.*?node &lt;(\d+)&gt;", page)]


def test_the_page_has_twenty_alerts_and_the_way_to_the_others(world: World) -> None:
    number = storm(world, 45, ended=3)
    browser = Pages(world).by("ana")
    page = browser.get(f"/incidents/{number}").text
    assert "Open · 45 alerts, 3 ended ·" in words(page)
    assert nodes(page) == list(range(44, 24, -1))
    seen = nodes(page)
    while older := re.search(r'href="(\?alerts_before=\d+)#alerts">Older alerts', page):
        page = browser.get(f"/incidents/{number}{older[1]}").text
        assert "Newest alerts" in page
        seen += nodes(page)
    assert seen == list(range(44, -1, -1))
    firing = browser.get(f"/incidents/{number}?alerts=firing&alerts_before=11").text
    assert nodes(firing) == list(range(9, 2, -1))
    for asked, shown in (
        (f"{10**30}", list(range(44, 24, -1))),
        ("-1", []),
        (f"-{10**30}", []),
        ("x", list(range(44, 24, -1))),
    ):
        assert nodes(browser.get(f"/incidents/{number}?alerts_before={asked}").text) == shown
    assert "joining" not in words(page)
    assert "and 43 more like it" in words(browser.get(f"/incidents/{number}").text)


def test_an_alert_that_flaps_says_so_and_when_it_ends(world: World) -> None:
    for _ in range(2):
        number = world.alert()
        world.alert(status=OVER)
        world.fast_forward(minutes=1)
    number = world.alert()
    browser = Pages(world).by("ana")
    why = "It has come and gone 2 times in 30 minutes; one incident stays open until it has been quiet for 30 minutes."
    assert why in words(browser.get(f"/incidents/{number}").text)
    world.alert(status=OVER)
    page = words(browser.get(f"/incidents/{number}").text)
    assert "pagerduty, ends at 10:32 UTC if it stays quiet" in page
    shown = Edge(world).get(f"/incidents/{number}")
    assert (shown["flaps"], shown["alerts"][0]["flapping"]) == (why, True)
    assert shown["alerts"][0]["settles_at"] == "2026-11-16T10:32:00.000000Z"
    world.resolve(number)
    assert why not in words(browser.get(f"/incidents/{number}").text).partition("Timeline")[0]
    assert Edge(world).get(f"/incidents/{number}")["alerts"][0]["settles_at"] is None


def test_the_api_lists_all_alerts_and_counts_them(world: World) -> None:
    number, edge = storm(world, 130, ended=5), Edge(world)
    shown = edge.get(f"/incidents/{number}")
    assert (shown["alerts_total"], shown["alerts_ended"], len(shown["alerts"])) == (130, 5, 100)
    first = edge.get(f"/incidents/{number}/alerts?limit=100")
    rest = edge.get(f"/incidents/{number}/alerts?limit=100&cursor={first['next']}")
    keys = [each["dedup_key"] for each in (*first["items"], *rest["items"])]
    assert keys == [f"node {n}" for n in range(129, -1, -1)]
    assert rest["next"] is None
    ended = edge.get(f"/incidents/{number}/alerts?status=resolved")
    assert [each["dedup_key"] for each in ended["items"]] == [f"node {n}" for n in range(4, -1, -1)]
    assert edge.call("GET", "/incidents/99/alerts").status_code == 404
    refused = edge.call("GET", f"/incidents/{number}/alerts?status=gone")
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["status"])


def test_a_service_that_groups_is_shown_with_its_terms(world: World) -> None:
    checkout, store = Edge(world).get("/services")["items"]
    assert (checkout["group"], checkout["flap"]) == ({"within": "1h"}, {"toggles": 1, "within": "30m"})
    assert (store["group"], store["flap"]) == (None, None)


def test_a_storm_makes_one_incident_and_one_page_and_each_alert_costs_what_the_one_before_did(
    database: Database,
) -> None:
    world = World(database, config=CONFIG)
    number = storm(world, 20)
    with counted(database) as early:
        world.alert(dedup_key="early", run=False)
    assert storm(world, 120) == number
    with counted(database) as late:
        world.alert(dedup_key="late", run=False)
    assert late == early
    world.run()
    assert len(world.sent("sms")) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 122


def test_so_many_alerts_that_nobody_counts_are_told_as_that_many_or_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(briefing, "ALERTS_COUNTED_MAX", 10)
    monkeypatch.setattr(wording, "ALERTS_COUNTED_MAX", 10)
    storm(world, 12)
    (room,) = {sent.to for sent in world.sent("slack")}
    last = world.sent("slack", to=room, edits=True) or world.sent("slack", to=room)
    assert wording.state(last[-1].message.standing) == "Open, not acknowledged. 10 or more alerts"
