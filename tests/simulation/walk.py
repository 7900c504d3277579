"""Plays worlds, many if asked to: python -m tests.simulation.walk [plain|noisy] [WORLDS] [FIRST] [--postgresql]

A world that fails is told with the fewest of its steps that fail.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from config import logs
from tests import databases
from tests.simulation import seeds, seeds_noise, worlds
from tests.simulation.steps import Step
from tests.simulation.worlds import NOISY_TEAM, TEAMS, Team

Lent = Callable[[], AbstractContextManager[str]]  # a database for one play


def told(team: Team, run: Sequence[Step], lent: Lent) -> Counter[str]:
    """What of noise was seen. Raises AssertionError with the steps that are enough for it."""
    try:
        return _played(team, run, lent)
    except AssertionError as failure:
        short = seeds.shortened(run, lambda fewer: _fails(team, fewer, lent))
        steps = "\n".join(f"    {step}," for step in short)
        raise AssertionError(f"{failure}\nThis is enough for it:\n{steps}") from failure


def noisy(beginning: Path, seed: int) -> Counter[str]:
    return told(NOISY_TEAM, seeds_noise.happenings(seed), partial(worlds.copy_of, beginning))


def plain(beginnings: dict[str, Path], seed: int) -> Counter[str]:
    name = sorted(TEAMS)[seed % len(TEAMS)]
    try:
        return told(TEAMS[name], seeds.happenings(seed), partial(worlds.copy_of, beginnings[name]))
    except AssertionError as failure:
        raise AssertionError(f"In the team {name!r}: {failure}") from failure


def _played(team: Team, run: Sequence[Step], lent: Lent) -> Counter[str]:
    with lent() as url:
        return worlds.play(url, team, run)


def _fails(team: Team, run: Sequence[Step], lent: Lent) -> bool:
    try:
        _played(team, run, lent)
    except AssertionError:
        return True
    return False


def main(kind: str = "noisy", count: str = "1000", first: str = "0", where: str = "--sqlite") -> int:
    failed = 0
    seen: Counter[str] = Counter()
    began = time.process_time()
    with _player(kind, postgresql=where == "--postgresql") as player:
        for seed in range(int(first), int(first) + int(count)):
            try:
                seen += player(seed)
            except AssertionError as failure:
                failed += 1
                print(f"seed {seed}: {failure}\n", flush=True)
    met = ", ".join(f"{name} {times}" for name, times in sorted(seen.items()))
    print(f"{count} {kind} worlds, {failed} failed, {time.process_time() - began:.0f} s; seen: {met or 'no noise'}")
    return 1 if failed else 0


@contextmanager
def _player(kind: str, *, postgresql: bool) -> Iterator[Callable[[int], Counter[str]]]:
    if postgresql:
        with databases.postgresql_server() as server:
            yield partial(_on_postgresql, partial(_lent, server), kind)
        return
    with tempfile.TemporaryDirectory(prefix="tocsin-walk-") as directory:
        migrated = databases.migrated_sqlite_file(Path(directory))
        if kind == "noisy":
            yield partial(noisy, worlds.begin(migrated, NOISY_TEAM, Path(directory) / "noisy.db"))
        else:
            beginnings = {
                name: worlds.begin(migrated, team, Path(directory) / f"{name}.db") for name, team in TEAMS.items()
            }
            yield partial(plain, beginnings)


def _on_postgresql(lent: Lent, kind: str, seed: int) -> Counter[str]:
    if kind == "noisy":
        return told(NOISY_TEAM, seeds_noise.happenings(seed), lent)
    return told(TEAMS[sorted(TEAMS)[seed % len(TEAMS)]], seeds.happenings(seed), lent)


@contextmanager
def _lent(server: databases.PostgresqlServer) -> Iterator[str]:
    url = server.lend()
    try:
        yield url
    finally:
        server.take_back(url)


if __name__ == "__main__":
    logs.configure("ERROR", process="walk")
    databases.do_not_wait_for_the_disk()
    sys.exit(main(*sys.argv[1:]))
