"""Files with one reason to change, functions that fit a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.rules import house

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
MEASURED = tuple(place for place in (*house.PRODUCT, "benchmarks") if place != "migrations")


def test_no_file_is_longer_than_300_lines() -> None:
    lines = {str(file): len(house.text(file).splitlines()) for file in house.modules(*MEASURED)}
    assert {file: count for file, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_70_lines() -> None:
    too_long = [
        f"{file}:{line} {name} has {lines} lines"
        for file in house.modules(*MEASURED)
        for name, line, lines in _functions(file)
        if lines > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def _functions(file: Path) -> Iterator[tuple[str, int, int]]:
    """(name, line, lines). What is defined inside counts for itself: a function may hold a dozen short views."""
    for node in ast.walk(house.tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = sum(_lines(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.FunctionDef))
            yield node.name, node.lineno, _lines(node) - inner


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    assert node.end_lineno is not None
    return node.end_lineno - first + 1
