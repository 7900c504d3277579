"""The demo's console: what would have been sent, answers in the paged person's name, and sample alerts."""

from __future__ import annotations

import re

import pytest

import wsgi
from config import auth
from config.database import Database
from config.settings import Settings
from escalation import web_console
from escalation.channels import console
from escalation.console_log import ConsoleMessage
from incidents import demo_guide
from tests.edge import SECRET_KEY
from tests.messages import notification
from tests.pages import Pages, demo_world, section, words
from tests.world import MONDAY, World


@pytest.fixture
def pages(sqlite_database: Database) -> Pages:
    return Pages(demo_world(sqlite_database), is_demo=True)


def fire(pages: Pages, name: str) -> str:
    client = pages.by()
    response = client.post(f"/console/alerts/{name}")
    assert (response.status_code, response.location) == (303, "/console")
    pages.world.run()
    return words(client.get("/console"))


def on_call(pages: Pages) -> str:
    return section(pages.by().get("/oncall"), "primary</h2>").partition(" until")[0]


def test_outside_the_demo_there_is_no_console_and_no_answering_for_others(sqlite_database: Database) -> None:
    pages = Pages(World(sqlite_database))
    assert pages.by().get("/console").status_code == 404
    assert pages.by().post("/console/alerts/checkout-down").status_code == 404
    assert pages.by().post("/console/answers", data={"number": "1"}).status_code == 404
    assert "sample" not in pages.by().get("/incidents").text


def test_a_sample_alert_is_one_press_away_and_arrives_where_it_is_shown(pages: Pages) -> None:
    assert "Fire a sample alert" in words(pages.by().get("/incidents"))
    read = fire(pages, "checkout-down")
    assert "The sample alert is in: incident 1." in read
    assert f"Slack to {on_call(pages)}" in read
    assert "1 HIGH: Checkout is down: health check failing on all replicas" in read
    assert "Slack to #incidents" in read
    assert pages.woken == 1


@pytest.mark.parametrize("name", ["broken-chain", "slow-report"])
def test_every_sample_alert_opens_an_incident(pages: Pages, name: str) -> None:
    assert "The sample alert is in: incident 1." in fire(pages, name)
    assert pages.world.incident(1).status == "open"


def test_with_a_team_of_ones_own_the_samples_are_gone_and_a_test_alert_is_told_of(sqlite_database: Database) -> None:
    pages = Pages(World(sqlite_database), is_demo=True)
    read = words(pages.by().get("/incidents"))
    assert "Fire a sample alert" not in read + words(pages.by().get("/console"))
    assert "Try it with a test alert." in read
    assert "Fire one of your own, by an address on the page Integrations." in fire(pages, "checkout-down")
    assert pages.by().post("/console/alerts/no-such-alert").status_code == 404


def test_every_channel_is_shown_as_it_would_be_read_or_heard(pages: Pages) -> None:
    fire(pages, "broken-chain")
    pages.world.fast_forward(minutes=16)
    read = words(pages.by().get("/console"))
    assert "SMS to" in read
    assert "Tocsin 1 CRITICAL const: Hash chain broken at event 48211." in read
    assert "Reply ACK 1" in read
    assert "Phone call to Mira Novak" in read
    assert "Tocsin, paging Mira Novak. Critical, constitutional. Incident 1." in read
    assert "Press 1: acknowledge as Mira Novak" in read


@pytest.mark.parametrize("channel", ["sms", "email", "voice"])
def test_what_a_shadow_was_told_has_nothing_to_press(channel: str) -> None:
    told = console.render(channel, notification(note="42 HIGH: Observer API down. Nothing is asked of you."))
    said = web_console.shown(
        ConsoleMessage(channel=channel, address="x", rendered=told, sent_at=MONDAY, edited_at=None), "Eve"
    )
    assert "42 HIGH" in said.text
    assert said.buttons == ()


def test_an_answer_is_the_paged_persons_own(pages: Pages) -> None:
    fire(pages, "checkout-down")
    shown = pages.by().get("/console").text
    sender = shown.partition('name="sender" value="U0')[2].partition('"')[0]
    form = {"channel": "slack", "sender": f"U0{sender}", "number": "1", "verb": "acknowledge"}
    client = pages.by("mira")
    assert client.post("/console/answers", data=form).location == "/console"
    assert "was answered: Acknowledged: 1 is yours. Paging has stopped." in words(client.get("/console"))
    incident = pages.world.incident(1)
    assert (incident.status, incident.acknowledged_by) == ("acknowledged", on_call(pages))
    pages.world.run()
    assert f"Acknowledged by {on_call(pages)} at 10:00 UTC" in words(client.get("/console"))


