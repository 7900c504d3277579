"""Readiness: each thing that would keep somebody from being woken is found, and a sound team has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from escalation import check, ground
from escalation.ground import Finding, Ground, Member
from escalation.oncall.hours import Hours, Window
from escalation.oncall.schedules import Absence, Override, Roster, Rotation, Schedule
from escalation.policies import Announcement, Level, Policy, Target

NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
STARTS = datetime(2026, 1, 5)
PHONE = "+351910000001"
OFFICE = Hours("office", "UTC", Window(time(9), time(17)), days=(0, 1, 2, 3, 4))


def member(key: str, **more: Any) -> Member:
    addresses = {"sms": PHONE, "slack": "U0X"}
    return Member(
        **{"key": key, "name": key.title(), "addresses": addresses, "roles": frozenset({"responder"}), **more}
    )


def rotation(*members: str, starts: datetime = STARTS, **more: Any) -> Rotation:
    return Rotation(members, starts, 1, "w", **more)


def level(number: int, *targets: str, after: float | None = None, **more: Any) -> Level:
    return Level(number, 300 * number if after is None else after, tuple(map(Target.parse, targets)), **more)


def sound(
    *,
    people: Mapping[str, Member] | None = None,
    primary: Roster | None = None,
    levels: tuple[Level, ...] = (level(1, "schedule:primary"), level(2, "role:manager")),
    **more: Any,
) -> Ground:
    mia = member("mia", roles=frozenset({"manager"}))
    roster = primary or Roster(Schedule("primary", "UTC", (rotation("ana", "bo"),)))
    made = Ground(
        now=NOW,
        people={"ana": member("ana"), "bo": member("bo"), "mia": mia, **(people or {})},
        coverage={"primary": ground.coverage_of(roster, NOW)},
        policies={"standard": Policy("standard", levels)},
        last_resort=(Target.parse("responder:mia"), Target.parse("responder:ana")),
        policies_in_use=frozenset({"standard"}),
    )
    return replace(made, **more)


def found(made: Ground) -> list[tuple[str, str, str]]:
    return [(each.severity, each.code, each.what) for each in check.findings(made)]


def only(made: Ground) -> Finding:
    (finding,) = check.findings(made)
    return finding


def test_a_sound_team_has_no_findings() -> None:
    assert found(sound()) == []


def test_somebody_on_a_rotation_without_a_way_is_an_error() -> None:
    finding = only(sound(people={"bo": member("bo", addresses={}, disabled={"sms": "no such number"})}))
    assert (finding.severity, finding.code, finding.what) == ("error", "no-way", "responder bo")
    assert "counted on by schedule primary and cannot be reached (SMS: no such number)" in finding.sentence


def test_nobody_is_asked_about_who_is_counted_on_nowhere() -> None:
    assert found(sound(people={"zoe": member("zoe", addresses={})})) == []


def test_ways_that_were_never_confirmed_are_a_warning_where_that_is_known() -> None:
    assert found(sound(people={"ana": member("ana", verified=frozenset())})) == [
        ("warning", "not-verified", "responder ana")
    ]
    assert found(sound(people={"ana": member("ana", verified=frozenset({"slack"}))})) == []


def test_who_left_and_is_still_on_a_rotation_is_told() -> None:
    assert ("warning", "not-active", "responder bo") in found(sound(people={"bo": member("bo", active=False)}))


@pytest.mark.parametrize(
    ("number", "severity"),
    [("+3519", "error"), ("12 o'clock", "error"), ("+99912345678", "error"), ("+15550000001", "warning")],
)
def test_a_number_that_cannot_be_called_is_found(number: str, severity: str) -> None:
    assert found(sound(people={"ana": member("ana", addresses={"voice": number})})) == [
        (severity, "phone", "responder ana")
    ]


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (180, False), (300, True), (86_400, True)])
def test_rules_that_begin_late_are_found(seconds: int, late: bool) -> None:
    """A level counts as having reached whoever is paged only a day later."""
    person = member("ana", begins_seconds=seconds)
    assert found(sound(people={"ana": person})) == [("warning", "late-rules", "responder ana")] * late


def test_quiet_hours_all_day_are_found() -> None:
    quiet = member("ana", quiet={"from": "22:00", "to": "22:00"})
    assert found(sound(people={"ana": quiet})) == [("warning", "quiet-all-day", "responder ana")]


@pytest.mark.parametrize(("days", "severity"), [(3, "error"), (30, "warning")])
def test_a_gap_is_an_error_when_it_is_near_and_a_warning_when_not(days: int, severity: str) -> None:
    begins = NOW + timedelta(days=days)
    roster = Roster(
        Schedule("primary", "UTC", (rotation("ana"),)),
        overrides=(Override("primary", begins, begins + timedelta(hours=5), None, "ana"),),
    )
    finding = only(sound(primary=roster))
    assert (finding.severity, finding.code) == (severity, "gap")
    assert finding.sentence.startswith(f"Nobody is on call from {begins:%a %d %b %Y %H:%M} UTC until ")


def test_a_gap_because_all_are_off_says_so() -> None:
    begins, ends = NOW + timedelta(days=2), NOW + timedelta(days=4)
    roster = Roster(
        Schedule("primary", "UTC", (rotation("ana", "bo"),)),
        absences=(Absence("ana", begins, ends), Absence("bo", begins, ends)),
    )
    off = {key: member(key, off=((begins, ends),)) for key in ("ana", "bo")}
    assert found(sound(primary=roster, people=off)) == [("error", "all-off", "schedule primary")]


def test_a_schedule_that_nobody_is_ever_on_is_an_error_and_its_level_is_empty() -> None:
    far = Roster(Schedule("primary", "UTC", (rotation("ana", starts=datetime(2031, 1, 1)),)))
    assert found(sound(primary=far)) == [
        ("error", "nobody", "schedule primary"),
        ("error", "empty-level", "policy standard, level 1"),
    ]


def test_a_schedule_of_shadows_is_a_dead_end() -> None:
    shadows = Roster(Schedule("primary", "UTC", (rotation("ana", shadow=True),)))
    sentences = [each.sentence for each in check.findings(sound(primary=shadows))]
    assert sentences[0] == "It holds nobody but shadows, who are never paged."
    assert sentences[1].startswith("It reaches nobody: schedule primary holds only shadows.")


def test_a_role_that_nobody_has_is_an_empty_level_and_no_end() -> None:
    levels = (level(1, "schedule:primary"), level(2, "role:keeper"))
    assert found(sound(levels=levels)) == [
        ("error", "empty-level", "policy standard, level 2"),
        ("error", "last-level", "policy standard"),
    ]


def test_one_dead_target_beside_a_good_one_is_a_warning() -> None:
    levels = (level(1, "role:keeper", "schedule:primary"), level(2, "role:manager"))
    assert found(sound(levels=levels)) == [("warning", "dead-target", "policy standard, level 1")]


def test_hours_that_never_come_are_found() -> None:
    levels = (level(1, "schedule:primary", during=OFFICE, outside=OFFICE), level(2, "role:manager", during=OFFICE))
    assert found(sound(levels=levels)) == [("error", "hours", "policy standard, level 1")]


def test_more_acknowledgements_than_people_can_never_be_had() -> None:
    policy = Policy("standard", (level(1, "role:manager"),), acknowledgements=2)
    made = sound(policies={"standard": policy}, last_resort=(Target.parse("role:responder"),), coverage={})
    assert found(made) == [("error", "acknowledgements", "policy standard")]


def test_what_nobody_uses_is_told() -> None:
    idle = ground.coverage_of(Roster(Schedule("idle", "UTC", (rotation("ana"),))), NOW)
    made = sound()
    made = replace(
        made,
        coverage={**made.coverage, "idle": idle},
        policies={**made.policies, "old": Policy("old", (level(1, "responder:ana"),))},
    )
    assert found(made) == [("warning", "unused-schedule", "schedule idle"), ("warning", "unused-policy", "policy old")]


def test_a_channel_that_is_used_and_not_configured_is_an_error() -> None:
    levels = (
        level(1, "schedule:primary", announce=(Announcement("webhook", "https://example.org/x"),)),
        level(2, "role:manager"),
    )
    assert found(sound(levels=levels, channels=frozenset({"slack"}))) == [
        ("error", "channel", "channel sms"),
        ("error", "channel", "channel webhook"),
    ]
    advice = [each.advice for each in check.findings(sound(levels=levels, channels=frozenset({"slack"})))]
    assert advice[0] == "Set the TOCSIN_TWILIO_… settings, or use another way."


def test_a_last_resort_of_nobody_is_an_error_and_one_of_one_person_by_one_way_a_warning() -> None:
    assert found(sound(last_resort=(Target.parse("role:keeper"),))) == [("error", "last-resort", "last resort")]
    phone = member("mia", roles=frozenset({"manager"}), addresses={"sms": PHONE, "voice": PHONE})
    made = sound(people={"mia": phone}, last_resort=(Target.parse("responder:mia"),))
    assert only(made).sentence == "It is one person, Mia, who is reached by telephone alone."


def test_a_level_whose_runbook_is_not_there_is_an_error() -> None:
    levels = (level(1, "schedule:primary"), level(2, "role:manager", runbook="recovery"))
    assert found(sound(levels=levels, runbooks=frozenset({"recovery"}))) == []
    assert found(sound(levels=levels, runbooks=frozenset({"other"}))) == [
        ("error", "no-runbook", "policy standard, level 2")
    ]


def test_a_calendar_that_fails_is_an_error_and_one_that_was_not_read_is_not() -> None:
    by_calendar = Roster(Schedule("primary", "UTC", (Rotation((), calendar="https://example.org/x.ics"),)))
    made = sound(primary=by_calendar)
    assert [each for each in found(made) if each[1] in ("gap", "nobody")] == []
    failing = replace(made.coverage["primary"], calendar_errors=("it answered 404",))
    assert ("error", "calendar", "schedule primary") in found(replace(made, coverage={"primary": failing}))
