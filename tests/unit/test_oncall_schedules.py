"""Schedules, rotations and overrides as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation.oncall.schedules import Override, Rotation, Schedule, TurnUnit, zone_names

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def test_schedules_survive_json() -> None:
    starts = datetime(2026, 1, 5, 9, 0)
    planned = Schedule(
        "primary", "Europe/Lisbon", (Rotation(("ana", "bo"), starts, 12, "h"), Rotation(("cy",), starts, 1, "w"))
    )
    assert Schedule.from_json(planned.to_json()) == planned
    assert planned.to_json()["rotations"][0] == {
        "members": ["ana", "bo"],
        "starts": "2026-01-05T09:00:00",
        "turn_count": 12,
        "turn_unit": "h",
    }


@pytest.mark.parametrize(
    ("members", "starts", "turn", "problem"),
    [
        ((), datetime(2026, 1, 5), (1, "w"), "at least one member"),
        (("ana",), datetime(2026, 1, 5, tzinfo=UTC), (1, "w"), "leave the offset out"),
        (("ana",), datetime(2026, 1, 5), (0, "w"), "not 0w"),
        (("ana",), datetime(2026, 1, 5), (367, "d"), "at most 366 days"),
        (("ana",), datetime(2026, 1, 5), (1, "m"), "a number of h, d, w"),
        (("ana",), datetime(1, 1, 5), (1, "w"), "not in 1"),
    ],
)
def test_a_rotation_that_cannot_turn_is_refused(
    members: tuple[str, ...], starts: datetime, turn: tuple[int, TurnUnit], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Rotation(members, starts, *turn)


@pytest.mark.parametrize(
    ("ends_at", "responder", "problem"),
    [
        (MONDAY, "bo", "ends after it starts"),
        (MONDAY + DAY, None, "adds, replaces or takes off"),
        ((MONDAY + DAY).replace(tzinfo=None), "bo", "aware"),
    ],
)
def test_an_override_that_says_nothing_is_refused(ends_at: datetime, responder: str | None, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Override("primary", MONDAY, ends_at, responder, None)


def test_zones_that_depend_on_the_machine_are_not_offered() -> None:
    assert "Europe/Lisbon" in zone_names()
    assert not zone_names() & {"localtime", "Factory"}
