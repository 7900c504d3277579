"""A configuration written as a file reads back as the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from config import declaration
from config.writing import Noted, to_text, variable

TEXTS = some.text(some.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
TRICKY = some.sampled_from(
    [
        "no",
        "12:30",
        "2026-11-02",
        "${HOME}",
        "$${X}",
        "+1500",
        "0x1f",
        "1e3",
        "~",
        "- a",
        "a: b",
        "# c",
        " x ",
        "1w",
        "<<",
    ]
)
KEYS = some.one_of(TEXTS, TRICKY)
SCALARS = some.one_of(TEXTS, TRICKY, some.integers(-(10**9), 10**9), some.booleans())
VALUES = some.recursive(
    SCALARS,
    lambda inner: some.one_of(
        some.lists(inner, min_size=1, max_size=3), some.dictionaries(KEYS, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def read(text: str, **env: str) -> dict[str, Any]:
    return declaration.read_text(text, env=env, file_name="tocsin.yaml").data


@settings(max_examples=60)
@given(some.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_whatever_is_written_reads_back_as_the_same(value: dict[str, Any]) -> None:
    assert read(to_text(value)) == value


def test_a_long_text_stays_a_text() -> None:
    value = {"maintenance": {"patches": {"reason": "as agreed with everybody " * 8, "title": "\U0002ebe1" * 12}}}
    assert read(to_text(value)) == value


def test_it_is_written_as_people_write_it() -> None:
    levels = [{"level": 1, "after": "0s", "page": ["schedule:primary"]}, {"level": 2, "after": "1h30m"}]
    file = {
        "responders": {
            "ana": {"name": "Ana Lima", "phone": "+351910000001", "timezone": "Europe/Lisbon", "email": None}
        },
        "policies": {"standard": {"repeat": 1, "levels": levels}},
        "last_resort": ["responder:ana"],
    }
    assert to_text(file).splitlines() == [
        "responders:",
        '  ana: {name: Ana Lima, phone: "+351910000001", timezone: Europe/Lisbon}',
        "policies:",
        "  standard:",
        "    repeat: 1",
        "    levels:",
        '      - {level: 1, after: 0s, page: ["schedule:primary"]}',
        "      - {level: 2, after: 1h30m}",
        'last_resort: ["responder:ana"]',
    ]


def test_a_variable_is_read_from_the_environment_and_a_note_is_no_value() -> None:
    text = to_text({"integrations": [Noted({"source": "pagerduty", "key": variable("K")}, "ends in …c0c0")]})
    assert text == 'integrations:\n  - {source: pagerduty, key: "${K}"}  # ends in …c0c0\n'
    assert read(text, K="abc") == {"integrations": [{"source": "pagerduty", "key": "abc"}]}
