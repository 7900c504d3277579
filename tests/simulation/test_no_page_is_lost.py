"""However alerts, answers, faults and crashes fall together: what must always hold, holds."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from escalation.paging import engine
from tests.simulation import invariants, steps
from tests.simulation.course import Rules
from tests.simulation.crashing import FragileDatabase
from tests.simulation.play import Play
from tests.simulation.steps import Step
from tests.world import team

GIVEN = os.environ.get("TOCSIN_TEST_SIMULATIONS")  # how many worlds; then they are others each time
WORLDS = int(GIVEN or 120)

LOUD = {
    "ana": (("slack", 0), ("sms", 60), ("voice", 180)),
    "bo": (("sms", 0),),
    "mia": (("sms", 0),),
}
QUIET = {"ana": (("slack", 0),), "bo": (("slack", 0),), "mia": (("sms", 0),)}
ANA_BY = "[{after: 0s, by: slack}, {after: 1m, by: sms}, {after: 3m, by: voice}]"


def rules(*, secondary: tuple[str, ...] = ("bo",), repeat: int = 0) -> Rules:
    levels = (
        (timedelta(), ("ana",)),
        (timedelta(minutes=5), secondary),
        (timedelta(minutes=15), ("mia",)),
        (timedelta(minutes=60), ("mia", "ana")),
    )
    return Rules(levels, last_resort=("mia",), loud=LOUD, quiet=QUIET, repeat=repeat, keepers=("kim", "kai"))


TEAMS = {
    "plain": (team(ana_by=ANA_BY), rules()),
    "repeating": (team(ana_by=ANA_BY, repeat=1), rules(repeat=1)),
    "nobody on call at level 2": (team(ana_by=ANA_BY, secondary_starts="2027-01-04T00:00"), rules(secondary=())),
}


class Complaints:
    """Stands for the engine's log: what only a slip in Tocsin can cause must not happen, whatever the world does."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def warning(self, event: str, **facts: object) -> None: ...

    def error(self, event: str, **facts: object) -> None:
        self.heard.append(f"{event} {facts}")

    exception = error


def play(migrated: Path, team_name: str, happenings: Sequence[Step]) -> None:
    complaints = Complaints()
    config, reckoned = TEAMS[team_name]
    with tempfile.TemporaryDirectory(prefix="tocsin-simulated-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "log", complaints)
        shutil.copyfile(migrated, f"{directory}/tocsin.db")
        database = FragileDatabase(f"sqlite:///{directory}/tocsin.db")
        try:
            played = Play(database, config, reckoned)
            for step in happenings:
                played.take(step)
                invariants.check(played)
                assert not complaints.heard
            played.come_to_an_end()
            invariants.check_the_end(played)
        finally:
            database.close()


@settings(
    max_examples=WORLDS,
    derandomize=not GIVEN,
    database=None,
    deadline=None,
    print_blob=bool(GIVEN),
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(team_name=st.sampled_from(sorted(TEAMS)), happenings=steps.runs())
def test_whatever_happens_no_page_is_lost(migrated_sqlite_file: Path, team_name: str, happenings: list[Step]) -> None:
    play(migrated_sqlite_file, team_name, happenings)
