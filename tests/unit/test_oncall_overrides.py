"""Who is on call where overrides change the rotations, and where several overrides meet."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from escalation.oncall import resolve
from escalation.oncall.schedules import Override, Roster, Rotation, Schedule


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(*rotations: tuple[str, ...]) -> Schedule:
    starts = datetime(2026, 1, 5, 9, 0)
    return Schedule("primary", "UTC", tuple(Rotation(members, starts, 1, "w") for members in rotations))


def override(
    starts: str, ends: str, *, responder: str | None = None, replaces: str | None = None, of: str = "primary"
) -> Override:
    return Override(of, utc(starts), utc(ends), responder, replaces)


WEEKLY = schedule(("ana", "bo", "cy"))


def test_an_added_person_is_on_call_beside_the_rotation_and_only_in_the_window() -> None:
    added = override("2026-01-06T00:00", "2026-01-07T00:00", responder="dora")
    assert resolve.on_call(Roster(WEEKLY, (added,)), utc("2026-01-05T23:59")) == ("ana",)
    assert resolve.on_call(Roster(WEEKLY, (added,)), utc("2026-01-06T00:00")) == ("ana", "dora")
    assert resolve.on_call(Roster(WEEKLY, (added,)), utc("2026-01-07T00:00")) == ("ana",)


def test_a_replacement_applies_only_while_the_replaced_person_is_on_call() -> None:
    for_two_weeks = override("2026-01-05T09:00", "2026-01-19T09:00", responder="dora", replaces="bo")
    assert resolve.on_call(Roster(WEEKLY, (for_two_weeks,)), utc("2026-01-11T00:00")) == ("ana",)
    assert resolve.on_call(Roster(WEEKLY, (for_two_weeks,)), utc("2026-01-13T00:00")) == ("dora",)


def test_a_replacement_stands_at_the_place_of_the_replaced_person() -> None:
    two = schedule(("ana",), ("bo",))
    replaced = override("2026-01-06T00:00", "2026-01-07T00:00", responder="dora", replaces="ana")
    assert resolve.on_call(Roster(two, (replaced,)), utc("2026-01-06T12:00")) == ("dora", "bo")


def test_a_person_taken_off_leaves_the_others() -> None:
    two = schedule(("ana",), ("bo",))
    removed = override("2026-01-06T00:00", "2026-01-07T00:00", replaces="ana")
    assert resolve.on_call(Roster(two, (removed,)), utc("2026-01-06T12:00")) == ("bo",)


def test_an_override_of_another_schedule_changes_nothing() -> None:
    other = override("2026-01-06T00:00", "2026-01-07T00:00", responder="dora", replaces="ana", of="secondary")
    assert resolve.on_call(Roster(WEEKLY, (other,)), utc("2026-01-06T12:00")) == ("ana",)
    assert len(resolve.shifts(Roster(WEEKLY, (other,)), utc("2026-01-05T09:00"), utc("2026-01-12T09:00"))) == 1


TUESDAY = ("2026-01-06T00:00", "2026-01-07T00:00")
WEEK = ("2026-01-05T00:00", "2026-01-12T00:00")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        pytest.param(
            [override(*WEEK, responder="bo", replaces="ana"), override(*TUESDAY, responder="cy", replaces="bo")],
            ("cy",),
            id="a stand-in is stood in for",
        ),
        pytest.param(
            [override(*WEEK, responder="bo", replaces="ana"), override(*TUESDAY, responder="ana", replaces="bo")],
            ("ana",),
            id="the replaced person takes a day back",
        ),
        pytest.param(
            [override(*WEEK, responder="bo", replaces="ana"), override(*TUESDAY, responder="cy", replaces="ana")],
            ("cy",),
            id="the newer replacement of the same turn wins",
        ),
        pytest.param(
            [override(*WEEK, replaces="ana"), override(*TUESDAY, responder="ana")],
            ("ana",),
            id="taken off for the week and put back for a day",
        ),
        pytest.param(
            [override(*WEEK, responder="bo", replaces="ana"), override(*TUESDAY, replaces="ana")],
            ("bo",),
            id="taking off the absent person does not take off the stand-in",
        ),
        pytest.param(
            [override(*WEEK, responder="bo", replaces="ana"), override(*TUESDAY, replaces="bo")],
            (),
            id="taking off the stand-in leaves nobody",
        ),
        pytest.param(
            [override(*TUESDAY, responder="dora"), override(*TUESDAY, responder="eve", replaces="dora")],
            ("ana", "eve"),
            id="an added person is replaced",
        ),
    ],
)
def test_of_overrides_that_meet_the_newest_decides(overrides: list[Override], expected: tuple[str, ...]) -> None:
    assert resolve.on_call(Roster(WEEKLY, tuple(overrides)), utc("2026-01-06T12:00")) == expected
