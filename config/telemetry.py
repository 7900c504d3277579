"""Figures for Prometheus at `/metrics`.

A process counts what it has seen itself since it started. Web and engine are several processes, and Prometheus asks
one of them: what must be right whoever is asked (pages waiting, lateness of the engine) is read from the database by
the `collect` that is handed in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from config import auth, clock, http, security

Collect = Callable[[], Iterable[Metric]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One process's figures. Each has its own registry, so that two applications in one process do not mix."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "tocsin_http_requests", "Requests answered", ("endpoint", "method", "status"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "tocsin_http_request_duration_seconds",
            "Time to answer a request",
            ("endpoint", "method"),
            buckets=REQUEST_SECONDS,
            registry=self.registry,
        )
        self.alerts_received = Counter(
            "tocsin_alerts_received", "Alerts accepted, by this process", ("source",), registry=self.registry
        )


def install(app: Flask, metrics: Metrics, *, collect: Collect | None = None) -> None:
    """`collect` reads the database when Prometheus asks. While that is away, the other figures are given all the
    same, and `tocsin_database_up` is 0."""
    if collect is not None:
        metrics.registry.register(_FromDatabase(collect))

    @app.before_request
    def begin() -> None:
        g.began_at_seconds = clock.monotonic_seconds()

    @app.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"  # a path that is no route is not a label: anybody can think of more
        method = request.method if request.method in METHODS else "other"
        metrics.requests.labels(endpoint, method, str(response.status_code)).inc()
        if "began_at_seconds" in g:
            metrics.request_seconds.labels(endpoint, method).observe(clock.monotonic_seconds() - g.began_at_seconds)
        return response

    @app.get("/metrics")
    @security.public
    def show() -> Response:
        # From the machine itself to anybody; from elsewhere with a token, so that the figures are no one else's.
        if not _is_from_this_machine():
            auth.require("read")
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(metrics.registry), content_type=content_type)


class _FromDatabase(Collector):
    def __init__(self, collect: Collect) -> None:
        self._collect = collect

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("tocsin_database_up", "Whether the database answered just now")
        try:
            found = list(self._collect())
            up.add_metric([], 1)
        except http.DATABASE_AWAY:
            found = []
            up.add_metric([], 0)
        yield from found
        yield up


def _is_from_this_machine() -> bool:
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded")):
        return False  # from a proxy on this machine, for somebody elsewhere
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
