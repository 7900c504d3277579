"""A hostile calendar costs a bounded time and a bounded memory, in a process that is not the engine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from escalation.oncall import reading_apart
from escalation.oncall.calendar import CalendarError, Copied, Person

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
MEGABYTE = 1024**2
PEOPLE = [Person("ana", "Ana Lima", "ana@example.org")]


def read(rule: str, *, seconds_max: float = 20, memory_bytes_max: int = reading_apart.MEMORY_BYTES_MAX) -> Copied:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        f"SUMMARY:Ana Lima\r\nDTSTART:20261116T000000Z\r\nDTEND:20261116T080000Z\r\n{rule}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    until = NOW + timedelta(days=400)
    limits = {"seconds_max": seconds_max, "memory_bytes_max": memory_bytes_max}
    return reading_apart.read(text.encode(), PEOPLE, NOW, until, zone="UTC", **limits)


def test_a_calendar_is_read_as_it_is_read_here() -> None:
    found = read("RRULE:FREQ=DAILY;COUNT=3")
    assert [(each[0].day, each[2]) for each in found.shifts] == [(17, "ana"), (18, "ana")]
    with pytest.raises(CalendarError, match="repeats every minute or second"):
        read("RRULE:FREQ=SECONDLY")


def test_a_calendar_that_would_be_read_for_ever_is_given_up() -> None:
    with pytest.raises(CalendarError, match="took longer than 1 s"):
        read("RRULE:FREQ=DAILY;INTERVAL=0", seconds_max=1)  # the next one is the same one


def test_a_calendar_that_would_fill_the_memory_is_given_up() -> None:
    with pytest.raises(CalendarError, match="took too much memory"):
        read(f"DESCRIPTION:{'x' * 100 * MEGABYTE}", memory_bytes_max=200 * MEGABYTE)
