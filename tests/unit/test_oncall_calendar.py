"""Shifts as calendars show them, and calendars as rotations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from escalation.oncall import calendar
from escalation.oncall.calendar import CalendarError, Entry, Person

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
PEOPLE = [
    Person("ana", "Ana Lima", "ana@example.org"),
    Person("bo", "Bo Chen", "bo@example.org"),
    Person("sam1", "Sam Roe", ""),
    Person("sam2", "Sam Roe", ""),
]
SHIFT = Entry("primary", "ana", "Ana Lima", NOW, NOW + timedelta(days=7))


def written(*entries: Entry, own: bool = True) -> Calendar:
    return Calendar.from_ical(calendar.write("On call", entries, own=own, url="https://t.example.org/oncall", now=NOW))


def read(*events: str, zone: str = "UTC", days: int = 30) -> calendar.Copied:
    inner = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260101T000000Z\r\n{e}\r\nEND:VEVENT\r\n" for n, e in enumerate(events)
    )
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{inner}END:VCALENDAR\r\n"
    return calendar.read(text.encode(), PEOPLE, NOW, NOW + timedelta(days=days), zone=zone)


def test_a_shift_does_not_make_its_person_busy() -> None:
    [event] = written(SHIFT).walk("VEVENT")
    assert event["TRANSP"] == "TRANSPARENT"
    assert event.start == NOW and event.end == NOW + timedelta(days=7)
    assert event["SUMMARY"] == "On call: primary"
    assert [each["SUMMARY"] for each in written(SHIFT, own=False).walk("VEVENT")] == ["Ana Lima: on call"]


def test_a_shift_keeps_its_uid_and_another_has_its_own() -> None:
    longer = Entry("primary", "ana", "Ana Lima", NOW, NOW + timedelta(days=9))
    other = Entry("primary", "bo", "Bo Chen", NOW, NOW + timedelta(days=7))
    assert calendar.uid(SHIFT) == calendar.uid(longer)
    assert calendar.uid(SHIFT) != calendar.uid(other)


def test_a_name_cannot_write_lines_of_its_own_into_the_calendar() -> None:
    nasty = Entry("primary", "x", "Eve\r\nATTENDEE:mailto:bo@example.org; a, b", NOW, NOW + timedelta(hours=1))
    [event] = written(nasty, own=False).walk("VEVENT")
    assert "ATTENDEE" not in event
    assert event["SUMMARY"] == "Eve\nATTENDEE:mailto:bo@example.org; a, b: on call"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SUMMARY:ana", "ana"),
        ("SUMMARY:On call: Ana Lima", "ana"),
        ("SUMMARY:BO@EXAMPLE.ORG", "bo"),
        ("SUMMARY:whatever\r\nATTENDEE;CN=Somebody:mailto:bo@example.org", "bo"),
        ("SUMMARY:Ana Lima\r\nATTENDEE;PARTSTAT=DECLINED:mailto:bo@example.org", "ana"),
        ("SUMMARY:bo (secondary)", "bo"),
    ],
)
def test_who_is_meant_is_found_by_key_address_or_name(line: str, expected: str) -> None:
    copied = read(f"{line}\r\nDTSTART:20261117T090000Z\r\nDTEND:20261117T170000Z")
    assert [key for _, _, key in copied.shifts] == [expected]
    assert copied.findings == ()


@pytest.mark.parametrize("summary", ["Zed", "Sam Roe", ""])
def test_who_is_nobody_or_two_people_is_a_finding(summary: str) -> None:
    copied = read(f"SUMMARY:{summary}\r\nDTSTART:20261117T090000Z\r\nDTEND:20261117T170000Z")
    assert copied.shifts == ()
    assert len(copied.findings) == 1 and (summary or "without a summary") in copied.findings[0]


def test_a_weekly_turn_is_spelled_out_on_the_clocks_of_its_zone_through_a_change() -> None:
    copied = read(
        "SUMMARY:ana\r\nDTSTART;TZID=Europe/Lisbon:20261019T090000\r\nDTEND;TZID=Europe/Lisbon:20261019T170000\r\n"
        "RRULE:FREQ=WEEKLY;COUNT=7"
    )
    assert [starts_at for starts_at, _, _ in copied.shifts] == [
        datetime(2026, 11, 16, 9, 0, tzinfo=UTC),  # under way
        datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        datetime(2026, 11, 30, 9, 0, tzinfo=UTC),
    ]


def test_whole_days_and_floating_times_are_on_the_clocks_of_the_schedule() -> None:
    copied = read(
        "SUMMARY:ana\r\nDTSTART;VALUE=DATE:20261117\r\nDTEND;VALUE=DATE:20261118",
        "SUMMARY:bo\r\nDTSTART:20261119T090000\r\nDTEND:20261119T170000",
        zone="America/New_York",
    )
    assert [starts_at.hour for starts_at, _, _ in copied.shifts] == [5, 14]


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=2"])
def test_a_rule_that_would_never_end_is_refused(rule: str) -> None:
    with pytest.raises(CalendarError, match="every minute or second"):
        read(f"SUMMARY:ana\r\nDTSTART:19700101T000000Z\r\nDTEND:19700101T000001Z\r\nRRULE:{rule}")


@pytest.mark.parametrize("text", [b"", b"<html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR", b"\xff\xfe\x00"])
def test_what_is_no_calendar_is_refused_in_words(text: bytes) -> None:
    with pytest.raises(CalendarError, match="not a calendar"):
        calendar.read(text, PEOPLE, NOW, NOW + timedelta(days=1), zone="UTC")


def test_a_cancelled_event_is_nobodys_shift() -> None:
    assert read("SUMMARY:ana\r\nSTATUS:CANCELLED\r\nDTSTART:20261117T090000Z\r\nDTEND:20261117T170000Z").shifts == ()
