"""One place reads the clock, one place commits, and what is switched off has a reason beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules import house

CLOCK = Path("config/clock.py")
DATABASE = Path("config/database.py")
EVERYWHERE = (*house.PRODUCT, "benchmarks", "tests")

# (what it is called on, the call): the wall clock under each of its names, SQL's too.
CLOCK_READS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("func", "now"),
    ("func", "current_timestamp"),
}
SWITCHED_OFF = re.compile(r"#\s*(type:\s*ignore|noqa)")
WITH_REASON = re.compile(r"#\s*(type:\s*ignore\[[\w, -]+\]\s+#|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)\s+\S+(\s+\S+)+")


def test_only_the_clock_module_reads_the_wall_clock() -> None:
    assert list(_clock_reads(house.modules(*house.PRODUCT))) == []


def test_the_clock_module_does_read_it() -> None:
    """Else the rule above would not notice that its own eyes had failed."""
    assert [found.split(":")[0] for found in _clock_reads([CLOCK], excused=())] == [str(CLOCK)]


def test_only_the_database_module_commits() -> None:
    places = [file for file in house.modules(*house.PRODUCT) if file.parts[0] != "migrations"]
    found = {str(file) for file in places for _, _, called in _calls(file) if called == "commit"}
    assert found == {str(DATABASE)}


def test_nothing_sleeps_in_a_test() -> None:
    found = [
        f"{file}:{line}"
        for file in house.modules("tests")
        for line, on, called in _calls(file)
        if (on, called) in {("time", "sleep"), ("asyncio", "sleep")}
    ]
    assert found == []


def test_every_check_that_is_switched_off_says_which_and_why() -> None:
    found = [
        f"{file}:{line} {comment}"
        for file in house.modules(*EVERYWHERE)
        for line, comment in house.comments(file)
        if SWITCHED_OFF.match(comment) and not WITH_REASON.match(comment)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("comment", "holds"),
    [
        ("# type: ignore[arg-type]  # a column comparison, whose type stays open", True),
        ("# noqa: S603  our own commands", True),
        ("# noqa: S603, S607  our own commands", True),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore", False),
        ("# noqa", False),
        ("# noqa: S603", False),
    ],
)
def test_a_reason_is_told_from_none(comment: str, holds: bool) -> None:
    assert SWITCHED_OFF.match(comment)
    assert bool(WITH_REASON.match(comment)) is holds


def _clock_reads(files: Iterator[Path] | list[Path], excused: tuple[Path, ...] = (CLOCK,)) -> Iterator[str]:
    for file in files:
        if file in excused:
            continue
        for node in ast.walk(house.tree(file)):
            if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in CLOCK_READS:
                yield f"{file}:{node.lineno}"


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _calls(file: Path) -> Iterator[tuple[int, str, str]]:
    """(line, what it is called on, the method)."""
    for node in ast.walk(house.tree(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, _last_name(node.func.value), node.func.attr
