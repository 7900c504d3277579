"""Simulate says what the engine does. Some worlds a day; all of them with `python -m tests.simulation.agreement`."""

from __future__ import annotations

import pytest

from config import clock
from tests.simulation import agreement

WORLDS = 1_000
A_DAY = 8
FIRST = clock.now().date().toordinal() * A_DAY % WORLDS


@pytest.mark.parametrize("seed", range(FIRST, FIRST + A_DAY))
def test_simulate_and_the_engine_agree(seed: int) -> None:
    assert [str(difference) for difference in agreement.differences(seed)] == []
