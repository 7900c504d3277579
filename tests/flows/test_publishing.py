"""A review that people declare finished: who may, when, what it says of itself then, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from config.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from incidents import governance
from incidents.desk import Actor, Outcome
from incidents.event_models import EventDelivery
from incidents.reviews import due, export, html, publishing, reviewing
from tests.calling import Edge
from tests.fakes.providers import FakeProviders
from tests.flows.test_events import is_signed
from tests.flows.test_web_forms import told
from tests.pages import Pages, section
from tests.world import STORE_KEY, World, team

WIKI = "https://wiki.example.org/reviews/42?a=1&b=2"
HOSTILE = 'https://wiki.example.org/"><script>alert(1)</script>'


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


@pytest.fixture
def number(world: World) -> int:
    return ended(world)


def ended(world: World) -> int:
    number = world.alert()
    world.acknowledge(number)
    world.resolve(number)
    return number


def constitutional(world: World) -> int:
    number = world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="chain")
    world.acknowledge(number)
    world.resolve(number)
    for keeper in ("kim", "kai"):
        with world.database.transaction() as session:
            governance.decide(
                session, world.desk, number, world.actor(keeper), world.now,
                action="resolve", decision="approve", reason="verified",
            )  # fmt: skip
    world.run()
    return number


def publish(world: World, number: int, *, by: str = "ana", **more: Any) -> Outcome:
    return _published(world, number, world.actor(by), **more)


def _published(world: World, number: int, actor: Actor, **more: Any) -> Outcome:
    with world.database.transaction() as session:
        outcome = publishing.publish(session, world.desk, number, actor, world.now, **more)
    world.run()
    return outcome


def withdraw(world: World, number: int, *, by: str = "ana", reason: str = "the numbers were wrong") -> Outcome:
    with world.database.transaction() as session:
        outcome = publishing.withdraw(session, world.desk, number, world.actor(by), world.now, reason=reason)
    world.run()
    return outcome


def review(world: World, number: int) -> dict[str, Any]:
    with world.database.reading() as session:
        return reviewing.review_of(session, number, world.now, world.desk.base_url)


def test_a_published_review_says_who_finished_it_when_and_where_it_is_in_every_form(database: Database) -> None:
    world = World(database)
    number = ended(world)
    world.fast_forward(hours=2)
    assert publish(world, number, by="bo", url=WIKI, note="met on Tuesday").changed
    found = review(world, number)
    assert {name: found["review"][name] for name in ("state", "published_at", "published_by", "document", "note")} == {
        "state": "published",
        "published_at": "2026-11-16T12:00:00.000000Z",
        "published_by": "Bo Chen",
        "document": WIKI,
        "note": "met on Tuesday",
    }
    markdown, page = export.to_markdown(found), html.to_html(found)
    assert "published by Bo Chen, 2026-11-16 12:00:00 +00:00" in markdown
    assert f'document: "{WIKI}"' in markdown
    assert f"[wiki.example.org]({WIKI})" in markdown
    assert "published by Bo Chen, 2026-11-16 12:00:00 +00:00" in page
    assert 'href="https://wiki.example.org/reviews/42?a=1&amp;b=2"' in page
    assert world.kinds(number)[-1] == "review.published"


def test_a_draft_says_in_every_form_that_it_is_one(world: World, number: int) -> None:
    found = review(world, number)
    assert (found["review"]["state"], found["review"]["published_at"]) == ("draft", None)
    assert "review: draft." in export.to_markdown(found)
    assert "published by" not in html.to_html(found)


def test_without_an_address_it_is_told_what_is_not_yet_written(world: World, number: int) -> None:
    said = publish(world, number).sentence
    assert said.startswith(f"Published: the review of {number}. NOT YET WRITTEN here: Summary, Impact, Detection")
    withdraw(world, number)
    assert publish(world, number, url=WIKI).sentence == f"Published: the review of {number}."


def test_published_again_it_changes_nothing_and_says_who_did(world: World, number: int) -> None:
    publish(world, number, url=WIKI)
    for again in ({}, {"url": WIKI}):
        outcome = publish(world, number, by="bo", **again)
        assert not outcome.changed
        assert "is already published by Ana Lima at 10:00 UTC" in outcome.sentence
    assert world.kinds(number).count("review.published") == 1


def test_a_correction_is_a_new_entry_and_the_first_publication_stands(world: World, number: int) -> None:
    publish(world, number, url=WIKI)
    world.fast_forward(hours=1)
    assert publish(world, number, by="bo", url="https://wiki.example.org/moved").changed
    found = review(world, number)["review"]
    assert (found["published_by"], found["published_at"]) == ("Ana Lima", "2026-11-16T10:00:00.000000Z")
    assert found["document"] == "https://wiki.example.org/moved"
    entries = [entry for entry in world.timeline(number) if entry.kind == "review.published"]
    assert [WIKI in entry.text for entry in entries] == [True, False]
    assert entries[1].text.startswith("Bo Chen corrected the publication of the review")


def test_taken_back_it_is_a_draft_that_is_due_and_can_be_published_again(world: World, number: int) -> None:
    publish(world, number, url=WIKI)
    assert withdraw(world, number, by="bo").changed
    found = review(world, number)["review"]
    assert (found["state"], found["published_at"], found["document"]) == ("draft", None, "")
    assert not withdraw(world, number).changed
    world.fast_forward(hours=30)
    assert publish(world, number, by="bo").changed
    kept = [kind for kind in world.kinds(number) if kind in ("review.published", "review.withdrawn")]
    assert kept == ["review.published", "review.withdrawn", "review.published"]


def test_it_is_refused_while_the_incident_is_not_resolved_and_where_there_is_no_review(world: World) -> None:
    number = world.alert()
    with pytest.raises(NotFoundError, match="not drafted yet"):
        publish(world, number)
    constitutional_one = world.alert("Hash chain broken at sequence 1", key=STORE_KEY, dedup_key="chain")
    Edge(world).post(f"/incidents/{constitutional_one}/milestones", {"milestone": "contained"})
    with pytest.raises(ConflictError, match="not resolved yet"):
        publish(world, constitutional_one, by="kim")


def test_people_publish_and_programs_and_observers_do_not(world: World, number: int) -> None:
    program = Actor("deploy bot", kind="program", roles=frozenset({"admin"}))
    observer = Actor("Olga", responder_id=1, roles=frozenset({"observer"}))
    for actor in (program, observer):
        with pytest.raises(NotAllowedError):
            _published(world, number, actor)
    assert review(world, number)["review"]["state"] == "draft"


def test_only_a_keeper_publishes_the_review_of_a_constitutional_incident(world: World) -> None:
    number = constitutional(world)
    for other in ("ana", "mia"):
        with pytest.raises(NotAllowedError, match="a keeper publishes"):
            publish(world, number, by=other)
    publish(world, number, by="kim")
    with pytest.raises(NotAllowedError):
        withdraw(world, number)
    assert review(world, number)["review"]["published_by"] == "Kim Osei"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://wiki.example.org/1",
        "wiki.example.org/1",
        "https://",
        "https://wiki.example.org/a b",
        "https://ana:secret@wiki.example.org/",
        "https://wiki.example.org/\u202egro",
        "https://wiki.example.org:x/",
        "https://[::1/",
        "https://wiki.example.org/" + "a" * 2_000,
    ],
)
def test_an_address_that_leads_nowhere_good_is_refused_by_its_field(world: World, number: int, url: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        publish(world, number, url=url)
    assert set(refused.value.fields) == {"url"}


def test_text_of_people_is_escaped_wherever_it_is_shown(world: World, number: int) -> None:
    publish(world, number, url=HOSTILE, note="<script>|\n# x</script>")
    found = review(world, number)
    for text in (html.to_html(found), Pages(world).by().get(f"/incidents/{number}").text):
        assert "<script>alert(1)" not in text
    assert "\n# x" not in export.to_markdown(found)
    assert "<script>" not in export.to_markdown(found).partition("---\n\n")[2]


def test_a_review_that_is_published_is_done_and_one_that_is_not_is_overdue_after_a_day(world: World) -> None:
    first, second = ended(world), 0
    world.fast_forward(hours=25)
    second = world.alert(dedup_key="another")
    world.resolve(second)
    publish(world, second)
    edge = Edge(world)
    shown = {each["number"]: (each["state"], each["overdue"]) for each in edge.get("/reviews")["items"]}
    assert shown == {first: ("draft", True), second: ("published", False)}
    assert [each["number"] for each in edge.get("/reviews?state=draft")["items"]] == [first]
    publish(world, first)
    assert not any(each["overdue"] for each in edge.get("/reviews")["items"])
    verdicts = {row["phase"]: row["verdict"] for row in review(world, first)["phases"]}
    assert verdicts["post-incident"] == "late", "it was finished after 25 hours"


def test_what_is_due_now_is_not_overdue_yet(world: World) -> None:
    at = world.now
    assert not due.overdue(at, None, at)
    assert due.overdue(at, None, at + timedelta(seconds=1))
    assert not due.overdue(at, at + timedelta(days=9), at + timedelta(days=10))
    assert not due.overdue(None, None, at)


def test_it_is_published_and_taken_back_over_the_api(world: World, number: int) -> None:
    edge = Edge(world)
    answer = edge.post(f"/incidents/{number}/review/publish", {"url": WIKI})
    assert answer["changed"]
    assert answer["incident"]["review_state"] == "published"
    assert answer["incident"]["review_published_by"] == "Ana Lima"
    assert answer["incident"]["review_document_url"] == WIKI
    assert not edge.post(f"/incidents/{number}/review/publish", {})["changed"]
    refused = edge.call("POST", f"/incidents/{number}/review/publish", {"url": "javascript:1"})
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["url"])
    assert edge.call("POST", f"/incidents/{number}/review/publish", {}, by="program:admin").status_code == 403
    assert edge.post(f"/incidents/{number}/review/withdraw", {"reason": "wrong"})["incident"]["review_state"] == "draft"


def test_it_is_published_from_the_incidents_page(world: World, number: int) -> None:
    pages = Pages(world)
    ana = pages.by()
    assert "Publish it…" in section(ana.get(f"/incidents/{number}"), "Post-incident review")
    assert told(ana, f"/incidents/{number}/review/publish", url="wiki", note="").startswith("The address")
    said = told(ana, f"/incidents/{number}/review/publish", url=WIKI, note="")
    assert said.startswith(f"Published: the review of {number}.")
    assert "Published by Ana Lima, 10:00 UTC" in section(ana.get(f"/incidents/{number}"), "Post-incident review")
    assert "a draft again" in told(ana, f"/incidents/{number}/review/withdraw", reason="wrong one")
    kept = constitutional(world)
    assert "a keeper publishes it" in section(ana.get(f"/incidents/{kept}"), "Post-incident review")
    assert "Publish it…" in section(pages.by("kim").get(f"/incidents/{kept}"), "Post-incident review")


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


def test_it_is_told_signed_to_who_asked_for_it_and_can_be_told_again(
    sqlite_database: Database, providers: FakeProviders
) -> None:
    receiver = (
        f'events: [{{url: "{providers.webhook_url}", secret: "a secret between us two", on: [review.published]}}]'
    )
    world = World(sqlite_database, config=f"{team()}{receiver}\n")
    number = ended(world)
    publish(world, number, url=WIKI)
    [told_of] = providers.deliveries
    assert is_signed(told_of)
    assert told_of.json["event"] == "review.published"
    assert told_of.json["review"] == {
        "via": "slack",
        "document": WIKI,
        "note": "",
        "correction": False,
        "html": f"https://tocsin.example.org/api/v1/incidents/{number}/review.html",
        "md": f"https://tocsin.example.org/api/v1/incidents/{number}/review.md",
        "json": f"https://tocsin.example.org/api/v1/incidents/{number}/review.json",
    }
    with world.database.reading() as session:
        delivery = session.scalars(select(EventDelivery)).one()
    assert Edge(world).post(f"/events/{delivery.id}/replay", by="mia")["state"] == "queued"
    world.run()
    first, again = providers.deliveries
    assert first.json == again.json
    assert is_signed(again)
