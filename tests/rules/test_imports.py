"""One way of importing, and a core that touches nothing outside itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.rules import house, pure

SAYS_PURE = re.compile(r"\bPure\b")


@pytest.mark.parametrize("package", house.PACKAGES)
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    """config <- escalation <- runbook_links <- incidents <- wsgi."""
    above = {*house.PACKAGES[house.PACKAGES.index(package) + 1 :], "wsgi", "tests", "benchmarks"}
    found = [
        f"{file} imports {name}"
        for file in house.modules(package)
        for name in sorted(house.imported(file))
        if name.split(".")[0] in above
    ]
    assert found == []


def test_the_layers_are_those_of_the_import_contract() -> None:
    contract = house.text(Path("pyproject.toml"))
    layers = ", ".join(f'"{each}"' for each in reversed(house.PACKAGES))
    assert f"layers = [{layers}]" in contract


def test_a_module_that_calls_itself_pure_is_on_the_list() -> None:
    saying = {
        house.module_name(file)
        for file in house.modules(*house.PACKAGES)
        if SAYS_PURE.search(ast.get_docstring(house.tree(file)) or "")
    }
    assert saying == pure.MODULES | pure.ON_ROWS


@pytest.mark.parametrize("name", sorted(pure.MODULES))
def test_a_pure_module_reaches_no_database_and_no_network(name: str) -> None:
    reached = house.reached_from(house.by_name()[name])
    assert {each for each in reached if _is_forbidden(each)} == set()


@pytest.mark.parametrize("name", sorted(pure.ON_ROWS))
def test_a_module_that_computes_on_rows_reads_none_itself(name: str) -> None:
    assert {each for each in house.imported(house.by_name()[name]) if _is_forbidden(each)} == set()


def test_what_is_not_pure_is_seen_to_be() -> None:
    """Else the rule above would not notice that its own eyes had failed."""
    reached = house.reached_from(Path("incidents/intake.py"))
    assert {"sqlalchemy", "sqlalchemy.orm"} <= reached


def _is_forbidden(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in pure.FORBIDDEN)