def test_in_a_room_it_is_the_reader_who_presses(pages: Pages) -> None:
    fire(pages, "checkout-down")
    form = {"channel": "slack", "sender": "", "number": "1", "verb": "acknowledge", "next": "/console"}
    assert pages.by("mira").post("/console/answers", data=form).location == "/console"
    assert pages.world.incident(1).acknowledged_by == "Mira Novak"


def test_a_stranger_gets_no_power_on_the_console_either(pages: Pages) -> None:
    fire(pages, "checkout-down")
    form = {"channel": "sms", "sender": "+15005559999", "number": "1", "verb": "acknowledge"}
    client = pages.by()
    client.post("/console/answers", data=form)
    assert "Tocsin does not know this sender. Nothing was done." in words(client.get("/console"))
    assert pages.world.incident(1).status == "open"
    assert client.post("/console/answers", data={**form, "verb": "nonsense"}).status_code == 404
    assert client.post("/console/answers", data={**form, "number": "1" * 19}).status_code == 404


def test_observers_watch_the_console_and_press_nothing(pages: Pages) -> None:
    fire(pages, "checkout-down")
    page = pages.by(role="observer").get("/console").text
    assert "Checkout is down" in page
    assert "/console/answers" not in page
    assert "/console/alerts" not in page


def test_the_console_looks_again_by_itself_unless_asked_not_to(pages: Pages) -> None:
    refresh = '<meta http-equiv="refresh" content="5">'
    assert refresh in pages.by().get("/console").text
    assert refresh not in pages.by().get("/console?refresh=off").text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("*Open* now", "<strong>Open</strong> now"),
        ("a &lt;b&gt; &amp;amp; c", "a &lt;b&gt; &amp;amp; c"),
        ("<https://t.example/incidents/4|Open incident 4>", '<a href="/incidents/4">Open incident 4</a>'),
        (
            "<https://elsewhere.example/x?a=1&amp;b=2|there>",
            '<a href="https://elsewhere.example/x?a=1&amp;b=2">there</a>',
        ),
        ("<javascript:alert(1)|no>", "&lt;javascript:alert(1)|no&gt;"),
        (">quoted\n&gt;not", "│ quoted<br>&gt;not"),
        ("*Paged:* <@U0YUI> &lt;@U0BO&gt;", "<strong>Paged:</strong> @U0YUI &lt;@U0BO&gt;"),
        ('<https://x.example/"onmouseover="y|z>', '<a href="https://x.example/&#34;onmouseover=&#34;y">z</a>'),
    ],
)
def test_slacks_markup_becomes_markup_that_is_safe(said: str, shown: str) -> None:
    assert str(web_console.mrkdwn(said)) == shown


@pytest.mark.parametrize("is_demo", [True, False])
def test_the_app_serves_these_pages_and_a_console_in_the_demo_only(sqlite_url: str, is_demo: bool) -> None:
    app = wsgi.create_app(Settings(database_url=sqlite_url, secret_key=SECRET_KEY, demo=is_demo))
    app.testing = True
    house: wsgi.House = app.extensions["tocsin"]
    demo_guide.prepare(house.database, house.settings, house.desk, MONDAY)
    with house.database.transaction() as session:
        token = auth.create_token(session, name="a test", now=MONDAY, role="responder")
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    fired = client.post("/console/alerts/checkout-down")
    assert fired.status_code == (303 if is_demo else 404)
    for path in ("/incidents", "/oncall", "/runbooks", "/runbooks/recovery"):
        assert client.get(path).status_code == 200
    for path in ("/incidents/1", "/console"):
        assert client.get(path).status_code == (200 if is_demo else 404)
    house.database.close()


def test_a_message_about_several_is_listed_and_taken_whole_by_one_button(pages: Pages) -> None:
    client = pages.by("mira")
    for name in ("checkout-down", "broken-chain"):
        client.post(f"/console/alerts/{name}")
    pages.world.run()
    read = words(client.get("/console"))
    assert "You are paged for 2 incidents. • 2 CRITICAL constitutional: Hash chain broken" in read
    shown = client.get("/console").text
    button = f"Acknowledge all as {on_call(pages)}"
    form = shown[: shown.index(button)].rpartition("<form")[2]
    sent = dict(re.findall(r'name="(channel|sender|number|page)" value="([^"]*)"', form))
    client.post("/console/answers", data={**sent, "verb": "acknowledge"})
    assert "Acknowledged 2, they are yours: 2, 1." in words(client.get("/console"))
    assert "sent in one message with 2" in words(client.get("/incidents/1"))
