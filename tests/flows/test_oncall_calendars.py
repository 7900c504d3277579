"""A calendar that somebody else keeps, as a rotation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from config.database import Database
from escalation.channels.base import ChannelError
from escalation.models import Timer
from escalation.oncall import fetching
from escalation.oncall.models import CalendarCopy
from tests.fakes.loopback import Answer, LoopbackServer, Request
from tests.flows.test_oncall_changes import CONFIG, on_call, told
from tests.world import World


class CalendarServer:
    """Serves `text` with its ETag, as calendar servers do; `asked` are the requests."""

    def __init__(self) -> None:
        self.text = ics("Ana Lima")
        self.status = 200
        self.location = ""
        self.asked: list[Request] = []
        self.server = LoopbackServer(self.answer)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        etag = f'"{hash(self.text)}"'
        if self.location and request.path != "/elsewhere":
            return Answer(302, b"", {"Location": self.location})
        if self.status == 200 and request.headers.get("if-none-match") == etag:
            return Answer(304, b"", {"ETag": etag})
        return Answer(self.status, self.text.encode(), {"ETag": etag, "Content-Type": "text/calendar"})


def ics(*summaries: str, day: int = 16) -> str:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{who}\r\n"
        f"DTSTART:202611{day + n}T000000Z\r\nDTEND:202611{day + n + 1}T000000Z\r\nEND:VEVENT\r\n"
        for n, who in enumerate(summaries)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n"


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    made = CalendarServer()
    yield made
    made.server.close()


@pytest.fixture
def world(sqlite_database: Database, server: CalendarServer) -> World:
    rotation = json.dumps({"calendar": f"{server.server.url}/oncall.ics"})
    members = '{members: [ana, bo], starts: "2026-11-16T09:00", turn: 1w}'
    made = World(sqlite_database, config=CONFIG.replace(members, rotation).replace("[manager]", "[manager, admin]"))
    made.run()
    return made


def copy(world: World) -> CalendarCopy:
    with world.database.reading() as session:
        return session.scalars(select(CalendarCopy)).one()


def test_whoever_the_calendar_names_is_on_call_and_it_is_read_again_every_15_minutes(
    world: World, server: CalendarServer
) -> None:
    assert on_call(world, 0) == ["ana"]
    server.text = ics("Ana Lima", "On call: bo@example.org", "Cy Roe")
    world.fast_forward(minutes=14)
    assert len(server.asked) == 1
    world.fast_forward(minutes=1)
    assert (on_call(world, 20), on_call(world, 40)) == ([], ["cy"])
    assert copy(world).findings == ["“On call: bo@example.org” names no responder by key, e-mail or name."]
    assert any("You are now on call: Wed 18 Nov 00:00 to Thu 19 Nov 00:00" in note for note in told(world, "U0CY"))


def test_what_has_not_changed_is_not_sent_again(world: World, server: CalendarServer) -> None:
    world.fast_forward(minutes=15)
    assert "if-none-match" in server.asked[1].headers
    assert on_call(world, 0) == ["ana"]
    world.now += timedelta(hours=13)
    world.run()  # all of it again, so that the copy reaches far enough
    assert [each.headers.get("if-none-match") is None for each in server.asked].count(True) == 2


def test_the_last_copy_stays_in_force_and_administrators_are_told_once_a_day(
    world: World, server: CalendarServer
) -> None:
    server.status = 500
    world.fast_forward(hours=1)
    assert on_call(world, 4) == ["ana"]
    assert copy(world).error == "Its server answered 500."
    notes = [note for note in told(world, "U0MIA") if "cannot be read" in note]
    assert len(notes) == 1 and "the copy of 2026-11-16 10:00 UTC stays in force" in notes[0]
    server.status, server.text = 200, "<html>sign in</html>"
    world.fast_forward(minutes=15)
    assert "not a calendar" in copy(world).error
    server.text = ics("Ana Lima")
    world.fast_forward(minutes=15)
    assert copy(world).error == ""


def test_a_calendar_that_no_schedule_names_is_forgotten(world: World, server: CalendarServer) -> None:
    world.apply(CONFIG)
    world.fast_forward(minutes=15)
    with world.database.reading() as session:
        assert session.scalars(select(CalendarCopy)).all() == []
        assert session.scalars(select(Timer).where(Timer.kind == "calendar")).all() == []


def test_a_calendar_leads_on_within_its_host_and_not_into_a_private_network(server: CalendarServer) -> None:
    url = f"{server.server.url}/oncall.ics"
    server.location = "/elsewhere"
    assert fetching.fetch(url, {}).text == server.text.encode()
    port = server.server.url.rpartition(":")[2]
    for location, says in (
        (f"http://localhost:{port}/elsewhere", "private network"),
        ("http://[::1]/", "private network"),
        ("http://169.254.169.254/latest/meta-data", "private network"),
        ("file:///etc/passwd", "no web address"),
        ("/again", "more than 3 times"),
    ):
        server.location = location
        with pytest.raises(ChannelError, match=says):
            fetching.fetch(url, {})


def test_what_is_too_large_is_not_taken(server: CalendarServer) -> None:
    server.text = "x" * (fetching.BYTES_MAX + 1)
    with pytest.raises(ChannelError, match="larger than 2 MB"):
        fetching.fetch(server.server.url, {})
    with pytest.raises(ChannelError, match="could not be reached"):
        fetching.fetch("http://127.0.0.1:1/", {})
