"""What people do in Slack, through the real route with real signatures, and what they see there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from config.database import Database
from escalation.models import Responder
from tests import slack_room
from tests.fakes import slack
from tests.fakes.providers import FakeProviders
from tests.slack_room import ANA, BO, KAI, KIM, OLA, Room
from tests.world import STORE_KEY, team

TEAM = (
    team()
    .replace("roles: [keeper], phone", "roles: [keeper], slack: U0KIM, phone", 1)
    .replace("kai@example.org, roles: [keeper], phone", "kai@example.org, roles: [keeper], slack: U0KAI, phone")
    .replace("  mia:", "  ola: {name: Ola Nord, roles: [observer], slack: U0OLA}\n  mia:")
)


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as made:
        yield made


@pytest.fixture
def room(sqlite_database: Database, providers: FakeProviders) -> Room:
    return slack_room.open_room(sqlite_database, providers, TEAM)


# Buttons of a message


def test_a_press_acknowledges_as_whoever_pressed_and_says_nothing_more(room: Room) -> None:
    number = room.world.alert()
    room.press("Acknowledge", number, user=BO)
    assert room.world.incident(number).acknowledged_by == "Bo Chen"
    assert room.told == []


def test_who_was_second_is_told_who_was_first(room: Room) -> None:
    number = room.world.alert()
    room.press("Acknowledge", number, user=BO)
    room.press("Acknowledge", number, user=ANA)
    assert room.told == [f"{number} is already acknowledged by Bo Chen at 10:00 UTC. Nothing more to do."]


def test_a_stranger_has_no_power_and_is_told(room: Room) -> None:
    number = room.world.alert()
    for label in ("Acknowledge", "More…", "Resolve"):
        room.press(label, number, user="U0NOBODY")
    assert room.world.incident(number).status == "open"
    assert len(room.told) == 3
    assert "does not know this sender" in room.told[0]


def test_who_may_only_look_is_told_so_and_sees_no_buttons(room: Room) -> None:
    number = room.world.alert()
    room.press("Acknowledge", number, user=OLA)
    assert room.told == [f"You may not acknowledge {number}. Nothing was done, and paging goes on."]
    room.press("More…", number, user=OLA)
    assert "You may look but not act" in room.modal
    assert room.buttons == []


def test_a_request_signed_with_another_secret_is_refused(room: Room) -> None:
    number = room.world.alert()
    action = {"action_id": "tocsin.acknowledge", "value": str(number), "type": "button"}
    payload = json.dumps(slack.pressed_payload(action, user=ANA))
    request = slack.signed({"payload": payload}, room.world.now, "another")
    assert room.client.post("/replies/slack", data=request.body, headers=request.headers).status_code == 401
    assert room.world.incident(number).status == "open"


def test_resolving_asks_for_the_reason_and_closes_when_it_is_done(room: Room) -> None:
    number = room.world.alert()
    room.press("Resolve", number)
    assert "Paging stops for everybody" in room.modal
    assert room.world.incident(number).status == "open"
    assert room.send({"reason": "restarted the primary"}) == {"response_action": "clear"}
    assert (room.world.incident(number).status, room.world.incident(number).resolution) == (
        "resolved",
        "restarted the primary",
    )


def test_a_field_that_cannot_be_used_is_named_in_the_form(room: Room) -> None:
    number = room.world.alert()
    room.press("Resolve", number)
    answer = room.send({"reason": "   "})
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == ["reason"]
    assert room.world.incident(number).status == "open"


# Governance


def test_a_constitutional_resolution_becomes_a_request_that_two_keepers_approve(room: Room) -> None:
    number = room.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    room.press("Resolve", number)
    assert "approval of two other keepers" in room.modal
    assert "approval" in room.send({"reason": "chain restored"})["view"]["blocks"][0]["text"]["text"]
    assert room.world.incident(number).status == "open"
    for user, sentence in ((KIM, "1 more keeper must approve"), (KAI, "Approved by 2 keepers and done")):
        room.press("Approve…", number, user=user)
        assert "Ana Lima asked to resolve" in room.modal
        room.send({"reason": "seen the chain"})
        assert sentence in room.modal
    assert room.world.incident(number).status == "resolved"


def test_a_request_is_declined_and_who_is_no_keeper_cannot_decide(room: Room) -> None:
    number = room.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    room.press("Resolve", number)
    room.send({"reason": "chain restored"})
    room.press("Decline…", number, user=BO)
    assert "Only a keeper can approve or decline" in room.modal
    room.press("Decline…", number, user=KIM)
    room.send({"reason": "not yet"})
    assert "approval.declined" in room.world.kinds(number)


# The modal


def test_more_shows_where_it_stands_and_everything_to_be_done(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    assert "Observer API down" in room.modal
    assert "Open, not acknowledged" in room.modal
    assert "Last on the timeline" in room.modal
    assert [b for b in room.buttons if b != "Steps…"] == [
        "Acknowledge", "Resolve…", "Escalate now", "Contained", "Recovered",
        "Add responder…", "Hand over…", "Note…", "Severity…", "Snooze…",
    ]  # fmt: skip


def test_a_constitutional_incident_offers_no_snooze(room: Room) -> None:
    number = room.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    room.press("More…", number)
    assert "Snooze…" not in room.buttons


def test_what_is_pressed_in_the_modal_is_done_and_shown_there(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    room.choose("tocsin.acknowledge")
    assert f"Acknowledged: {number} is yours." in room.modal
    room.choose("tocsin.contained")
    assert room.world.incident(number).contained_at is not None
    assert "Contained" not in room.buttons


def test_escalating_pages_the_next_level_at_once(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    room.choose("tocsin.escalate")
    assert "level 2" in room.modal
    room.world.run()
    assert [d.to for d in room.world.sent("sms")] == ["+15005550101", "+15005550102"]


def test_each_form_does_its_verb_and_comes_back_to_the_incident(room: Room) -> None:
    number = room.world.alert()
    done = {
        "note": ({"text": "replicas <!channel> look fine", "starred": ["yes"]}, "note.added"),
        "severity": ({"severity": "CRITICAL", "reason": "all regions"}, "incident.reclassified"),
        "add": ({"responder": "bo", "reason": "database"}, "responder.added"),
        "snooze": ({"until": "3600"}, "incident.snoozed"),
        "reassign": ({"responder": "bo"}, "incident.reassigned"),
    }
    room.press("More…", number)
    for form, (entered, kind) in done.items():
        room.choose(f"tocsin.form.{form}")
        answer = room.send(entered)
        assert answer["response_action"] == "update", (form, answer)
        assert kind in room.world.kinds(number), form
        assert "Last on the timeline" in room.modal
    assert "<!channel>" not in room.modal
    assert "&lt;!channel&gt;" in room.modal


def test_a_form_can_be_left_by_going_back(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    room.choose("tocsin.form.note")
    assert room.buttons == ["Back"]
    room.choose("tocsin.back")
    assert "Last on the timeline" in room.modal


def test_runbook_steps_are_ticked_and_then_shown_as_done(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    room.choose("tocsin.form.steps")
    room.send({"steps": ["1", "2"], "note": "both fine"})
    assert "2 of" in room.modal
    assert room.world.kinds(number).count("runbook.step") == 2
    room.choose("tocsin.form.steps")
    assert "✓ 1." in room.modal
    assert room.send({}) == {"response_action": "errors", "errors": {"steps": "Tick a step, or close this"}}


def test_a_step_that_waits_for_approval_is_not_ticked_and_says_why(room: Room) -> None:
    number = room.world.alert("Hash chain broken at sequence 48211", key=STORE_KEY)
    room.press("More…", number)
    room.choose("tocsin.form.steps")
    book = room.world.desk.shelf.library.get("epic-1-event-store")
    steps = {str(s.number) for s in (book.steps if book else ()) if s.is_constitutional and s.approvals}
    _, view = room._newest()
    offered = next(b for b in view["blocks"] if b.get("block_id") == "steps")["element"]["options"]
    wanted = next((o["value"] for o in offered if o["value"] in steps), offered[0]["value"])
    answer = room.send({"steps": [wanted]})
    assert answer["response_action"] in ("errors", "update")
    if wanted in steps:
        assert "waits for approval" in answer["errors"]["steps"]
        assert "runbook.step" not in room.world.kinds(number)


def test_whoever_adds_themselves_is_not_paged(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    room.choose("tocsin.form.add")
    before = len(room.world.deliveries)
    assert "responder" in room.send({"responder": "ana"})["errors"]
    room.world.run()
    assert len(room.world.deliveries) == before


# Brought twice


def test_what_slack_brings_twice_is_done_once(room: Room) -> None:
    number = room.world.alert()
    room.press("More…", number)
    room.choose("tocsin.form.note")
    view_id = room._newest()[0]
    sent = room.form({"text": "once"})
    room.sent(sent, view_id)
    room.sent(sent, view_id)
    assert room.world.kinds(number).count("note.added") == 1
    assert "Noted." in room.modal


def test_an_incident_opened_by_a_command_that_comes_twice_is_one(room: Room) -> None:
    request = slack.command("open checkout payments time out", user=ANA, now=room.world.now)
    answers = [room._post(request).get_json()["text"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert room.world.incident(1).title == "payments time out"
    assert room.command("list").startswith("1 open")


def test_a_person_who_left_has_no_power(room: Room) -> None:
    number = room.world.alert()
    with room.world.database.transaction() as session:
        session.query(Responder).filter_by(key="bo").one().active = False
    room.press("Acknowledge", number, user=BO)
    assert room.world.incident(number).status == "open"


# Mentions


def test_an_announcement_names_whoever_has_been_paged_so_far_and_nobody_else(room: Room) -> None:
    number = room.world.alert()
    assert room.world.sent("slack")[0].message.mentions == ("U0ANA",)
    room.world.fast_forward(minutes=5)
    assert room.world.sent("slack", edits=True)[-1].message.mentions == ("U0ANA", "U0BO")
    room.world.acknowledge(number)
    assert room.world.sent("slack", edits=True)[-1].message.mentions == ("U0ANA", "U0BO")
