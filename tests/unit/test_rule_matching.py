"""How a rule's conditions match, and what denies a match."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.rule_samples import hits


def test_words_are_found_in_any_order_and_inflection_within_the_gap(tmp_path: Path) -> None:
    when = "{near: [flux, 'break* | broke* | torn'], gap: 2}"
    texts = [
        "Flux broken",
        "it broke the FLUX",
        "torn-up old flux",
        "FluxBreaking",
        "flux one two three broken",
        "flux. Broken",
    ]
    assert hits(tmp_path, when, *texts) == texts[:4]


def test_the_gap_grows_with_the_number_of_groups(tmp_path: Path) -> None:
    texts = ["a1 x x b1 c1", "a1 x x x b1 c1"]
    assert hits(tmp_path, "{near: [a1, b1, c1], gap: 1}", *texts) == texts[:1]


def test_ordered_words_keep_their_order_and_across_reaches_the_next_clause(tmp_path: Path) -> None:
    assert hits(tmp_path, "{near: [flux, broken], ordered: true}", "flux broken", "broken flux") == ["flux broken"]
    texts = ["flux; broken", "flux, broken", "flux but broken"]
    assert hits(tmp_path, "{near: [flux, broken]}", *texts) == []
    assert hits(tmp_path, "{near: [flux, broken], across: true}", *texts) == texts


def test_one_word_cannot_stand_for_two(tmp_path: Path) -> None:
    assert hits(tmp_path, "{near: ['flux', 'flux*']}", "flux", "flux fluxes") == ["flux fluxes"]


def test_numbers_stand_for_any_number_and_nonzero_not_for_0(tmp_path: Path) -> None:
    texts = ["flux 7", "flux 0", "flux x7"]
    assert hits(tmp_path, "{near: ['flux <number>']}", *texts) == texts[:2]
    assert hits(tmp_path, "{near: ['flux <nonzero>']}", *texts) == texts[:1]


def test_what_belongs_together_is_not_cut_at_full_stops_in_numbers_wrapped_lines_or_results(tmp_path: Path) -> None:
    texts = [
        "flux 2.5 broken",
        "flux check done. Result: broken",
        "the flux of the ninth and of the tenth hall has been\nbroken",
        "flux 1, 2 and 3 broken",
    ]
    assert hits(tmp_path, "{near: [flux, broken], gap: 12}", *texts) == texts


@pytest.mark.parametrize(
    "text",
    [
        "no flux failures",
        "no new flux failures found",
        "0 flux failures",
        "found 0 flux failures",
        "flux failures: 0",
        "flux failures found: none",
        "flux did not fail",
        "flux hasn't failed",
        "0 of 5000 flux checks failed",
        "without any flux failure",
        "errors=0 flux_failures=0",
        "gaps: 3 flux failures: 0",
        "0 flux failures: 5000 events checked",
    ],
)
def test_a_denied_match_is_none(tmp_path: Path, text: str) -> None:
    assert hits(tmp_path, "{near: [flux, 'fail*']}", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "flux no 5 failed",
        "replica 0 flux failed",
        "flux failed: 0 retries left",
        "not only did flux fail",
        "nobody answers: flux failed",
        "no answer; flux failed",
        "no backup: flux failed",
        "no operator noticed that flux failed",
        "errors=0 flux_failures=3",
        "errors=0,flux_failures=3",
        "errors: 0 flux failures: 3",
        "flux failed at 0:00",
    ],
)
def test_a_denial_of_something_else_denies_nothing(tmp_path: Path, text: str) -> None:
    assert hits(tmp_path, "{near: [flux, 'fail*']}", text) == [text]
