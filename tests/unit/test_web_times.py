"""Moments as a page tells them, and on-call in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation import web_oncall
from escalation.directory import LevelShown, PolicyShown
from escalation.web_times import Times, span

NOW = datetime(2026, 11, 20, 3, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (NOW + timedelta(minutes=6), "03:27 UTC"),
        (NOW - timedelta(hours=4), "Thu 19 Nov 23:21 UTC"),
        (NOW + timedelta(days=60), "Tue 19 Jan 2027 03:21 UTC"),
    ],
)
def test_the_day_is_told_where_it_is_not_today(moment: datetime, told: str) -> None:
    assert Times(NOW).utc(moment) == told


@pytest.mark.parametrize(
    ("zone", "moment", "told"),
    [
        ("UTC", NOW, "03:21 UTC"),
        ("Europe/Lisbon", NOW, "03:21 UTC"),
        ("Europe/Lisbon", NOW.replace(month=7), "Mon 20 Jul 03:21 UTC (04:21 Lisbon)"),
        ("America/New_York", NOW, "03:21 UTC (Thu 22:21 New York)"),
        ("Asia/Kathmandu", NOW, "03:21 UTC (09:06 Kathmandu)"),
    ],
)
def test_the_readers_own_clock_is_told_where_it_differs(zone: str, moment: datetime, told: str) -> None:
    assert Times(NOW, zone).both(moment) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "now"),
        (-41, "41 s ago"),
        (359, "in 5 min"),
        (-19_200, "5 h 20 min ago"),
        (7200, "in 2 h"),
        (-400_000, "4 days ago"),
    ],
)
def test_how_far_off_a_moment_is(seconds: int, told: str) -> None:
    assert Times(NOW).distance(NOW + timedelta(seconds=seconds)) == told


def test_a_lists_times_have_their_seconds() -> None:
    assert Times(NOW).seconds(NOW) == "03:21:09"
    assert Times(NOW).seconds(NOW - timedelta(days=1)) == "Thu 19 Nov 03:21:09"


def test_no_length_is_negative() -> None:
    assert span(timedelta(seconds=-5)) == "0 s"


def test_a_level_is_told_as_one_would_say_it() -> None:
    level = LevelShown(
        3, 900.0, ("role:manager", "schedule:primary", "responder:ana"), ("slack:#all", "webhook:https://x/…")
    )
    told = web_oncall.level_in_words(level, {"ana": "Ana Lima"})
    assert told.when == "after 15 min"
    assert told.pages == "every manager, whoever is on call for primary and Ana Lima"
    assert told.announces == "Slack #all and webhook https://x/…"
    assert web_oncall.level_in_words(LevelShown(1, 0.0, (), ()), {}).when == "at once"
    assert web_oncall.level_in_words(LevelShown(1, 0.0, (), ()), {}).pages == "nobody"
    turns = LevelShown(1, 0.0, ("role:manager",), (), round_robin=True, outside="office")
    told = web_oncall.level_in_words(turns, {})
    assert (told.when, told.pages) == ("at once, not during office", "one in turn of every manager")


@pytest.mark.parametrize(
    ("repeat", "again"), [(0, ""), (1, "once more, 5 min after"), (3, "3 more times, 5 min after")]
)
def test_a_policys_end_says_how_often_it_begins_anew_and_who_comes_last(repeat: int, again: str) -> None:
    said = web_oncall.ending(PolicyShown("standard", repeat, 300, 1800, ()), "Mira Novak")
    assert again in said
    assert said.endswith("the last resort is called until somebody does: Mira Novak.")
    assert ("begin anew" in said) == bool(repeat)
