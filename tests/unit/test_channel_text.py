from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from escalation.brief import Standing
from escalation.channels import email_text, gsm7, text, twiml, wording
from escalation.channels.base import Message, Purpose
from tests.messages import (
    ACKNOWLEDGED,
    LONGEST,
    OPENED_AT,
    RESOLVED,
    any_message,
    any_text,
    brief,
    notification,
    operational,
    page,
)

# GSM 03.38, the basic table, as its standard prints it; without line feed, carriage return and escape.
GSM_BASIC = set(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ\u00a7¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


# Text messages


def test_a_text_message_begins_with_number_and_severity_and_ends_with_the_words_to_answer_with() -> None:
    assert text.sms(page()) == (
        "Tocsin 42 CRITICAL const: Hash chain broken at sequence 48211: previous_hash mismatch. Halt recommended. "
        "event-store, L2. Reply ACK 42"
    )


def test_the_link_is_in_a_text_message_only_where_it_costs_no_further_part() -> None:
    assert text.sms(page(operational())) == (
        "Tocsin 42 HIGH: Observer API down. L2. https://tocsin.example.org/incidents/42 Reply ACK 42"
    )
    assert "https" not in text.sms(page(operational(title="Observer API down on all replicas " + "x" * 60)))


def test_how_many_alerts_there_are_is_in_a_text_message_only_where_it_costs_no_further_part() -> None:
    storm = Standing(status="open", level=2, alerts=12, alerts_ended=3)
    short = dataclasses.replace(page(operational(url="")), standing=storm)
    assert text.sms(short) == "Tocsin 42 HIGH: Observer API down. L2. 12 alerts, 3 ended. Reply ACK 42"
    long = dataclasses.replace(page(operational(title="Observer API down " + "x" * 105, url="")), standing=storm)
    assert "alerts" not in text.sms(long)
    assert len(text.sms(long)) <= 160


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing(alerts=1), "Open, not acknowledged"),
        (Standing(alerts=2), "Open, not acknowledged. 2 alerts"),
        (Standing(alerts=12, alerts_ended=3), "Open, not acknowledged. 12 alerts, 3 ended"),
        (Standing(alerts=1_000), "Open, not acknowledged. 1000 or more alerts"),
        (Standing(status="resolved", resolved_by="Ana", alerts=12, alerts_ended=12), "Resolved by Ana"),
    ],
)
def test_the_state_says_how_many_alerts_there_are_where_there_are_several(standing: Standing, said: str) -> None:
    assert wording.state(standing) == said


def test_a_link_that_the_alphabet_would_change_is_left_out_of_a_text_message() -> None:
    assert "example" not in text.sms(page(operational(url="https://example.org/~tocsin/42")))


def test_a_title_that_needs_it_takes_a_second_part_and_is_cut_at_its_end() -> None:
    said = text.sms(page(operational(title="word " * 200), last_resort=True))
    assert 160 < len(said) <= 306
    assert said.endswith(".. L2, LAST RESORT. Reply ACK 42")
    whole = text.sms(page(operational(title="word " * 40)))
    assert len(whole) > 160
    assert ".." not in whole


def test_last_resort_and_a_repeated_page_are_marked() -> None:
    said = text.sms(page(last_resort=True, repeat=True))
    assert "L2, LAST RESORT, sent again. Reply ACK 42" in said


def test_a_title_without_latin_letters_says_so_and_keeps_what_can_be_acted_on() -> None:
    said = text.sms(page(operational(title="磁盘已满")))
    assert said.startswith("Tocsin 42 HIGH: title not in Latin letters. observer, L2.")
    assert said.endswith("Reply ACK 42")


def test_a_page_with_a_note_says_the_note_before_the_title() -> None:
    said = text.sms(page(operational(), note="No activity for 30 min, still yours?"))
    assert said.startswith("Tocsin 42 HIGH: No activity for 30 min, still yours? Observer API down.")


