"""The forms of an incident in other hands, its holds and checklists, and the one that reports."""

from __future__ import annotations

import pytest

from config.database import Database
from tests.flows.test_web_forms import told
from tests.pages import Pages, section, words
from tests.world import PHONES, STORE_KEY, World

CHAIN = "Hash chain broken at sequence 48211"


@pytest.fixture
def pages(sqlite_database: Database) -> Pages:
    return Pages(World(sqlite_database))


def test_an_incident_is_handed_to_a_person_from_its_page(pages: Pages) -> None:
    number = pages.world.alert()
    said = told(pages.by(), f"/incidents/{number}/reassign", to="responder:kai", reason="")
    assert said.startswith(f"{number} is Kai Ito's: they are paged now.")
    pages.world.run()
    assert pages.world.sent("sms")[-1].to == PHONES["kai"]
    page = pages.by().get(f"/incidents/{number}")
    assert '<option value="policy:standard">' in page.text
    assert "Ana Lima (me: I take it over)" in page.text


def test_a_snooze_is_shown_until_when_and_given_back(pages: Pages) -> None:
    number = pages.world.alert()
    told(pages.by(), f"/incidents/{number}/snooze", **{"for": "2h"})
    assert "snoozed until 12:00 UTC" in words(pages.by().get(f"/incidents/{number}"))
    assert "Snoozed until 12:00 UTC" in words(pages.by().get("/incidents"))
    said = told(pages.by(), f"/incidents/{number}/unacknowledge", reason="I leave")
    assert "people are paged again" in said


def test_what_makes_no_sense_is_said_on_the_page(pages: Pages) -> None:
    number = pages.world.alert()
    assert "is not a duration" in told(pages.by(), f"/incidents/{number}/snooze", **{"for": "soon"})
    assert "there is no responder" in told(pages.by(), f"/incidents/{number}/responders", responder="zed")


def test_a_keeper_holds_extends_and_sees_why_it_does_not_end_yet(pages: Pages) -> None:
    number = pages.world.alert(CHAIN, key=STORE_KEY, dedup_key="chain")
    assert "Hold it" not in pages.by().get(f"/incidents/{number}").text
    keeper = pages.by("kim")
    told(keeper, f"/incidents/{number}/holds", authority="FR21", reason="recovery wait", **{"for": "48h"})
    page = keeper.get(f"/incidents/{number}")
    assert "held: the clocks of the phases stand still" in words(page)
    assert "FR21 held : recovery wait" in section(page, "<h2>Holds")
    assert "does not end before" in told(keeper, f"/incidents/{number}/holds/1/end", reason="now")
    assert "lasts until" in told(keeper, f"/incidents/{number}/holds/1/extend", reason="more", **{"for": "72h"})
    assert "never snoozed" not in page.text
    assert f"/incidents/{number}/snooze" not in page.text, "a constitutional incident offers no snooze"


def test_a_tick_stays_with_who_made_it(pages: Pages) -> None:
    number = pages.world.alert()
    assert told(pages.by(), f"/incidents/{number}/checklist", item="evaluate-system-impact").startswith("Ticked")
    said = section(pages.by().get(f"/incidents/{number}"), '<h2 id="checklists">')
    assert "Immediate 1 of 8, now" in said
    assert "Evaluate system impact Ana Lima, 10:00" in said


def test_a_person_reports_an_incident(pages: Pages) -> None:
    browser = pages.by("bo")
    assert "Report an incident" in browser.get("/incidents").text
    said = told(browser, "/incidents/new", service="checkout", title="Customers cannot pay", severity="HIGH")
    assert said.startswith("1 is open.")
    assert pages.world.incident(1).severity == "HIGH"
    refused = browser.post("/incidents/new", data={"service": "checkout", "title": " ", "description": "kept"})
    assert "The title is empty" in words(refused)
    assert "kept" in refused.text
