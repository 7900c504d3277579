"""A thousand alerts in one webhook: each stored, each in one incident, none cut, whatever becomes of the sender."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from config import http
from config.database import Database
from escalation.models import Page
from incidents import edge_in, intake
from incidents.models import Alert, Incident
from incidents.sources import alertmanager, reading
from incidents.sources.base import AlertStatus
from tests.calling import Edge
from tests.world import MONDAY, World, team

KEYS = {"alertmanager": "c2" * 16, "generic": "c3" * 16}


def config() -> str:
    declared = ", ".join(f'{{source: {name}, key: "{key}"}}' for name, key in KEYS.items())
    return team().replace("integrations: [", f"integrations: [{declared}, ", 1)


def group(count: int) -> bytes:
    """As Alertmanager sends a group whose members are told apart by their instance."""
    members = [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "instance": f"node-{n}:9100", "severity": "critical"},
            "annotations": {"summary": f"Disk of node {n} is full"},
            "startsAt": "2026-11-16T09:59:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": f"{n:016x}",
        }
        for n in range(count)
    ]
    return json.dumps({"version": "4", "status": "firing", "groupKey": "{}", "alerts": members}).encode()


def send(edge: Edge, body: bytes, source: str = "alertmanager") -> Any:
    path = f"/alerts/{source}/{KEYS[source]}"
    return edge.app.test_client().post(path, data=body, content_type="application/json")


def found(database: Database) -> tuple[int, int, int, dict[int, int]]:
    """Alerts, incidents, pages, and how many alerts were received how often."""
    with database.reading() as session:
        counts = [session.scalar(select(func.count()).select_from(each)) or 0 for each in (Alert, Incident, Page)]
        belong = session.scalar(select(func.count(func.distinct(Alert.incident_id))))
        received = Counter(session.scalars(select(Alert.count)))
    assert belong == counts[1]
    return counts[0], counts[1], counts[2], dict(received)


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database, config=config()))


def test_a_thousand_in_one_group_are_a_thousand_incidents(edge: Edge) -> None:
    answer = send(edge, group(1_000))
    assert (answer.status_code, answer.get_json()["accepted"]) == (202, 1_000)
    assert len(set(answer.get_json()["incidents"])) == 1_000
    assert found(edge.world.database)[:2] == (1_000, 1_000)


def test_as_many_as_a_body_holds_are_read_and_none_is_cut() -> None:
    """The limit of a body comes before the limit of alerts, so that no group is refused for its number alone."""
    largest = group(3_000)
    assert len(largest) < http.BODY_BYTES_MAX
    assert len(alertmanager.parse(json.loads(largest), now=MONDAY)) == 3_000
    assert 3_000 * http.BODY_BYTES_MAX / len(largest) < reading.ALERTS_MAX


@pytest.mark.parametrize("source", ["generic", "alertmanager"])
def test_a_bare_list_is_taken_whole_too(edge: Edge, source: str) -> None:
    alerts = json.loads(group(50))["alerts"]
    if source == "generic":
        alerts = [{"title": each["annotations"]["summary"], "dedup_key": each["fingerprint"]} for each in alerts]
    assert send(edge, json.dumps(alerts).encode(), source).get_json()["accepted"] == 50
    assert found(edge.world.database)[:2] == (50, 50)


def test_what_a_failure_in_the_middle_leaves_is_completed_when_it_is_sent_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender gets its 503 and sends the whole group again: what was committed is a repeat, and pages nobody anew."""
    edge = Edge(World(database, config=config()))
    taken = 0

    def failing(*args: Any, **more: Any) -> Any:
        nonlocal taken
        if taken == 20:
            raise OperationalError("INSERT", {}, ConnectionError("the database went away"))
        taken += 1
        return intake.receive(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(edge_in, "intake", _Failing(failing))
        answer = send(edge, group(30))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    edge.world.run()
    alerts, incidents, pages, _ = found(database)
    assert (alerts, incidents) == (20, 20)
    assert send(edge, group(30)).status_code == 202
    edge.world.run()
    alerts, incidents, after, received = found(database)
    assert (alerts, incidents, received) == (30, 30, {1: 10, 2: 20})
    assert after == pages + 10


class _Failing:
    """`incidents.intake`, but for one function."""

    def __init__(self, receive: Any) -> None:
        self.receive, self.door = receive, intake.door


def test_a_sender_that_gave_up_and_sends_again_meanwhile_doubles_nothing(database: Database) -> None:
    """Tocsin goes on with the first request though nobody waits for its answer any more."""
    edge = Edge(World(database, config=config()))
    body = group(40)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(send, edge, body) for _ in range(3)]
        assert [each.result().status_code for each in answers] == [202] * 3
    alerts, incidents, pages, received = found(database)
    assert (alerts, incidents, received) == (40, 40, {3: 40})
    with database.reading() as session:
        assert not session.scalars(select(Alert).where(Alert.status != AlertStatus.FIRING)).all()
    assert pages == 40
