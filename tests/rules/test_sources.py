"""A new source is one file, one line in one table, one recorded payload and one contract test."""

from __future__ import annotations

from pathlib import Path

import pytest

from incidents.sources.table import SOURCES
from tests.rules import house

CONTRACT = Path("tests/contract")


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_source_has_a_recorded_payload(source: str) -> None:
    assert [file for file in house.files() if file.parent == CONTRACT / "payloads" / source]


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_source_has_a_contract_test(source: str) -> None:
    assert CONTRACT / f"test_{source.replace('-', '_')}_payloads.py" in house.files()


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_source_is_named_in_the_readme(source: str) -> None:
    assert f"`{source}`" in house.text(Path("README.md"))


def test_every_folder_of_payloads_is_a_sources() -> None:
    below = CONTRACT / "payloads"
    assert {file.parent.name for file in house.files() if below in file.parents} == set(SOURCES)
