"""Who sets a sender up sees its address, what to enter there, and what arrived and how it was read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from incidents import arrivals, integration_pages, snippets
from incidents.arrivals import Arrival, Recorder, Verdict
from incidents.models import Integration, ReceivedPayload
from incidents.sources.table import SOURCES
from tests.contract import recorded
from tests.flows.test_integrations import GENERIC, GITHUB, KUMA, SECRET, Site
from tests.pages import Pages, words
from tests.world import KEY, STORE_KEY, World, team


@pytest.fixture
def site(sqlite_database: Database) -> Site:
    return Site(sqlite_database)


def arrive(site: Site, source: str, key: str, payload: Any, **more: Any) -> None:
    """The last payload is written when the answer is out."""
    site.world.fast_forward(seconds=6)
    site.post(source, key, payload, **more).close()


def kept(site: Site, source: str) -> list[ReceivedPayload]:
    with site.world.database.reading() as session:
        of_source = select(ReceivedPayload).join(Integration).where(Integration.source == source)
        return list(session.scalars(of_source.order_by(ReceivedPayload.id.desc())))


def test_the_page_tells_what_arrived_and_how_it_was_read(site: Site) -> None:
    arrive(site, "generic", GENERIC, {"rule": {"name": "Queue grows", "id": 7}, "auth": {"api_key": "s3cret"}})
    arrive(site, "generic", GENERIC, {"ping": True})
    arrive(site, "github", GITHUB, recorded.kept("github", "ping.json"))
    arrive(site, "uptime-kuma", KUMA, {"hello": "world"})
    read = words(Pages(site.world).by("mia").get("/integrations"))
    assert "checkout · github …a1a1" in read
    assert "https://tocsin.example.org/alerts/github/KEY" in read
    assert "Queue grows" in read
    assert "firing: Queue grows, incident 1" in read
    assert "wakes nobody" in read
    assert "not its sender's it has no X-Hub-Signature-256 header" in read
    assert "refused heartbeat: is missing, and so is msg" in read
    assert "title: rule.name" in read
    for secret in ("s3cret", SECRET, GENERIC, GITHUB):
        assert secret not in read


def test_folded_each_tells_what_came_last_and_what_is_refused_stands_out(site: Site) -> None:
    arrive(site, "generic", GENERIC, {"ping": True})
    arrive(site, "generic", GENERIC, {"rule": {"name": "Queue grows", "id": 7}})
    arrive(site, "uptime-kuma", KUMA, {"hello": "world"})
    site.world.fast_forward(minutes=3)
    page = Pages(site.world).by("mia").get("/integrations").text
    folded = re.findall(
        r'<details class="panel is-one-of-many([^"]*)">\s*<summary>(.*?)</summary>\s*<p id="(.*?)"', page, re.S
    )
    told = {
        words(f"<main>{summary}").split()[0]: (marks.strip(), words(f"<main>{summary}"), anchor)
        for marks, summary, anchor in folded
    }
    assert told["generic"][:2] == ("", f"generic …{GENERIC[-4:]} accepted 3 min ago Queue grows")
    assert told["uptime-kuma"][:2] == (
        "is-urgent",
        f"uptime-kuma …{KUMA[-4:]} refused 3 min ago heartbeat: is missing, and so is msg; is this Uptime Kuma's?",
    )
    assert "nothing has arrived yet" in told["github"][1]
    above = page.partition("<h2")[0]
    assert re.findall(r'href="#(integration-\d+)"', above) == [told["uptime-kuma"][2]]
    assert "What this sender sent last was refused, and woke nobody" in above


def test_an_integration_that_works_again_no_longer_stands_out(site: Site) -> None:
    arrive(site, "uptime-kuma", KUMA, {"hello": "world"})
    arrive(site, "uptime-kuma", KUMA, recorded.kept("uptime-kuma", "webhook.down.http-unicode.json"))
    read = Pages(site.world).by("mia").get("/integrations")
    assert "is-urgent" not in read.text.partition("What arrived last")[0]
    assert "Of the 2 kept, 1 was refused." in words(read)


def test_the_page_is_for_managers_and_administrators(site: Site) -> None:
    assert Pages(site.world).by("ana").get("/integrations").status_code == 403


def test_only_the_last_ten_of_an_integration_are_kept(site: Site) -> None:
    for number in range(13):
        arrive(site, "generic", GENERIC, {"rule": {"name": f"Queue {number}", "id": number}})
    assert [row.alerts[0]["title"] for row in kept(site, "generic")] == [f"Queue {n}" for n in range(12, 2, -1)]


def test_of_a_storm_one_every_few_seconds_is_kept(site: Site) -> None:
    for number in range(5):
        site.post("generic", GENERIC, {"rule": {"name": "Queue grows", "id": number}}).close()
    assert len(kept(site, "generic")) == 1
    assert len(site.titles()) == 5


def test_what_arrived_is_written_after_the_answer_and_its_failure_harms_nothing(site: Site) -> None:
    answer = site.post("generic", GENERIC, {"rule": {"name": "Queue grows", "id": 1}})
    assert (answer.status_code, kept(site, "generic")) == (202, [])
    with site.world.database.transaction() as session:
        session.execute(ReceivedPayload.__table__.delete())
        session.query(Integration).filter_by(source="uptime-kuma").delete()
    answer.close()
    assert len(kept(site, "generic")) == 1


@pytest.mark.parametrize("payload", [[1] * 100_000, {"token": "s3cret", "a": [{"Password": "s3cret"}]}, "x\0" * 9_000])
def test_what_is_shown_is_cut_storable_and_without_credentials(payload: Any) -> None:
    shown = arrivals.shown(payload)
    assert len(shown) <= arrivals.CONTENT_CHARACTERS_MAX
    assert "s3cret" not in shown
    assert "\0" not in shown


def test_a_recorder_writes_one_of_a_kind_every_few_seconds(site: Site) -> None:
    recorder, now = Recorder(), site.world.now
    assert recorder.wants(Arrival(1, now, Verdict.ACCEPTED))
    assert not recorder.wants(Arrival(1, now + timedelta(seconds=4), Verdict.ACCEPTED))
    assert recorder.wants(Arrival(1, now + timedelta(seconds=4), Verdict.REFUSED))
    assert recorder.wants(Arrival(2, now, Verdict.ACCEPTED))
    assert recorder.wants(Arrival(1, now + timedelta(seconds=5), Verdict.ACCEPTED))


def test_what_ends_an_alert_is_kept_beside_what_opened_it_a_moment_before(site: Site) -> None:
    for state in ("alerting", "ok"):
        site.post("generic", GENERIC, {"rule": {"name": "Queue grows", "id": 1}, "status": state}).close()
    assert [row.alerts[0]["status"] for row in kept(site, "generic")] == ["resolved", "firing"]


def test_what_arrives_is_written_together_a_moment_later_so_that_pages_go_first(sqlite_database: Database) -> None:
    World(sqlite_database)
    with sqlite_database.reading() as session:
        way_in = session.scalars(select(Integration).where(Integration.key_hint == STORE_KEY[-4:])).one()
    later: list[Callable[[], None]] = []
    recorder = Recorder(later=later.append)
    for verdict in (Verdict.ACCEPTED, Verdict.REFUSED):
        arrivals.keep(sqlite_database, recorder, Arrival(way_in.id, recorded.NOW, verdict), lambda: "{}")
    with sqlite_database.reading() as session:
        assert session.scalars(select(ReceivedPayload)).all() == []
    (write,) = later
    write()
    with sqlite_database.reading() as session:
        assert [each.verdict for each in session.scalars(select(ReceivedPayload))] == ["accepted", "refused"]


def test_it_is_kept_on_both_databases(database: Database) -> None:
    World(database)
    with database.transaction() as session:
        way_in = session.scalars(select(Integration).where(Integration.key_hint == STORE_KEY[-4:])).one()
        for _ in range(arrivals.KEPT + 2):
            arrivals.write(session, Arrival(way_in.id, recorded.NOW, Verdict.IGNORED), json.dumps({"a": 1}))
    with database.reading() as session:
        assert len(session.scalars(select(ReceivedPayload)).all()) == arrivals.KEPT


def test_for_letters_the_page_shows_an_address_where_there_is_one(sqlite_database: Database) -> None:
    world = World(sqlite_database)
    world.apply(
        team().replace('source: pagerduty, key: "' + KEY, "source: email, from: ['*@example.org'], key: \"" + KEY)
    )
    with sqlite_database.reading() as session:
        with_domain = integration_pages.of(session, "https://tocsin.example.org", "pager.example.org")
        without = integration_pages.of(session, "https://tocsin.example.org")
    (shown,) = [each for each in with_domain if each.source == "email"]
    assert shown.address.startswith("KEY@pager.example.org, or KEY+WHAT@pager.example.org")
    assert "--mail-rcpt KEY@pager.example.org" in shown.snippet.text
    assert "*@example.org" in shown.checks
    (shown,) = [each for each in without if each.source == "email"]
    assert shown.address == "https://tocsin.example.org/alerts/email/KEY"


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_has_a_snippet_with_its_address(source: str) -> None:
    with_secret = snippets.of(source, "https://tocsin.example.org", has_secret=True)
    without = snippets.of(source, "https://tocsin.example.org")
    assert "https://tocsin.example.org" in without.text
    assert "SECRET" not in without.text
    if SOURCES[source].check is not None and not SOURCES[source].is_always_checked:
        assert "SECRET" in with_secret.text + with_secret.note
