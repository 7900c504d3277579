"""What somebody sees first who is woken by it: which incident, how bad, what is wrong, and how to answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from escalation.channels import email_text, gsm7, push_text, text, twiml
from escalation.channels.action_links import Links
from escalation.channels.base import Message
from tests.messages import ACKNOWLEDGED, NOW, brief, operational, page

LINKS = Links("https://tocsin.example.org", "s" * 32)
LATENCY = "Checkout latency above 9 s in eu-west-1 "
HEBREW = f"🔥🔥 שרת הנתונים נפל בייצור ולא עונה \u202e{LATENCY * 12}"[:500]
BEAT = (
    f"Heartbeat {'nightly-backup-of-the-ledger' * 3} of {'archive' * 6} is missing: never heard of, expected every 15m"
)
SEEN_AT_ONCE = 60  # characters: about what a locked screen shows of a text message

PAGES = {
    "first": (page(operational(severity="CRITICAL", title="Checkout is down"), level=1), "Checkout is down"),
    "constitutional": (page(level=1), "Hash chain broken"),
    "manager": (page(operational(title="Checkout is down"), level=3), "Checkout is down"),
    "last resort": (page(operational(title="Checkout is down"), level=4, last_resort=True), "Checkout is down"),
    "Hebrew and fire": (page(operational(title=HEBREW), level=1), "Checkout latency"),
    "heartbeat": (page(operational(title=BEAT), level=1), "Heartbeat nightly-backup"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_text_message_begins_with_the_incident_and_ends_with_how_to_answer(name: str) -> None:
    message, wrong = PAGES[name]
    said = text.sms(message)
    first = said[:SEEN_AT_ONCE]
    assert first.startswith(f"Tocsin 42 {message.brief.severity}")
    assert wrong in first
    assert said.endswith("Reply ACK 42")
    assert gsm7.parts(said) <= text.SMS_PARTS_MAX


@pytest.mark.parametrize("name", PAGES)
def test_subject_and_push_begin_with_the_incident(name: str) -> None:
    message, _ = PAGES[name]
    assert email_text.subject(message).startswith(f"Page 42 {message.brief.severity}")
    assert push_text.title(message).startswith(f"Page 42 {message.brief.severity}")


def test_words_that_a_text_message_cannot_spell_take_one_sign_together() -> None:
    assert gsm7.spell("שרת הנתונים נפל: checkout") == "?: checkout"
    assert gsm7.spell("is it down? ? yes") == "is it down? ? yes"


def asked_again() -> Message:
    about = operational(title="Checkout is down")
    return page(about, replace(ACKNOWLEDGED, asked="Ana Lima"), level=0, note="Nothing was heard of you for 30m")


def test_who_is_asked_whether_they_still_have_it_does_not_take_it_for_a_new_page() -> None:
    assert email_text.subject(asked_again()) == "Still on it? Page 42 HIGH: Checkout is down"
    assert push_text.title(asked_again()).startswith("Still on it?")
    assert "Nothing was heard of you" in text.sms(asked_again())[:SEEN_AT_ONCE]


def test_a_push_tells_how_to_answer_and_what_to_do_first_before_everything_longer() -> None:
    said = push_text.body(page(), LINKS.actions(page(), NOW)).split("\n")
    assert said[1].startswith("Acknowledge: https://")
    assert "First: Stop writes." in said[:6]
    assert said.index("First: Stop writes.") < said.index("3 of 3 verifiers disagree with the stored hash.")


def test_a_call_comes_to_the_keys_soon_however_long_the_title_is() -> None:
    call = twiml.call(page(brief(title="word " * 100), level=1), "https://tocsin.example.org/replies/voice")
    said = re.sub(r"<[^>]*>", "", call).partition("Press 1 to acknowledge.")[0]
    assert len(said) < 360
