"""Socket Mode, with slack-sdk's own client against a WebSocket server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from config.database import Database
from incidents.slack.socket_mode import Line
from tests import slack_room
from tests.fakes import slack
from tests.fakes.providers import FakeProviders
from tests.fakes.slack_socket import FakeSocket
from tests.slack_room import ANA, Room
from tests.world import team


@pytest.fixture
def far_end() -> Iterator[FakeSocket]:
    made = FakeSocket()
    yield made
    made.close()


@pytest.fixture
def room(sqlite_database: Database, far_end: FakeSocket) -> Iterator[Room]:
    with FakeProviders() as providers:
        providers.slack.socket_url = far_end.url
        made = slack_room.open_room(sqlite_database, providers, team())
        line = Line(
            made.corridor, slack.APP_TOKEN, lambda: made.world.now, api_url=providers.slack_api_url, ping_seconds=0.1
        )
        with line:
            assert far_end.open.wait(5)
            yield made
            far_end.close()  # otherwise the SDK waits three seconds for it to say something


def test_a_command_and_a_press_come_over_the_line_and_a_redelivery_is_found_done(
    room: Room, far_end: FakeSocket
) -> None:
    number = room.world.alert()
    typed = {"command": "/incident", "text": f"note {number} hello", "user_id": ANA, "trigger_id": "T1.s"}
    for again in (False, True):
        far_end.bring("slash_commands", typed, envelope="e1", again=again)
        answer = far_end.answers.get(timeout=5)
        assert (answer["envelope_id"], answer["payload"]["text"]) == ("e1", "Noted.")
    assert room.world.kinds(number).count("note.added") == 1

    action = {"action_id": "tocsin.acknowledge", "value": str(number), "type": "button"}
    far_end.bring("interactive", slack.pressed_payload(action, user=ANA), envelope="e2")
    assert far_end.answers.get(timeout=5)["envelope_id"] == "e2"
    assert room.world.incident(number).acknowledged_by == "Ana Lima"


def test_what_cannot_be_read_is_answered_and_does_nothing(room: Room, far_end: FakeSocket) -> None:
    number = room.world.alert()
    for kind, payload in (("interactive", {}), ("events_api", {"event": {}}), ("slash_commands", {"text": "ack 1"})):
        far_end.bring(kind, payload, envelope=kind)
        assert far_end.answers.get(timeout=5)["envelope_id"] == kind
    assert room.world.incident(number).status == "open"


def test_a_line_that_breaks_or_is_to_be_changed_is_opened_again(room: Room, far_end: FakeSocket) -> None:
    number = room.world.alert()
    for envelope, end in (("e1", far_end.ask_to_reconnect), ("e2", far_end.hang_up)):
        end()
        assert far_end.open.wait(10), end.__name__
        typed = {"command": "/incident", "text": f"show {number}", "user_id": ANA, "trigger_id": f"T{envelope}.s"}
        far_end.bring("slash_commands", typed, envelope=envelope)
        assert far_end.answers.get(timeout=5)["envelope_id"] == envelope


def test_a_line_that_slack_does_not_open_is_tried_again(
    sqlite_database: Database, far_end: FakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.slack.socket_mode.AGAIN_AFTER_SECONDS", (0.01,))
    with FakeProviders() as providers:
        room = slack_room.open_room(sqlite_database, providers, team())
        refused = threading.Event()
        line = Line(
            room.corridor, slack.APP_TOKEN, lambda: room.world.now, api_url=providers.slack_api_url, ping_seconds=0.1
        )
        open_connection = providers.slack.answer

        def answer(method: str, arguments: dict[str, object], token: str) -> dict[str, object]:
            found = open_connection(method, arguments, token)
            refused.set()
            return found

        providers.slack.answer = answer  # type: ignore[method-assign]  # to know when it was first refused
        with line:
            assert refused.wait(5)
            providers.slack.socket_url = far_end.url
            assert far_end.open.wait(5)
