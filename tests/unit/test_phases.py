from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents import phases
from incidents.phases import Course, Hold, Phase, Verdict

OPENED_AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return OPENED_AT + timedelta(minutes=minutes)


def hold(since: float, until: float | None, authority: str = "FR21") -> Hold:
    ended_at = None if until is None else after(until)
    return Hold("recovery waiting period", authority, "Kim Osei", after(since), after(since + 2880), ended_at)


def row(course: Course, phase: Phase, now: datetime) -> phases.PhaseRow:
    return next(r for r in phases.phase_report(course, now) if r.phase is phase)


@pytest.mark.parametrize(
    ("minutes", "phase"),
    [
        (0, Phase.IMMEDIATE),
        (4.99, Phase.IMMEDIATE),
        (5, Phase.CONTAINMENT),
        (14.99, Phase.CONTAINMENT),
        (15, Phase.RECOVERY),
        (60, Phase.RECOVERY),
        (6000, Phase.RECOVERY),
    ],
)
def test_without_milestones_the_clock_moves_the_phase_at_5_and_15_minutes(minutes: float, phase: Phase) -> None:
    assert phases.phase_at(Course(OPENED_AT), after(minutes)) is phase


def test_containment_moves_the_response_on_to_recovery_before_its_time() -> None:
    course = Course(OPENED_AT, contained_at=after(3))
    assert phases.phase_at(course, after(2)) is Phase.IMMEDIATE
    assert phases.phase_at(course, after(3)) is Phase.RECOVERY


def test_resolution_begins_the_post_incident_phase_and_nothing_ends_it() -> None:
    course = Course(OPENED_AT, resolved_at=after(8))
    assert phases.phase_at(course, after(7)) is Phase.CONTAINMENT
    assert phases.phase_at(course, after(8)) is Phase.POST_INCIDENT
    assert phases.phase_at(course, after(100_000)) is Phase.POST_INCIDENT


def test_a_hold_stops_the_clock_of_the_phase() -> None:
    course = Course(OPENED_AT, holds=(hold(4, 1000),))
    assert phases.phase_at(course, after(900)) is Phase.IMMEDIATE
    assert phases.phase_at(course, after(1000.5)) is Phase.IMMEDIATE
    assert phases.phase_at(course, after(1001)) is Phase.CONTAINMENT


def test_a_phase_reached_in_time_is_met_at_its_very_end_and_late_after_it() -> None:
    at_the_end, beyond = Course(OPENED_AT, contained_at=after(15)), Course(OPENED_AT, contained_at=after(15.1))
    assert row(at_the_end, Phase.CONTAINMENT, after(100)).verdict is Verdict.MET
    assert row(beyond, Phase.CONTAINMENT, after(100)).verdict is Verdict.LATE


def test_a_recovery_under_a_48_hour_hold_is_held_and_not_late() -> None:
    course = Course(OPENED_AT, contained_at=after(10), recovered_at=after(2880 + 55), holds=(hold(20, 2900),))
    found = row(course, Phase.RECOVERY, after(5000))
    assert found.verdict is Verdict.HELD
    assert found.held_seconds == 48 * 3600
    assert found.note == "held 48 h 00 min by FR21"


def test_while_a_hold_runs_the_open_phase_is_held() -> None:
    course = Course(OPENED_AT, contained_at=after(10), holds=(hold(20, None),))
    assert row(course, Phase.RECOVERY, after(30)).verdict is Verdict.HELD
    assert row(course, Phase.RECOVERY, after(2000)).verdict is Verdict.HELD
    assert phases.overdue(course, after(2000)) == ()


def test_a_hold_excuses_no_time_outside_it() -> None:
    course = Course(OPENED_AT, recovered_at=after(200), holds=(hold(70, 80),))
    assert row(course, Phase.RECOVERY, after(300)).verdict is Verdict.LATE


def test_a_later_milestone_implies_the_earlier_one_and_the_report_says_so() -> None:
    course = Course(OPENED_AT, acknowledged_at=after(2), resolved_at=after(12))
    found = row(course, Phase.CONTAINMENT, after(30))
    assert (found.ended_at, found.verdict) == (after(12), Verdict.MET)
    assert found.note == "not marked contained; resolved implies it"


def test_milestones_after_the_moment_asked_for_do_not_count() -> None:
    course = Course(OPENED_AT, contained_at=after(10))
    assert row(course, Phase.CONTAINMENT, after(9)).ended_at is None


def test_the_post_incident_phase_counts_from_resolution_and_has_24_hours() -> None:
    unresolved, resolved = Course(OPENED_AT), Course(OPENED_AT, resolved_at=after(90))
    assert row(unresolved, Phase.POST_INCIDENT, after(5000)).verdict is Verdict.NOT_STARTED
    assert row(resolved, Phase.POST_INCIDENT, after(90 + 1440)).verdict is Verdict.RUNNING
    assert row(resolved, Phase.POST_INCIDENT, after(90 + 1441)).verdict is Verdict.LATE


