"""1,300 incidents at once: to as many people, and all of them to one person.

The alerts are sent as fast as they are taken in. What counts is when people are told: the first of them, the worst in
the middle of it all, the last; and how many messages one person gets. Each incident is announced in one Slack channel
too, which must hold up nothing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import TextClause, text

from benchmarks import databases, figures, provider, service, teams
from benchmarks.figures import Figure
from benchmarks.provider import Provider
from benchmarks.service import Running
from config.database import Database

INCIDENTS = 1_300
SENDERS = 16
FINISHED_WITHIN_SECONDS = 300.0
ASKED_EVERY_SECONDS = 0.2
ALL_TOLD_LIMIT_SECONDS = 60.0  # 1,300 people, where the provider takes what it is given
FIRST_LIMIT_SECONDS = 1.0
WORST_LIMIT_SECONDS = 5.0  # from its alert to the text that begins with it, in the middle of the storm
WINDOW_SECONDS = 20.0
MESSAGES_LIMIT = 15.0


@dataclass
class Storm:
    """Alert -> when it left, and when it was answered."""

    port: int
    sent: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _own: threading.local = field(default_factory=threading.local)

    def send(self, number: int, key: str, title: str) -> None:
        payload = {"summary": title, "source": "benchmark", "severity": "critical"}
        event = {"routing_key": key, "event_action": "trigger", "dedup_key": f"storm/{number}", "payload": payload}
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection: http.client.HTTPConnection = self._own.connection
        self.sent[number] = time.monotonic()
        try:
            connection.request("POST", "/v2/enqueue", json.dumps(event), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as broken:
            connection.close()
            self.refused.append(f"{number}: {broken!r}")
            return
        self.answered[number] = time.monotonic()
        if answer.status != 202:
            self.refused.append(f"{number}: {answer.status} {said[:200]!r}")


def run(incidents: int = INCIDENTS) -> int:
    """Measure on both databases and print; how many figures are over their limit."""
    over = 0
    with databases.folder() as folder, databases.postgresql_server(folder) as server:
        for kind in databases.KINDS:
            for people in (incidents, 1):
                whom = f"{people:,} people" if people > 1 else "one person"
                over += figures.show(
                    f"{incidents:,} incidents at once to {whom}, {kind}",
                    _measure(kind, folder, server, incidents, people),
                )
    return over


def _measure(kind: str, folder: Path, server: str, incidents: int, people: int) -> list[Figure]:
    name = f"storm-{kind}-{people}"
    with provider.serve() as (taking, provider_url), databases.database_url(kind, folder / f"{name}.db", server) as url:
        settings = teams.GENEROUS if people > 1 else {}
        with service.up(folder / name, url, provider_url, team=teams.many(people), settings=settings) as running:
            storm, ended = _play(running, url, incidents, people)
            spent = running.cpu_seconds()
        states = _states(url)
        return [*_figures(storm, taking, states, ended, people), *_cpu(spent, incidents)]


def _play(running: Running, url: str, incidents: int, people: int) -> tuple[Storm, float]:
    """Everything is sent; and when no page waits any more."""
    storm = Storm(running.port)
    with ThreadPoolExecutor(SENDERS) as pool:
        for number in range(incidents):
            worst = number == incidents // 2
            what = "hash chain broken at sequence 48211" if worst else "down: health check failing on all replicas"
            pool.submit(storm.send, number, teams.key(1 + number % people), f"{provider.mark(number)} {what}")
    end = time.monotonic() + FINISHED_WITHIN_SECONDS
    waiting = text("SELECT count(*) FROM pages WHERE state = 'queued' AND level = 1 AND firing > 0")
    while _counted(url, waiting)[0][0] and time.monotonic() < end:
        time.sleep(ASKED_EVERY_SECONDS)
    return storm, time.monotonic()


def _states(url: str) -> dict[str, int]:
    # Those of the levels: keepers are asked beside them.
    return dict(_counted(url, text("SELECT state, count(*) FROM pages WHERE firing > 0 GROUP BY state")))


def _counted(url: str, statement: TextClause) -> list[Any]:
    database = Database(url)
    try:
        with database.reading() as session:
            return list(session.execute(statement))
    finally:
        database.close()


def _figures(storm: Storm, taking: Provider, states: dict[str, int], ended: float, people: int) -> Iterator[Figure]:
    began = min(storm.sent.values())
    taken_in = max(storm.answered.values()) - began
    worst = len(storm.sent) // 2
    nan = float("nan")
    yield Figure("all alerts taken in after", taken_in, "s")
    yield Figure("first page after", min(taking.arrived.values(), default=nan) - began, "s", FIRST_LIMIT_SECONDS)
    yield Figure("the CRITICAL one", taking.arrived.get(worst, nan) - storm.sent[worst], "s", WORST_LIMIT_SECONDS)
    if people > 1:
        yield Figure("all pages handed over after", ended - began, "s", ALL_TOLD_LIMIT_SECONDS)
    else:
        yield Figure("everything told, after the last alert", ended - began - taken_in, "s", 3 * WINDOW_SECONDS)
        yield Figure("messages that the person got", taking.messages, "", MESSAGES_LIMIT)
    yield Figure("pages told in another's message", states.get("bundled", 0), "")
    told = states.get("sent", 0) + states.get("bundled", 0) + states.get("delivered", 0)
    yield Figure("lost", max(0, len(storm.sent) - told), "", 0)
    yield Figure("refused alerts", len(storm.refused), "", 0)
    yield Figure("posts in the Slack channel by then", taking.posts, "")


def _cpu(spent: dict[str, float], incidents: int) -> Iterator[Figure]:
    for name in sorted(spent.keys() & {"web", "engine"}):
        yield Figure(f"CPU of {name}, an incident", spent[name] * 1000 / incidents, "ms")


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.storms", description=__doc__)
    asked.add_argument("--incidents", type=int, default=INCIDENTS, help="how many (default: %(default)d)")
    return figures.verdict(run(asked.parse_args().incidents))


if __name__ == "__main__":
    sys.exit(main())
