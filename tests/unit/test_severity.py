from __future__ import annotations

import pytest

from incidents import severity
from incidents.severity import IncidentClass, Severity

CONSTITUTIONAL, OPERATIONAL = IncidentClass.CONSTITUTIONAL, IncidentClass.OPERATIONAL
SCALE = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO]


def test_the_scale_runs_from_critical_down_to_info_and_low_is_above_info() -> None:
    assert [s.rank for s in SCALE] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("current", "hint", "result"),
    [
        (Severity.MEDIUM, Severity.CRITICAL, Severity.HIGH),
        (Severity.MEDIUM, Severity.HIGH, Severity.HIGH),
        (Severity.LOW, Severity.MEDIUM, Severity.MEDIUM),
        (Severity.HIGH, Severity.CRITICAL, Severity.HIGH),
        (Severity.CRITICAL, Severity.INFO, Severity.CRITICAL),
        (Severity.CRITICAL, Severity.CRITICAL, Severity.CRITICAL),
        (Severity.MEDIUM, Severity.LOW, Severity.MEDIUM),
        (Severity.MEDIUM, None, Severity.MEDIUM),
    ],
)
def test_a_hint_raises_to_high_at_most_and_never_lowers(
    current: Severity, hint: Severity | None, result: Severity
) -> None:
    assert severity.raised_by_hint(current, hint) is result


@pytest.mark.parametrize("current", SCALE)
@pytest.mark.parametrize("new", SCALE)
def test_a_repeat_moves_the_severity_only_up(current: Severity, new: Severity) -> None:
    after = severity.after_repeat(current, new)
    assert after.rank == max(current.rank, new.rank)


def test_one_constitutional_alert_makes_an_incident_constitutional_for_good() -> None:
    assert severity.class_after_repeat(OPERATIONAL, CONSTITUTIONAL) is CONSTITUTIONAL
    assert severity.class_after_repeat(CONSTITUTIONAL, OPERATIONAL) is CONSTITUTIONAL
    assert severity.class_after_repeat(OPERATIONAL, OPERATIONAL) is OPERATIONAL


@pytest.mark.parametrize("old", SCALE)
@pytest.mark.parametrize("new", SCALE)
def test_only_lowering_a_constitutional_severity_needs_two_people(old: Severity, new: Severity) -> None:
    assert severity.needs_two_people(CONSTITUTIONAL, old, new) is (new.rank < old.rank)
    assert severity.needs_two_people(OPERATIONAL, old, new) is False


def test_only_taking_the_constitutional_class_away_needs_two_people() -> None:
    assert severity.class_change_needs_two_people(CONSTITUTIONAL, OPERATIONAL)
    assert not severity.class_change_needs_two_people(OPERATIONAL, CONSTITUTIONAL)
    assert not severity.class_change_needs_two_people(CONSTITUTIONAL, CONSTITUTIONAL)


@pytest.mark.parametrize(
    ("old", "new", "two"),
    [
        ((CONSTITUTIONAL, Severity.LOW), (OPERATIONAL, Severity.HIGH), True),  # raised, but the class is gone
        ((CONSTITUTIONAL, Severity.HIGH), (CONSTITUTIONAL, Severity.LOW), True),
        ((OPERATIONAL, Severity.HIGH), (CONSTITUTIONAL, Severity.LOW), False),
        ((OPERATIONAL, Severity.HIGH), (OPERATIONAL, Severity.INFO), False),
        ((CONSTITUTIONAL, Severity.HIGH), (CONSTITUTIONAL, Severity.CRITICAL), False),
    ],
)
def test_class_and_severity_changed_together_are_judged_together(
    old: tuple[IncidentClass, Severity], new: tuple[IncidentClass, Severity], two: bool
) -> None:
    assert severity.reclassification_needs_two_people(old, new) is two


def test_a_halt_is_recommended_for_constitutional_critical_only() -> None:
    recommended = [(c, s) for c in IncidentClass for s in Severity if severity.recommends_halt(c, s)]
    assert recommended == [(CONSTITUTIONAL, Severity.CRITICAL)]
