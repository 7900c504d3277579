"""Times people give, and whose time on call an edit moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.oncall import differences, wall_times
from escalation.oncall.differences import Moved
from escalation.oncall.schedules import Shift
from escalation.oncall.wall_times import WallTimeError

START = datetime(2026, 11, 16, tzinfo=UTC)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def shift(who: str, since: int, until: int, source: str = "rotation 1") -> Shift:
    return Shift(who, at(since), at(until), source)


def test_a_skipped_time_is_refused_with_what_the_clocks_show() -> None:
    with pytest.raises(WallTimeError, match=r"01:30 on 2026-03-29 does not exist in Europe/Lisbon.*to 02:30"):
        wall_times.instant(datetime(2026, 3, 29, 1, 30), "Europe/Lisbon")


def test_a_time_that_comes_twice_is_refused_with_both() -> None:
    with pytest.raises(WallTimeError, match=r"comes twice in Europe/Lisbon.*01:30\+01:00 or 01:30\+00:00"):
        wall_times.instant(datetime(2026, 10, 25, 1, 30), "Europe/Lisbon")


def test_any_other_time_is_what_its_zone_says() -> None:
    assert wall_times.instant(datetime(2026, 7, 1, 9, 0), "Europe/Lisbon") == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_only_the_hours_that_change_hands_have_moved() -> None:
    before = {"primary": [shift("ana", 0, 24), shift("bo", 24, 48)]}
    after = {"primary": [shift("ana", 0, 9), shift("bo", 9, 12, "override"), shift("ana", 12, 24), shift("bo", 24, 48)]}
    assert differences.moved(before, after) == {
        "ana": [Moved("primary", at(9), at(12), comes=False)],
        "bo": [Moved("primary", at(9), at(12), comes=True)],
    }


def test_whoever_stays_on_call_for_another_reason_has_not_moved() -> None:
    before = {"primary": [shift("ana", 0, 24), shift("ana", 24, 48, "rotation 2")]}
    after = {"primary": [shift("ana", 0, 48, "override")]}
    assert differences.moved(before, after) == {}


def test_a_schedule_that_goes_takes_its_shifts_along() -> None:
    assert differences.moved({"old": [shift("ana", 0, 5)]}, {}) == {"ana": [Moved("old", at(0), at(5), comes=False)]}


_SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=6).map(
    lambda pairs: differences.joined((at(start), at(start + length)) for start, length in pairs)
)


@pytest.mark.parametrize(
    ("spans", "taken", "left"),
    [
        ([(0, 10)], [(3, 5)], [(0, 3), (5, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 4), (6, 10)], [(3, 7)], [(0, 3), (7, 10)]),
        ([(0, 4)], [(4, 8)], [(0, 4)]),
    ],
)
def test_time_without_time(
    spans: list[tuple[int, int]], taken: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    def moments(pairs: list[tuple[int, int]]) -> list[differences.Span]:
        return [(at(start), at(end)) for start, end in pairs]

    assert differences.without(moments(spans), moments(taken)) == moments(left)


@given(_SPANS, _SPANS)
def test_what_is_left_is_exactly_what_was_not_taken(
    spans: list[differences.Span], taken: list[differences.Span]
) -> None:
    def hours(of: list[differences.Span]) -> set[int]:
        return {hour for hour in range(60) if any(start <= at(hour) < end for start, end in of)}

    assert hours(differences.without(spans, taken)) == hours(spans) - hours(taken)
