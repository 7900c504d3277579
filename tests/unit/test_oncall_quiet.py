"""When somebody's quiet hours end, on their own clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from escalation.oncall import quiet

NIGHT = {"from": "22:00", "to": "07:00"}
LUNCH = {"from": "12:00", "to": "13:00"}


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "ends"),
    [
        (NIGHT, "2026-11-16T22:00", "2026-11-17T07:00"),
        (NIGHT, "2026-11-17T03:00", "2026-11-17T07:00"),
        (NIGHT, "2026-11-17T06:59", "2026-11-17T07:00"),
        (NIGHT, "2026-11-17T07:00", None),
        (NIGHT, "2026-11-16T21:59", None),
        (LUNCH, "2026-11-16T12:30", "2026-11-16T13:00"),
        (LUNCH, "2026-11-16T13:00", None),
        ({}, "2026-11-16T03:00", None),
    ],
)
def test_quiet_hours_may_pass_midnight(hours: dict[str, str], now: str, ends: str | None) -> None:
    assert quiet.ends_at(hours, "Europe/Lisbon", at(now)) == (at(ends) if ends else None)


def test_they_are_told_by_the_clocks_of_the_person() -> None:
    assert quiet.ends_at(NIGHT, "Asia/Singapore", at("2026-11-16T15:00")) == at("2026-11-16T23:00")


def test_they_end_once_the_clocks_have_gone_back() -> None:
    """In Lisbon on 2026-10-25 it is 01:00 to 02:00 twice: from 00:00 to 01:00 UTC and again until 02:00 UTC."""
    hours = {"from": "22:00", "to": "01:30"}
    assert quiet.ends_at(hours, "Europe/Lisbon", at("2026-10-25T00:15")) == at("2026-10-25T00:30")
    assert quiet.ends_at(hours, "Europe/Lisbon", at("2026-10-25T01:15")) == at("2026-10-25T01:30")


def test_they_end_where_the_clocks_skip_their_end() -> None:
    """In Lisbon on 2026-03-29 the clocks go from 01:00 to 02:00 at 01:00 UTC."""
    hours = {"from": "22:00", "to": "01:30"}
    assert quiet.ends_at(hours, "Europe/Lisbon", at("2026-03-29T00:30")) == at("2026-03-29T01:30")
