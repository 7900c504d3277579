"""Unicode of every sort, and every markup, through each way in to each way out."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from config.database import Database
from escalation.channels import action_links, email_text, gsm7, push_text, slack_blocks, text, twiml
from incidents.models import Incident
from incidents.proof import verify
from tests.calling import Edge
from tests.pages import Pages
from tests.spoiling import ODD_TEXTS
from tests.world import KEY, World, team

GENIE_KEY, GENERIC_KEY = "11111111-2222-3333-4444-555555555555", "c3" * 16
TEAM = team(
    ana_by="[{after: 0s, by: sms}, {after: 1m, by: voice}, {after: 2m, by: slack}, {after: 3m, by: email}]"
).replace(
    "integrations: [",
    f'integrations: [{{source: opsgenie, key: "{GENIE_KEY}"}}, {{source: generic, key: "{GENERIC_KEY}"}}, ',
    1,
)
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
BY = "ana"


@pytest.fixture(params=ODD_TEXTS, ids=[f"{number}-{ascii(each)[1:15]}" for number, each in enumerate(ODD_TEXTS)])
def odd(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database, config=TEAM))


def come_in(edge: Edge, odd: str) -> None:
    """As an alert by each way, and as what people write about it."""
    post = edge.client.post
    event = {"summary": f"Checkout {odd}", "source": f"s{odd}", "severity": "critical", "custom_details": {odd: [odd]}}
    sent = {"routing_key": KEY, "event_action": "trigger", "dedup_key": f"k{odd}"[:255], "payload": event}
    assert post("/v2/enqueue", json=sent).status_code == 202
    alert = {
        "title": f"Checkout {odd}",
        "body": odd,
        "dedup_key": f"g{odd}",
        "labels": {f"l{odd}": odd},
        "severity": "high",
    }
    assert post(f"/alerts/generic/{GENERIC_KEY}", json=alert).status_code == 202
    genie = {
        "message": f"Checkout {odd}"[:130],
        "alias": f"o{odd}"[:512],
        "description": odd,
        "tags": [odd[:50]],
        "priority": "P1",
    }
    answer = post("/v2/alerts", json=genie, headers={"Authorization": f"GenieKey {GENIE_KEY}"})
    assert answer.status_code == 202, answer.text
    for verb, body in (("notes", {"text": f"note {odd}"}), ("reassign", {"responder": "bo", "reason": odd})):
        answer = edge.call("POST", f"/incidents/1/{verb}", body, by=BY)
        assert answer.status_code in (200, 422), answer.text
    pages = Pages(edge.world)
    form = {"text": f"written {odd}".encode("utf-8", "replace").decode()}
    assert pages.by(BY).post("/incidents/2/notes", data=form).status_code in (303, 422)


def end(edge: Edge, odd: str) -> None:
    """So that there is a review."""
    for reason in (f"fixed {odd}", "fixed"):
        answer = edge.call("POST", "/incidents/1/resolve", {"reason": reason}, by=BY)
        assert answer.status_code in (200, 422), answer.text
    edge.world.run()


def rendered(edge: Edge) -> Iterator[tuple[str, str]]:
    """Everything that was sent, by every channel, whichever it went by."""
    for message in [delivered.message for delivered in edge.world.deliveries]:
        yield "sms", text.sms(message)
        yield "slack", json.dumps(slack_blocks.render(message), ensure_ascii=False)
        yield "voice", twiml.call(message, "https://tocsin.example.org/replies/voice")
        yield "subject", email_text.subject(message)
        yield "mail", email_text.plain(message)
        yield "html", email_text.rich(message)
        yield "push", push_text.title(message) + push_text.body(message, action_links.NONE)


def shown(edge: Edge) -> Iterator[tuple[str, str]]:
    reader = Pages(edge.world).by(BY)
    for path in ("/incidents", "/incidents/1", "/incidents/2", "/incidents/3"):
        page = reader.get(path)
        assert page.status_code == 200
        yield "html", page.text
    for form in ("md", "html", "json"):
        exported = edge.call("GET", f"/incidents/1/review.{form}")
        assert exported.status_code == 200, exported.text
        # Of Markdown, the words: the front matter before them is YAML, which nobody renders.
        yield ("markdown", exported.text.split("\n---\n", 1)[1]) if form == "md" else (form, exported.text)
    yield "json", edge.call("GET", "/incidents/1").text
    yield "json", edge.call("GET", "/incidents/1/timeline").text


def faults(kind: str, out: str) -> Iterator[str]:
    if HIDDEN.search(json.dumps(json.loads(out), ensure_ascii=False) if kind == "json" else out):
        yield "a character that hides or turns around others"
    out.encode()
    match kind:
        case "sms" if set(out) - gsm7.ALPHABET:
            yield "a text message with other than its alphabet"
        case "sms" if len(out) > text.SMS_CHARACTERS_MAX:
            yield "a text message that is too long"
        case "slack" if "<!channel>" in out or "<@U0EVIL>" in out:
            yield "somebody's words mention people in Slack"
        case "voice":
            ET.fromstring(out)
        case "subject" if "\n" in out or "\r" in out:
            yield "a subject of two lines"
        case "html" if "<script>alert" in out or 'javascript:alert(1)"' in out:
            yield "markup of somebody's"
        case "markdown" if re.search(r"(?<!\\)(<script\\?>|\]\(javascript)", out):
            yield "markup of somebody's"


def test_what_comes_in_goes_out_readable_harmless_and_on_record(edge: Edge, odd: str) -> None:
    come_in(edge, odd)
    edge.world.run()
    edge.world.fast_forward(minutes=4)
    end(edge, odd)
    sent = list(rendered(edge))
    assert {kind for kind, _ in sent} >= {"sms", "slack", "voice", "mail", "html", "push"}
    found: list[Any] = [(kind, fault, out) for kind, out in [*sent, *shown(edge)] for fault in faults(kind, out)]
    assert found == []
    with edge.world.database.reading() as session:
        assert session.query(Incident).count() == 3
    assert not verify.run(edge.world.database).problems


def test_a_key_ends_what_it_began_whatever_is_in_it(edge: Edge, odd: str) -> None:
    begun = {"title": "Checkout is down", "dedup_key": f"g{odd}"}
    for status in ("firing", "firing", "resolved"):
        answer = edge.client.post(f"/alerts/generic/{GENERIC_KEY}", json=begun | {"status": status})
        assert answer.status_code == 202
    assert edge.world.incident(1).status == "resolved"
    with edge.world.database.reading() as session:
        assert session.query(Incident).count() == 1
