"""A sender that speaks Opsgenie's Alert API changes one URL, and loses nothing on the way."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

import wsgi
from config.database import Database
from config.settings import Settings
from incidents.compat import opsgenie, opsgenie_requests
from incidents.compat.opsgenie_verbs import VERBS
from incidents.models import Alert, Incident, OpsgenieRequest, ReceivedPayload
from tests import sharing
from tests.calling import Edge
from tests.edge import url_of_database_away
from tests.world import World, team

KEY = "11111111-2222-3333-4444-555555555555"
OTHER_KEY = "99999999-2222-3333-4444-555555555555"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TEAM = team().replace(
    "services:\n  checkout: {policy: standard, integrations: [",
    "services:\n"
    f'  search: {{policy: standard, integrations: [{{source: opsgenie, key: "{OTHER_KEY}"}}]}}\n'
    f'  checkout: {{policy: standard, integrations: [{{source: opsgenie, key: "{KEY}"}}, ',
)
STORE = TEAM.replace(
    "protected: true, integrations: [", f'protected: true, integrations: [{{source: opsgenie, key: "{"k" * 20}"}}, '
)


@dataclass
class Sender:
    """Something that speaks to Opsgenie."""

    edge: Edge
    key: str = KEY
    newest: int = 0  # alerts up to here are other tests'

    def call(self, method: str, path: str, body: Any = None, *, status: int = 202, **more: Any) -> dict[str, Any]:
        sent: dict[str, Any] = {"json": body} if body is not None else {"content_type": "application/json"}
        headers = {"Authorization": f"GenieKey {self.key}"}
        answer = self.edge.client.open(f"/v2/alerts{path}", method=method, headers=headers, **{**sent, **more})
        assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True))
        found: dict[str, Any] = answer.get_json()
        assert UUID.fullmatch(found["requestId"]), found
        assert answer.headers["X-Request-Id"] == found["requestId"]
        assert isinstance(found["took"], float | int)
        return found

    def create(self, message: str = "Observer API down", alias: str | None = "a", **more: Any) -> str:
        body = {"message": message, **({} if alias is None else {"alias": alias}), **more}
        answer = self.call("POST", "", body)
        assert answer["result"] == "Request will be processed"
        return str(answer["requestId"])

    def act(
        self, verb: str, body: Any = None, *, alias: str = "a", method: str = "POST", **more: Any
    ) -> dict[str, Any]:
        path = f"/{quote(alias, safe='')}/{verb}?identifierType=alias"
        return self.outcome(str(self.call(method, path, body, **more)["requestId"]))

    def outcome(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/requests/{request_id}", status=200)["data"]
        assert found["success"] is found["isSuccess"]
        return found

    def alert(self, identifier: str = "a", kind: str = "alias") -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/{identifier}?identifierType={kind}", status=200)["data"]
        return found


@pytest.fixture(scope="module")
def edge(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with sharing.shared(migrated_sqlite_file, tmp_path_factory.mktemp("opsgenie"), TEAM) as edge:
        yield edge


@pytest.fixture
def sender(edge: Edge) -> Sender:
    return Sender(edge, newest=sharing.begin(edge))


def alerts(sender: Sender) -> list[Alert]:
    return sharing.since(sender.edge, sender.newest)


def incident(sender: Sender) -> Incident:
    (number,) = {alert.incident_id for alert in alerts(sender)}
    return sender.edge.world.incident(number)


def test_what_arrived_by_a_create_is_kept_for_the_page_of_its_integration(sqlite_database: Database) -> None:
    edge = Edge(World(sqlite_database, config=TEAM))
    for body in ({"message": "Observer API down", "alias": "a"}, {"alias": "b"}):
        headers = {"Authorization": f"GenieKey {KEY}"}
        edge.client.post("/v2/alerts", json=body, headers=headers).close()  # written when the answer is out
    with edge.world.database.reading() as session:
        kept = session.scalars(select(ReceivedPayload).order_by(ReceivedPayload.id)).all()
    assert [each.verdict for each in kept] == ["accepted", "refused"]
    assert kept[1].problem == "message: Message can not be empty."
    assert kept[0].alerts[0]["title"] == "Observer API down"


def test_og1_og2_a_create_is_done_when_it_is_answered_and_a_repeat_is_counted(database: Database) -> None:
    sender = Sender(Edge(World(database, config=TEAM)))
    first = sender.outcome(sender.create(priority="P2"))
    assert (first["success"], first["action"], first["status"], first["alias"]) == (
        True,
        "Create",
        "Created alert",
        "a",
    )
    second = sender.outcome(sender.create())
    assert second["alertId"] == first["alertId"]
    shown = sender.alert(first["alertId"], "id")
    assert (shown["count"], shown["status"], shown["priority"], shown["tinyId"]) == (2, "open", "P3", "1")
    assert sender.edge.received == ["opsgenie", "opsgenie"]
    sender.edge.world.run()
    assert [sent.to for sent in sender.edge.world.sent("sms")] == ["+15005550101"]


def test_og3_og4_closing_twice_or_what_is_not_there_is_202_and_its_request_says_so(sender: Sender) -> None:
    sender.create()
    assert sender.act("close", {"source": "am"})["status"] == "Closed alert"
    assert incident(sender).status == "resolved"
    for verb in ("close", "acknowledge", "unacknowledge"):
        again = sender.act(verb)
        assert (again["success"], again["status"], again["alertId"]) == (False, "Alert does not exist", "")
    by_id = sender.outcome(
        sender.call("POST", f"/{sender.alert(str(alerts(sender)[0].id), 'tiny')['id']}/close")["requestId"]
    )
    assert (by_id["success"], by_id["status"]) == (False, "Alert is already closed.")
    assert sender.outcome(sender.create())["alertId"] != by_id["alertId"]


def test_og5_a_long_message_is_kept_whole_in_the_body(sender: Sender) -> None:
    sender.create("x" * 131)
    (alert,) = alerts(sender)
    assert (len(alert.title), alert.body) == (130, "x" * 131)


def test_og6_an_alias_may_hold_anything(sender: Sender) -> None:
    aliases = ["db1/disk full?", "a//b/close", "/a", "50%2F50", "ü/🔥", "x/" * 256, "requests/x"]
    for alias in aliases:
        sender.create(alias=alias)
        assert sender.act("acknowledge", alias=alias)["success"], alias
        assert sender.act("close/", alias=alias)["success"], alias
    assert [(alert.dedup_key, alert.status) for alert in alerts(sender)] == [(alias, "resolved") for alias in aliases]


def test_og6_an_alias_without_its_type_is_taken_for_an_id(sender: Sender) -> None:
    sender.create()
    answer = sender.outcome(sender.call("POST", "/a/close")["requestId"])
    assert answer["status"] == "Alert does not exist"
    assert incident(sender).status == "open"


def test_og8_a_bad_key_is_401_in_opsgenies_shape(sender: Sender) -> None:
    for key in ("", "wrong", "c0" * 16):
        sender.key = key
        assert sender.call("POST", "", {"message": "m"}, status=401)["message"] == "Could not authenticate"
    assert alerts(sender) == []


def test_another_integrations_key_sees_nothing_and_closes_nothing(sender: Sender) -> None:
    request_id = sender.create()
    found = sender.outcome(request_id)
    other = Sender(sender.edge, OTHER_KEY)
    other.call("GET", f"/{found['alertId']}", status=404)
    other.call("GET", f"/requests/{request_id}", status=404)
    assert not other.outcome(other.call("POST", f"/{found['alertId']}/close")["requestId"])["success"]
    assert other.call("GET", "", status=200)["data"] == []


def test_the_request_that_created_an_alert_names_it_too(sender: Sender) -> None:
    """apprise closes by it."""
    request_id = sender.create(alias=None)
    assert sender.outcome(sender.call("POST", f"/{request_id}/close", {"note": "done"})["requestId"])["success"]
    assert incident(sender).status == "resolved"


def test_acknowledging_stops_paging_says_who_and_is_taken_back(sender: Sender) -> None:
    world = sender.edge.world
    sender.create(priority="P2")
    assert sender.act("acknowledge", {"user": "Ana", "note": "looking"})["success"]
    assert incident(sender).acknowledged_by == "Ana by opsgenie (checkout)"
    assert sender.act("acknowledge")["status"] == "Alert is already acknowledged."
    world.run()
    assert world.sent("sms") == []
    assert sender.act("unacknowledge")["success"]
    world.run()
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]
    assert "Ana by opsgenie (checkout): looking" in [entry.text for entry in world.timeline(incident(sender).id)]


def test_a_snooze_ends_at_its_time_and_paging_goes_on(sender: Sender) -> None:
    world = sender.edge.world
    ends = world.now + timedelta(minutes=30)
    sender.create(priority="P2")
    assert sender.act("snooze", {"endTime": ends.isoformat()})["success"]
    shown = sender.alert()
    assert (shown["snoozed"], shown["snoozedUntil"]) == (True, opsgenie.moment(ends))
    world.fast_forward(minutes=29)
    assert world.sent("sms") == []
    world.fast_forward(minutes=2)
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]
    assert not sender.act("snooze", {"endTime": ends.isoformat()})["success"]


def test_a_constitutional_incident_is_neither_quieted_nor_closed_by_its_sender(sqlite_database: Database) -> None:
    sender = Sender(Edge(World(sqlite_database, config=STORE)), "k" * 20)
    sender.create()
    assert not sender.act("snooze", {"endTime": "2026-11-16T10:30:00Z"})["success"]
    assert not sender.act("acknowledge")["success"]
    assert sender.act("close")["success"]  # the alert, which has ended as its sender says
    assert incident(sender).status == "open"


def test_changed_words_are_classified_again_and_may_raise_the_severity(sender: Sender) -> None:
    world = sender.edge.world
    sender.create("Disk of db-1", description="is filling", priority="P5", tags=["db"], details={"host": "db-1"})
    before = incident(sender).severity
    assert sender.act("message", {"message": "Disk of db-1 is full"}, method="PUT")["success"]
    assert sender.act("description", {"description": "nothing can be written"}, method="PUT")["success"]
    assert sender.act("tags", {"tags": ["full", "db"]})["success"]
    assert sender.outcome(sender.call("DELETE", "/a/tags?identifierType=alias&tags=db")["requestId"])["success"]
    assert sender.act("details", {"details": {"rack": 7}})["success"]
    shown = sender.alert()
    assert (shown["message"], shown["description"]) == ("Disk of db-1 is full", "nothing can be written")
    assert (shown["tags"], shown["details"]) == (["full"], {"host": "db-1", "rack": "7"})
    assert (before, shown["priority"], shown["count"]) == ("MEDIUM", "P5", 1)
    assert sender.act("priority", {"priority": "P2"}, method="PUT")["success"]
    assert incident(sender).severity == "HIGH"
    world.run()
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]
    entries = len(world.timeline(incident(sender).id))
    sender.act("message", {"message": "Disk of db-1 is full"}, method="PUT")  # Alertmanager sends it after every create
    assert len(world.timeline(incident(sender).id)) == entries


def test_what_tocsin_decides_itself_is_noted_and_said_not_to_be_done(sender: Sender) -> None:
    sender.create()
    for verb, body in (("responders", {"responder": {"type": "user", "username": "bo"}}), ("actions/Restart", None)):
        assert not sender.act(verb, body)["success"]
    assert sender.act("escalate", {"escalation": {"name": "e1"}})["success"]
    texts = [entry.text for entry in sender.edge.world.timeline(incident(sender).id)]
    assert any("username: bo" in text for text in texts)
    assert any("action: Restart" in text for text in texts)


def test_deleting_an_alert_ends_it_and_it_stays_on_record(sender: Sender) -> None:
    sender.create()
    request = sender.call("DELETE", "/a?identifierType=alias&source=am")
    assert sender.outcome(request["requestId"])["success"]
    assert (incident(sender).status, len(alerts(sender))) == ("resolved", 1)


def test_alerts_are_listed_and_counted(sqlite_database: Database) -> None:
    sender = Sender(Edge(World(sqlite_database, config=TEAM)))
    for alias in "abc":
        sender.create(f"Observer {alias} down", alias, priority="P1" if alias == "c" else "P3")
    sender.act("close", alias="b")
    for query, found in (
        ("", "cba"),
        ("status=open", "ca"),
        ("status: closed", "b"),
        ("alias: a", "a"),
        ("priority: P1", "c"),
    ):
        listed = sender.call("GET", "", status=200, query_string={"query": query})["data"]
        assert [each["alias"] for each in listed] == list(found)
        counted = sender.call("GET", "/count", status=200, query_string={"query": query})["data"]
        assert counted == {"count": len(found)}
    page = sender.call("GET", "/", status=200, query_string={"limit": 1, "offset": 1})["data"]
    assert [each["alias"] for each in page] == ["b"]
    sender.call("GET", "", status=422, query_string={"query": "disk"})


REFUSED: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "", {"data": b"{"}, 400),
    ("POST", "", {"data": b""}, 422),
    ("POST", "/", {"json": {"message": ""}}, 422),
    ("POST", "", {"data": b"x" * (1024 * 1024 + 1)}, 413),
    ("POST", "/a/notes", {"json": {}}, 422),
    ("POST", "/a/snooze", {"json": {"endTime": "soon"}}, 422),
    ("PUT", "/a/priority", {"json": {"priority": "high"}}, 422),
    ("POST", "/a/close?identifierType=name", {}, 422),
    ("PUT", "/a/close", {}, 404),
    ("PATCH", "/a", {}, 404),
    ("PUT", "", {}, 404),
    ("GET", "/a/notes", {}, 404),
    ("GET", "/a", {}, 404),
    ("GET", "/requests/none", {}, 404),
]


def test_every_refusal_has_opsgenies_shape(sender: Sender) -> None:
    for method, path, sent, status in REFUSED:
        answer = sender.call(method, path, status=status, **sent)
        assert answer["message"]
        assert ("errors" in answer) is (status == 422)


def test_a_close_needs_no_body_and_minds_no_odd_one(sender: Sender) -> None:
    for body in (b"", b"{nope", b"[]"):
        sender.create(alias="odd")
        assert sender.act("close", alias="odd", data=body)["success"]


def test_requests_are_kept_for_a_day_and_longer_while_their_alert_fires(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(Edge(World(sqlite_database, config=TEAM)))
    monkeypatch.setattr(opsgenie_requests, "PRUNED_EVERY", 1)
    opened, noted = sender.create(), sender.act("notes", {"note": "n"})
    sender.edge.world.now += timedelta(hours=25)
    sender.create(alias="b")
    with sender.edge.world.database.reading() as session:
        kept = list(session.scalars(select(OpsgenieRequest.request_id)))
    assert opened in kept
    assert (len(kept), noted["action"]) == (2, "AddNote")


def test_am1_while_the_database_is_away_every_way_in_says_503_so_that_senders_retry(tmp_path: Path) -> None:
    app = wsgi.create_app(Settings(database_url=url_of_database_away("sqlite", tmp_path), secret_key="s" * 32))
    client = app.test_client()
    genie = {"Authorization": f"GenieKey {KEY}"}
    alert = client.post("/v2/alerts", json={"message": "m"}, headers=genie)
    assert (alert.status_code, set(alert.get_json())) == (503, {"message", "took", "requestId"})
    change = {"routing_key": "f" * 32, "payload": {"summary": "s"}}
    for path, sent in (
        ("/v2/alerts/a/close", {}),
        ("/v2/heartbeats/a/ping", {}),
        ("/v2/change/enqueue", change),
        ("/integrations/v1/webhook/token/", {"title": "t"}),
        ("/heartbeats/key", {}),
    ):
        assert client.post(path, json=sent, headers=genie).status_code == 503, path
    app.extensions["tocsin"].database.close()


ODD: list[Any] = [
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "\0",
    "\ud800",
    "🔥" * 300,
    [],
    {},
    ["a", {"b": [1]}],
    {"\0": {"b": 1}},
]
FIELDS = ("message", "alias", "description", "details", "tags", "priority", "note", "user", "source", "endTime", "keys")


def test_whatever_is_sent_no_answer_is_a_5xx(sender: Sender) -> None:
    sender.create()
    chance = random.Random(4)
    for _ in range(120):
        body = {chance.choice(FIELDS): chance.choice(ODD) for _ in range(chance.randint(0, 5))}
        identifier = quote(
            chance.choice(["a", "1", "\0", "//", opsgenie.alert_uuid(alerts(sender)[0].id), "x" * 600]), safe=""
        )
        verb = chance.choice(["", *(f"/{verb}" for _, verb in VERBS if verb)])
        path = chance.choice(["/v2/alerts", f"/v2/alerts/{identifier}{verb}", f"/v2/heartbeats/{identifier}/ping"])
        answer = sender.edge.client.open(
            path,
            method=chance.choice(["GET", "POST", "PUT", "DELETE"]),
            query_string={"identifierType": chance.choice(["id", "alias", "tiny"]), "query": chance.choice(["", "\0"])},
            json={"message": "m", **body} if path.endswith("alerts") else body,
            headers={"Authorization": f"GenieKey {KEY}"},
        )
        assert answer.status_code < 500, (path, body, answer.get_data(as_text=True))
        assert answer.get_json()["requestId"]


def test_a_note_longer_than_an_entry_is_kept_whole(sender: Sender) -> None:
    sender.create()
    note = "".join(f"{number}, " for number in range(1_000)).strip()
    assert sender.act("notes", {"note": note, "user": "u" * 300})["success"]
    parts = [entry.text for entry in sender.edge.world.timeline(incident(sender).id) if entry.kind == "note.added"]
    assert len(parts) == 3
    assert "".join(part.partition(": ")[2] for part in parts).replace(" ", "") == note.replace(" ", "")
