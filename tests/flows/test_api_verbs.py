"""Acting on incidents over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from config.database import Database
from incidents import noting
from tests.calling import Edge
from tests.world import STORE_KEY, World

CHAIN_BROKEN = "Hash chain broken at sequence 48211: previous_hash mismatch"


@pytest.fixture
def edge(database: Database) -> Edge:
    return Edge(World(database))


@pytest.fixture
def sqlite_edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database))


def constitutional(edge: Edge) -> int:
    return edge.world.alert(CHAIN_BROKEN, key=STORE_KEY, dedup_key="chain")


def approval(action: str = "resolve", decision: str = "approve") -> dict[str, str]:
    return {"action": action, "decision": decision, "reason": "verified"}


def refusal(edge: Edge, path: str, body: Any, *, by: str = "ana") -> tuple[int, dict[str, str]]:
    answer = edge.call("POST", path, body, by=by)
    return answer.status_code, answer.get_json()["errors"]


# On an operational incident


@pytest.mark.parametrize("body", [{}, None])
def test_acknowledge_stops_the_escalation_and_wakes_the_engine(edge: Edge, body: dict[str, Any] | None) -> None:
    number = edge.world.alert()
    answer = edge.post(f"/incidents/{number}/acknowledge", body, by="bo")
    assert (answer["changed"], answer["status"]) == (True, "acknowledged")
    assert answer["incident"]["acknowledged_by"] == {"key": "bo", "name": "Bo Chen"}
    assert answer["incident"]["next"] is None
    assert edge.wakes == 1
    edge.world.fast_forward(minutes=20)
    assert not edge.world.sent("sms", to="+15005550103")


def test_acknowledging_again_is_an_answer_that_says_whose_it_is(edge: Edge) -> None:
    number = edge.world.alert()
    edge.post(f"/incidents/{number}/acknowledge", {}, by="bo")
    answer = edge.post(f"/incidents/{number}/acknowledge", {}, by="ana")
    assert not answer["changed"]
    assert "Bo Chen" in answer["sentence"]


def test_a_program_acts_with_its_role_and_under_its_name(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.post(f"/incidents/{number}/acknowledge", {}, by="program:responder")
    assert answer["incident"]["acknowledged_by"] == {"key": "", "name": "program:responder's token"}
    last = edge.get(f"/incidents/{number}/timeline")["items"][-1]
    assert (last["kind"], last["actor_kind"], last["facts"]["via"]) == ("incident.acknowledged", "program", "api")


def test_one_person_resolves_an_operational_incident(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.post(f"/incidents/{number}/resolve", {"reason": "pool size put back"})
    assert (answer["status"], answer["request"]) == ("resolved", None)
    assert answer["incident"]["resolution"] == "pool size put back"
    assert answer["incident"]["review_state"] == "draft"


def test_escalate_fires_the_next_level_now(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.post(f"/incidents/{number}/escalate")
    assert answer["incident"]["level"] == 2
    edge.world.run()
    assert edge.world.sent("sms", to="+15005550102")


def test_escalating_what_is_acknowledged_is_a_conflict(edge: Edge) -> None:
    number = edge.world.alert()
    edge.world.acknowledge(number)
    assert refusal(edge, f"/incidents/{number}/escalate", {})[0] == 409


def test_milestones_are_marked_and_stay(edge: Edge) -> None:
    number = edge.world.alert()
    edge.post(f"/incidents/{number}/milestones", {"milestone": "contained"})
    edge.world.fast_forward(minutes=1)
    answer = edge.post(f"/incidents/{number}/milestones", {"milestone": "contained"})
    assert not answer["changed"]
    assert answer["incident"]["milestones"]["contained_at"] == "2026-11-16T10:00:00.000000Z"


def test_a_starred_note_goes_to_the_timeline_and_into_the_review(edge: Edge) -> None:
    number = edge.world.alert()
    edge.post(f"/incidents/{number}/notes", {"text": "deploy 2.4.1 halved the pool", "starred": True})
    edge.post(f"/incidents/{number}/resolve", {"reason": "fixed"})
    review = edge.call("GET", f"/incidents/{number}/review.json").get_json()
    assert [note["text"] for note in review["notes"]] == ["deploy 2.4.1 halved the pool"]


def test_one_person_may_raise_severity_and_class(edge: Edge) -> None:
    number = edge.world.alert()
    body = {"severity": "CRITICAL", "class": "constitutional", "reason": "the store is hit too"}
    shown = edge.post(f"/incidents/{number}/reclassify", body)["incident"]
    assert (shown["severity"], shown["class"], shown["severity_initial"]) == ("CRITICAL", "constitutional", "HIGH")
    assert shown["classification"]["severity"] == "HIGH"  # what the rules said stays beside it
    assert shown["halt_recommended"]


# On a constitutional incident


def test_resolving_a_constitutional_incident_is_202_with_what_is_awaited(edge: Edge) -> None:
    number = constitutional(edge)
    body = {"reason": "chain restored"}
    answer = edge.post(f"/incidents/{number}/resolve", body, by="bo", status=202)
    assert (answer["changed"], answer["status"]) == (False, "open")
    assert answer["request"]["requested_by"] == {"key": "bo", "name": "Bo Chen"}
    assert (answer["request"]["state"], answer["request"]["reason"]) == ("pending", "chain restored")
    assert "approval" in answer["incident"]["awaiting"]
    assert edge.post(f"/incidents/{number}/resolve", body, by="bo", status=202)["request"] == answer["request"]


def test_two_keepers_who_did_not_ask_resolve_it_and_fewer_do_not(edge: Edge) -> None:
    number = constitutional(edge)
    path = f"/incidents/{number}/approvals"
    edge.post(f"/incidents/{number}/resolve", {"reason": "chain restored"}, by="bo", status=202)
    assert refusal(edge, path, approval(), by="bo")[0] == 403
    assert edge.post(path, approval(), by="kim")["status"] == "open"
    assert refusal(edge, path, approval(), by="kim")[0] == 409
    answer = edge.post(path, approval(), by="kai")
    assert answer["status"] == "resolved"
    (request,) = answer["incident"]["requests"]
    assert [decision["by"]["key"] for decision in request["decisions"]] == ["kim", "kai"]


def test_a_keeper_who_asked_cannot_approve(edge: Edge) -> None:
    number = constitutional(edge)
    edge.post(f"/incidents/{number}/resolve", {"reason": "chain restored"}, by="kim", status=202)
    assert refusal(edge, f"/incidents/{number}/approvals", approval(), by="kim")[0] == 403


def test_one_decline_ends_the_request(edge: Edge) -> None:
    number = constitutional(edge)
    edge.post(f"/incidents/{number}/resolve", {"reason": "chain restored"}, by="bo", status=202)
    answer = edge.post(f"/incidents/{number}/approvals", approval(decision="decline"), by="kai")
    assert (answer["status"], answer["incident"]["requests"][0]["state"]) == ("open", "declined")


def test_the_milestone_resolved_is_awaited_as_well(edge: Edge) -> None:
    number = constitutional(edge)
    answer = edge.post(f"/incidents/{number}/milestones", {"milestone": "resolved"}, by="bo", status=202)
    assert answer["request"]["action"] == "resolve"


def test_lowering_its_severity_waits_for_approval_and_raising_it_does_not(edge: Edge) -> None:
    number = constitutional(edge)
    path = f"/incidents/{number}/reclassify"
    answer = edge.post(path, {"severity": "LOW", "reason": "a drill"}, by="bo", status=202)
    assert answer["request"]["change"] == {"class": "constitutional", "severity": "LOW"}
    assert answer["incident"]["severity"] == "CRITICAL"
    for keeper in ("kim", "kai"):
        edge.post(f"/incidents/{number}/approvals", approval("reclassify"), by=keeper)
    assert edge.post(path, {"severity": "HIGH", "reason": "no drill"}, by="bo")["incident"]["severity"] == "HIGH"


def test_raising_it_while_a_lowering_waits_is_done_and_not_awaited(edge: Edge) -> None:
    number = edge.world.alert()
    path = f"/incidents/{number}/reclassify"
    edge.post(path, {"class": "constitutional", "reason": "the store is hit too"})
    edge.post(path, {"severity": "LOW", "reason": "a drill"}, status=202)
    answer = edge.post(path, {"severity": "CRITICAL", "reason": "no drill"}, status=200)
    assert (answer["changed"], answer["request"], answer["incident"]["severity"]) == (True, None, "CRITICAL")


def test_a_program_neither_asks_nor_approves(edge: Edge) -> None:
    number = constitutional(edge)
    assert refusal(edge, f"/incidents/{number}/resolve", {"reason": "done"}, by="program:keeper")[0] == 403
    edge.post(f"/incidents/{number}/resolve", {"reason": "chain restored"}, by="bo", status=202)
    assert refusal(edge, f"/incidents/{number}/approvals", approval(), by="program:keeper")[0] == 403


def test_approving_what_nobody_asked_for_is_a_conflict(edge: Edge) -> None:
    assert refusal(edge, f"/incidents/{constitutional(edge)}/approvals", approval(), by="kim")[0] == 409


def test_who_is_no_keeper_is_told_so_whether_or_not_there_is_something_to_approve(sqlite_edge: Edge) -> None:
    assert refusal(sqlite_edge, "/incidents/7/approvals", approval(), by="mia")[0] == 403


# Bodies


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("acknowledge", {"resaon": "typo"}, "resaon"),
        ("acknowledge", [], "body"),
        ("resolve", {}, "reason"),
        ("resolve", {"reason": "  \n"}, "reason"),
        ("resolve", {"reason": 7}, "reason"),
        ("resolve", {"reason": None}, "reason"),
        ("resolve", {"reason": "a\0b"}, "reason"),
        ("resolve", {"reason": "x" * (noting.REASON_CHARACTERS_MAX + 1)}, "reason"),
        ("resolve", {"reason": "fine", "severity": "LOW"}, "severity"),
        ("notes", {"text": "half of a pair: \ud800"}, "text"),
        ("notes", {"text": "x" * (noting.NOTE_CHARACTERS_MAX + 1)}, "text"),
        ("notes", {"text": "fine", "starred": "perhaps"}, "starred"),
        ("milestones", {"milestone": "exploded"}, "milestone"),
        ("reclassify", {"severity": "FATAL", "reason": "worse"}, "severity"),
        ("reclassify", {"class": "other", "reason": "worse"}, "class"),
        ("reclassify", {"reason": "nothing named"}, "severity"),
        ("approvals", {"action": "halt", "decision": "approve", "reason": "yes"}, "action"),
        ("approvals", {"action": "resolve", "decision": "perhaps", "reason": "yes"}, "decision"),
        ("approvals", {"action": "resolve", "decision": "approve"}, "reason"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_by_the_name_of_its_field(
    sqlite_edge: Edge, verb: str, body: Any, field: str
) -> None:
    number = sqlite_edge.world.alert()
    before = sqlite_edge.world.kinds(number)
    status, found = refusal(sqlite_edge, f"/incidents/{number}/{verb}", body, by="kim")
    assert (status, list(found)) == (422, [field])
    assert sqlite_edge.world.kinds(number) == before


def test_a_body_that_is_not_json_is_refused(sqlite_edge: Edge) -> None:
    number = sqlite_edge.world.alert()
    for content_type, content, status in (("application/json", b"{nope", 400), ("text/plain", b"reason=done", 422)):
        answer = sqlite_edge.client.post(
            f"/api/v1/incidents/{number}/resolve",
            data=content,
            content_type=content_type,
            headers={"Authorization": f"Bearer {sqlite_edge.token('ana')}"},
        )
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("text", ["a reason with *stars*, <b>tags</b> and 🔴", "ünïcödé – “quoted”", "x" * 2_000])
def test_any_text_that_can_be_stored_comes_back_as_it_was(edge: Edge, text: str) -> None:
    number = edge.world.alert()
    assert edge.post(f"/incidents/{number}/resolve", {"reason": text})["incident"]["resolution"] == text