def test_a_notification_of_an_open_incident_offers_to_take_it_and_of_another_tells_its_state() -> None:
    assert text.sms(notification()).endswith("To take it reply ACK 42")
    assert text.sms(notification(standing=ACKNOWLEDGED)).endswith("Acknowledged by Ana Lima at 03:12 UTC")


def test_a_notification_with_its_own_words_says_them_alone() -> None:
    said = text.sms(notification(note="You are on call until Monday 09:00."))
    assert said == "Tocsin: You are on call until Monday 09:00. https://tocsin.example.org/incidents/42"


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("naïve façade, Łódź", "naive facade, Lodz"),
        ("Ошибка подписи", "Oshibka podpisi"),
        ("[prod] disk ~90% → “db”", '(prod) disk ca.90% -> "db"'),
        ("磁盘 ok 🔥 ½", "? ok 1/2"),
        ("１２ ٤٢", "12 42"),
        ("Ä ö ü ß Ñ é Σ", "Ä ö ü ß Ñ é Σ"),
        ("tab\tline\r\nend", "tab line end"),
    ],
)
def test_other_writing_is_spelled_in_the_alphabet_of_text_messages(written: str, spelled: str) -> None:
    assert gsm7.spell(written) == spelled


@pytest.mark.parametrize(("length", "parts"), [(0, 1), (160, 1), (161, 2), (306, 2), (307, 3)])
def test_a_long_text_message_has_153_characters_a_part(length: int, parts: int) -> None:
    assert gsm7.parts("x" * length) == parts


@settings(deadline=None)
@given(any_message)
@example(LONGEST)
def test_every_text_message_is_gsm_7_of_at_most_two_parts_with_number_and_ack_in_a_page(message: Message) -> None:
    said = text.sms(message)
    assert set(said) <= GSM_BASIC
    assert len(said) <= 306
    if message.purpose is Purpose.PAGE:
        assert said.startswith(f"Tocsin {message.brief.incident_id} {message.brief.severity}")
        assert said.endswith(f"Reply ACK {message.brief.incident_id}")


@settings(deadline=None)
@given(any_text)
def test_every_answer_by_text_message_is_gsm_7_of_at_most_two_parts(sentence: str) -> None:
    said = text.sms_answer(sentence)
    assert set(said) <= GSM_BASIC
    assert len(said) <= 306


# Calls


def test_a_call_says_who_is_paged_for_what_and_the_number_digit_by_digit() -> None:
    assert _spoken(twiml.call(page(), "https://t.example.org/replies/voice?page=7&incident=42"))[0] == (
        "Tocsin, paging Ana Lima. Critical, constitutional. Incident 4 2. Hash chain broken at sequence 48211: "
        "previous_hash mismatch. A halt is recommended. A keeper is asked to decide. Service event-store. "
        "Escalation level 2. Press 1 to acknowledge. Press 2 to escalate. Press star to hear this again."
    )


def test_a_call_waits_for_one_key_and_says_that_nothing_is_acknowledged_without_one() -> None:
    root = ET.fromstring(twiml.call(page(), "https://t.example.org/replies/voice?page=7&incident=42"))
    gather = root.find("Gather")
    assert gather is not None
    assert gather.attrib["numDigits"] == "1"
    assert gather.attrib["action"] == "https://t.example.org/replies/voice?page=7&incident=42"
    assert root.findtext("Say") == "No key was pressed. This page is not acknowledged. Goodbye."


def test_a_call_about_nothing_to_acknowledge_asks_for_no_key() -> None:
    said = twiml.call(notification(note="You are on call from now on."), "https://t.example.org/")
    assert "Gather" not in said
    assert _spoken(said) == ["Tocsin, for Ana Lima. You are on call from now on."]
    assert "Gather" not in twiml.call(notification(standing=RESOLVED), "https://t.example.org/")


