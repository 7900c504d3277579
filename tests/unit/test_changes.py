"""How changes to the declared configuration are told."""

from __future__ import annotations

import pytest

from config.changes import Changes, shown


def told(before: object, after: object) -> list[str]:
    changes = Changes()
    changes.changed("policy standard", before, after, otherwise="something")
    return changes.lines


def test_a_line_names_the_place_and_both_values() -> None:
    before = {"repeat": 1, "levels": [{"after": "0s"}, {"after": "5m"}, {"after": "15m", "page": ["role:manager"]}]}
    after = {"repeat": 1, "levels": [{"after": "0s"}, {"after": "5m"}, {"after": "20m", "page": ["role:manager"]}]}
    assert told(before, after) == ["~ policy standard: levels[2].after 15m -> 20m"]


def test_each_difference_has_its_line() -> None:
    before = {"name": "Ana", "page_by": {"high": [{"by": "sms"}]}}
    after = {"name": "Anna", "page_by": {"high": [{"by": "voice"}]}}
    assert told(before, after) == [
        "~ policy standard: name Ana -> Anna",
        "~ policy standard: page_by.high[0].by sms -> voice",
    ]


def test_what_comes_and_goes_in_a_list_is_shown_whole() -> None:
    one, two = {"after": "0s", "page": []}, {"after": "5m", "page": ["role:manager", "responder:ana"]}
    added, removed = told({"levels": [one]}, {"levels": [one, two]}), told({"levels": [one, two]}, {"levels": [one]})
    assert added == ["~ policy standard: levels[1] none -> {after: 5m, page: [role:manager, responder:ana]}"]
    assert removed == ["~ policy standard: levels[1] {after: 5m, page: [role:manager, responder:ana]} -> none"]


def test_lists_of_texts_and_truth_values_stand_as_the_file_writes_them() -> None:
    assert told({"roles": ["responder"], "protected": False}, {"roles": [], "protected": True}) == [
        "~ policy standard: roles [responder] -> none",
        "~ policy standard: protected false -> true",
    ]


def test_absent_empty_and_null_are_the_same() -> None:
    assert told({"slack": None, "page": []}, {"slack": "", "announce": {}}) == ["~ policy standard: something"]


def test_a_difference_in_what_is_not_shown_has_a_line_all_the_same() -> None:
    assert told({"announce": "webhook:https://h/…"}, {"announce": "webhook:https://h/…"}) == [
        "~ policy standard: something"
    ]


def test_a_value_as_a_whole_needs_no_place() -> None:
    assert told(["role:manager"], ["responder:ana"]) == ["~ policy standard: [role:manager] -> [responder:ana]"]


def test_additions_and_removals_are_lines_and_warnings_are_no_changes() -> None:
    changes = Changes()
    changes.warn("service checkout: not yet.")
    assert not changes
    changes.added("responder ana", "(Ana Lima)")
    changes.removed("schedule old")
    assert changes
    assert changes.lines == ["+ responder ana (Ana Lima)", "- schedule old"]
    assert changes.warnings == ["service checkout: not yet."]


@pytest.mark.parametrize(
    ("value", "line"),
    [("two\nlines", "two lines"), ("\x1b[2Jgone\x9b", " [2Jgone "), ("x" * 300, "x" * 200 + "…"), (0, "0")],
)
def test_a_value_is_one_short_line_that_no_terminal_obeys(value: object, line: str) -> None:
    assert shown(value) == line
