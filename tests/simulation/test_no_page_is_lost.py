"""However alerts, answers, faults and crashes fall together: what must always hold, holds."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from config.database import Database
from escalation.paging import engine
from tests.simulation import invariants, seeds
from tests.simulation.course import Rules
from tests.simulation.crashing import FragileDatabase
from tests.simulation.play import Play
from tests.simulation.steps import Step
from tests.world import World, team

WORLDS = int(os.environ.get("TOCSIN_TEST_SIMULATIONS") or 100)

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


@pytest.fixture(scope="module")
def beginnings(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each team a database in which nothing has happened yet."""
    directory = tmp_path_factory.mktemp("beginnings")
    for name, (config, _) in TEAMS.items():
        shutil.copyfile(migrated_sqlite_file, directory / f"{name}.db")
        database = Database(f"sqlite:///{directory}/{name}.db")
        World(database, config=config)
        database.close()
    return {name: directory / f"{name}.db" for name in TEAMS}


def play(beginning: Path, team_name: str, run: Sequence[Step]) -> None:
    complaints = Complaints()
    config, reckoned = TEAMS[team_name]
    with tempfile.TemporaryDirectory(prefix="tocsin-simulated-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "log", complaints)
        shutil.copyfile(beginning, f"{directory}/tocsin.db")
        database = FragileDatabase(f"sqlite:///{directory}/tocsin.db")
        try:
            played = Play(database, config, reckoned)
            for step in run:
                played.take(step)
                invariants.check(played)
                assert not complaints.heard, complaints.heard
            played.come_to_an_end()
            invariants.check_the_end(played)
            assert not complaints.heard, complaints.heard
        finally:
            database.close()


@pytest.mark.parametrize("seed", range(WORLDS))
def test_whatever_happens_no_page_is_lost(beginnings: dict[str, Path], seed: int) -> None:
    team_name = sorted(TEAMS)[seed % len(TEAMS)]
    run = seeds.happenings(seed)
    try:
        play(beginnings[team_name], team_name, run)
    except AssertionError as failure:
        short = seeds.shortened(run, partial(_fails, beginnings[team_name], team_name))
        steps = "\n".join(f"    {step}," for step in short)
        raise AssertionError(f"{failure}\nIn the team {team_name!r}, this is enough for it:\n{steps}") from failure


def _fails(beginning: Path, team_name: str, run: Sequence[Step]) -> bool:
    try:
        play(beginning, team_name, run)
    except AssertionError:
        return True
    return False
