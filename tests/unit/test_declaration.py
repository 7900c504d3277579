"""Reading a declared file: its form, and every problem named by line and field."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from config import declaration, fields
from config.declaration import DeclarationError, Document, Problems


def read(text: str, env: Mapping[str, str] | None = None) -> Document:
    return declaration.read_text(text, env=env or {}, file_name="tocsin.yaml")


def refusals(text: str, env: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(DeclarationError) as refused:
        read(text, env)
    return [str(problem) for problem in refused.value.problems]


def problems_of(text: str) -> tuple[fields.Fields, Document, Problems]:
    document = read(text)
    problems = Problems(document)
    return fields.root(document, problems), document, problems


def told(problems: Problems) -> list[str]:
    try:
        problems.raise_if_any()
    except DeclarationError as refused:
        return [str(problem) for problem in refused.problems]
    return []


# Form


def test_plain_data_comes_out_and_each_value_knows_its_line() -> None:
    document = read("a:\n  b: [1, two]\n  c:\n    - d: true\n    - d: 2.5\n\ne: ''\n")
    assert document.data == {"a": {"b": [1, "two"], "c": [{"d": True}, {"d": 2.5}]}, "e": ""}
    assert document.line(("a", "b", 1)) == 2
    assert document.line(("a", "c", 1, "d")) == 5
    assert document.line(("e",)) == 7


def test_what_is_missing_is_on_the_line_of_what_is_around_it() -> None:
    document = read("a: 1\nb:\n  c: 2\n")
    assert document.line(("b", "x", 0, "y")) == 2
    assert document.line(("x",)) == 1


@pytest.mark.parametrize("written", ["no", "yes", "on", "12:30", "010", "0x1f", "1_000", "2026-11-02", "1e3", ".inf"])
def test_what_yaml_would_turn_into_something_else_stays_text(written: str) -> None:
    assert read(f"a: {written}").data == {"a": written}


@pytest.mark.parametrize("written", ["null", "~", ""])
def test_nothing_is_nothing(written: str) -> None:
    assert read(f"a: {written}").data == {"a": None}


def test_keys_are_text_even_if_they_look_like_something_else() -> None:
    assert read("no: 1\n7: 2\ntrue: 3\n").data == {"no": 1, "7": 2, "true": 3}


def test_an_alias_stands_for_the_whole_value() -> None:
    assert read("a: &usual [1, 2]\nb: *usual\n").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3\n", "line 4, b.c: this key is already on line 3"),
        ("a: {b: 1}\n'a': 2\n", "line 2, a: this key is already on line 1"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "line 3, c: merge keys (<<) are not understood; alias whole values instead"),
        ("a: 1\n? [b]\n: 2\n", "line 2: a key must be a single word or text"),
        ("a: 1\nb: !ruby x\n", "line 2, b: tags such as !ruby are not understood"),
        ("a: 1\nb: !!python/name:os.system x\n", "line 2, b: tags such as !!python/name:os.system are not understood"),
        ("a: 1\nb: !!binary aGk=\n", "line 2, b: tags such as !!binary are not understood"),
        ('a: "\\0"\n', "line 1, a: the text holds a control character"),
        ('a: "\\ud800"\n', "line 1, a: the text holds a control character"),
        ('"a\\x01": 1\n', "line 1: a key holds a control character"),
        ("- a\n", "line 1: the file holds no keys; it starts with one such as responders:"),
        ("", "line 1: the file holds no keys; it starts with one such as responders:"),
        (
            "a: 1\nb: [1\n",
            "line 3: not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ("a: 1\n---\nb: 2\n", "line 2: not YAML: expected a single document in the stream, but found another document"),
        ("a: *b\n", "line 1: not YAML: found undefined alias 'b'"),
        ("a: \x00\n", "line 1: not YAML: unacceptable character #x0000: special characters are not allowed"),
    ],
)
def test_a_form_that_cannot_be_trusted_is_refused(text: str, problem: str) -> None:
    assert refusals(text) == [problem]


def test_deep_nesting_is_refused_before_it_can_do_harm() -> None:
    assert refusals("a: " + "[" * 5_000 + "]" * 5_000) == ["line 1: not YAML: nested deeper than 20 levels"]


def test_aliases_that_unfold_without_end_are_refused() -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{here}: &{here} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, here in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert any("more than 100000 values" in problem for problem in refusals(bomb))
    assert any("20 levels" in problem for problem in refusals("a: &a [*a]\n"))


def test_a_file_over_the_limit_is_refused() -> None:
    assert refusals("a: " + "x" * 2_000_000) == ["line 1: the file is longer than 2000000 characters"]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(DeclarationError) as refused:
        read("a: ${NO}\nb: 1\nb: 2\nc: !x 3\n")
    assert str(refused.value) == (
        "tocsin.yaml has 3 problems:\n"
        "  line 1, a: the environment variable NO is not set\n"
        "  line 3, b: this key is already on line 2\n"
        "  line 4, c: tags such as !x are not understood"
    )


def test_of_very_many_problems_the_first_hundred_are_told() -> None:
    with pytest.raises(DeclarationError) as refused:
        read("".join(f"a{number}: !x 1\n" for number in range(150)))
    assert len(refused.value.problems) == 150
    assert str(refused.value).splitlines()[-1] == "  and 50 more"


# ${VAR}


def test_a_variable_is_replaced_wherever_it_stands_in_a_value() -> None:
    document = read("a: ${ONE}\nb: 'x-${ONE}-${TWO}'\n", {"ONE": "1", "TWO": "zwei"})
    assert document.data == {"a": 1, "b": "x-1-zwei"}


def test_a_variable_cannot_become_structure() -> None:
    value = "x\nb: 2 # &a *a ${ONE}"
    assert read("a: ${ONE}\n", {"ONE": value}).data == {"a": value}


def test_a_doubled_dollar_is_a_plain_one() -> None:
    assert read("a: $${ONE} $5 $$\n").data == {"a": "${ONE} $5 $$"}


@pytest.mark.parametrize("written", ["${ONE", "${}", "${1X}", "${ONE:-x}", "${O NE}"])
def test_what_is_not_the_name_of_a_variable_is_refused(written: str) -> None:
    problem = "after ${ stands the name of an environment variable and }; write $${ for a plain ${"
    assert refusals(f"a: 1\nb: '{written}'", {"ONE": "1"}) == [f"line 2, b: {problem}"]


def test_an_empty_variable_is_set() -> None:
    assert read("a: '${ONE}'", {"ONE": ""}).data == {"a": ""}


# Keys that nobody knows


def test_a_key_that_no_reader_asked_for_is_refused_with_the_nearest_known_one() -> None:
    top, document, problems = problems_of("a:\n  name: x\n  nmae: y\nsevices: {}\n")
    top.inner("a").text("name")
    document.ask((), "services")
    document.refuse_unread(problems)
    assert told(problems) == [
        'line 3, a.nmae: unknown key; did you mean "name"?',
        'line 4, sevices: unknown key; did you mean "services"?',
    ]


def test_a_key_like_no_other_is_told_what_there_is() -> None:
    top, document, problems = problems_of("zzz: 1\n")
    top.has("responders")
    top.has("policies")
    document.refuse_unread(problems)
    assert told(problems) == ["line 1, zzz: unknown key; known here: policies, responders"]


def test_all_keys_of_a_mapping_are_told_and_not_all_of_hundreds_of_names() -> None:
    names = [f"key-{number:03}" for number in range(21)]
    assert declaration.suggestion("zzz", names[:20]) == f"known here: {', '.join(names[:20])}"
    assert declaration.suggestion("zzz", names) == f"known here: {', '.join(names[:20])}, …"


def test_a_time_zone_is_found_by_its_city_alone() -> None:
    zones = ["America/New_York", "Europe/Lisbon"]
    assert declaration.suggestion("New York", zones) == 'did you mean "America/New_York"?'
    assert declaration.suggestion("lisbon", zones) == 'did you mean "Europe/Lisbon"?'


def test_several_readers_share_one_file() -> None:
    _, document, problems = problems_of("one: {a: 1}\ntwo: {b: 2}\n")
    assert fields.root(document, problems).inner("one").integer("a") == 1
    assert fields.root(document, problems).inner("two").integer("b") == 2
    document.refuse_unread(problems)
    assert told(problems) == []
