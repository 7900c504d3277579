"""However alerts, answers, faults and crashes fall together: what must always hold, holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation import walk, worlds
from tests.simulation.worlds import TEAMS

WORLDS = int(os.environ.get("TOCSIN_TEST_SIMULATIONS") or 80)


@pytest.fixture(scope="module")
def beginnings(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each team a database in which nothing has happened yet."""
    directory = tmp_path_factory.mktemp("beginnings")
    return {name: worlds.begin(migrated_sqlite_file, team, directory / f"{name}.db") for name, team in TEAMS.items()}


@pytest.mark.parametrize("seed", range(WORLDS))
def test_whatever_happens_no_page_is_lost(beginnings: dict[str, Path], seed: int) -> None:
    walk.plain(beginnings, seed)
