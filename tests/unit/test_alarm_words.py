"""Administrators are told of what is new, not of the same again and again, and once when all is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from escalation.alarm_words import Telling, decide
from escalation.findings import Finding, Kind, Outcome

AT = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
NO_ENGINE = Outcome(Finding(Kind.ENGINE_NONE, "No engine is running.", rank=0))
MENDED = Outcome(Finding(Kind.ADVANCE_MISSING, "Incident 1 was forgotten.", 1), "It goes on.")


def tellings(*rounds: tuple[float, list[Outcome]]) -> list[tuple[float, Telling]]:
    """(minutes, what was found then) -> what was told when."""
    told: dict[str, str] = {}
    said = []
    for minutes, outcomes in rounds:
        telling, told = decide(outcomes, told, AT + timedelta(minutes=minutes))
        if telling is not None:
            said.append((minutes, telling))
    return said


def test_what_stands_is_told_at_once_and_again_every_15_minutes() -> None:
    said = tellings(*((minutes, [NO_ENGINE]) for minutes in range(40)))
    assert said == [(m, Telling("People may not be paged", "No engine is running.", True)) for m in (0, 15, 30)]


def test_what_was_mended_is_told_once_and_needs_no_all_clear() -> None:
    said = tellings((0, [MENDED]), (1, []), (2, []), (9, []), (10, [MENDED]), (20, [MENDED]))
    text = "Incident 1 was forgotten. It goes on."
    assert said == [(m, Telling("The reconciler put something right", text, False)) for m in (0, 20)]


def test_when_all_has_been_well_for_two_minutes_that_is_told_once() -> None:
    said = tellings((0, [NO_ENGINE]), (1, []), (2, []), (3, []), (4, []), (9, []))
    assert [(minutes, telling.text) for minutes, telling in said[1:]] == [
        (3, "All is well again: what was wrong since 10:00 UTC is put right.")
    ]


def test_what_comes_and_goes_is_not_told_each_time_but_anew_after_the_all_clear() -> None:
    said = tellings((0, [NO_ENGINE]), (1, []), (2, [NO_ENGINE]), (3, []), (6, []), (7, [NO_ENGINE]))
    assert [minutes for minutes, _ in said] == [0, 6, 7]


def test_another_kind_is_told_at_once_and_what_stands_comes_first() -> None:
    (_, _), (minutes, telling) = tellings((0, [NO_ENGINE]), (1, [MENDED, NO_ENGINE]))
    assert minutes == 1
    assert telling.text == "Incident 1 was forgotten. It goes on. No engine is running."
    assert telling.insist


def test_many_findings_are_counted_and_not_listed() -> None:
    many = [Outcome(Finding(Kind.ADVANCE_MISSING, f"Incident {n}.", n), "Mended.") for n in range(9)]
    ((_, telling),) = tellings((0, many))
    assert telling.text == "Incident 0. Mended. Incident 1. Mended. Incident 2. Mended. And 6 more."
