"""What is not heard of opens an incident, a sign of life ends it, and nothing that is waited for is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from config.database import Database
from escalation.models import Timer, TimerKind
from incidents import export, reconciling
from incidents.models import Heartbeat, Incident
from tests.calling import Edge
from tests.edge import BROWSER
from tests.pages import Pages, words
from tests.world import KEY, MONDAY, World, team

GENIE_KEY = "11111111-2222-3333-4444-555555555555"
BACKUP_KEY, WITNESS_KEY = "b0" * 16, "b1" * 16
BEATS = (
    f'heartbeats: [{{name: nightly backup, every: 15m, grace: 1m, severity: HIGH, key: "{BACKUP_KEY}"}}], integrations: '
    f'[{{source: opsgenie, key: "{GENIE_KEY}"}}, '
)
STORE_BEATS = f'protected: true, heartbeats: [{{name: witness, every: 30s, key: "{WITNESS_KEY}"}}], integrations: ['
PLAIN = team()
TEAM = PLAIN.replace("checkout: {policy: standard, integrations: [", "checkout: {policy: standard, " + BEATS)
STORE = PLAIN.replace("protected: true, integrations: [", STORE_BEATS)


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database, config=TEAM))


def ping(edge: Edge, key: str = BACKUP_KEY, *, method: str = "POST", status: int = 200) -> Any:
    answer = edge.client.open(f"/heartbeats/{key}", method=method)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json(silent=True)


def incidents(world: World) -> list[Incident]:
    with world.database.reading() as session:
        return list(session.scalars(select(Incident).order_by(Incident.id)))


def test_one_that_was_never_heard_of_opens_an_incident_and_its_first_ping_resolves_it(database: Database) -> None:
    edge = Edge(World(database, config=TEAM))
    world = edge.world
    world.fast_forward(minutes=15)
    assert incidents(world) == []
    world.fast_forward(minutes=1)
    (incident,) = incidents(world)
    assert (incident.severity, incident.incident_class, incident.status) == ("HIGH", "operational", "open")
    assert incident.title == (
        "Heartbeat nightly backup of checkout is missing: never heard of, expected every 15m (and 1m of grace)"
    )
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]
    assert edge.get("/heartbeats")["items"][0] | {} == {
        "name": "nightly backup",
        "service": "checkout",
        "state": "missing",
        "every": "15m",
        "grace": "1m",
        "severity": "HIGH",
        "key_hint": "b0b0",
        "pinged_at": None,
        "expected_by": "2026-11-16T10:16:00.000000Z",
        "missing_since": "2026-11-16T10:16:00.000000Z",
        "incident": incident.id,
    }
    assert ping(edge) == {"heartbeat": "nightly backup", "next_by": "2026-11-16T10:32:00.000000Z"}
    (incident,) = incidents(world)
    assert (incident.status, incident.resolved_by) == ("resolved", "heartbeat (checkout)")
    assert edge.get("/heartbeats")["items"][0]["state"] == "up"


def test_what_stays_silent_is_reported_again_each_hour_and_opens_anew_if_people_resolved_it(edge: Edge) -> None:
    world = edge.world
    world.fast_forward(minutes=16)
    world.fast_forward(hours=1)
    assert len(incidents(world)) == 1
    assert "alert.repeated" in world.kinds(1)
    world.resolve(1)
    world.fast_forward(minutes=59)
    assert len(incidents(world)) == 1
    world.fast_forward(minutes=2)
    assert [incident.status for incident in incidents(world)] == ["resolved", "open"]


def test_og7_any_method_pings_and_an_unknown_name_is_answered_all_the_same(edge: Edge) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "HEAD"):
        edge.world.fast_forward(minutes=10)
        ping(edge, method=method)
    assert ping(edge, "wrong" * 5, status=403)["title"] == "Not allowed"

    def call(name: str, method: str, key: str = GENIE_KEY) -> Any:
        return edge.client.open(
            f"/v2/heartbeats/{name}/ping", method=method, headers={"Authorization": f"GenieKey {key}"}
        )

    for method in ("GET", "POST", "PUT", "PATCH"):
        edge.world.fast_forward(minutes=10)
        for name in ("nightly%20backup", "unknown"):
            answer = call(name, method)
            assert (answer.status_code, answer.get_json()["result"]) == (202, "PONG - Heartbeat received")
            assert answer.get_json()["requestId"]
    assert call("nightly%20backup", "POST", BACKUP_KEY).status_code == 202
    assert call("nightly%20backup", "POST", KEY).status_code == 401
    assert call("x", "DELETE").status_code == 404
    assert incidents(edge.world) == []


def test_a_constitutional_one_is_not_resolved_by_its_ping(sqlite_database: Database) -> None:
    edge = Edge(World(sqlite_database, config=STORE))
    edge.world.fast_forward(seconds=31)
    (incident,) = incidents(edge.world)
    assert incident.incident_class == "constitutional"
    ping(edge, WITNESS_KEY)
    assert incidents(edge.world)[0].status == "open"
    assert "resolve.withheld" in edge.world.kinds(incident.id)


def test_what_was_due_while_tocsin_was_away_is_waited_for_once_more(edge: Edge) -> None:
    world = edge.world
    world.now += timedelta(hours=2)  # nothing ran, and pings went nowhere
    world.run()
    assert incidents(world) == []
    world.fast_forward(minutes=5)
    assert len(incidents(world)) == 1


def test_its_times_can_be_changed_and_what_is_not_declared_is_not_waited_for(edge: Edge) -> None:
    world = edge.world
    world.apply(TEAM.replace("every: 15m, grace: 1m", "every: 30m"))
    world.fast_forward(minutes=29)
    assert incidents(world) == []
    world.apply(PLAIN)
    world.fast_forward(hours=2)
    assert (incidents(world), edge.get("/heartbeats")["items"]) == ([], [])
    ping(edge, status=403)


def test_keys_may_change_places_and_a_service_that_goes_takes_its_heartbeats_along(edge: Edge) -> None:
    world = edge.world
    two = TEAM.replace("heartbeats: [", f'heartbeats: [{{name: other, key: "{WITNESS_KEY}"}}, ')
    world.apply(two)
    world.apply(two.replace(WITNESS_KEY, "x" * 20).replace(BACKUP_KEY, WITNESS_KEY).replace("x" * 20, BACKUP_KEY))
    assert ping(edge)["heartbeat"] == "other"
    text = "\n".join(line for line in PLAIN.splitlines() if not line.strip().startswith("checkout:"))
    world.apply(text)
    with world.database.reading() as session:
        assert session.scalars(select(Heartbeat)).all() == []
        assert session.scalars(select(Timer).where(Timer.kind == TimerKind.HEARTBEAT)).all() == []


def test_the_reconciler_finds_one_that_nothing_waits_for(edge: Edge) -> None:
    world = edge.world
    assert reconciling.run(world.database, world.desk, world.now) == []
    for put_wrong in (delete(Timer), None):
        with world.database.transaction() as session:
            if put_wrong is not None:
                session.execute(put_wrong.where(Timer.kind == TimerKind.HEARTBEAT))
            else:
                timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.HEARTBEAT)).one()
                timer.visible_at = MONDAY + timedelta(days=1)
        (outcome,) = reconciling.run(world.database, world.desk, world.now)
        assert (outcome.finding.kind.value, outcome.done) == ("heartbeat.unwatched", "The engine looks at it now.")
        world.run()
        assert reconciling.run(world.database, world.desk, world.now) == []
    world.fast_forward(minutes=16)
    assert len(incidents(world)) == 1
    assert reconciling.run(world.database, world.desk, world.now) == []


def test_the_page_shows_what_is_missing_first_and_the_export_holds_no_key(sqlite_database: Database) -> None:
    beats = TEAM.replace("heartbeats: [", f'heartbeats: [{{name: aaa, every: 1h, key: "{WITNESS_KEY}"}}, ')
    pages = Pages(World(sqlite_database, config=beats))
    pages.world.fast_forward(minutes=17)
    read = words(pages.by().get("/heartbeats"))
    assert "nightly backup checkout Missing since 10:16 UTC" in read
    assert read.index("nightly backup") < read.index("aaa")
    assert "Not heard of yet; expected by 11:00 UTC" in read
    stranger = pages.app.test_client().get("/heartbeats", headers=BROWSER)
    assert (stranger.status_code, "/sign-in" in stranger.location) == (302, True)
    with pages.world.database.reading() as session:
        text = export.to_text(session)
    assert "name: nightly backup" in text
    assert "every: 15m" in text
    assert BACKUP_KEY not in text
