from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import per_channel
from escalation.paging import budgets, bundling
from escalation.paging.bundling import NOTHING, Told
from escalation.paging.lanes import SENDS_AT_ONCE_MAX, YIELDING_SENDS_AT_ONCE_MAX, Lanes

NOW = datetime(2026, 11, 16, 3, 12, tzinfo=UTC)
HIGH, CRITICAL = 2, 0


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def held(told: Told, *, rank: int = HIGH, due: float = 0, now: float = 0) -> float | None:
    until = bundling.held_until(told, rank, after(due), after(now), 20)
    return None if until is None else (until - NOW).total_seconds()


def test_the_first_two_messages_go_at_once_and_the_third_waits_for_the_end_of_the_window() -> None:
    assert held(NOTHING) is None
    assert held(Told(1, NOW, HIGH), due=1, now=1) is None
    assert held(Told(2, after(1), HIGH), due=3, now=3) == 21
    assert held(Told(2, after(1), HIGH), due=3, now=21) is None


def test_what_is_worse_than_all_that_was_told_is_never_held() -> None:
    assert held(Told(9, NOW, HIGH), rank=CRITICAL) is None
    assert held(Told(9, NOW, CRITICAL), rank=CRITICAL) == 20


@given(
    st.integers(0, 50),
    st.none() | st.floats(-400, 400),
    st.none() | st.integers(0, 9),
    st.integers(0, 9),
    st.floats(-4000, 0),
)
def test_nothing_is_held_for_more_than_a_window_after_it_was_due(
    messages: int, last: float | None, worst: int | None, rank: int, due: float
) -> None:
    until = held(Told(messages, None if last is None else after(last), worst), rank=rank, due=due)
    assert until is None or 0 < until <= due + 20 + 1e-6  # a moment is kept to the microsecond


# Budgets


def test_a_bucket_holds_two_seconds_worth_and_fills_at_its_rate() -> None:
    bucket = budgets.full(10, NOW)
    assert budgets.room(bucket, yields=False) == 20
    empty = budgets.taken(bucket, 20)
    assert budgets.room(empty, yields=False) == 0
    assert budgets.room(budgets.filled(empty, after(0.5)), yields=False) == 5
    assert budgets.room(budgets.filled(empty, after(60)), yields=False) == 20
    assert budgets.room(budgets.filled(empty, after(-60)), yields=False) == 0


def test_what_yields_to_pages_can_use_half_of_a_bucket_and_pages_all_of_it() -> None:
    bucket = budgets.full(10, NOW)
    assert budgets.room(bucket, yields=True) == 10
    bucket = budgets.taken(bucket, 10)
    assert budgets.room(bucket, yields=True) == 0
    assert budgets.room(bucket, yields=False) == 10


@given(st.floats(0.1, 1000), st.floats(0, 100), st.booleans())
def test_there_is_room_at_the_moment_that_was_told(rate: float, used: float, yields: bool) -> None:
    bucket = budgets.taken(budgets.full(rate, NOW), int(used))
    at = budgets.room_at(bucket, yields=yields)
    assert budgets.room(budgets.filled(bucket, at), yields=yields) >= 1


def test_engines_share_a_budget() -> None:
    lanes = Lanes({"sms": 8})
    assert (lanes.rooms(NOW)["sms"], lanes.rooms(NOW)["sms.later"]) == (8, 4)
    lanes.share(4)
    assert (lanes.rooms(NOW)["sms"], lanes.rooms(NOW)["sms.later"]) == (2, 2)


def test_a_lane_that_is_full_or_spent_leaves_the_others_their_room() -> None:
    lanes = Lanes({"sms": 2})
    for _ in range(SENDS_AT_ONCE_MAX):
        lanes.begin("slack", "", 2, NOW)
    for _ in range(4):
        lanes.begin("sms", "", 2, NOW)
    rooms = lanes.rooms(NOW)
    assert not {"slack", "sms", "sms.later"} & set(rooms)
    assert rooms["voice"] == SENDS_AT_ONCE_MAX
    assert rooms["slack.later"] == YIELDING_SENDS_AT_ONCE_MAX
    assert set(lanes.spent(NOW)) == {"sms", "sms.later"}
    lanes.end("sms", "", 2, NOW, messages=0)
    assert lanes.rooms(NOW)["sms"] == 1, "what was not said after all costs nothing"


# Their settings


def test_a_setting_changes_the_channels_that_it_names() -> None:
    assert per_channel.RATES.read("sms=10, voice=0.5") == per_channel.RATES.usual | {"sms": 10, "voice": 0.5}
    assert per_channel.WINDOWS.read("") == per_channel.WINDOWS.usual


@pytest.mark.parametrize("text", ["sms", "sms=", "sms=fast", "sms=0", "sms=-1", "sms=nan", "sms=inf", "smoke=3", "=3"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must give messages a second|names no channel"):
        per_channel.RATES.read(text)


def test_every_problem_of_a_setting_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)names no channel.*must give messages.*given twice"):
        per_channel.RATES.read("smoke=3,sms=0,voice=1,voice=2")
