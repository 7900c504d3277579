"""What a hostile, a clumsy or an unlucky outsider sends: nothing is done by halves, and nothing answers 500."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

import wsgi
from config import auth, clock, news
from config.database import Database
from config.news import Bell
from config.settings import Settings
from escalation import responders
from escalation.channels import slack_blocks
from incidents.models import Alert, Incident
from incidents.proof import timeline
from tests.fakes import slack, twilio
from tests.world import KEY, PHONES, STORE_KEY, World, team

BASE_URL = "https://tocsin.example.org"
ALERTMANAGER_KEY = "c2" * 16
AT_ONCE = 16

Found = TypeVar("Found")


class Door:
    """The whole web side, as outsiders meet it."""

    def __init__(self, url: str) -> None:
        database = Database(url, before_commit=timeline.write)
        both = team().replace(
            "integrations: [", f'integrations: [{{source: alertmanager, key: "{ALERTMANAGER_KEY}"}}, ', 1
        )
        World(database, config=both, now=clock.now())  # applies the team
        database.close()
        settings = Settings(
            database_url=url,
            base_url=BASE_URL,
            secret_key="a secret key for tests, 32 and more",
            slack_signing_secret=slack.SIGNING_SECRET,
            twilio_account_sid=twilio.ACCOUNT_SID,
            twilio_auth_token=twilio.AUTH_TOKEN,
            twilio_from=twilio.SENDER,
        )
        self.app: Flask = wsgi.create_app(settings)
        self.database: Database = self.app.extensions["tocsin"].database

    def token(self, key: str) -> dict[str, str]:
        with self.database.transaction() as session:
            person = responders.by_key(session, key)
            assert person is not None
            token = auth.create_token(session, name=key, now=clock.now(), responder_id=person.id)
        return {"Authorization": f"Bearer {token}"}

    def trigger(self, dedup_key: str, *, key: str = KEY, action: str = "trigger") -> TestResponse:
        payload = {"summary": "Observer API down", "source": "a test", "severity": "critical"}
        event = {"routing_key": key, "event_action": action, "dedup_key": dedup_key, "payload": payload}
        return self.app.test_client().post("/v2/enqueue", json=event)

    def text(self, words: str, sender: str) -> TestResponse:
        form = twilio.incoming_text(words, sender=sender)
        signed = {"X-Twilio-Signature": twilio.signature(f"{BASE_URL}/replies/sms", form)}
        return self.app.test_client().post("/replies/sms", data=form, headers=signed)

    def slack(self, payload: str) -> TestResponse:
        sent = slack.signed({"payload": payload}, clock.now())
        return self.app.test_client().post("/replies/slack", data=sent.body, headers=sent.headers)

    def ask(self, question: Callable[..., Found]) -> Found:
        with self.database.reading() as session:
            return question(session)

    def incident(self, number: int = 1) -> Incident:
        with self.database.reading() as session:
            return session.get_one(Incident, number)


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[news.Bell]:
    """What tells the engine borrows a connection, which must be back before the test's database is closed."""
    made: list[news.Bell] = []

    def remembered(database: Database) -> news.Bell:
        made.append(Bell(database))
        return made[-1]

    monkeypatch.setattr(news, "Bell", remembered)
    return made


@pytest.fixture
def door(database_url: str, bells: list[news.Bell]) -> Iterator[Door]:
    made = Door(database_url)
    yield made
    for bell in bells:
        bell.close()
    made.database.close()


@pytest.fixture
def quick(sqlite_url: str) -> Iterator[Door]:
    made = Door(sqlite_url)
    yield made
    made.database.close()


def at_once(calls: list[Callable[[], TestResponse]]) -> list[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [asked.result().status_code for asked in [pool.submit(call) for call in calls]]


# Bodies and addresses


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"text": ' + b"[" * 100_000, "Nested too deeply."),
        (b'{"text": ' + b'{"a": ' * 50_000, "Nested too deeply."),
        (b'{"text": ' + b"9" * 6_000 + b"}", "Holds a number that is far too long."),
        (b'{"text": ', "Invalid JSON body."),
    ],
    ids=["lists", "objects", "digits", "cut off"],
)
def test_json_that_cannot_be_read_is_the_senders_fault_and_says_why(quick: Door, body: bytes, said: str) -> None:
    quick.trigger("first")
    caller = quick.app.test_client()
    answer = caller.post(
        "/api/v1/incidents/1/notes", data=body, content_type="application/json", headers=quick.token("ana")
    )
    assert (answer.status_code, answer.get_json()["errors"]) == (400, {"body": said})


