"""One message about several incidents, on every channel."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.brief import Brief
from escalation.channels import (
    answers,
    console,
    email_text,
    gsm7,
    slack_blocks,
    slack_inbound,
    slack_many,
    text,
    twiml,
    voice,
)
from escalation.channels.base import Message, Purpose, Verb
from escalation.paging import bundling
from tests.fakes import slack as fake_slack
from tests.fakes import twilio as fake_twilio
from tests.messages import NOW, any_brief, notification, operational, page
from tests.unit.test_channel_replies import _press

VOICE_URL = "https://tocsin.example.org/replies/voice?page=7&incident=42&all=1"
ANA = "+351910000001"


def others(count: int) -> tuple[Brief, ...]:
    return tuple(
        operational(incident_id=43 + n, title=f"Region {n} does not answer", url=f"https://tocsin.example.org/{43 + n}")
        for n in range(count)
    )


TWELVE = page(others=others(11))
FOUR = page(others=others(3))


def test_a_text_message_tells_how_many_the_worst_and_how_to_take_one_or_all() -> None:
    said = text.sms(TWELVE)
    assert said.startswith("Tocsin: 12 incidents. Worst 42 CRITICAL const: Hash chain broken at sequence 48211")
    assert "Also 43 HIGH: Region 0 does not answer; 44 HIGH: Region 1 does not answer" in said
    assert said.endswith("; and 7 more. Reply ACK ALL or ACK 42")
    assert text.sms(notification(others=others(3))).endswith("To take them reply ACK ALL or ACK 42")


def test_a_slack_message_lists_ten_with_links_and_has_one_button_for_all() -> None:
    rendered = slack_blocks.render(TWELVE)
    listed = rendered["blocks"][1]["text"]["text"].splitlines()
    assert listed[0].startswith("• <https://tocsin.example.org/incidents/42|42> CRITICAL constitutional: Hash chain")
    assert (len(listed), listed[-1]) == (11, "… and 2 more")
    (button,) = rendered["blocks"][2]["elements"]
    assert (button["text"]["text"], button["value"]) == ("Acknowledge all 12", "7")
    assert rendered["text"].startswith("You are paged: 12 incidents, worst: 42 CRITICAL constitutional")
    assert "/incident ack all" in slack_blocks.plain_text(TWELVE)


def test_a_call_tells_the_three_worst_and_one_key_takes_all() -> None:
    said = " ".join(twiml.call(FOUR, "https://tocsin.example.org/replies/voice").split())
    assert "Tocsin, paging Ana Lima. 4 incidents. The worst: Critical, constitutional. Incident 4 2." in said
    assert "And 1 more. Press 1 to acknowledge all 4." in said


def test_a_letter_lists_them_all_with_their_links() -> None:
    assert email_text.subject(TWELVE).startswith("Page: 12 incidents, worst: 42 CRITICAL constitutional: Hash chain")
    letter = email_text.plain(TWELVE)
    assert all(f"{brief.incident_id} {brief.severity}" in letter and brief.url in letter for brief in TWELVE.others)
    assert email_text.rich(TWELVE).count("<li") == 12


def test_the_button_for_all_carries_its_page_and_no_incident() -> None:
    pressed = _press({"action_id": slack_many.ACKNOWLEDGE_ALL, "value": "7", "type": "button"})
    reply = slack_inbound.reply(slack_inbound.read(pressed.headers, pressed.body, NOW, fake_slack.SIGNING_SECRET))
    assert (reply.verb, reply.number, reply.context["all"], reply.context["page_id"]) == (
        Verb.ACKNOWLEDGE,
        None,
        True,
        7,
    )


@pytest.mark.parametrize(("key", "verb", "number"), [("1", Verb.ACKNOWLEDGE, None), ("2", Verb.ESCALATE, 42)])
def test_key_1_of_a_call_about_several_takes_all_and_key_2_escalates_the_worst(
    key: str, verb: Verb, number: int | None
) -> None:
    form = {"Direction": "outbound-api", "To": ANA, "Digits": key, "CallSid": "CA1"}
    signature = fake_twilio.signature(VOICE_URL, form)
    reply = voice.parse_reply(VOICE_URL, form, signature, fake_twilio.AUTH_TOKEN)
    assert (reply.verb, reply.number, bool(reply.context.get("all"))) == (verb, number, verb is Verb.ACKNOWLEDGE)
    assert voice.action_url("https://tocsin.example.org", FOUR) == VOICE_URL


def test_an_answer_lists_twenty_and_says_what_is_left() -> None:
    assert answers.acknowledged_all([42]) == "Acknowledged: 42 is yours. Paging has stopped."
    said = answers.acknowledged_all(list(range(1, 201)), left=1100)
    assert said.endswith("19, 20 and 180 more. 1100 more are still open: reply ACK ALL again.")
    assert len(text.sms_answer(said)) == len(said)


def test_the_console_keeps_a_line_that_names_the_worst() -> None:
    line = console.render("sms", FOUR)["line"]
    assert line.startswith("page to Ana Lima at level 2: 4 incidents, worst: 42 CRITICAL constitutional: Hash chain")


# Whatever is in them

any_bundle = st.builds(
    lambda first, rest, purpose, repeat: dataclasses.replace(
        page(first, repeat=repeat, last_resort=repeat), purpose=purpose, others=tuple(rest)
    ),
    any_brief,
    st.lists(any_brief, min_size=1, max_size=12),
    st.sampled_from([Purpose.PAGE, Purpose.NOTIFICATION]),
    st.booleans(),
)


@settings(max_examples=40)
@given(any_bundle)
def test_every_message_about_several_keeps_to_its_channels_limits(message: Message) -> None:
    said = text.sms(message)
    assert set(said) <= gsm7.ALPHABET
    assert gsm7.parts(said) <= text.SMS_PARTS_MAX
    assert said.endswith(f"ACK ALL or ACK {message.brief.incident_id}")
    call = twiml.call(message, "https://tocsin.example.org/replies/voice?page=1&all=1")
    assert len(call) <= twiml.TWIML_CHARACTERS_MAX
    ET.fromstring(call)
    blocks = slack_blocks.render(message)["blocks"]
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks if block["type"] == "section")
    assert len(email_text.subject(message)) <= email_text.SUBJECT_CHARACTERS_MAX


def test_pages_of_one_message_name_each_incident_once_and_the_worst_first() -> None:
    told = bundling.one_message([page(operational(incident_id=44)), page(operational(incident_id=44)), page()])
    assert [told.brief.incident_id, *(other.incident_id for other in told.others)] == [42, 44]
