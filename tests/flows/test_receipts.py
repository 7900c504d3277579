"""Twilio reports what became of messages, through the real routes with real signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from config.database import Database
from escalation.models import Page
from incidents import reply_routes
from incidents.reply_routes import ReplyEdge
from incidents.severity import Severity
from tests.edge import Edge
from tests.fakes import twilio
from tests.world import PHONES, World, refused, team

BASE_URL = "https://tocsin.example.org"


@dataclass
class Line:
    world: World
    client: FlaskClient

    def report(self, page: Page, status: str, code: str = "", *, sid: str = "", signature: str = "") -> int:
        channel = page.channel
        named = sid or page.provider_id
        form = twilio.text_status(named, status, code) if channel == "sms" else twilio.call_status(named, status)
        path = f"/replies/{channel}/status?page={page.id}"
        signed = signature or twilio.signature(BASE_URL + path, form)
        answer = self.client.post(path, data=form, headers={"X-Twilio-Signature": signed})
        self.world.run()
        return answer.status_code

    def page(self, number: int) -> Page:
        return self.world.pages(number)[0]


@pytest.fixture
def line(sqlite_database: Database) -> Iterator[Line]:
    yield _line(sqlite_database)


def _line(database: Database) -> Line:
    world = World(database, config=team(ana_by="[{after: 0s, by: sms}, {after: 10m, by: voice}]"))
    app = Edge(database, base_url=BASE_URL).app
    edge = ReplyEdge(database, world.desk, lambda: world.now, lambda: None, twilio_auth_token=twilio.AUTH_TOKEN)
    app.register_blueprint(reply_routes.blueprint(edge))
    return Line(world, app.test_client())


def _storm(world: World) -> list[int]:
    return [
        world.alert(f"Region {n} does not answer", dedup_key=str(n), hint=Severity.HIGH, run=False) for n in range(6)
    ]


def _states(world: World, number: int) -> list[tuple[str, str]]:
    return [(page.channel, page.state) for page in world.pages(number)]


def test_a_delivered_page_is_recorded_and_acknowledges_nothing(database: Database) -> None:
    line = _line(database)
    number = line.world.alert()
    assert line.report(line.page(number), "sent") == 204
    assert line.page(number).state == "sent"
    assert line.report(line.page(number), "delivered") == 204
    page = line.page(number)
    assert (page.state, page.delivered_at) == ("delivered", line.world.now)
    assert line.world.incident(number).status == "open"
    assert line.world.attempts(number)[0].outcome == "delivered"
    assert "page.delivered" in line.world.kinds(number)


def test_an_undelivered_text_message_brings_the_call_forward_at_once(database: Database) -> None:
    line = _line(database)
    number = line.world.alert()
    assert not line.world.sent("voice")
    line.report(line.page(number), "undelivered", "30003")
    assert [sent.to for sent in line.world.sent("voice")] == [PHONES["ana"]]
    assert _states(line.world, number) == [("sms", "failed"), ("voice", "sent")]
    attempt = line.world.attempts(number)[0]
    assert (attempt.outcome, attempt.code) == ("undelivered", "30003")
    [told] = [entry.text for entry in line.world.timeline(number) if entry.kind == "page.failed"]
    assert told == "The page to Ana Lima by SMS did not arrive: the telephone is switched off or out of reach (30003)."


def test_when_nothing_of_a_level_arrived_the_next_level_is_paged_at_once(line: Line) -> None:
    line.world.channels["slack"].faults = [refused()] * 9
    line.world.channels["email"].faults = [refused()] * 9
    number = line.world.alert()
    line.report(line.page(number), "undelivered", "30005")
    call = next(page for page in line.world.pages(number) if page.channel == "voice")
    line.report(call, "no-answer")
    assert [sent.to for sent in line.world.sent("sms")] == [PHONES["ana"], PHONES["bo"]]


def test_nothing_goes_back_after_the_end(line: Line) -> None:
    number = line.world.alert()
    line.report(line.page(number), "delivered")
    entries = len(line.world.timeline(number))
    for late in ("sent", "queued", "undelivered", "failed", "delivered"):
        line.report(line.page(number), late)
    assert line.page(number).state == "delivered"
    assert len(line.world.timeline(number)) == entries
    assert not line.world.sent("voice")


def test_a_repeated_failure_falls_back_once(line: Line) -> None:
    number = line.world.alert()
    for status in ("undelivered", "undelivered", "delivered"):
        line.report(line.page(number), status, "30003")
    assert _states(line.world, number) == [("sms", "failed"), ("voice", "sent")]


def test_a_failure_after_the_acknowledgement_wakes_nobody(line: Line) -> None:
    number = line.world.alert()
    line.world.acknowledge(number)
    line.report(line.page(number), "undelivered", "30003")
    assert line.page(number).state == "failed"
    assert not line.world.sent("voice")


def test_a_message_that_nobody_knows_changes_nothing(line: Line) -> None:
    number = line.world.alert()
    entries = len(line.world.timeline(number))
    assert line.report(line.page(number), "undelivered", "30003", sid="SM" + "9" * 32) == 204
    assert line.page(number).state == "sent"
    assert len(line.world.timeline(number)) == entries


def test_a_forged_receipt_is_refused(line: Line) -> None:
    number = line.world.alert()
    assert line.report(line.page(number), "undelivered", signature="Zm9yZ2Vk") == 401
    assert line.page(number).state == "sent"


def test_a_receipt_that_overtakes_the_record_of_its_message_counts(line: Line) -> None:
    """Twilio reports within milliseconds; the transaction that writes the SID down may be slower."""
    world = line.world
    world.channels["sms"].on_sent = lambda to, message: _early(line, message.page_id or 0)
    number = world.alert()
    assert _states(world, number) == [("sms", "failed"), ("voice", "sent")]
    assert world.attempts(number)[0].code == "30005"


def _early(line: Line, page_id: int) -> None:
    line.world.channels["sms"].on_sent = None
    path = f"/replies/sms/status?page={page_id}"
    form = twilio.text_status(f"sms{len(line.world.deliveries)}", "undelivered", "30005")
    signed = twilio.signature(BASE_URL + path, form)
    assert line.client.post(path, data=form, headers={"X-Twilio-Signature": signed}).status_code == 204


def test_the_receipt_of_one_message_counts_for_all_that_it_told_of(line: Line) -> None:
    world = line.world
    numbers = _storm(world)
    world.run()
    world.fast_forward(seconds=25)
    pages = {page.id: page for number in numbers for page in world.pages(number)}
    told = [page for page in pages.values() if page.carrier_id]
    assert told, "nothing was bundled"
    carrier = pages[told[0].carrier_id or 0]
    for report, state in (("delivered", "bundled"), ("undelivered", "bundled")):
        line.report(carrier, report)
        assert {page.state for number in numbers for page in world.pages(number) if page.carrier_id} == {state}
    assert all(page.delivered_at for number in numbers for page in world.pages(number) if page.carrier_id)


def test_a_message_about_many_that_did_not_arrive_fails_for_all_of_them(line: Line) -> None:
    world = line.world
    numbers = _storm(world)
    world.run()
    world.fast_forward(seconds=25)
    told = [page for number in numbers for page in world.pages(number) if page.carrier_id]
    carrier = next(page for number in numbers for page in world.pages(number) if page.id == told[0].carrier_id)
    line.report(carrier, "undelivered", "30003")
    world.fast_forward(minutes=1)
    failed = {page.incident_id for number in numbers for page in world.pages(number) if page.state == "failed"}
    assert failed == {carrier.incident_id, *(page.incident_id for page in told)}
    calls = [sent.message for sent in world.sent("voice")]
    called = {brief.incident_id for message in calls for brief in (message.brief, *message.others)}
    assert called == failed
