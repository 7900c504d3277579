"""What each channel makes of a message that is about no incident: its own words, and nothing to answer."""

from __future__ import annotations

import json

import pytest

from escalation.channels import email_text, slack_blocks, text, twiml, webhook
from escalation.channels.base import Purpose
from escalation.channels.console import RENDERERS, render
from tests.messages import notice

SAID = "You are on call for primary until Monday, 09:00."


def test_a_text_message_says_the_words_and_the_link_where_it_costs_no_part() -> None:
    assert text.sms(notice()) == f"Tocsin: {SAID} https://tocsin.example.org/oncall"
    assert text.sms(notice("x" * 147)) == "Tocsin: " + "x" * 147


def test_a_call_says_it_twice_and_asks_for_no_key() -> None:
    said = twiml.call(notice(), "https://tocsin.example.org/replies/voice")
    assert f'<Say loop="2">Tocsin, for Ana Lima. {SAID}</Say>' in said
    assert "<Gather" not in said


def test_a_letter_is_called_by_its_subject() -> None:
    assert email_text.subject(notice()) == "Tocsin: Your turn has begun"
    assert email_text.plain(notice()) == f"{SAID}\n\nhttps://tocsin.example.org/oncall\n"
    assert "Open in Tocsin" in email_text.rich(notice())


def test_slack_shows_the_words_and_no_button() -> None:
    shown = slack_blocks.render(notice())
    assert shown["text"] == SAID
    assert [block["type"] for block in shown["blocks"]] == ["section", "context"]
    assert slack_blocks.plain_text(notice()) == f"{SAID}\n<https://tocsin.example.org/oncall|Open in Tocsin>"


def test_a_room_gets_the_same_words() -> None:
    shown = slack_blocks.render(notice(purpose=Purpose.ANNOUNCEMENT, to_name=""))
    assert shown["text"] == SAID


def test_a_program_gets_the_words_and_no_incident() -> None:
    got = webhook.payload(notice(), "notification")
    assert (got["incident"], got["standing"]) == (None, None)
    assert (got["subject"], got["note"]) == ("Your turn has begun", SAID)
    assert got["url"] == "https://tocsin.example.org/oncall"


@pytest.mark.parametrize("channel", RENDERERS)
@pytest.mark.parametrize("words", [SAID, "", "<&>" * 2000])
@pytest.mark.parametrize("purpose", Purpose)
def test_no_channel_speaks_of_an_incident_or_of_acknowledging(channel: str, words: str, purpose: Purpose) -> None:
    message = notice(words, purpose=purpose)
    shown = json.dumps(render(channel, message, "https://tocsin.example.org")).lower()
    for word in ("incident 0", "ack 0", "acknowledge", ": 0 info", "press 1"):
        assert word not in shown
