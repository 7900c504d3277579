"""`/incident …`, and what is answered when the database takes its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from config.database import Database
from incidents.slack import corridor
from tests import slack_room
from tests.fakes.providers import FakeProviders
from tests.slack_room import ANA, BO, OLA, Room
from tests.world import STORE_KEY, team, unwell

TEAM = team().replace("  mia:", "  ola: {name: Ola Nord, roles: [observer], slack: U0OLA}\n  mia:")


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as made:
        yield made


@pytest.fixture
def room(sqlite_database: Database, providers: FakeProviders) -> Room:
    return slack_room.open_room(sqlite_database, providers, TEAM)


def test_words_that_it_does_not_know_and_none_at_all_get_help(room: Room) -> None:
    assert room.command("").startswith("What you can type:")
    assert room.command("frobnicate 42").startswith("There is no “frobnicate”. Nothing was done.")
    assert "/incident who: who is on call now" in room.command("help")


def test_list_says_what_is_open_the_worst_first(room: Room) -> None:
    assert room.command("list") == "No incident is open."
    first = room.world.alert()
    second = room.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="b")
    assert room.command("list").startswith(f"2 open: {second} CRITICAL Hash chain broken")
    assert f"{first} HIGH" in room.command("list")


def test_show_and_a_bare_number_only_show(room: Room) -> None:
    number = room.world.alert()
    assert room.command(f"{number}") == room.command(f"show {number}")
    assert "Observer API down" in room.command(f"#{number}")
    assert room.world.incident(number).status == "open"
    assert room.command("show 99") == "There is no incident 99. Nothing was done. Reply LIST to see what is open."


def test_each_verb_is_done_as_whoever_typed_it(room: Room) -> None:
    number = room.world.alert()
    assert room.command(f"escalate {number}") == f"Escalated: level 2 of {number} is being paged now."
    assert room.command(f"note {number} replicas look fine", user=BO) == "Noted."
    assert room.command(f"ack {number}", user=BO) == f"Acknowledged: {number} is yours. Paging has stopped."
    assert room.command(f"resolve {number} restarted it") == f"Resolved: {number} is closed for paging."
    assert room.world.incident(number).resolution == "restarted it"
    kinds = room.world.kinds(number)
    assert {"escalation.hastened", "note.added", "incident.acknowledged", "incident.resolved"} <= set(kinds)


def test_resolving_without_a_reason_asks_for_it(room: Room) -> None:
    number = room.world.alert()
    assert room.command(f"resolve {number}") == ""
    assert "What ended it?" in room.modal
    assert room.world.incident(number).status == "open"


def test_two_numbers_are_not_taken_for_one(room: Room) -> None:
    number = room.world.alert()
    assert "One incident at a time" in room.command(f"ack {number} 43")
    assert "Say which incident" in room.command("escalate soon")
    assert room.world.incident(number).status == "open"


def test_who_says_who_is_on_call_on_every_schedule(room: Room) -> None:
    assert room.command("who") == "primary: Ana Lima\nsecondary: Bo Chen"


def test_open_makes_an_incident_and_alone_gives_a_form_for_it(room: Room) -> None:
    assert room.command("open checkout payments time out").startswith("1 is open: https://tocsin.example.org/")
    room.command("open payments time out again")
    assert "Open an incident" in room.modal
    view = room._newest()[1]
    assert view["blocks"][1]["element"]["initial_value"] == "payments time out again"
    assert "service" in room.send({"title": "x"})["errors"]
    room.send({"service": "checkout", "title": "Cards are declined", "severity": "CRITICAL"})
    assert room.world.incident(2).severity == "CRITICAL"


def test_who_may_only_look_lists_and_shows_and_does_nothing(room: Room) -> None:
    number = room.world.alert()
    assert room.command("list", user=OLA).startswith("1 open")
    for typed in (f"ack {number}", f"resolve {number} x", f"escalate {number}", f"note {number} x", "open checkout x"):
        assert "may not" in room.command(typed, user=OLA), typed
    assert room.world.incident(number).status == "open"


def test_a_stranger_is_told_nothing(room: Room) -> None:
    room.world.alert()
    for typed in ("list", "who", "show 1", "ack 1"):
        assert "does not know this sender" in room.command(typed, user="U0NOBODY")


# In three seconds, whatever the database does


class Slow:
    """What the database does takes until the end of the test once it `begins`; until then everything is done at once."""

    def __init__(self) -> None:
        self._begun = False
        self._end = threading.Event()
        self._work, self._calls = ThreadPoolExecutor(2), ThreadPoolExecutor(2)

    def work(self, call: Callable[[], Any]) -> Future[Any]:
        if not self._begun:
            return slack_room.at_once(call)
        return self._work.submit(lambda: self._end.wait(10) and call())

    def calls(self, call: Callable[[], Any]) -> Future[Any]:
        return self._calls.submit(call) if self._begun else slack_room.at_once(call)

    def begin(self) -> None:
        self._begun = True

    def end(self) -> None:
        self._end.set()
        self._work.shutdown()
        self._calls.shutdown()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    monkeypatch.setattr(corridor, "ANSWER_WITHIN_SECONDS", 0.02)
    monkeypatch.setattr(corridor, "OPEN_WITHIN_SECONDS", 0.02)
    return Slow()


@pytest.fixture
def slow_room(sqlite_database: Database, providers: FakeProviders, slow: Slow) -> Room:
    return slack_room.open_room(sqlite_database, providers, TEAM, work=slow.work, calls=slow.calls)


def test_a_command_that_takes_long_is_answered_that_it_is_under_way_and_then_in_full(
    slow_room: Room, slow: Slow
) -> None:
    number = slow_room.world.alert()
    slow.begin()
    answer = slow_room._post(
        slack_room.slack.signed(
            {
                "command": "/incident",
                "text": f"ack {number}",
                "user_id": ANA,
                "channel_id": "C0",
                "trigger_id": "T1.slow",
                "response_url": slow_room.providers.response_url,
            },
            slow_room.world.now,
        )
    )
    assert answer.get_json()["text"] == "Tocsin is at it. What comes of it follows here."
    slow.end()
    assert slow_room.told == [f"Acknowledged: {number} is yours. Paging has stopped."]
    assert slow_room.world.incident(number).status == "acknowledged"


def test_a_modal_whose_contents_are_late_is_opened_at_once_and_filled_later(slow_room: Room, slow: Slow) -> None:
    number = slow_room.world.alert()
    slow.begin()
    slow_room.press("More…", number)
    slow.end()
    assert len(slow_room.providers.slack.views) == 1
    assert "Last on the timeline" in slow_room.modal
    methods = [request.path for request in slow_room.providers.requests]
    assert methods == ["/api/views.open", "/api/views.update"]


def test_a_form_that_takes_long_says_so_and_then_what_came_of_it(slow_room: Room, slow: Slow) -> None:
    number = slow_room.world.alert()
    slow_room.press("More…", number)
    slow_room.choose("tocsin.form.note")
    view_id = slow_room._newest()[0]
    sent = slow_room.form({"text": "replicas look fine"})
    slow.begin()
    assert "Tocsin is at it" in slow_room.sent(sent, view_id)["view"]["blocks"][0]["text"]["text"]
    slow.end()
    assert "Noted." in slow_room.modal


# Asked to wait


def test_a_living_message_that_must_wait_is_shown_then_however_often_and_pages_go_on(room: Room) -> None:
    world = room.world
    slack = world.channels["slack"]
    slack.faults = [unwell(30.0) for _ in range(8)]
    number = world.alert()
    assert [page.to for page in world.sent("sms")] == ["+15005550101"]
    world.fast_forward(minutes=3, seconds=59)
    assert world.sent("slack") == []
    world.fast_forward(seconds=2)
    assert [shown.to for shown in world.sent("slack")] == ["#incidents"]
    assert "announcement.failed" not in world.kinds(number)
