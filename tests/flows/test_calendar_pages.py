"""The calendar of who is on call, and changing it in two presses."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from config.database import Database
from tests.pages import Pages, words
from tests.world import MONDAY, World

PRESS = re.compile(r'<a class="chip[^"]*" href="([^"]+)"')


@pytest.fixture
def pages(sqlite_database: Database) -> Pages:
    return Pages(World(sqlite_database))


def presses(page: str, schedule: str) -> list[str]:
    return [html.unescape(path) for path in PRESS.findall(page) if f"schedule={schedule}" in path]


def form(page: str) -> dict[str, str]:
    """The fields of the page's first form with what they hold, as a browser would send them."""
    inner = page.partition('<form class="form"')[2].partition("</form>")[0]
    found = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', inner))
    chosen = re.search(r'<option value="(\w*)" selected', inner)
    return {name: html.unescape(value) for name, value in found.items()} | {"responder": chosen[1] if chosen else ""}


def test_a_month_shows_who_is_on_call_each_day(pages: Pages) -> None:
    read = words(pages.by().get("/oncall/calendar"))
    assert "November 2026" in read
    assert read.count("Ana Lima all day primary") >= 28
    assert "Bo Chen all day secondary" in read


def test_a_week_of_one_schedule_is_shown_in_its_own_zone_or_the_readers(pages: Pages) -> None:
    pages.lives_in("ana", "Asia/Tokyo")
    reader = pages.by()
    own = words(reader.get("/oncall/calendar?view=week&schedule=primary"))
    assert "Times are Asia/Tokyo" in own
    assert "Bo Chen" not in own
    there = words(reader.get("/oncall/calendar?view=week&schedule=primary&zone=schedule"))
    assert "Times are UTC" in there


def test_somebodys_turn_is_taken_over_in_two_presses(pages: Pages) -> None:
    bo = pages.by("bo")
    calendar = bo.get("/oncall/calendar?view=week&schedule=primary").text
    asked = bo.get(presses(calendar, "primary")[0]).text  # the first press: a name in the calendar
    assert "Take over from Ana Lima" in asked
    filled = form(asked)
    assert filled["responder"] == "bo"
    done = bo.post("/oncall/override", data=filled)  # the second: Take over
    assert done.status_code == 303
    pages.world.fast_forward(minutes=1)
    pages.world.alert()
    assert pages.world.sent("sms")[0].message.to_name == "Bo Chen"


def test_a_turn_taken_over_is_taken_whole_although_the_page_shows_only_its_beginning(pages: Pages) -> None:
    bo = pages.by("bo")
    calendar = bo.get("/oncall/calendar?view=week&schedule=primary").text
    filled = form(bo.get(presses(calendar, "primary")[0]).text)
    assert filled["ends"] > (MONDAY + timedelta(days=8)).isoformat()


def test_an_override_is_taken_back_from_the_form(pages: Pages) -> None:
    bo = pages.by("bo")
    first = presses(bo.get("/oncall/calendar?view=week&schedule=primary").text, "primary")[0]
    bo.post("/oncall/override", data=form(bo.get(first).text))
    asked = bo.get(first).text
    assert "Bo Chen takes over from Ana Lima" in words(asked)
    back = re.search(r'action="(/oncall/primary/overrides/\d+/end)"', asked)
    assert back
    manager = pages.by("mia")
    assert manager.post(back[1]).status_code == 303
    pages.world.fast_forward(minutes=1)
    pages.world.alert()
    assert pages.world.sent("sms")[0].message.to_name == "Ana Lima"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ends": "2026-11-17T09:00", "starts": "2026-11-18T09:00"}, "must be after starts_at"),
        ({"starts": "2027-03-28T01:30", "ends": "2027-03-29T01:30", "zone": "Europe/Lisbon"}, "does not exist"),
        ({"starts": "2027-10-31T01:30", "ends": "2027-11-01T01:30", "zone": "Europe/Lisbon"}, "comes twice"),
        ({"starts": ""}, "is not a local time"),
        ({"responder": "nobody-knows"}, "there is no responder nobody-knows"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(pages: Pages, change: dict[str, str], says: str) -> None:
    asked = {"schedule": "primary", "replaces": "ana", "responder": "bo", "zone": "UTC"}
    asked |= {"starts": "2026-11-17T09:00", "ends": "2026-11-18T09:00"}
    response = pages.by("bo").post("/oncall/override", data=asked | change)
    assert response.status_code in (409, 422)
    assert says in words(response)


def test_two_who_take_over_at_once_are_told_of_each_other(pages: Pages) -> None:
    asked = {"schedule": "primary", "replaces": "ana", "zone": "UTC"}
    asked |= {"starts": "2026-11-17T09:00", "ends": "2026-11-18T09:00"}
    assert pages.by("bo").post("/oncall/override", data=asked | {"responder": "bo"}).status_code == 303
    refused = pages.by("mia").post("/oncall/override", data=asked | {"responder": "mia"})
    assert refused.status_code == 409
    assert "is in the way: Bo Chen takes over from Ana Lima" in words(refused)


def test_who_has_taken_over_already_is_told_what_to_do(pages: Pages) -> None:
    asked = {"schedule": "primary", "replaces": "ana", "responder": "bo", "zone": "UTC"}
    asked |= {"starts": "2026-11-17T09:00", "ends": "2026-11-18T09:00"}
    bo = pages.by("bo")
    bo.post("/oncall/override", data=asked)
    assert "Take it back first, or choose another time." in words(bo.post("/oncall/override", data=asked))


def test_observers_look_at_the_calendar_and_press_nothing(pages: Pages) -> None:
    observer = pages.by(role="observer")
    page = observer.get("/oncall/calendar").text
    assert "Ana Lima" in page
    assert not PRESS.findall(page)
    asked = {"schedule": "primary", "replaces": "ana", "responder": "bo", "zone": "UTC"}
    asked |= {"starts": "2026-11-17T09:00", "ends": "2026-11-18T09:00"}
    assert observer.post("/oncall/override", data=asked).status_code == 403


@pytest.mark.parametrize(
    "query", ["of=never", "of=0001-01-01", "of=9999-12-31", "view=year", "schedule=gone", "zone=x"]
)
def test_an_address_that_makes_no_sense_shows_this_month(pages: Pages, query: str) -> None:
    assert "November 2026" in words(pages.by().get(f"/oncall/calendar?{query}"))
