"""From a monitor sending an alert to the SMS provider being asked to send the page, on a started Tocsin.

Open loop: alerts leave at fixed times whether or not the earlier ones are done with, and each is measured from the
moment it was to leave, so that a slow answer cannot hide the alerts that waited behind it. Every alert has its own
dedup key, opens an incident of its own, and makes one text message and one post in a Slack channel. Each pages another
person: what one person is to be told is told together when it comes so fast, which `benchmarks.storms` measures.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import databases, figures, provider, service, teams
from benchmarks.figures import Figure
from benchmarks.provider import Provider
from benchmarks.service import Running

SECONDS = 20.0
WARM_UP_SECONDS = 3.0
ALERTS_A_SECOND = 10.0
P50_LIMIT_MS = 20.0
P99_LIMIT_MS = 100.0
SENDERS = 16
LAST_PAGE_WITHIN_SECONDS = 10.0
SHOWN = 5  # refusals, and lines of the log, when something went wrong


@dataclass
class Load:
    """What was sent: an alert's number -> when it was to leave, and when it was answered."""

    port: int
    planned: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _own: threading.local = field(default_factory=threading.local)

    def send(self, number: int) -> None:
        """One trigger, over the sending thread's own connection."""
        event = {
            "routing_key": teams.key(number + 1),
            "event_action": "trigger",
            "dedup_key": f"bench/{number}",
            "payload": {
                "summary": f"{provider.mark(number)} down: health check failing on all replicas",
                "source": "benchmark",
                "severity": "critical",
            },
        }
        try:
            status, said = self._post(json.dumps(event))
        except (OSError, http.client.HTTPException) as broken:
            self._own.connection.close()  # the next one begins with a new connection
            self.refused.append(f"{number}: {broken!r}")
            return
        self.answered[number] = time.monotonic()
        if status != 202:
            self.refused.append(f"{number}: {status} {said.decode(errors='replace')[:200]}")

    def _post(self, body: str) -> tuple[int, bytes]:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection: http.client.HTTPConnection = self._own.connection
        connection.request("POST", "/v2/enqueue", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def run(seconds: float = SECONDS, rate: float = ALERTS_A_SECOND) -> int:
    """Measure on both databases and print; how many figures are over their limit."""
    over = 0
    with databases.folder() as folder, databases.postgresql_server(folder) as server:
        for kind in databases.KINDS:
            over += figures.show(
                f"Alert to page, {kind}, {rate:g} alerts a second for {seconds:g} s",
                _measure(kind, folder, server, seconds, rate),
            )
    return over


def _measure(kind: str, folder: Path, server: str, seconds: float, rate: float) -> list[Figure]:
    with provider.serve() as (taking, provider_url), databases.database_url(kind, folder / "page.db", server) as url:
        people = round((seconds + WARM_UP_SECONDS) * rate)
        team = teams.many(people)
        with service.up(folder / kind, url, provider_url, team=team, settings=teams.GENEROUS) as running:
            before = running.cpu_seconds()
            load = _send_all(running, seconds + WARM_UP_SECONDS, rate)
            _wait_for_the_last(taking, load)
            spent = {name: now - before.get(name, 0.0) for name, now in running.cpu_seconds().items()}
        if load.refused or len(taking.arrived) < len(load.planned):
            _explain(load, folder / kind / "up.log")
        return [*_figures(taking, load, first=round(WARM_UP_SECONDS * rate)), *_cpu(load, spent)]


def _send_all(running: Running, seconds: float, rate: float) -> Load:
    load = Load(running.port)
    with ThreadPoolExecutor(SENDERS) as pool:
        began = time.monotonic()
        sent: list[Future[None]] = []
        for number in range(round(seconds * rate)):
            load.planned[number] = began + number / rate
            time.sleep(max(0.0, load.planned[number] - time.monotonic()))
            sent.append(pool.submit(load.send, number))
        for each in sent:
            each.result()
    return load


def _explain(load: Load, log: Path) -> None:
    for refusal in load.refused[:SHOWN]:
        print(f"  refused: {refusal}")
    for line in log.read_text(errors="replace").splitlines()[-SHOWN:]:
        print(f"  log: {line[:400]}")


def _wait_for_the_last(taking: Provider, load: Load) -> None:
    end = time.monotonic() + LAST_PAGE_WITHIN_SECONDS
    while len(taking.arrived) < len(load.planned) and time.monotonic() < end:
        time.sleep(0.05)


def _figures(taking: Provider, load: Load, *, first: int) -> Iterator[Figure]:
    """`first`: the number of the first alert after the warm-up. Lost ones count from the very beginning."""
    took_ms = _took_ms(load, taking.arrived, first)
    yield Figure("p50", figures.percentile(took_ms, 50), "ms", P50_LIMIT_MS)
    yield Figure("p99", figures.percentile(took_ms, 99), "ms", P99_LIMIT_MS)
    yield Figure("max", max(took_ms, default=float("nan")), "ms")
    yield Figure("of it until the 202, p50", figures.percentile(_took_ms(load, load.answered, first), 50), "ms")
    yield Figure("measured", len(took_ms), "")
    yield Figure("refused", len(load.refused), "", 0)
    yield Figure("lost", len(load.planned) - len(taking.arrived), "", 0)
    yield Figure("paged twice", taking.messages - len(taking.arrived), "", 0)


def _cpu(load: Load, spent: Mapping[str, float]) -> Iterator[Figure]:
    """What an alert takes of a core, until it is recorded as paged. Other processes on the machine do not change it."""
    for name in sorted(spent.keys() & {"web", "engine"}):
        yield Figure(f"CPU of {name}, an alert", spent[name] * 1000 / len(load.planned), "ms")


def _took_ms(load: Load, until: Mapping[int, float], first: int) -> list[float]:
    return [
        (until[number] - planned) * 1000
        for number, planned in load.planned.items()
        if number >= first and number in until
    ]


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.alert_to_page", description=__doc__)
    asked.add_argument(
        "--seconds", type=float, default=SECONDS, help="how long, after the warm-up (default: %(default)g)"
    )
    asked.add_argument("--rate", type=float, default=ALERTS_A_SECOND, help="alerts a second (default: %(default)g)")
    given = asked.parse_args()
    return figures.verdict(run(given.seconds, given.rate))


if __name__ == "__main__":
    sys.exit(main())