def test_an_answer_in_a_call_reads_the_number_digit_by_digit_and_the_time_as_it_is() -> None:
    answer = twiml.call_answer("42 is already acknowledged by Ana at 03:42 UTC.", 42)
    assert _spoken(answer) == ["4 2 is already acknowledged by Ana at 03:42 UTC."]


@settings(deadline=None)
@given(any_message, st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=500))
@example(LONGEST, "&" * 500)
def test_every_call_is_well_formed_and_within_twilios_4000_characters(message: Message, path: str) -> None:
    said = twiml.call(message, f"https://t.example.org/{path}")
    ET.fromstring(said)
    assert len(said) <= 4000


@settings(deadline=None)
@given(any_text)
def test_every_answer_to_twilio_is_well_formed(sentence: str) -> None:
    ET.fromstring(twiml.call_answer(sentence, 42))
    ET.fromstring(twiml.sms_answer(sentence))


def _spoken(said: str) -> list[str]:
    return [say.text or "" for say in ET.fromstring(said).iter("Say")]


# E-mail, the terminal and the shared sentences


def test_a_letter_says_first_why_it_came_and_where_to_answer() -> None:
    assert email_text.subject(page()) == (
        "Page 42 CRITICAL constitutional: Hash chain broken at sequence 48211: previous_hash mismatch"
    )
    assert email_text.plain(page()).startswith(
        "You are paged at level 2.\n\nOpen incident 42 to acknowledge it:\nhttps://tocsin.example.org/incidents/42\n\n"
        "42 CRITICAL constitutional\nHash chain broken"
    )
    assert "1. Stop writes." in email_text.plain(page())


def test_html_shows_markup_from_outside_as_text() -> None:
    letter = email_text.rich(page(brief(title="<script>alert(1)</script>", summary="<img src=x>", service='"><b>')))
    assert "<script" not in letter
    assert "<img" not in letter
    assert "<b>" not in letter
    assert "&lt;script&gt;" in letter


@settings(deadline=None)
@given(any_message)
def test_every_subject_is_one_line_and_every_letter_can_be_sent(message: Message) -> None:
    subject = email_text.subject(message)
    assert len(subject) <= 150
    assert not re.search(r"[\x00-\x1f]", subject)
    for part in (subject, email_text.plain(message), email_text.rich(message), text.console_line(message)):
        part.encode()  # no lone surrogates


def test_a_line_for_the_terminal_says_to_whom_at_which_level_and_the_state() -> None:
    assert text.console_line(page(operational(), last_resort=True)) == (
        "page to Ana Lima at level 2 (last resort): 42 HIGH Observer API down [Open, not acknowledged]"
    )


def test_the_state_names_what_the_incident_waits_for() -> None:
    waits = dataclasses.replace(ACKNOWLEDGED, awaiting="2 keepers' approval to resolve")
    assert wording.state(waits) == ("Acknowledged by Ana Lima at 03:12 UTC. Waiting for 2 keepers' approval to resolve")


def test_a_time_is_said_in_utc_with_the_date_only_when_it_was_another_day() -> None:
    in_lisbon_summer = datetime(2026, 7, 1, 4, 12, tzinfo=timezone(timedelta(hours=1)))
    assert wording.moment(in_lisbon_summer) == "03:12 UTC"
    assert wording.moment(OPENED_AT, OPENED_AT + timedelta(hours=1)) == "03:02 UTC"
    assert wording.moment(OPENED_AT, OPENED_AT + timedelta(days=1)) == "03:02 UTC on 2026-11-04"


def test_marks_that_turn_the_reading_direction_are_taken_out() -> None:
    assert wording.one_line("rm \u202etxt.exe\u202c \u2067x", 100) == "rm txt.exe x"


@settings(deadline=None)
@given(any_text, st.integers(2, 60))
def test_escaped_text_keeps_its_limit_and_never_cuts_an_entity(written: str, limit: int) -> None:
    made = wording.escaped(written, limit)
    assert len(made) <= limit
    assert not re.search("&(?!amp;|lt;|gt;)|[<>]", made)
