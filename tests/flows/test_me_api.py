"""A person's own contact methods and rules over HTTP: one's own, and nobody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from config.database import Database
from tests.calling import Edge
from tests.contacting import NEW
from tests.flows.test_own_rules import LEFT_OPEN, USUAL
from tests.world import PHONES, World

WRITES = [
    ("POST", "/me/contacts", {"channel": "sms", "address": NEW}),
    ("POST", "/me/contacts/1/code", None),
    ("POST", "/me/contacts/1/verify", {"code": "123456"}),
    ("POST", "/me/contacts/1/test", None),
    ("DELETE", "/me/contacts/1", None),
    ("PUT", "/me/rules", {"high": []}),
]


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database, config=LEFT_OPEN))


def contact(edge: Edge, address: str, *, channel: str = "sms", by: str = "ana") -> dict[str, Any]:
    items: list[dict[str, Any]] = edge.get("/me/contacts", by=by)["items"]
    return next(each for each in items if (each["channel"], each["address"]) == (channel, address))


def test_a_number_is_added_confirmed_tried_and_removed(edge: Edge) -> None:
    made = edge.post("/me/contacts", {"channel": "sms", "address": "+1 500 555 0199"})
    assert (made["address"], made["declared"], made["verified_at"], made["in_use"]) == (NEW, False, None, False)
    path = f"/me/contacts/{made['id']}"
    assert edge.post(f"{path}/code")["sentence"] == f"A code is on its way by SMS to {NEW}. Enter it here."
    edge.world.run()
    note = edge.world.sent("sms", to=NEW)[0].message.note
    code = re.search(r"\d{6}", note)
    assert code is not None
    assert code[0] not in edge.call("GET", "/me/contacts").text
    assert contact(edge, NEW)["code_expires_at"] == "2026-11-16T10:10:00.000000Z"
    assert edge.post(f"{path}/verify", {"code": code[0]})["changed"]
    assert contact(edge, NEW)["verified_at"] == "2026-11-16T10:00:00.000000Z"
    assert contact(edge, NEW)["in_use"]
    edge.post(f"{path}/test")
    assert contact(edge, NEW)["test"]["state"] == "queued"
    edge.world.run()
    assert contact(edge, NEW)["test"]["state"] == "sent"
    answer = edge.call("DELETE", path)
    assert (answer.status_code, answer.get_json()["sentence"]) == (200, f"Removed: SMS to {NEW}.")
    assert edge.wakes == 2


def test_a_wrong_code_is_counted_and_refused_by_field(edge: Edge) -> None:
    made = edge.post("/me/contacts", {"channel": "sms", "address": NEW})
    edge.post(f"/me/contacts/{made['id']}/code")
    edge.world.run()
    said = [
        edge.call("POST", f"/me/contacts/{made['id']}/verify", {"code": "not a code"}).get_json()["errors"]["code"]
        for _ in range(5)
    ]
    assert said[0].startswith("That is not the code.")
    assert said[4].startswith("That was the 5th wrong try.")


def test_too_many_codes_are_answered_429(edge: Edge) -> None:
    made = edge.post("/me/contacts", {"channel": "sms", "address": NEW})
    edge.post(f"/me/contacts/{made['id']}/code")
    answer = edge.call("POST", f"/me/contacts/{made['id']}/code")
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_program_has_no_me(edge: Edge, method: str, path: str, body: Any) -> None:
    answer = edge.call(method, path, body, by="program:admin")
    assert answer.status_code == 403
    assert "is a program" in answer.get_json()["detail"]
    assert "tocsin token create --responder" in answer.get_json()["detail"]


@pytest.mark.parametrize("path", ["/me/contacts", "/me/rules"])
def test_a_program_reads_no_me_either(edge: Edge, path: str) -> None:
    assert edge.call("GET", path, by="program:observer").status_code == 403


def test_somebody_elses_contact_methods_are_not_there(edge: Edge) -> None:
    made = edge.post("/me/contacts", {"channel": "sms", "address": NEW})
    path = f"/me/contacts/{made['id']}"
    for method, end, body in (("POST", "/code", None), ("POST", "/verify", {"code": "1"}), ("POST", "/test", None)):
        assert edge.call(method, path + end, body, by="bo").status_code == 404
    assert edge.call("DELETE", path, by="bo").status_code == 404
    assert NEW not in edge.call("GET", "/me/contacts", by="bo").text


def test_rules_are_read_and_changed(edge: Edge) -> None:
    before = edge.get("/me/rules")
    assert (before["high"], before["quiet"], before["rules_origin"]) == (USUAL, {}, "default")
    night = {"after": "0s", "by": "voice", "from": "22:00", "to": "07:00"}
    body = {"high": [night], "quiet": {"from": "21:00", "to": "06:00"}}
    after = edge.call("PUT", "/me/rules", body).get_json()
    assert (after["high"], after["low"], after["quiet"]) == ([night], before["low"], body["quiet"])
    assert edge.get("/me/rules") == after


def test_rules_that_cannot_be_used_are_refused_by_field(edge: Edge) -> None:
    answer = edge.call("PUT", "/me/rules", {"high": [{"after": "soon", "by": "sms"}]})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["high[0].after"])
    assert edge.call("PUT", "/me/rules", {"medium": []}).status_code == 422


def test_rules_of_the_file_are_a_conflict(edge: Edge) -> None:
    answer = edge.call("PUT", "/me/rules", {"high": []}, by="bo")
    assert (answer.status_code, answer.get_json()["detail"]) == (
        409,
        "Your rules are declared in the configuration file, and can be changed only there. Ask an administrator.",
    )


def test_responders_show_what_is_verified(edge: Edge) -> None:
    edge.post("/me/contacts", {"channel": "sms", "address": NEW})
    ana = next(each for each in edge.get("/responders")["items"] if each["key"] == "ana")
    shown = {each["address"]: (each["declared"], each["verified_at"]) for each in ana["contacts"]}
    assert (shown[NEW], shown[PHONES["ana"]]) == ((False, None), (True, None))
