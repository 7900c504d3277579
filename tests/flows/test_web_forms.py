"""What people do on the pages: each form is one verb, and its outcome is told where they are."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from config import passwords
from config.database import Database
from escalation import responders
from runbook_links import links
from tests.edge import PASSWORD, CountingHasher, form_token, sign_in
from tests.pages import Pages, section, words
from tests.world import PHONES, STORE_KEY, World

BROKEN_CHAIN = "Hash chain broken at sequence 48211"


@pytest.fixture
def pages(database: Database) -> Pages:
    return Pages(World(database))


@pytest.fixture
def quick(sqlite_database: Database) -> Pages:
    return Pages(World(sqlite_database))


def told(client: FlaskClient, path: str, **form: str) -> str:
    """Send the form, follow it back, and read what the page says first."""
    response = client.post(path, data=form)
    assert response.status_code == 303, response.text
    page = client.get(response.location)
    assert page.status_code == 200
    return words(page)


def test_acknowledging_stops_the_levels_and_says_so(pages: Pages) -> None:
    world = pages.world
    number = world.alert()
    assert told(pages.by(), f"/incidents/{number}/acknowledge").startswith(
        f"Acknowledged: {number} is yours. Paging has stopped."
    )
    assert pages.woken == 1
    assert world.incident(number).acknowledged_by == "Ana Lima"
    world.fast_forward(hours=1)
    assert [sent.to for sent in world.sent("sms")] == [PHONES["ana"]]


def test_a_second_acknowledgement_is_told_who_was_first(quick: Pages) -> None:
    number = quick.world.alert()
    quick.world.acknowledge(number)
    said = told(quick.by("bo"), f"/incidents/{number}/acknowledge")
    assert f"{number} is already acknowledged by Ana Lima at 10:00 UTC." in said


def test_who_acknowledges_on_the_list_stays_on_it(quick: Pages) -> None:
    number = quick.world.alert()
    sent = {"next": "/incidents?status=open"}
    assert quick.by().post(f"/incidents/{number}/acknowledge", data=sent).location == "/incidents?status=open"
    elsewhere = {"next": "//evil.example/"}
    back = quick.by().post(f"/incidents/{number}/acknowledge", data=elsewhere).location
    assert back == f"/incidents/{number}"


def test_a_form_from_elsewhere_does_nothing(quick: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", CountingHasher())
    number = quick.world.alert()
    with quick.world.database.transaction() as session:
        person = responders.by_key(session, "ana")
        assert person is not None
        passwords.set_password(session, person, PASSWORD)
    browser = quick.stranger()
    sign_in(browser)
    path = f"/incidents/{number}"
    assert browser.post(f"{path}/acknowledge").status_code == 400
    assert quick.world.incident(number).status == "open"
    token = form_token(browser, path)
    assert browser.post(f"{path}/acknowledge", data={"csrf_token": token}).status_code == 303
    assert quick.world.incident(number).status == "acknowledged"


def test_resolving_takes_a_reason_and_ends_it(quick: Pages) -> None:
    number = quick.world.alert()
    path = f"/incidents/{number}/resolve"
    assert told(quick.by(), path, reason=" ").startswith("The reason is empty: say it in a few words.")
    assert quick.world.incident(number).status == "open"
    said = told(quick.by(), path, reason="The release was rolled back.\r\nWatching.")
    assert said.startswith(f"Resolved: {number} is closed for paging.")
    assert quick.world.incident(number).resolution == "The release was rolled back.\nWatching."


def test_a_constitutional_incident_is_resolved_by_two_keepers_who_did_not_ask(pages: Pages) -> None:
    world = pages.world
    number = world.alert(BROKEN_CHAIN, key=STORE_KEY)
    page = f"/incidents/{number}"
    said = told(pages.by(), f"{page}/resolve", reason="restored")
    assert f"{number} waits for two keepers' approval to resolve" in said
    assert "Ana Lima asks to resolve" in said
    assert "Approve" not in section(pages.by().get(page), 'id="approvals">')
    kim = pages.by("kim")
    assert "Approve Decline" in section(kim.get(page), "asks to resolve</h2>")
    decision = {"action": "resolve", "decision": "approve"}
    assert told(kim, f"{page}/approvals", **decision, reason="").startswith(
        "The reason is empty: say it in a few words."
    )
    said = told(kim, f"{page}/approvals", **decision, reason="checked")
    assert "Kim Osei approved at 10:00 UTC : checked" in said
    assert "You have decided; another keeper must." in said
    assert told(pages.by("ana"), f"{page}/approvals", **decision, reason="mine").startswith("Only a keeper")
    said = told(pages.by("kai"), f"{page}/approvals", **decision, reason="checked too")
    assert "Resolved by" in said
    assert world.incident(number).status == "resolved"


def test_a_keeper_who_asked_is_told_why_they_cannot_decide(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    said = told(quick.by("kim"), f"/incidents/{number}/resolve", reason="restored")
    assert "You asked for it, so two other keepers must decide." in said


def test_declining_leaves_everything_as_it_was(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    quick.world.resolve(number)
    said = told(
        quick.by("kim"), f"/incidents/{number}/approvals", action="resolve", decision="decline", reason="not yet"
    )
    assert f"Declined: resolve {number} does not go ahead." in said
    assert "Kim Osei declined (“not yet”)" in said
    assert quick.world.incident(number).status == "open"


def test_escalating_pages_the_next_level_now(quick: Pages) -> None:
    number = quick.world.alert()
    assert f"Escalated: level 2 of {number} is being paged now." in told(quick.by(), f"/incidents/{number}/escalate")
    quick.world.run()
    assert quick.world.sent("sms", to=PHONES["bo"])


def test_what_cannot_be_done_now_is_told_on_the_page_and_is_no_error_page(quick: Pages) -> None:
    number = quick.world.alert()
    quick.world.acknowledge(number)
    said = told(quick.by(), f"/incidents/{number}/escalate")
    assert f"Incident {number} is acknowledged; only an open one is being escalated." in said
    assert "Observer API down" in said


def test_milestones_are_set_and_shown(quick: Pages) -> None:
    number = quick.world.alert()
    quick.world.fast_forward(minutes=3)
    said = told(quick.by(), f"/incidents/{number}/milestones", milestone="contained")
    assert f"{number} is marked contained." in said
    assert "Contained 10:03 UTC target 5-15 min" in said
    assert told(quick.by(), f"/incidents/{number}/milestones", milestone="nonsense").startswith("No such milestone.")


def test_a_note_goes_on_the_timeline_with_its_star(quick: Pages) -> None:
    number = quick.world.alert()
    response = quick.by().post(f"/incidents/{number}/notes", data={"text": "Rolled back.\0", "starred": "1"})
    assert response.location == f"/incidents/{number}#timeline"
    page = quick.by().get(f"/incidents/{number}").text
    assert "Ana Lima: Rolled back." in page
    assert '<li class="is-starred">' in page


def test_class_and_severity_are_raised_by_one_person(quick: Pages) -> None:
    number = quick.world.alert("Worker returned unexpected state 7")
    form = {"severity": "HIGH", "class": "operational", "reason": "customers see it"}
    assert f"{number} is now operational HIGH." in told(quick.by(), f"/incidents/{number}/reclassify", **form)
    assert quick.world.incident(number).severity == "HIGH"


def test_lowering_a_constitutional_severity_asks_and_says_what_for(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    form = {"severity": "LOW", "class": "constitutional", "reason": "a drill"}
    said = told(quick.by(), f"/incidents/{number}/reclassify", **form)
    assert "Ana Lima asks to make it constitutional LOW" in said
    assert quick.world.incident(number).severity == "CRITICAL"


def test_an_agreed_request_stays_on_the_page_though_the_incident_is_operational_now(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    page = f"/incidents/{number}"
    told(quick.by(), f"{page}/reclassify", **{"severity": "LOW", "class": "operational", "reason": "a drill"})
    decision = {"action": "reclassify", "decision": "approve", "reason": "it was"}
    told(quick.by("kim"), f"{page}/approvals", **decision)
    said = told(quick.by("kai"), f"{page}/approvals", **decision)
    assert quick.world.incident(number).incident_class == "operational"
    assert "Ana Lima asked to make it operational LOW at 10:00 UTC (“a drill”): approved" in said


def test_a_step_is_ticked_and_shows_who_did_it(pages: Pages) -> None:
    number = pages.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    response = pages.by().post(f"/incidents/{number}/steps/2")
    assert response.location == f"/incidents/{number}#step-2"
    page = pages.by().get(f"/incidents/{number}")
    assert '<li id="step-2" class="is-done">' in page.text
    assert "Ana Lima, 10:00 UTC" in section(page, "Runbook</h2>")
    assert "runbook.step" in pages.world.kinds(number)
    assert "Step 2 was done before." in told(pages.by("bo"), f"/incidents/{number}/steps/2")


def test_a_constitutional_step_takes_a_note_and_its_approvals(quick: Pages) -> None:
    number = quick.world.alert(BROKEN_CHAIN, key=STORE_KEY)
    steps = f"/incidents/{number}/steps"
    assert "say what its verification showed" in told(quick.by(), f"{steps}/1")
    assert "waits for approval of: restore-event-store" in told(quick.by(), f"{steps}/6", note="restored")
    assert "Keepers say: no halt" in told(quick.by(), f"{steps}/1", note="Keepers say: no halt")
    with quick.world.database.reading() as session:
        assert [tick.step for tick in links.ticks_of(session, number)] == [1]


def test_a_step_of_no_runbook_is_not_found(quick: Pages) -> None:
    number = quick.world.alert()
    assert quick.by().post(f"/incidents/{number}/steps/99").status_code == 404
    assert quick.by().post("/incidents/4711/acknowledge").status_code == 404