def test_an_address_pasted_with_a_slash_at_its_end_still_takes_alerts(quick: Door) -> None:
    alert = {"status": "firing", "labels": {"alertname": "Disk full"}, "annotations": {}, "fingerprint": "a1"}
    sent = {"version": "4", "status": "firing", "alerts": [alert]}
    assert quick.app.test_client().post(f"/alerts/alertmanager/{ALERTMANAGER_KEY}/", json=sent).status_code == 202


# Replies


@pytest.mark.parametrize("user", ["U0\0", "U0\ud800"], ids=["NUL", "half a pair"])
def test_a_slack_user_whom_no_database_could_keep_is_a_stranger(door: Door, user: str) -> None:
    door.trigger("first")
    pressed = {"action_id": slack_blocks.ACKNOWLEDGE, "value": "1", "type": "button"}
    assert door.slack(json.dumps(slack.pressed_payload(pressed, user=user))).status_code == 200
    assert door.incident().status == "open"


def test_a_telephone_that_no_database_could_keep_is_a_stranger(door: Door) -> None:
    door.trigger("first")
    answer = door.text("ack 1", "+1500\0")
    assert answer.status_code == 200
    assert "does not know this sender" in answer.text
    assert door.incident().status == "open"


def test_a_nul_in_what_somebody_texts_does_not_keep_the_incident_open(door: Door) -> None:
    door.trigger("first")
    assert "Resolved: 1" in door.text("resolve 1 disk\0full", PHONES["ana"]).text
    assert (door.incident().status, door.incident().resolution) == ("resolved", "disk␀full")


def test_a_slack_payload_nested_too_deeply_is_refused(quick: Door) -> None:
    assert quick.slack("[" * 100_000).status_code == 401


# Many at once


def test_fifty_alerts_with_one_dedup_key_at_once_open_one_incident(door: Door) -> None:
    assert Counter(at_once([lambda: door.trigger("same")] * 50)) == {202: 50}
    alerts = door.ask(lambda session: session.scalars(select(Alert)).all())
    assert [(alert.status, alert.count) for alert in alerts] == [("firing", 50)]
    assert len(door.ask(lambda session: session.scalars(select(Incident)).all())) == 1


def test_triggers_and_resolves_at_once_leave_no_alert_firing_on_a_closed_incident(door: Door) -> None:
    actions = ["trigger", "resolve"] * 15
    assert Counter(at_once([lambda action=each: door.trigger("flap", action=action) for each in actions])) == {202: 30}  # type: ignore[misc]  # mypy infers no type for a default

    def states(session: Any) -> list[Any]:
        joined = select(Alert.status, Incident.status).join(Incident, Incident.id == Alert.incident_id)
        return list(session.execute(joined).all())

    assert {tuple(row) for row in door.ask(states)} <= {("firing", "open"), ("resolved", "resolved")}


def test_a_keeper_who_approves_many_times_at_once_has_approved_once(door: Door) -> None:
    door.trigger("store", key=STORE_KEY)
    asked = door.app.test_client().post(
        "/api/v1/incidents/1/resolve", json={"reason": "repaired"}, headers=door.token("ana")
    )
    assert asked.status_code == 202
    kim, kai = door.token("kim"), door.token("kai")

    def approve(by: dict[str, str]) -> TestResponse:
        approval = {"action": "resolve", "decision": "approve", "reason": "checked"}
        return door.app.test_client().post("/api/v1/incidents/1/approvals", json=approval, headers=by)

    assert Counter(at_once([lambda: approve(kim)] * 8)) == {200: 1, 409: 7}
    assert door.incident().status == "open"
    assert approve(kai).status_code == 200
    assert door.incident().status == "resolved"
