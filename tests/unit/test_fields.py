"""Reading the mappings of a declared file into values of the type they should have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from config import declaration, fields
from config.declaration import DeclarationError, Problems


def read(text: str) -> tuple[fields.Fields, Problems]:
    document = declaration.read_text(text, env={}, file_name="tocsin.yaml")
    problems = Problems(document)
    return fields.root(document, problems), problems


def told(problems: Problems) -> list[str]:
    try:
        problems.raise_if_any()
    except DeclarationError as refused:
        return [str(problem) for problem in refused.problems]
    return []


GOOD = """
name: 007
phone: +351910000001
repeat: 3
after: 1h30m
by: sms
protected: true
names: [ana, 12]
levels: [{n: 1}, {n: 2}]
people: {ana: {n: 1}, bo: }
"""


def test_values_are_read_as_the_type_they_should_have() -> None:
    top, problems = read(GOOD)
    assert top.text("name") == "007"
    assert top.text("phone") == "+351910000001"
    assert top.integer("repeat") == 3
    assert top.seconds("after") == 5_400
    assert top.choice("by", ("slack", "sms")) == "sms"
    assert top.boolean("protected", default=False) is True
    assert top.texts("names") == {("names", 0): "ana", ("names", 1): "12"}
    assert [level.integer("n") for level in top.each("levels")] == [1, 2]
    people = top.entries("people")
    assert {name: person.integer("n", default=0) for name, person in people.items()} == {"ana": 1, "bo": 0}
    assert people["ana"].name == "ana"
    assert told(problems) == []
    assert top.sound


def test_what_is_absent_is_the_default() -> None:
    top, problems = read("other: 1\nnothing:\n")
    assert top.text("a") == top.text("nothing") == ""
    assert top.integer("a", default=7) == 7
    assert top.seconds("a", default=60) == 60
    assert top.choice("a", ("x", "y"), default="x") == "x"
    assert top.boolean("a", default=True) is True
    assert (top.texts("a"), top.each("a"), top.entries("a")) == ({}, [], {})
    assert not top.has("nothing")
    assert top.inner("a").text("b") == ""
    assert told(problems) == []


def test_what_is_required_and_absent_is_missing() -> None:
    top, problems = read("other: 1\nempty: []\n")
    top.text("a", required=True)
    top.integer("b")
    top.seconds("c")
    top.choice("d", ("x",))
    top.each("e", required=True)
    top.texts("empty", required=True)
    assert told(problems) == [
        *[f"line 1, {key}: is missing" for key in "abcde"],
        "line 2, empty: is empty",
    ]


@pytest.mark.parametrize(
    ("written", "key", "problem"),
    [
        ("[1]", "text", "must be a text"),
        ("''", "text", "must be a text"),
        ("x" * 201, "text", "is longer than 200 characters"),
        ("x", "integer", "must be a whole number from 1 to 4"),
        ("true", "integer", "must be a whole number from 1 to 4"),
        ("1.0", "integer", "must be a whole number from 1 to 4"),
        ("5", "integer", "must be a whole number from 1 to 4"),
        ("'1'", "integer", "must be a whole number from 1 to 4"),
        ("99999999999999999999", "integer", "must be a whole number from 1 to 4"),
        ("yes", "boolean", "must be true or false"),
        ("2h", "seconds", "must be a duration from 1m to 1h, not 2h"),
        ("5", "seconds", '"5" is not a duration; write a whole number and s, m, h, d or w, such as 90s or 1h30m'),
        ("sns", "choice", 'no such value "sns"; did you mean "sms"?'),
        ("x", "texts", "must be a list"),
        ("x", "each", "must be a list"),
        ("x", "entries", "must hold names, and keys and values under each"),
        ("x", "inner", "must hold keys and values"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(written: str, key: str, problem: str) -> None:
    top, problems = read(f"before: 1\n{key}: {written}\n")
    read_as: dict[str, Callable[[], object]] = {
        "text": lambda: top.text("text"),
        "integer": lambda: top.integer("integer", minimum=1, maximum=4),
        "boolean": lambda: top.boolean("boolean", default=False),
        "seconds": lambda: top.seconds("seconds", minimum=60, maximum=3_600),
        "choice": lambda: top.choice("choice", ("slack", "sms")),
        "texts": lambda: top.texts("texts"),
        "each": lambda: top.each("each"),
        "entries": lambda: top.entries("entries"),
        "inner": lambda: top.inner("inner"),
    }
    read_as[key]()
    assert told(problems) == [f"line 2, {key}: {problem}"]
    assert not top.sound


def test_an_item_that_is_wrong_is_named_by_its_number() -> None:
    top, problems = read("names:\n  - ana\n  - [bo]\n  -\nlevels:\n  - {n: 1}\n  - x\n")
    top.texts("names")
    levels = top.each("levels")
    assert told(problems) == [
        "line 3, names[1]: must be a text",
        "line 4, names[2]: must be a text",
        "line 7, levels[1]: must hold keys and values",
    ]
    assert [level.sound for level in levels] == [True, False]
