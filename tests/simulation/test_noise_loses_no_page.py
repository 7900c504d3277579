"""However silences, groups and flapping alerts fall together with answers, faults and crashes: nothing stays silent.

python -m tests.simulation.walk noisy 5000
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation import walk, worlds

WORLDS = int(os.environ.get("TOCSIN_TEST_SIMULATIONS") or 20)
BATCH = 10
SEEN = {"held back", "released", "overridden", "joined", "flapping", "settled"}


@pytest.fixture(scope="module")
def beginning(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worlds.begin(migrated_sqlite_file, worlds.NOISY_TEAM, tmp_path_factory.mktemp("noisy") / "noisy.db")


@pytest.mark.parametrize("batch", range(WORLDS // BATCH))
def test_whatever_is_held_down_is_let_go_and_none_of_it_is_lost(beginning: Path, batch: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        seen += walk.noisy(beginning, seed)
    assert seen.keys() >= SEEN, f"the worlds of batch {batch} never came to {SEEN - seen.keys()}"
