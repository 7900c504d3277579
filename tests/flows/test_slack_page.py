"""The page that tells administrators whether Slack works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.database import Database
from config.settings import Settings
from incidents.slack import pages as slack_pages
from tests import pages, slack_room
from tests.fakes.providers import FakeProviders
from tests.pages import Pages
from tests.slack_room import ANA, Room
from tests.world import team

TEAM = (
    team()
    .replace("roles: [responder], slack: U0ANA", "roles: [admin], slack: U0ANA")
    .replace("roles: [manager], phone", "roles: [admin], phone")
)


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as made:
        yield made


@pytest.fixture
def room(sqlite_database: Database, providers: FakeProviders) -> Room:
    return slack_room.open_room(sqlite_database, providers, TEAM)


@pytest.fixture
def opened(room: Room) -> Pages:
    made = Pages(room.world)
    settings = Settings(base_url="https://tocsin.example.org", slack_signing_secret="s")
    made.app.register_blueprint(
        slack_pages.blueprint(room.world.database, settings, slack_room.channel(room.providers), lambda: room.world.now)
    )
    return made


def test_it_tells_what_works_and_a_test_message_proves_the_way_back(opened: Pages, room: Room) -> None:
    browser = opened.by("ana")
    shown = pages.words(browser.get("/slack"))
    assert "It is tocsin in the workspace Example." in shown
    assert "Buttons and commands: not known yet" in shown
    assert "request_url: https://tocsin.example.org/replies/slack" in shown

    assert browser.post("/slack/test").status_code == 303
    (post,) = room.providers.posts(ANA)
    assert post.buttons == ["It works"]
    room.act({"action_id": "tocsin.heard", "value": "0", "type": "button"})
    assert room.told == ["Tocsin heard you: this way works."]
    assert "Buttons and commands: works" in pages.words(browser.get("/slack"))


def test_a_missing_scope_and_a_wrong_token_are_said_with_what_to_do(opened: Pages, room: Room) -> None:
    room.providers.slack.scopes = "commands"
    assert "Missing: chat:write (to post and edit messages)." in pages.words(opened.by("ana").get("/slack"))
    room.providers.slack.tokens.clear()
    shown = pages.words(opened.by("ana").get("/slack"))
    assert "Bot token: does not work" in shown
    assert "Copy it again" in shown


def test_whose_member_id_is_not_known_is_told_where_it_stands(opened: Pages) -> None:
    assert "Copy member ID" in pages.words(opened.by("mia").get("/slack"))


def test_it_is_for_administrators(opened: Pages) -> None:
    assert opened.by("bo").get("/slack").status_code == 403
    assert opened.by("bo").post("/slack/test").status_code == 403
