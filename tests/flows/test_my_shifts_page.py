"""My shifts: swaps that both agree to, time off, and a calendar to subscribe to, by hand in a browser."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select

from config.database import Database
from escalation.models import Responder
from tests.pages import Pages, words
from tests.world import MONDAY, World

GIVES = {"gives_starts": "2026-11-23T00:00:00+00:00", "gives_ends": "2026-11-24T00:00:00+00:00"}


@pytest.fixture
def pages(sqlite_database: Database) -> Pages:
    return Pages(World(sqlite_database))


def pressed(page: str, path: str) -> str:
    found = re.search(rf'action="({path})"', page)
    assert found, f"{path} is not on the page"
    return found[1]


def first_paged(pages: Pages) -> str:
    pages.world.alert()
    return pages.world.sent("sms")[0].message.to_name


def test_the_page_shows_my_shifts_and_nobody_elses(pages: Pages) -> None:
    read = words(pages.by("bo").get("/oncall/mine"))
    assert "secondary Mon 16 Nov" in read or "secondary 10:00" in read
    assert "primary" not in read.partition("Time off")[0].partition("What I have proposed")[0]


def test_a_shift_is_given_by_a_form_that_its_link_opens_and_no_other_shift_has(pages: Pages) -> None:
    ana = pages.by("ana")
    listed = ana.get("/oncall/mine").text
    assert 'name="other"' not in listed  # each form lists everybody else's shifts: one at a time keeps the page small
    opened = ana.get(html.unescape(re.findall(r'href="(/oncall/mine\?give=[^"#]+)#give"', listed)[0])).text
    assert opened.count('name="other"') == 1
    given = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', opened)}
    ana.post("/oncall/mine/swaps", data=given | {"other": "bo", "takes": ""})
    assert "Bo Chen has not answered yet" in words(ana.get("/oncall/mine"))


def test_time_on_call_is_given_to_somebody_who_agrees(pages: Pages) -> None:
    ana, bo = pages.by("ana"), pages.by("bo")
    ana.post("/oncall/mine/swaps", data={"schedule": "primary", "other": "bo", **GIVES})
    assert "Bo Chen has not answered yet" in words(ana.get("/oncall/mine"))
    asked = bo.get("/oncall/mine").text
    assert "Ana Lima asks you to take over" in words(asked)
    assert bo.post(pressed(asked, r"/oncall/mine/swaps/\d+/confirm")).status_code == 303
    pages.world.fast_forward(hours=24 * 7 + 1)
    assert first_paged(pages) == "Bo Chen"


def test_who_is_asked_for_a_swap_is_led_to_the_page_that_answers_it(pages: Pages) -> None:
    pages.by("ana").post("/oncall/mine/swaps", data={"schedule": "primary", "other": "bo", **GIVES})
    pages.world.run()
    [asked] = (each for each in pages.world.deliveries if each.message.to_name == "Bo Chen")
    assert "Ana Lima asks you" in asked.message.note
    path = asked.message.brief.url.removeprefix(pages.world.desk.base_url)
    assert "Ana Lima asks you" in words(pages.by("bo").get(path))


def test_until_the_other_agrees_nothing_changes(pages: Pages) -> None:
    pages.by("ana").post("/oncall/mine/swaps", data={"schedule": "primary", "other": "bo", **GIVES})
    pages.world.fast_forward(hours=24 * 7 + 1)
    assert first_paged(pages) == "Ana Lima"


@pytest.mark.parametrize(("who", "answer"), [("bo", "decline"), ("ana", "withdraw")])
def test_a_swap_is_declined_or_withdrawn_and_gone_from_both_pages(pages: Pages, who: str, answer: str) -> None:
    ana, bo = pages.by("ana"), pages.by("bo")
    ana.post("/oncall/mine/swaps", data={"schedule": "primary", "other": "bo", **GIVES})
    path = f"/oncall/mine/swaps/1/{answer}"
    assert {"ana": ana, "bo": bo}[who].post(path).status_code == 303
    assert "asks you" not in words(bo.get("/oncall/mine"))
    assert "has not answered" not in words(ana.get("/oncall/mine"))


def test_nobody_agrees_in_anothers_place(pages: Pages) -> None:
    pages.by("ana").post("/oncall/mine/swaps", data={"schedule": "primary", "other": "bo", **GIVES})
    pages.by("ana").post("/oncall/mine/swaps/1/confirm")
    assert "Ana Lima asks you to take over" in words(pages.by("bo").get("/oncall/mine"))


def test_time_off_is_taken_and_given_back(pages: Pages) -> None:
    ana = pages.by("ana")
    skiing = {"first": "2026-12-21", "last": "2026-12-23", "reason": "skiing"}
    page = ana.post("/oncall/mine/time-off", data=skiing, follow_redirects=True)
    assert "but nobody is on call then for a while on primary" in words(page)
    assert "skiing" in words(page)
    assert "Nobody" in words(ana.get("/oncall/calendar?of=2026-12-22&view=week&schedule=primary"))
    ana.post(pressed(page.text, r"/oncall/mine/time-off/\d+/remove"))
    assert "skiing" not in words(ana.get("/oncall/mine"))


def test_time_off_that_ends_before_it_begins_is_refused_in_the_words_of_the_form(pages: Pages) -> None:
    asked = {"first": "2026-12-23", "last": "2026-12-21"}
    refused = pages.by("ana").post("/oncall/mine/time-off", data=asked, follow_redirects=True)
    assert "The last day off comes before the first." in words(refused)


def test_time_off_may_begin_on_a_day_whose_midnight_the_clocks_skip(pages: Pages) -> None:
    with pages.world.database.transaction() as session:
        session.scalars(select(Responder).where(Responder.key == "ana")).one().timezone = "Africa/Cairo"
    ana = pages.by("ana")
    ana.post("/oncall/mine/time-off", data={"first": "2027-04-30", "last": "2027-04-30", "reason": "skiing"})
    assert "skiing" in words(ana.get("/oncall/mine"))


def test_a_calendar_address_is_shown_once_and_can_be_taken_back(pages: Pages) -> None:
    client = pages.app.test_client()
    bo = pages.by("bo")
    with bo:
        shown = html.unescape(bo.post("/oncall/mine/feeds", data={"schedule": ""}, follow_redirects=True).text)
    address = re.search(r"/calendars/[\w-]+\.ics", shown)
    assert address
    assert address[0] not in bo.get("/oncall/mine").text
    bo.post(pressed(bo.get("/oncall/mine").text, r"/oncall/mine/feeds/\d+/remove"))
    assert client.get(address[0]).status_code == 404


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/oncall/mine/swaps", {"schedule": "primary", "other": "bo"}),
        ("/oncall/mine/swaps", {"schedule": "primary", "other": "nobody", **GIVES}),
        ("/oncall/mine/swaps", {"schedule": "primary", "takes": "bo never ever", **GIVES}),
        ("/oncall/mine/time-off", {"first": "2026-12-23", "last": "2026-12-21"}),
        ("/oncall/mine/time-off", {"first": "", "last": ""}),
        ("/oncall/mine/time-off", {"first": "2026-12-21", "last": "9999-12-31"}),
        ("/oncall/mine/swaps", {"schedule": "primary", "other": "bo", **GIVES, "gives_ends": "9999-12-31T23:00-23:00"}),
        ("/oncall/mine/time-off", {"first": "2020-01-01", "last": "2020-01-02"}),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(pages: Pages, path: str, data: dict[str, str]) -> None:
    ana = pages.by("ana")
    answered = ana.post(path, data=data, follow_redirects=True)
    assert answered.status_code == 200
    assert "is-problem" in answered.text
    assert "has not answered" not in words(answered)


def test_a_program_has_no_shifts(pages: Pages) -> None:
    assert pages.by(role="responder").get("/oncall/mine").status_code == 404


def test_the_world_begins_on_a_monday() -> None:
    """The dates above are reckoned from it."""
    assert MONDAY.date().isoformat() == "2026-11-16"
