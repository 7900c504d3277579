"""What machines are told that ask how Tocsin is: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import text

from config import health
from config.database import Database
from tests.edge import Edge, url_of_database_away

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(sqlite_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(url_of_database_away(request.param, tmp_path))
    yield database
    database.close()


def test_healthz_says_only_that_the_process_lives(edge: Edge) -> None:
    edge.readiness = health.Readiness(database_ok=False)
    response = edge.client().get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_readyz_says_in_words_why_nobody_should_rely_on_it(edge: Edge) -> None:
    assert edge.client().get("/readyz").get_json() == {
        "status": "ready",
        "reasons": [],
        "database": "ok",
        "engine_lag_seconds": 0.0,
        "engines": 1,
        "timers_parked": 0,
        "reconciliation": "",
        "reconciled_at": None,
    }
    edge.readiness = health.Readiness(True, 95.2, 1)
    response = edge.client().get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["reasons"] == ["The engine is 95 seconds late: pages go out late."]


AT = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
RECONCILED = [
    ({"reconciliation": "passed", "reconciled_at": AT}, []),
    ({"reconciliation": "repaired", "reconciled_at": AT}, []),
    (
        {"reconciliation": "failed", "reconciled_at": AT, "unmended": 2},
        ["The reconciler found 2 things that only people can put right: `tocsin reconcile --check` says what."],
    ),
    (
        {"reconciliation": "stale", "reconciled_at": AT},
        [f"The reconciler has not looked since 2026-11-16 10:00:00 UTC. {health.START_IT}"],
    ),
    ({"reconciliation": "never", "engine_age_seconds": 50.0}, []),
    (
        {"reconciliation": "never", "engine_age_seconds": 70.0},
        [f"The reconciler has never looked. {health.START_IT}"],
    ),
    (
        {"reconciliation": "passed", "timers_parked": 1},
        ["A timer was put aside because acting on it kept failing; the engine's log says how."],
    ),
]


@pytest.mark.parametrize(("facts", "reasons"), RECONCILED)
def test_readyz_says_what_the_reconciler_says(facts: dict[str, Any], reasons: list[str]) -> None:
    assert health.Readiness(True, 0.0, 1, **facts).reasons == reasons


def test_readyz_is_an_answer_even_when_asking_finds_the_database_away(edge: Edge, database_away: Database) -> None:
    edge.before_readiness = database_away.ping
    response = edge.client().get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["reasons"] == ["The database does not answer."]


def metrics_of(edge: Edge, **more: Any) -> str:
    response = edge.client().get("/metrics", **more)
    assert response.status_code == 200
    return response.text


def test_requests_are_counted_by_route_and_not_by_whatever_path_was_asked(edge: Edge) -> None:
    client = edge.client()
    for path in ("/healthz", "/healthz", "/wp-login.php"):
        client.get(path)
    client.open("/healthz", method="BREW")
    told = metrics_of(edge)
    assert 'tocsin_http_requests_total{endpoint="healthz",method="GET",status="200"} 2.0' in told
    assert 'tocsin_http_requests_total{endpoint="none",method="GET",status="404"} 1.0' in told
    assert 'tocsin_http_requests_total{endpoint="none",method="other",status="405"} 1.0' in told
    assert 'tocsin_http_request_duration_seconds_count{endpoint="healthz",method="GET"} 2.0' in told
    assert "wp-login" not in told


def test_two_applications_in_one_process_do_not_mix_their_figures(edge: Edge) -> None:
    other = Edge(edge.database)
    edge.metrics.alerts_received.labels("alertmanager").inc()
    assert 'tocsin_alerts_received_total{source="alertmanager"} 1.0' in metrics_of(edge)
    assert "alertmanager" not in metrics_of(other)


def test_metrics_are_for_this_machine_and_for_tokens(edge: Edge) -> None:
    client = edge.client()
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200
    assert client.get("/metrics", environ_base=ELSEWHERE).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401
    assert client.get("/metrics", environ_base=ELSEWHERE, headers=edge.bearer(role="observer")).status_code == 200


def test_figures_from_the_database_are_asked_for_and_missed_when_it_is_away(
    sqlite_database: Database, database_away: Database
) -> None:
    asked = [sqlite_database]

    def collect() -> Iterator[Metric]:
        with asked[0].reading() as session:
            yield GaugeMetricFamily("tocsin_pages_waiting", "Pages", value=session.scalar(text("SELECT 7")))

    edge = Edge(sqlite_database, collect=collect)
    told = metrics_of(edge)
    assert "tocsin_pages_waiting 7.0" in told
    assert "tocsin_database_up 1.0" in told
    asked[0] = database_away
    told = metrics_of(edge)
    assert "tocsin_pages_waiting" not in told
    assert "tocsin_database_up 0.0" in told
    assert "tocsin_http_requests_total" in told
