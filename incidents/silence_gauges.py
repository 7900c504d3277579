"""Figures about what is held back, so that a silence nobody remembers is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from config.database import Database
from incidents import silence_queries


def collector(database: Database, read_clock: Callable[[], datetime]) -> Callable[[], Iterable[Metric]]:
    def collect() -> Iterable[Metric]:
        with database.reading() as session:
            going_on, held_back = silence_queries.figures(session, read_clock())
        yield GaugeMetricFamily("tocsin_silences_going_on", "Silences and maintenance windows that go on", going_on)
        yield GaugeMetricFamily("tocsin_incidents_held_back", "Incidents that silences hold back", held_back)

    return collect
