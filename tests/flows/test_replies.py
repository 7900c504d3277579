"""People answer by SMS and on the telephone, through the real routes with real signatures."""

from __future__ import annotations

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
from tests.fakes import twilio
from tests.world import PHONES, World, team

BASE_URL = "https://tocsin.example.org"


@dataclass
class Line:
    """Twilio's reply routes over a world."""

    world: World
    client: FlaskClient

    def sms(self, body: str, sender: str) -> TestResponse:
        return self._twilio("/replies/sms", twilio.incoming_text(body, sender=sender))

    def key(self, key: str, page: Page, phone: str) -> TestResponse:
        path = f"/replies/voice?page={page.id}&incident={page.incident_id}"
        return self._twilio(path, twilio.pressed_key(key, phone=phone))

    def _twilio(self, path: str, form: dict[str, str], *, signature: str = "") -> TestResponse:
        signed = signature or twilio.signature(BASE_URL + path, form)
        return self.client.post(path, data=form, headers={"X-Twilio-Signature": signed})


@pytest.fixture
def line(database: Database) -> Iterator[Line]:
    world = World(database, config=team(ana_by="[{after: 0s, by: sms}, {after: 1m, by: voice}]"))
    app: Flask = Edge(database, base_url=BASE_URL).app
    edge = ReplyEdge(
        database,
        world.desk,
        lambda: world.now,
        lambda: None,
        twilio_auth_token=twilio.AUTH_TOKEN,
    )
    app.register_blueprint(reply_routes.blueprint(edge))
    yield Line(world, app.test_client())


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
