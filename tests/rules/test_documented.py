"""What Tocsin can be told is written down, and what is written down is true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

import wsgi
from config.settings import PREFIX, Settings
from tests.rules import house

README = Path("README.md")
PAGES = tuple(file for file in house.files() if file == README or (file.parts[0] == "docs" and file.suffix == ".md"))
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
ANCHORED_LINK = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")
NAMED_SETTING = re.compile(r"\bTOCSIN_[A-Z_]+[A-Z]\b")
NAMED_COMMAND = re.compile(r"(?:^|[`/])tocsin ((?:[a-z]+(?: |$|`)){1,2})", re.M)
NAMED_FILE = re.compile(
    r"`((?:config|escalation|runbook_links|incidents|migrations|tests|benchmarks|docs)/[\w./-]+\.\w+)`"
)
NAMED_IN_FILE = re.compile(r"`([\w/]+\.py): ([\w.]+)`")
NOT_SETTINGS = {"TOCSIN_TEST_POSTGRESQL_URL", "TOCSIN_BENCH_DATABASE_URL"}  # of the tests and the benchmarks


@pytest.fixture(scope="module")
def commands() -> dict[str, click.Command]:
    """Full name -> command. Asking for help makes the command line put itself together."""
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("sys.argv", ["tocsin", "--version"])
        wsgi.main()
    return dict(_commands(wsgi.tocsin, ""))


def _commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _read() -> str:
    return "\n".join(house.text(page) for page in PAGES)


@pytest.mark.parametrize("name", [each.name for each in fields(Settings)])
def test_a_setting_is_in_the_operations_page(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in house.text(Path("docs/operations.md"))


def test_every_command_is_in_the_operations_page(commands: dict[str, click.Command]) -> None:
    page = house.text(Path("docs/operations.md"))
    assert {name for name in commands if f"`tocsin {name}" not in page} == set()


def test_every_option_of_a_command_is_in_the_operations_page(commands: dict[str, click.Command]) -> None:
    page = house.text(Path("docs/operations.md"))
    options = {
        f"{name} {parameter.opts[-1]}"
        for name, command in commands.items()
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }
    assert {each for each in options if f"`{each.rpartition(' ')[2]}" not in page} == set()


def test_no_page_names_a_command_that_there_is_not(commands: dict[str, click.Command]) -> None:
    first_words = {name.split()[0] for name in commands}
    named = {match[1].strip("` ").split()[0] for match in NAMED_COMMAND.finditer(_read())}
    assert named - first_words == set()
    assert "up" in named


def test_no_page_names_a_setting_that_there_is_not() -> None:
    known = {PREFIX + each.name.upper() for each in fields(Settings)}
    assert set(NAMED_SETTING.findall(_read())) - known - NOT_SETTINGS == set()


def test_no_page_names_a_file_that_there_is_not() -> None:
    there = {file.as_posix() for file in house.files()}
    assert {name for name in NAMED_FILE.findall(_read()) if name not in there} == set()


def test_no_page_names_a_function_that_its_file_does_not_have() -> None:
    named = NAMED_IN_FILE.findall(_read())
    assert len(named) > 10
    assert [f"{file}: {name}" for file, name in named if name not in _defined(Path(file))] == []


def _defined(file: Path) -> set[str]:
    """Functions and classes of a module, and the methods of its classes as `Class.method`."""
    names: set[str] = set()
    for node in house.tree(file).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return names


def test_no_page_links_to_a_page_that_there_is_not() -> None:
    dead = [
        f"{page} -> {target}"
        for page in PAGES
        for target, _ in LINK.findall(house.text(page))
        if "://" not in target and not (house.ROOT / page.parent / target).exists()
    ]
    assert dead == []


def test_no_page_links_to_a_heading_that_there_is_not() -> None:
    dead = [
        f"{page} -> {target}{anchor}"
        for page in PAGES
        for target, anchor in ANCHORED_LINK.findall(house.text(page))
        if "://" not in target and anchor not in _anchors(house.ROOT / page.parent / target if target else page)
    ]
    assert dead == []


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", (house.ROOT / page).read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        for target, _ in LINK.findall(house.text(page)):
            found = [each for each in PAGES if (house.ROOT / page.parent / target).resolve() == house.ROOT / each]
            waiting += [each for each in found if each not in reached]
            reached.update(found)
    assert set(PAGES) - reached == set()


def test_the_contents_of_the_operations_page_name_its_headings_in_their_order() -> None:
    page = house.text(Path("docs/operations.md"))
    listed = re.findall(r"^ *- \[(.+)\]\(#[\w-]+\)$", page.partition("\n## ")[0], re.M)
    assert listed == re.findall(r"^###? (.+)$", page, re.M)
