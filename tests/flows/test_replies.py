"""People answer by SMS, on the telephone and in Slack, through the real routes with real signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.database import Database
from escalation.models import Page
from incidents import reply_routes
from incidents.reply_routes import ReplyEdge
from tests.edge import Edge
from tests.fakes import slack, twilio
from tests.world import PHONES, STORE_KEY, World, team

BASE_URL = "https://tocsin.example.org"


@dataclass
class Line:
    """The reply routes over a world; `whispered` is what single Slack users were told."""

    world: World
    client: FlaskClient
    whispered: list[tuple[str, str]]

    def sms(self, body: str, sender: str) -> TestResponse:
        return self._twilio("/replies/sms", twilio.incoming_text(body, sender=sender))

    def key(self, key: str, page: Page, phone: str) -> TestResponse:
        path = f"/replies/voice?page={page.id}&incident={page.incident_id}"
        return self._twilio(path, twilio.pressed_key(key, phone=phone))

    def _twilio(self, path: str, form: dict[str, str], *, signature: str = "") -> TestResponse:
        signed = signature or twilio.signature(BASE_URL + path, form)
        return self.client.post(path, data=form, headers={"X-Twilio-Signature": signed})

    def press(self, verb: str, number: int, user: str, secret: str = slack.SIGNING_SECRET) -> TestResponse:
        action = {"action_id": f"tocsin.{verb}", "value": str(number), "type": "button"}
        payload = slack.pressed_payload(action, user=user)
        request = slack.signed({"payload": json.dumps(payload)}, self.world.now, secret)
        return self.client.post("/replies/slack", data=request.body, headers=request.headers)


@pytest.fixture
def line(database: Database) -> Iterator[Line]:
    world = World(database, config=team(ana_by="[{after: 0s, by: sms}, {after: 1m, by: voice}]"))
    whispered: list[tuple[str, str]] = []
    app: Flask = Edge(database, base_url=BASE_URL).app
    edge = ReplyEdge(
        database,
        world.desk,
        lambda: world.now,
        lambda: None,
        slack_signing_secret=slack.SIGNING_SECRET,
        twilio_auth_token=twilio.AUTH_TOKEN,
        whisper=lambda channel, user, text: whispered.append((user, text)),
    )
    app.register_blueprint(reply_routes.blueprint(edge))
    yield Line(world, app.test_client(), whispered)


def said(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(ElementTree.fromstring(answer.text).itertext())


def test_ack_and_the_number_by_sms_acknowledges(line: Line) -> None:
    number = line.world.alert()
    assert "Acknowledged" in said(line.sms(f"ack {number}", PHONES["ana"]))
    assert line.world.incident(number).acknowledged_by == "Ana Lima"


def test_ack_alone_takes_the_newest_page(line: Line) -> None:
    line.world.alert("Observer API down", dedup_key="a")
    line.world.now += line.world.now.resolution
    newest = line.world.alert("Primary database unreachable", dedup_key="b")
    said(line.sms("ACK", PHONES["ana"]))
    assert line.world.incident(newest).status == "acknowledged"


def test_a_second_answer_is_told_who_was_first(line: Line) -> None:
    number = line.world.alert()
    line.sms(f"ack {number}", PHONES["ana"])
    assert "Ana Lima" in said(line.sms(f"ack {number}", PHONES["bo"]))


def test_a_stranger_has_no_power_and_is_told(line: Line) -> None:
    number = line.world.alert()
    assert "does not know this sender" in said(line.sms(f"ack {number}", "+15005559999"))
    assert line.world.incident(number).status == "open"


def test_a_forged_text_is_refused_and_does_nothing(line: Line) -> None:
    number = line.world.alert()
    form = twilio.incoming_text(f"ack {number}", sender=PHONES["ana"])
    assert line._twilio("/replies/sms", form, signature="forged").status_code == 401
    assert line.world.incident(number).status == "open"


def test_1_on_the_telephone_acknowledges(line: Line) -> None:
    number = line.world.alert()
    line.world.fast_forward(minutes=1)
    call = next(page for page in line.world.pages(number) if page.channel == "voice")
    said(line.key("1", call, PHONES["ana"]))
    assert line.world.incident(number).status == "acknowledged"


def test_the_star_key_says_the_page_again(line: Line) -> None:
    number = line.world.alert()
    line.world.fast_forward(minutes=1)
    call = next(page for page in line.world.pages(number) if page.channel == "voice")
    again = said(line.key("*", call, PHONES["ana"]))
    assert "Observer API down" in again
    assert "Press 1 to acknowledge" in again
    assert line.world.incident(number).status == "open"


def test_a_press_in_slack_acknowledges_as_whoever_pressed(line: Line) -> None:
    number = line.world.alert()
    assert line.press("acknowledge", number, "U0BO").status_code == 200
    assert line.world.incident(number).acknowledged_by == "Bo Chen"
    assert not line.whispered, "the message itself shows it"


def test_an_unknown_slack_user_is_refused_politely(line: Line) -> None:
    number = line.world.alert()
    assert line.press("acknowledge", number, "U0NOBODY").status_code == 200
    assert line.world.incident(number).status == "open"
    assert line.whispered
    assert line.whispered[0][0] == "U0NOBODY"


def test_resolve_in_slack_asks_for_approval_when_it_is_constitutional(line: Line) -> None:
    number = line.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    assert line.press("resolve", number, "U0ANA").status_code == 200
    assert line.world.incident(number).status == "open"
    assert "approval" in line.whispered[0][1]


def test_a_slack_request_signed_with_another_secret_is_refused(line: Line) -> None:
    number = line.world.alert()
    assert line.press("acknowledge", number, "U0ANA", secret="another").status_code == 401
    assert line.world.incident(number).status == "open"
