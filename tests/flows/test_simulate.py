"""`tocsin simulate` and the API say who would be woken, and nobody is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.database import Database
from incidents import cli_simulate
from tests.calling import Edge
from tests.silenced import recurring, silence
from tests.world import World, team

MOMENT = ("--at", "2026-11-16T10:00")
BOSS = team().replace("roles: [manager]", "roles: [manager, admin]")


def simulated(world: World, *arguments: str, there: bool = True) -> tuple[int, str]:
    def database() -> Database:
        assert there, "a file is simulated without a database"
        return world.database

    result = CliRunner().invoke(cli_simulate.command(database, lambda: world.desk), list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=BOSS)


def test_a_policy_is_told_as_a_table(world: World) -> None:
    code, said = simulated(world, "--policy", "standard", *MOMENT)
    assert code == 0
    assert said.startswith("Policy standard, HIGH. Opened Mon 16 Nov 2026 10:00 UTC.")
    assert [line.split()[:5] for line in said.splitlines() if "level" in line][:3] == [
        ["0s", "10:00", "level", "1", "Ana"],
        ["5m", "10:05", "level", "2", "Bo"],
        ["15m", "10:15", "level", "3", "Mia"],
    ]
    assert world.sent() == []


def test_a_proposed_file_is_simulated_without_a_database(world: World, tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(team().replace("after: 5m", "after: 2m"))
    _, said = simulated(world, "--policy", "standard", *MOMENT, "--config", str(file), "--format", "json", there=False)
    assert [each["after_seconds"] for each in json.loads(said)["messages"]][:2] == [0, 120]
    file.write_text(team().replace("after: 5m", "after: soon"))
    code, said = simulated(world, "--policy", "standard", "--config", str(file), there=False)
    assert code == 1
    assert "policies.standard.levels[1].after" in said


def test_a_service_an_incident_and_an_acknowledgement(world: World) -> None:
    _, said = simulated(world, "--service", "event-store", "--severity", "critical", *MOMENT)
    assert said.startswith("event-store, constitutional CRITICAL, by policy standard.")
    assert said.count("asked about a halt") == 2
    number = world.alert("Worker returned unexpected state 7")
    _, said = simulated(world, "--incident", str(number), "--acknowledged-after", "20m")
    assert f"Incident {number}: Worker returned unexpected state 7 (MEDIUM)" in said
    assert "told first  Ana Lima" in said
    assert "Acknowledged Mon 16 Nov 2026 10:20 UTC: nobody is woken any more." in said


def test_what_would_hold_an_incident_back_is_said_below(world: World) -> None:
    begins = datetime(2026, 11, 16, 9, tzinfo=UTC)
    silence(world, starts_at=begins, ends_at=begins + timedelta(hours=2), run=False)
    nightly = recurring(22, 2) | {"services": (), "labels": {"alertname": "Disk*"}, "starts_at": begins}
    silence(world, **nightly, run=False)
    _, said = simulated(world, "--service", "checkout", *MOMENT)
    assert said.splitlines()[-1] == (
        'It is held back until 11:00 UTC, by silence 1 of Bo Chen: "patching db-1". Its levels begin then.'
    )
    _, said = simulated(world, "--service", "checkout", *MOMENT, "--until", "2026-11-17T12:00", "--format", "json")
    first, *later = json.loads(said)["silences"]
    assert "silence 1" in first
    assert later == [
        'From 22:00 UTC it is held back until 02:00 UTC on 2026-11-17 if alertname is Disk*, by silence 2 of Bo Chen: "patching db-1". Its levels begin then.'
    ]
    for other in (("--service", "event-store"), ("--policy", "standard")):
        _, said = simulated(world, *other, *MOMENT)
        assert "held back" not in said


def test_a_window_of_a_proposed_file_is_said_too(world: World, tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    window = """
maintenance:
  patching:
    services: [checkout]
    days: [mon]
    timezone: UTC
    from: "08:00"
    to: "12:00"
    reason: monthly patches