def test_overdue_names_what_is_late_and_still_open() -> None:
    course = Course(OPENED_AT, acknowledged_at=after(7))
    assert phases.overdue(course, after(14)) == ()
    assert phases.overdue(course, after(16)) == (Phase.CONTAINMENT,)
    assert phases.overdue(course, after(61)) == (Phase.CONTAINMENT, Phase.RECOVERY)


def test_a_deadline_is_moved_by_the_holds_before_it_and_unknown_while_one_runs() -> None:
    assert phases.deadline(Course(OPENED_AT), Phase.CONTAINMENT, after(1)) == after(15)
    ended = Course(OPENED_AT, holds=(hold(10, 40), hold(46, 50)))
    assert phases.deadline(ended, Phase.CONTAINMENT, after(60)) == after(45)
    assert phases.deadline(ended, Phase.RECOVERY, after(60)) == after(94)
    assert phases.deadline(Course(OPENED_AT, holds=(hold(10, None),)), Phase.RECOVERY, after(30)) is None
    assert phases.deadline(Course(OPENED_AT, holds=(hold(20, None),)), Phase.CONTAINMENT, after(30)) == after(15)
    assert phases.deadline(Course(OPENED_AT), Phase.POST_INCIDENT, after(30)) is None


def test_a_hold_that_begins_at_the_deadline_still_moves_it() -> None:
    course = Course(OPENED_AT, holds=(hold(5, 30),))
    assert phases.deadline(course, Phase.IMMEDIATE, after(40)) == after(30)
    assert phases.deadline(Course(OPENED_AT, holds=(hold(5, None),)), Phase.IMMEDIATE, after(20)) is None


def test_overlapping_holds_count_their_common_time_once() -> None:
    assert phases.held_time((hold(10, 30), hold(20, 40)), OPENED_AT, after(60)) == timedelta(minutes=30)


def test_of_running_holds_the_one_that_must_last_longest_is_in_force() -> None:
    long, short = hold(20, None, "policy 7"), hold(10, None, "FR21")
    assert phases.held_at((long, short), after(30)) == long
    assert phases.held_at((hold(10, 20),), after(20)) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (200, "3 min 20 s"), (3600, "1 h 00 min"), (-90, "-1 min 30 s")],
)
def test_durations_are_told_in_their_two_largest_units(seconds: int, text: str) -> None:
    assert phases.duration(timedelta(seconds=seconds)) == text


def test_every_phase_has_its_two_checklists_of_four_with_keys_of_their_own() -> None:
    items = [item for phase in Phase for item in phases.CHECKLISTS[phase]]
    groups = {phase: list(dict.fromkeys(i.group for i in phases.CHECKLISTS[phase])) for phase in Phase}
    assert groups == {
        Phase.IMMEDIATE: ["Assessment", "Communication"],
        Phase.CONTAINMENT: ["Isolation", "Stabilisation"],
        Phase.RECOVERY: ["System recovery", "Service restoration"],
        Phase.POST_INCIDENT: ["Analysis", "Prevention"],
    }
    assert len(items) == len({item.key for item in items}) == 32


spans = st.tuples(st.integers(0, 4000), st.integers(0, 4000)).map(sorted)
courses = st.builds(
    lambda milestones, held: replace(Course(OPENED_AT, *milestones), holds=tuple(hold(a, b) for a, b in held)),
    st.lists(st.none() | st.integers(0, 4000).map(after), min_size=5, max_size=5),
    st.lists(spans, max_size=3),
)


@given(courses, st.integers(0, 4000), st.integers(0, 4000))
def test_a_response_never_moves_back_a_phase(course: Course, one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    order = list(Phase)
    assert order.index(phases.phase_at(course, after(earlier))) <= order.index(phases.phase_at(course, after(later)))


@given(courses, st.integers(0, 6000))
def test_what_is_overdue_is_past_its_deadline_and_the_other_way_round(course: Course, minutes: int) -> None:
    now = after(minutes)
    for found in phases.phase_report(course, now):
        due_at = phases.deadline(course, found.phase, now)
        if found.ended_at is None and found.verdict is not Verdict.NOT_STARTED:
            assert (found.phase in phases.overdue(course, now)) == (due_at is not None and due_at < now)


@given(courses, st.integers(0, 6000))
def test_held_time_is_within_the_elapsed_time_and_a_hold_only_ever_helps(course: Course, minutes: int) -> None:
    without = replace(course, holds=())
    for held, plain in zip(
        phases.phase_report(course, after(minutes)), phases.phase_report(without, after(minutes)), strict=True
    ):
        assert 0 <= held.held_seconds <= (held.elapsed_seconds or 0)
        assert held.verdict is not Verdict.LATE or plain.verdict is Verdict.LATE
