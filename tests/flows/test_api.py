"""Reading incidents over HTTP, and what is refused."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from config.schemas import NUMBER_MAX, cursor
from incidents.proof.models import TimelineEntry
from tests.calling import Edge, counted
from tests.world import World

VERBS = {
    "acknowledge": {},
    "resolve": {"reason": "fixed"},
    "escalate": {},
    "milestones": {"milestone": "contained"},
    "notes": {"text": "a note"},
    "reclassify": {"severity": "CRITICAL", "reason": "worse"},
    "approvals": {"action": "resolve", "decision": "approve", "reason": "verified"},
}


@pytest.fixture
def edge(database: Database) -> Edge:
    return Edge(World(database))


@pytest.fixture
def sqlite_edge(sqlite_database: Database) -> Edge:
    """For what no database has a part in."""
    return Edge(World(sqlite_database))


def errors(answer: Any, status: int = 422) -> dict[str, str]:
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    found: dict[str, str] = answer.get_json()["errors"]
    return found


# Who may


def test_no_route_of_the_api_answers_without_a_token(sqlite_edge: Edge) -> None:
    rules = [rule for rule in sqlite_edge.app.url_map.iter_rules() if rule.rule.startswith("/api/v1")]
    assert len(rules) >= 20
    for rule in rules:
        path = re.sub(r"<int[^>]*>", "1", rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            assert sqlite_edge.client.open(path, method=method, json={}).status_code == 401, f"{method} {path}"


def test_an_observer_reads_and_does_not_act(sqlite_edge: Edge) -> None:
    number = sqlite_edge.world.alert()
    assert sqlite_edge.get(f"/incidents/{number}", by="program:observer")["number"] == number
    for verb, body in VERBS.items():
        answer = sqlite_edge.call("POST", f"/incidents/{number}/{verb}", body, by="program:observer")
        assert answer.status_code == 403, verb
    assert sqlite_edge.get(f"/incidents/{number}")["status"] == "open"
    assert sqlite_edge.wakes == 0


# Lists


def test_a_list_gives_items_and_where_it_goes_on(edge: Edge) -> None:
    numbers = [edge.world.alert(dedup_key=f"obs/{n}") for n in range(3)]
    first = edge.get("/incidents?limit=2")
    rest = edge.get(f"/incidents?limit=2&cursor={first['next']}")
    assert [line["number"] for line in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    assert first["items"][0] == {
        "number": numbers[2],
        "title": "Observer API down: health check failing on all replicas",
        "class": "operational",
        "severity": "HIGH",
        "severity_peak": "HIGH",
        "status": "open",
        "service": "checkout",
        "level": 1,
        "phase": "immediate",
        "opened_at": "2026-11-16T10:00:00.000000Z",
        "acknowledged_at": None,
        "acknowledged_by": None,
        "resolved_at": None,
        "snoozed_until": None,
        "silenced_until": None,
        "silenced_by": [],
        "held": None,
        "confirm_class": False,
        "halt_recommended": False,
        "awaiting": "",
    }


def test_a_list_that_ends_at_its_limit_has_no_next_page(edge: Edge) -> None:
    edge.world.alert()
    assert edge.get("/incidents?limit=1")["next"] is None


def test_several_states_are_asked_for_with_commas(edge: Edge) -> None:
    first, second, third = (edge.world.alert(dedup_key=f"obs/{n}") for n in range(3))
    edge.world.acknowledge(second)
    edge.world.resolve(third)
    found = edge.get("/incidents?status=open,acknowledged&severity=HIGH&class=operational&service=checkout")
    assert [line["number"] for line in found["items"]] == [second, first]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        (f"cursor={cursor('timeline', 7)}", "cursor"),
        (f"cursor={cursor('incidents', 'seven')}", "cursor"),
        (f"cursor={cursor('incidents', NUMBER_MAX + 1)}", "cursor"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("status=burning", "status.0"),
        ("severity=high", "severity.0"),
        ("class=other", "class"),
        ("stauts=open", "stauts"),
        ("service=%00", "service"),
    ],
)
def test_a_query_that_cannot_be_used_is_refused_by_the_name_of_its_field(
    sqlite_edge: Edge, query: str, field: str
) -> None:
    assert list(errors(sqlite_edge.call("GET", f"/incidents?{query}"))) == [field]


def test_every_list_of_the_api_takes_limit_and_cursor_and_goes_through_to_its_end(sqlite_edge: Edge) -> None:
    for n in range(2):
        number = sqlite_edge.world.alert(dedup_key=f"obs/{n}")
        sqlite_edge.world.resolve(number)
    for path, key in {
        "/incidents": "number", f"/incidents/{number}/timeline": "seq", "/services": "key", "/runbooks": "id",
        "/reviews": "number", "/oncall": "key", "/responders": "key", "/schedules": "key", "/policies": "key",
    }.items():  # fmt: skip
        whole = [item[key] for item in sqlite_edge.get(f"{path}?limit=200")["items"]]
        walked: list[Any] = []
        after: str | None = ""
        while after is not None:
            page = sqlite_edge.get(f"{path}?limit=1{f'&cursor={after}' if after else ''}")
            walked += [item[key] for item in page["items"]]
            after = page["next"]
        assert whole, path
        assert walked == whole, path


# One incident


def test_an_incident_is_given_whole(edge: Edge) -> None:
    number = edge.world.alert()
    shown = edge.get(f"/incidents/{number}")
    assert (shown["class"], shown["severity"], shown["level"]) == ("operational", "HIGH", 1)
    assert shown["classification"]["reasons"]
    assert shown["runbook"]["id"] == "epic-4-observer"
    assert shown["runbook"]["steps"][0]["label"] == "OPERATIONAL"
    assert [(page["responder"], page["channel"], page["level"], page["state"]) for page in shown["pages"]] == [
        ("ana", "sms", 1, "sent")
    ]
    assert shown["pages"][0]["attempts"][0]["outcome"] == "sent"
    assert shown["next"] == {"what": "level 2", "at": "2026-11-16T10:05:00.000000Z"}
    assert (shown["review"], shown["requests"]) == (None, [])
    edge.world.acknowledge(number, by="ana")
    assert edge.get(f"/incidents/{number}")["acknowledged_by"] == {"key": "ana", "name": "Ana Lima"}


def test_no_page_shows_an_address(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.call("GET", f"/incidents/{number}", by="program:observer")
    assert "+1500555" not in answer.get_data(as_text=True)


def test_one_incident_costs_at_most_12_statements_and_2_for_who_asks(edge: Edge) -> None:
    number = edge.world.alert()
    edge.token("ana")
    with counted(edge.world.database) as statements:
        edge.get(f"/incidents/{number}")
    assert len(statements) <= 14


@pytest.mark.parametrize("number", [0, 7, NUMBER_MAX, NUMBER_MAX + 1])
def test_an_unknown_number_is_404_everywhere(edge: Edge, number: int) -> None:
    for path in ("", "/timeline", "/review.md", "/review.json", "/review.html"):
        errors(edge.call("GET", f"/incidents/{number}{path}"), 404)
    for verb, body in VERBS.items():
        errors(edge.call("POST", f"/incidents/{number}/{verb}", body, by="kim"), 404)


def test_the_timeline_tells_each_entry_with_its_facts_and_hash(edge: Edge) -> None:
    number = edge.world.alert()
    found = edge.get(f"/incidents/{number}/timeline")["items"]
    assert [entry["seq"] for entry in found] == list(range(1, len(found) + 1))
    assert found[0]["kind"] == "incident.opened"
    assert found[0]["facts"]["service"] == "checkout"
    assert all(len(entry["hash"]) == 64 for entry in found)


# The review


def test_there_is_no_review_before_the_incident_is_mitigated(edge: Edge) -> None:
    number = edge.world.alert()
    answer = edge.call("GET", f"/incidents/{number}/review.md")
    errors(answer, 404)
    assert "not drafted yet: it is drafted when the incident is mitigated or resolved" in answer.get_json()["detail"]
    assert "review.exported" not in edge.world.kinds(number)


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [
        ("md", "text/markdown", b"---\n"),
        ("json", "application/json", b"{\n"),
        ("html", "text/html", b"<!doctype html>"),
    ],
)
def test_what_is_exported_is_noted_with_its_digest(edge: Edge, form: str, media_type: str, begins: bytes) -> None:
    number = edge.world.alert()
    edge.world.resolve(number)
    answer = edge.call("GET", f"/incidents/{number}/review.{form}", by="bo")
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    assert answer.data.startswith(begins)
    assert b"Observer API down" in answer.data
    with edge.world.database.reading() as session:
        entry = session.scalars(select(TimelineEntry).order_by(TimelineEntry.global_seq.desc()).limit(1)).one()
    assert (entry.kind, entry.actor, entry.actor_kind) == ("review.exported", "Bo Chen", "responder")
    assert hashlib.sha256(answer.data).hexdigest() in entry.payload
    assert edge.get(f"/incidents/{number}")["review"].endswith(f"/api/v1/incidents/{number}/review.html")


def test_asking_for_the_headers_of_a_review_exports_nothing(edge: Edge) -> None:
    number = edge.world.alert()
    edge.world.resolve(number)
    assert edge.call("HEAD", f"/incidents/{number}/review.md").status_code == 200
    assert "review.exported" not in edge.world.kinds(number)


def test_the_html_of_a_review_may_use_its_own_styles_and_nothing_else(sqlite_edge: Edge) -> None:
    number = sqlite_edge.world.alert()
    sqlite_edge.world.resolve(number)
    policy = sqlite_edge.call("GET", f"/incidents/{number}/review.html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "img-src data:" in policy
    assert "script-src" not in policy


# The document


def test_the_openapi_document_has_every_route_with_a_summary_and_its_answer(sqlite_edge: Edge) -> None:
    token = sqlite_edge.token("ana")
    answer = sqlite_edge.client.get("/api/openapi.json", headers={"Authorization": f"Bearer {token}"})
    paths = answer.get_json()["paths"]
    operations = [
        (path, verb, said) for path, item in paths.items() for verb, said in item.items() if verb != "parameters"
    ]
    rules = [rule for rule in sqlite_edge.app.url_map.iter_rules() if rule.rule.startswith("/api/v1")]
    assert len(operations) == len(rules)
    for path, verb, said in operations:
        assert said["summary"], (verb, path)
        assert "200" in said["responses"], (verb, path)
    assert "202" in paths["/api/v1/incidents/{number}/resolve"]["post"]["responses"]


def _schema(document: Any, said: Any) -> dict[str, Any]:
    found: dict[str, Any] = said.get("content", {}).get("application/json", {}).get("schema", {})
    return dict(document["components"]["schemas"][found["$ref"].rpartition("/")[2]]) if "$ref" in found else found


def test_every_route_that_answers_items_takes_limit_and_cursor_and_says_what_is_next(sqlite_edge: Edge) -> None:
    headers = {"Authorization": f"Bearer {sqlite_edge.token('ana')}"}
    document = sqlite_edge.client.get("/api/openapi.json", headers=headers).get_json()
    lists = 0
    for path, item in document["paths"].items():
        if "get" not in item or "items" not in _schema(document, item["get"]["responses"]["200"]).get("properties", {}):
            continue
        lists += 1
        taken = {each.get("name") for each in item["get"].get("parameters", ())}
        assert {"limit", "cursor"} <= taken, path
        assert "next" in _schema(document, item["get"]["responses"]["200"])["properties"], path
    assert lists >= 18