"""
    file.write_text(team() + window)
    _, said = simulated(world, "--service", "checkout", *MOMENT, "--config", str(file), there=False)
    assert 'held back until 12:00 UTC, by the maintenance window patching: "monthly patches"' in said


def test_a_span_and_a_picture(world: World) -> None:
    _, said = simulated(world, "--policy", "standard", *MOMENT, "--until", "2026-11-17")
    assert "Ana Lima (SMS); 5m Bo Chen (SMS); 15m Mia Berg (SMS)" in said
    _, drawn = simulated(world, "--policy", "standard", *MOMENT, "--format", "svg")
    assert drawn.startswith("<svg ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Say one of policy, service and incident; none was given."),
        (("--policy", "standard", "--service", "checkout"), "not policy and service."),
        (("--policy", "nightly"), "There is no policy 'nightly'; there are: standard."),
        (("--service", "shop"), "There is no service 'shop'; there are: "),
        (("--incident", "99"), "There is no incident 99"),
        (("--policy", "standard", "--at", "noon"), "'noon' is not a time such as 2026-11-16T03:00"),
        (("--policy", "standard", *MOMENT, "--until", "2026-11-15"), "The end of the time must be later"),
        (("--policy", "standard", *MOMENT, "--until", "2026-11-17", "--format", "svg"), "A picture is of one moment"),
        (("--policy", "standard", "--acknowledged-after", "soon"), "is not a duration"),
    ],
)
def test_what_cannot_be_simulated_is_told(world: World, arguments: tuple[str, ...], problem: str) -> None:
    code, said = simulated(world, *arguments)
    assert code != 0
    assert problem in " ".join(said.split())


# Over HTTP


@pytest.fixture
def edge(world: World) -> Edge:
    return Edge(world)


def test_anybody_known_may_ask_who_would_be_woken(edge: Edge) -> None:
    found = edge.get("/simulate?service=checkout&severity=HIGH&at=2026-11-16T10:00:00Z", by="bo")
    assert [(each["responder"], each["channel"], each["level"]) for each in found["messages"]][:2] == [
        ("ana", "sms", 1),
        ("bo", "sms", 2),
    ]
    assert found["opened_at"] == "2026-11-16T10:00:00.000000Z"
    assert "address" not in json.dumps(found)
    span = edge.get("/simulate?policy=standard&at=2026-11-16T10:00:00Z&until=2026-11-18T10:00:00Z", by="bo")
    assert len(span["stretches"]) == 1


def test_the_picture_is_served_as_one(edge: Edge) -> None:
    answer = edge.call("GET", "/simulate.svg?policy=standard", by="bo")
    assert answer.status_code == 200
    assert answer.content_type.startswith("image/svg+xml")
    assert answer.text.startswith("<svg ")
    assert edge.call("GET", "/simulate.svg?policy=nightly", by="bo").status_code == 404


def test_a_proposal_says_what_it_changes_for_whom_and_changes_nothing(edge: Edge) -> None:
    proposed = BOSS.replace("members: [ana]", "members: [bo]")
    body: dict[str, Any] = {"policy": "standard", "config": proposed}
    found = edge.post("/simulate", body, by="mia")
    assert found["messages"][0]["responder"] == "bo"
    assert "~ schedule primary: rotations[0].members [ana] -> [bo]" in found["changes"]
    assert [(each["responder"], len(each["gained"]), len(each["lost"])) for each in found["people"]] == [
        ("ana", 0, 1),
        ("bo", 1, 0),
    ]
    assert found["policies"][0]["after"].startswith("Bo Chen")
    now = edge.get("/simulate?policy=standard", by="bo")
    assert now["messages"][0]["responder"] == "ana"


def test_a_proposal_is_for_administrators_and_its_problems_name_the_line(edge: Edge) -> None:
    edge.post("/simulate", {"policy": "standard", "config": BOSS}, by="bo", status=403)
    broken = BOSS.replace("after: 5m", 'after: "${HOME}"')
    answer = edge.call("POST", "/simulate", {"policy": "standard", "config": broken}, by="mia")
    assert answer.status_code == 422
    assert "HOME" in answer.text
    assert "/root" not in answer.text
