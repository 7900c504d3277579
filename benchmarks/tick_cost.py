"""What the engine's tick costs when nothing is due, with 1,000, 10,000 and 100,000 incidents open.

The cost must follow what is due, not what is open. Rounds over the sizes are interleaved, so that whatever else the
machine does falls on all of them alike; the ratio is the median over the rounds. What taking one alert in costs at
each size is printed beside it, for information.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks import databases, figures
from benchmarks.crowd import NOW, alert, crowd, desk, receive
from benchmarks.figures import Figure
from config import logs
from config.database import Database
from escalation.paging.engine import Engine
from incidents.proof import timeline

SIZES = (1_000, 10_000, 100_000)
RATIO_LIMIT = 1.2
ROUNDS = 21
TICKS_A_ROUND = 100
ALERTS = 60


def run() -> int:
    """Measure on both databases and print; how many figures are over their limit."""
    logs.configure("WARNING")
    over = 0
    with databases.folder() as folder, databases.postgresql_server(folder) as server:
        for kind in databases.KINDS:
            with ExitStack() as stack:
                crowds: dict[int, Database] = {}
                for size in SIZES:
                    url = stack.enter_context(databases.database_url(kind, folder / f"open-{size}.db", server))
                    crowds[size] = stack.enter_context(crowd(url, size))
                over += figures.show(f"A tick with nothing due, {kind}", [*_ticks(crowds), *_intake(crowds)])
    return over


def _ticks(crowds: dict[int, Database]) -> Iterator[Figure]:
    engines = {size: _engine(database) for size, database in crowds.items()}
    for engine in engines.values():
        _ms_a_call(partial(_nothing_due, engine), TICKS_A_ROUND)  # warm: pools, statement caches
    rounds = [
        {size: _ms_a_call(partial(_nothing_due, engine), TICKS_A_ROUND) for size, engine in order}
        for order in _orders(engines)
    ]
    for size in SIZES:
        yield Figure(f"{size:,} open", statistics.median(each[size] for each in rounds), "ms")
    for size in SIZES[1:]:
        ratio = statistics.median(each[size] / each[SIZES[0]] for each in rounds)
        yield Figure(f"{size:,} open against {SIZES[0]:,}", ratio, "times", RATIO_LIMIT)


def _orders(engines: dict[int, Engine]) -> Iterator[list[tuple[int, Engine]]]:
    """Forwards and backwards in turn, so that none of the sizes always comes after the same other."""
    for number in range(ROUNDS):
        yield list(engines.items())[:: 1 if number % 2 == 0 else -1]


def _intake(crowds: dict[int, Database]) -> Iterator[Figure]:
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    at = desk()
    for number in range(ALERTS):
        for size, database in crowds.items():
            incoming = alert(f"Region {number} does not answer", f"region/{number}")
            taken[size].append(_ms_a_call(partial(receive, database, at, incoming), 1))
    for size in SIZES:
        yield Figure(f"taking in one alert beside {size:,} open", statistics.median(taken[size]), "ms")


def _ms_a_call(call: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) * 1000 / calls


def _nothing_due(engine: Engine) -> None:
    if engine.tick(NOW):
        raise AssertionError("something was due: this measures nothing")


def _engine(database: Database) -> Engine:
    return Engine(database, {}, timeline.append, name="bench", read_clock=lambda: NOW, submit=lambda send: send())


if __name__ == "__main__":
    sys.exit(figures.verdict(run()))
