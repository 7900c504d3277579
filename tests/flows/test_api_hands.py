"""Reporting, reassigning, snoozing, holding and ticking over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from config.database import Database
from tests.calling import Edge
from tests.world import STORE_KEY, World


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database))


def test_an_incident_is_reported_by_hand(edge: Edge) -> None:
    body = {"service": "checkout", "title": "Customers cannot pay", "severity": "HIGH", "description": "since ten"}
    answer = edge.post("/incidents", body, by="bo")
    assert (answer["changed"], answer["incident"]["severity"]) == (True, "HIGH")
    assert answer["sentence"] == f"{answer['incident']['number']} is open."
    assert edge.wakes == 1


def test_reassign_takes_a_responder_or_a_policy(edge: Edge) -> None:
    number = edge.world.alert()
    assert edge.post(f"/incidents/{number}/reassign", {"responder": "kai"})["sentence"].startswith(f"{number} is Kai")
    assert edge.post(f"/incidents/{number}/reassign", {"policy": "standard"})["changed"]


def test_a_snooze_takes_a_time_or_a_duration_and_is_shown(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.post(f"/incidents/{number}/snooze", {"for": "2h"})
    assert answer["incident"]["snoozed_until"] == "2026-11-16T12:00:00.000000Z"
    answer = edge.post(f"/incidents/{number}/snooze", {"until": "2026-11-16T14:00:00+01:00"})
    assert answer["incident"]["snoozed_until"] == "2026-11-16T13:00:00.000000Z"
    assert edge.post(f"/incidents/{number}/unacknowledge", {"reason": "back to the team"})["status"] == "open"


def test_a_hold_is_opened_extended_and_ended_by_a_keeper(edge: Edge) -> None:
    number = edge.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY, dedup_key="chain")
    body = {"reason": "recovery wait", "authority": "FR21", "min_end_at": "2026-11-18T10:00:00Z"}
    hold = edge.post(f"/incidents/{number}/holds", body, by="kim")["incident"]["holds"][0]
    assert (hold["authority"], hold["opened_by"], hold["ended_at"]) == ("FR21", "Kim Osei", None)
    later = {"min_end_at": "2026-11-19T10:00:00Z", "reason": "more"}
    assert edge.post(f"/incidents/{number}/holds/{hold['id']}/extend", later, by="kim")["changed"]
    ended = edge.call("POST", f"/incidents/{number}/holds/{hold['id']}/end", {"reason": "done"}, by="kim")
    assert ended.status_code == 409
    assert "does not end before 10:00 UTC on 2026-11-19" in ended.get_json()["detail"]


def test_a_tick_is_shown_with_who_made_it(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.post(f"/incidents/{number}/checklist", {"item": "preserve-evidence"})
    ticked = [item for item in answer["incident"]["checklist"] if item["ticked_by"]]
    assert [(item["key"], item["phase"], item["ticked_by"]) for item in ticked] == [
        ("preserve-evidence", "containment", "Ana Lima")
    ]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("/incidents", {"service": "nowhere", "title": "t"}, "service"),
    ("/incidents", {"service": "checkout", "title": " "}, "title"),
    ("/incidents/1/reassign", {}, "responder"),
    ("/incidents/1/reassign", {"responder": "zed"}, "responder"),
    ("/incidents/1/reassign", {"policy": "zed"}, "policy"),
    ("/incidents/1/snooze", {"for": "soon"}, "for"),
    ("/incidents/1/snooze", {"for": "8d"}, "until"),
    ("/incidents/1/responders", {"responder": "zed"}, "responder"),
    ("/incidents/1/checklist", {"item": "coffee"}, "item"),
]


def test_what_cannot_be_used_is_refused_by_the_name_of_its_field(edge: Edge) -> None:
    edge.world.alert()
    for path, body, field in REFUSED:
        answer = edge.call("POST", path, body)
        assert answer.status_code == 422, (path, body, answer.text)
        assert field in answer.get_json()["errors"], (path, body)
