"""The page of simulations, and what a preview of a policy says of whom it would wake."""

from __future__ import annotations

import pytest

from config.database import Database
from tests.pages import Pages, demo_world, words
from tests.world import World


@pytest.fixture
def pages(sqlite_database: Database) -> Pages:
    return Pages(World(sqlite_database))


def test_the_page_plays_an_incident_through_level_by_level(pages: Pages) -> None:
    page = pages.by().get("/simulate?of=service:checkout&severity=HIGH")
    read = words(page)
    assert "at once Ana Lima SMS" in read
    assert "after 5 min Bo Chen SMS" in read
    assert "after 15 min Mia Berg SMS" in read
    assert 'src="/api/v1/simulate.svg?' in page.text


def test_what_comes_after_the_first_twenty_messages_is_folded(sqlite_database: Database) -> None:
    page = Pages(demo_world(sqlite_database)).by().get("/simulate?of=service:checkout&severity=HIGH").text
    before, _, folded = page.partition("<details><summary>")
    more = int(folded.partition(" more messages, after ")[0])
    assert (before.count('data-label="Who"'), folded.count('data-label="Who"')) == (20, more)


def test_a_protected_service_is_played_through_as_constitutional(pages: Pages) -> None:
    assert "event-store, constitutional CRITICAL" in words(
        pages.by().get("/simulate?of=service:event-store&severity=CRITICAL")
    )


def test_an_incident_on_record_is_played_through_by_the_policy_it_froze(pages: Pages) -> None:
    number = pages.world.alert()
    assert f"Incident {number}: Observer API down" in words(pages.by().get(f"/simulate?incident={number}"))


def test_the_days_after_are_told_in_stretches(pages: Pages) -> None:
    assert "In the 7 days after" in words(pages.by().get("/simulate?of=policy:standard&days=7"))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("of=policy:gone", "There is no policy"),
        ("of=service:gone", "There is no service"),
        ("incident=999", "There is no incident 999"),
        ("of=service:checkout&at=never", "The moment is not a time"),
        ("of=service:checkout&severity=LOUD&class=odd&days=999", "checkout, operational HIGH"),
    ],
)
def test_what_is_not_there_is_said_on_the_page(pages: Pages, query: str, says: str) -> None:
    assert says in words(pages.by().get(f"/simulate?{query}"))


def test_a_preview_of_a_policy_says_whom_it_would_wake_before_and_after(pages: Pages) -> None:
    admin = pages.by("mia")
    text = "levels:\n  - {level: 1, after: 0s, page: ['responder:ana']}\n"
    admin.post("/configuration/policy", data={"key": "gentle", "text": text, "do": "save", "was": ""})
    changed = text.replace("ana", "bo")
    page = admin.get("/configuration/policy/gentle").text
    was = page.partition('name="was" value="')[2].partition('"')[0]
    read = words(
        admin.post("/configuration/policy", data={"key": "gentle", "text": changed, "do": "preview", "was": was})
    )
    assert "Now Ana Lima (SMS)" in read
    assert "Then Bo Chen (SMS)" in read
