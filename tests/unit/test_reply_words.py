from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.channels import answers, reply_words, text
from escalation.channels.base import Verb
from escalation.channels.reply_words import Words
from tests.messages import NOW, OPENED_AT


@pytest.mark.parametrize(
    "typed",
    [
        "ack 42",
        "ACK 42",
        "Ack 42.",
        "ack42",
        "a 42",
        "a42",
        "ack #42",
        "ack: 42",
        "42",
        "#42",
        "ack ４２",
        "Reply ACK 42",
    ],
)
def test_an_acknowledgement_is_understood_however_it_is_typed(typed: str) -> None:
    assert reply_words.read(typed) == Words(Verb.ACKNOWLEDGE, 42)


@pytest.mark.parametrize("typed", ["ack", "Ack.", "a", "1", " 1 ", "acknowledged"])
def test_an_acknowledgement_without_a_number_means_the_newest_page(typed: str) -> None:
    assert reply_words.read(typed) == Words(Verb.ACKNOWLEDGE, None)


def test_ack_1_means_incident_1() -> None:
    assert reply_words.read("ack 1") == Words(Verb.ACKNOWLEDGE, 1)


def test_ack_all_means_every_page() -> None:
    assert reply_words.read("ACK ALL") == Words(Verb.ACKNOWLEDGE, everything=True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("resolve 42", Words(Verb.RESOLVE, 42)),
        ("Resolve 42: it was a flap", Words(Verb.RESOLVE, 42, "it was a flap")),
        ("escalate 42", Words(Verb.ESCALATE, 42)),
        ("list", Words(Verb.LIST)),
        ("help", Words(Verb.HELP)),
    ],
)
def test_the_other_words_are_understood(typed: str, words: Words) -> None:
    assert reply_words.read(typed) == words


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "?",
        "who is this",
        "ack forty",  # not the newest page
        "ack 42 43",  # one of the two would be left unanswered
        "ack 4 2",
        "42 minutes late",
        "ack -42",
        "ack 42nd",
        "resolve",  # too much for a number left out
        "escalate",
        "STOP",
        "ack " + "9" * 19,
    ],
)
def test_what_is_not_understood_asks_for_help_and_does_nothing(typed: str) -> None:
    assert reply_words.read(typed) == Words(Verb.HELP)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_and_a_number_in_the_answer_stood_in_the_text(typed: str) -> None:
    words = reply_words.read(typed)
    digits = "".join(c for c in unicodedata.normalize("NFKC", typed) if c in "0123456789")
    assert words.number is None or str(words.number) in digits


# The answers


def test_every_answer_that_acts_on_an_incident_fits_one_text_message() -> None:
    long_ago = OPENED_AT - timedelta(days=400)
    for answer in (
        answers.acknowledged(421),
        answers.already_acknowledged(421, "Anastasia Featherstonehaugh", long_ago, NOW),
        answers.already_yours(421, long_ago, NOW),
        answers.resolved(421),
        answers.already_resolved(421, "Anastasia Featherstonehaugh", long_ago, NOW),
        answers.awaiting(421, "2 keepers' approval to resolve"),
        answers.escalated(421, 4),
        answers.refused(421, "resolve"),
        answers.unknown_number(421),
        answers.nothing_open(),
        answers.unknown_sender(),
        answers.usage(),
        answers.try_again(),
    ):
        assert len(answer) <= 160, answer
        assert text.sms_answer(answer) == answer


def test_already_acknowledged_names_who_and_when_and_the_date_if_it_was_another_day() -> None:
    at = OPENED_AT + timedelta(minutes=10)
    assert answers.already_acknowledged(42, "Ana", at, NOW) == (
        "42 is already acknowledged by Ana at 03:12 UTC. Nothing more to do."
    )
    assert "at 03:12 UTC on 2026-11-04" in answers.already_acknowledged(42, "Ana", at, NOW + timedelta(days=2))


def test_a_list_is_cut_with_the_number_left_out() -> None:
    lines = [answers.listed(n, "HIGH", "Disk full", "open") for n in range(1, 8)]
    assert answers.open_incidents([]) == "No incident is open."
    assert answers.open_incidents(lines[:1]) == "1 open: 1 HIGH Disk full (open)."
    assert answers.open_incidents(lines).startswith("7 open: 1 HIGH Disk full (open); 2 HIGH")
    assert answers.open_incidents(lines).endswith("; and 2 more.")
