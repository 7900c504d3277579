"""Links in letters that act: they ask first, act once, for a day, as the person the letter went to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.database import Database
from escalation import responders
from escalation.channels import email_text
from escalation.channels.action_links import NONE, Links
from escalation.channels.base import Message, Purpose
from incidents import act_routes
from incidents.act_routes import ActEdge
from incidents.severity import Severity
from tests.edge import Edge
from tests.messages import NOW, announcement, notice, page
from tests.world import World, team

BASE_URL = "https://tocsin.example.org"
LINKS = Links(BASE_URL, "s" * 32)


@dataclass
class Desk:
    world: World
    client: FlaskClient

    def letter(self) -> Message:
        return self.world.sent("email")[-1].message

    def path(self, *, escalate: bool = False) -> str:
        actions = LINKS.actions(self.letter(), self.world.now)
        return (actions.escalate if escalate else actions.acknowledge).removeprefix(BASE_URL)

    def words(self, answer: TestResponse) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2]))

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return self.words(answer)

    def press(self, path: str, status: int = 200) -> str:
        answer = self.client.post(path, follow_redirects=True)
        self.world.run()
        assert answer.status_code == status, answer.text
        return self.words(answer)


@pytest.fixture
def desk(sqlite_database: Database) -> Iterator[Desk]:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: email}]"))
    app = Edge(sqlite_database, base_url=BASE_URL).app
    edge = ActEdge(sqlite_database, world.desk, lambda: world.now, lambda: None, LINKS)
    app.register_blueprint(act_routes.blueprint(edge))
    yield Desk(world, app.test_client())


def test_opening_the_link_does_nothing_and_its_button_acknowledges(desk: Desk) -> None:
    number = desk.world.alert()
    path = desk.path()
    for _ in range(3):  # a mail scanner, a preview, and the person
        said = desk.get(path)
    assert f"Acknowledge incident {number}" in said
    assert "You do this as Ana Lima. Nothing has been done yet." in said
    assert desk.world.incident(number).status == "open"
    assert f"Acknowledged: {number} is yours." in desk.press(path)
    assert desk.world.incident(number).acknowledged_by == "Ana Lima"


def test_the_link_works_once(desk: Desk) -> None:
    number = desk.world.alert()
    path = desk.path()
    desk.press(path)
    entries = len(desk.world.timeline(number))
    assert "It works once." in desk.press(path)
    assert len(desk.world.timeline(number)) == entries


def test_who_comes_second_is_told_who_was_first(desk: Desk) -> None:
    number = desk.world.alert()
    path = desk.path()
    desk.world.acknowledge(number, "bo")
    said = desk.get(path)
    assert f"{number} is already acknowledged by Bo Chen at 10:00 UTC." in said
    assert "Nothing has been done" not in said
    assert "already acknowledged by Bo Chen" in desk.press(path)


def test_a_link_of_yesterday_does_nothing(desk: Desk) -> None:
    number = desk.world.alert()
    path = desk.path()
    desk.world.now += timedelta(hours=24)
    assert "that is over" in desk.get(path, 410)
    assert desk.client.post(path).status_code == 410
    assert desk.world.incident(number).status == "open"


def test_a_forged_link_is_not_ours(desk: Desk) -> None:
    number = desk.world.alert()
    verb, page_id, incident, expires, mac = desk.path().removeprefix("/act/").split(".")
    other_secret = Links(BASE_URL, "t" * 32).actions(desk.letter(), desk.world.now).acknowledge.rpartition("/")[2]
    for forged in (
        f"{verb}.{page_id}.{int(incident) + 1}.{expires}.{mac}",
        f"{verb}.{int(page_id) + 1}.{incident}.{expires}.{mac}",
        f"e.{page_id}.{incident}.{expires}.{mac}",
        f"{verb}.{page_id}.{incident}.{int(expires) + 1}.{mac}",
        f"{verb}.{page_id}.{incident}.{expires}.{'A' * 22}",
        other_secret,
        "x\u0000é",
    ):
        assert desk.client.get(f"/act/{forged}").status_code == 404
        assert desk.client.post(f"/act/{forged}").status_code == 404
    assert desk.world.incident(number).status == "open"


def test_somebody_who_has_left_can_do_nothing(desk: Desk) -> None:
    desk.world.alert()
    path = desk.path()
    with desk.world.database.transaction() as session:
        person = responders.by_key(session, "ana")
        assert person is not None
        person.active = False
    assert desk.client.post(path).status_code == 404


def test_escalating_by_link_fires_the_next_level_once(desk: Desk) -> None:
    number = desk.world.alert()
    path = desk.path(escalate=True)
    assert f"Escalate incident {number} now" in desk.get(path)
    assert f"level 2 of {number}" in desk.press(path)
    desk.press(path)
    assert len(desk.world.sent("sms")) == 1
    desk.world.acknowledge(number)
    assert desk.client.get(path).status_code == 200


def test_the_link_of_a_message_about_many_takes_what_it_told_of(desk: Desk) -> None:
    for n in range(5):
        desk.world.alert(f"Region {n} does not answer", dedup_key=str(n), hint=Severity.HIGH, run=False)
    desk.world.run()
    letter = desk.letter()
    assert len(letter.others) == 4
    assert "Acknowledged 5, they are yours" in desk.press(desk.path())
    assert {desk.world.incident(n).status for n in range(1, 6)} == {"acknowledged"}


def test_a_letter_carries_its_links_in_both_parts() -> None:
    actions = LINKS.actions(page(), NOW)
    for part in (email_text.plain(page(), actions), email_text.rich(page(), actions)):
        assert actions.acknowledge in part
        assert actions.escalate in part
        assert "/incidents/42" in part


def test_what_asks_nothing_carries_no_link_that_acts() -> None:
    assert [LINKS.actions(message, NOW) for message in (announcement(), notice())] == [NONE, NONE]
    assert page().purpose is Purpose.PAGE


def test_a_link_that_was_used_tells_what_has_become_of_it_since(desk: Desk) -> None:
    number = desk.world.alert("Observer API down: " + "T" * 400)
    path = desk.path()
    said = desk.press(path)
    assert "checkout, opened at 10:00 UTC" in said
    assert "T" * 161 not in said, "the button stays in sight"
    assert "It works once. Open incident" in said
    desk.world.resolve(number)
    assert f"It works once. {number} is already resolved by Ana Lima" in desk.get(path)


def test_a_link_that_is_over_tells_who_has_it(desk: Desk) -> None:
    number = desk.world.alert()
    path = desk.path()
    desk.world.acknowledge(number, "bo")
    desk.world.now += timedelta(hours=24)
    said = desk.get(path, 410)
    assert f"that is over. {number} is already acknowledged by Bo Chen" in said
    assert "Nothing was done. Open" not in said
