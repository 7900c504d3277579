"""Periods, holds and the state of a certification."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from runbook_links import periods
from tests.unit.runbook_samples import good


@pytest.mark.parametrize(
    ("text", "day", "after"),
    [
        ("P1M", date(2026, 1, 31), date(2026, 2, 28)),
        ("P1M", date(2026, 12, 5), date(2027, 1, 5)),
        ("P1Y", date(2024, 2, 29), date(2025, 2, 28)),
        ("P2D", date(2026, 1, 31), date(2026, 2, 2)),
        ("P2W", date(2026, 1, 1), date(2026, 1, 15)),
        ("PT48H", date(2026, 1, 1), date(2026, 1, 3)),
        ("P999Y", date(9990, 1, 1), date.max),
        ("P99999D", date(9990, 1, 1), date.max),
    ],
)
def test_a_period_ends_on_the_calendars_day(text: str, day: date, after: date) -> None:
    found = periods.period(text)
    assert found is not None
    assert found.after(day) == after


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "P1H", "P0D", "monthly", "P1M2", "P-1D"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert periods.period(text) is None


def test_a_hold_in_hours_or_days_is_one_length() -> None:
    for typed in ("P2D", "PT48H"):
        assert good(("tags: [store]", f'min_hold: "{typed}"')).min_hold == timedelta(hours=48)
    assert [problem.rule for problem in good(("tags: [store]", 'min_hold: "P1M"')).problems] == ["RB003"]


@pytest.mark.parametrize(
    ("today", "incident_class", "state"),
    [
        (date(2026, 11, 16), "mixed", "certified"),
        (date(2026, 11, 17), "mixed", "due"),
        (date(2026, 12, 1), "mixed", "due"),
        (date(2026, 12, 2), "mixed", "overdue"),
        (date(2026, 12, 8), "mixed", "overdue"),
        (date(2026, 12, 9), "mixed", "expired"),
        (date(2026, 12, 9), "operational", "overdue"),
        (date(2026, 12, 31), "operational", "overdue"),
        (date(2027, 1, 1), "operational", "expired"),
    ],
)
def test_certification_runs_out_after_7_days_of_grace_if_constitutional_and_30_if_not(
    today: date, incident_class: str, state: str
) -> None:
    assert good(("class: mixed", f"class: {incident_class}")).recert_state(today) == state


def test_a_status_worse_than_the_dates_is_believed() -> None:
    assert good(("status: certified", "status: expired")).recert_state(date(2026, 11, 2)) == "expired"
    assert good(("status: certified", "status: in-review")).recert_state(date(2026, 11, 2)) == "in-review"
