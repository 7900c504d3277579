"""Reply addresses and what is read of a reply: whose it is, when it ends, and the first line that is a person's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.channels.base import Verb
from escalation.channels.reply_addresses import ReplyAddresses, ReplyTo
from incidents.mail import addresses, reply_text
from incidents.mail.addresses import Recipient

MAILBOX_CHARACTERS_MAX = 64  # RFC 5321, 4.5.3.1.1
NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
OURS = ReplyAddresses("pager.example.org", "a secret")
bounded = settings(max_examples=100, deadline=None, database=None, derandomize=True)


def tag_of(address: str) -> str:
    return address.partition("+")[2].partition("@")[0]


@bounded
@given(st.integers(1, 2**62))
def test_an_address_says_which_page_in_any_case_and_fits_a_mailbox(page_id: int) -> None:
    address = OURS.of_page(page_id, NOW)
    assert address == address.lower()
    assert len(address.partition("@")[0]) <= MAILBOX_CHARACTERS_MAX
    assert OURS.read(tag_of(address).upper()) == ReplyTo(page_id, NOW + timedelta(days=1))
    assert ReplyAddresses("pager.example.org", "another").read(tag_of(address)) is None


@bounded
@given(st.text(max_size=60), st.integers(0, 40), st.characters(min_codepoint=33, max_codepoint=126))
def test_what_is_forged_or_changed_is_nobodys(text: str, place: int, other: str) -> None:
    assert OURS.read(text) is None
    tag = tag_of(OURS.of_page(42, NOW))
    changed = tag[:place] + other + tag[place + 1 :]
    assert OURS.read(changed) is None or changed.lower() == tag


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("Key@Pager.Example.Org", Recipient("key")),
        ("key+Disk+x@pager.example.org.", Recipient("key", "disk+x")),
        ("reply+a@pager.example.org", Recipient("reply", "a")),
        ("key@example.org", None),
        ("key", None),
        ("a@pager.example.org@evil.example", None),
    ],
)
def test_an_address_is_read_or_another_domains(address: str, found: Recipient | None) -> None:
    assert addresses.read(address, "pager.example.org") == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ack\n\nOn Fri, 20 Nov 2026 Tocsin wrote:\n> Page 42\n> ACK", "ack"),
        ("\n\n  Ack.  \n-- \nAna", "Ack."),
        ("On Fri, 20 Nov 2026 at 11:00, Tocsin <tocsin@example.org>\nwrote:\n\n> Page 42\n\nack", "ack"),
        ("Am 20.11.26 schrieb Tocsin:\n> ack\n> resolve it\n\nescalate", "escalate"),
        ("> ack\n> resolve it", ""),
        ("-- \nack", ""),
        ("-----Original Message-----\nack", ""),
        ("________________________________\nFrom: Tocsin\nack", ""),
        ("", ""),
        ("From: Tocsin\nack", "From: Tocsin"),
    ],
)
def test_the_first_line_that_is_a_persons_own(text: str, line: str) -> None:
    assert reply_text.first_line(text) == line


@pytest.mark.parametrize(
    ("line", "verb", "number", "rest"),
    [
        ("ack", Verb.ACKNOWLEDGE, None, ""),
        ("Acknowledged!", Verb.ACKNOWLEDGE, None, ""),
        ("ack 42", Verb.ACKNOWLEDGE, 42, ""),
        ("resolve restarted the primary", Verb.RESOLVE, None, "restarted the primary"),
        ("Resolved: disk replaced.", Verb.RESOLVE, None, "disk replaced"),
        ("resolve", Verb.RESOLVE, None, ""),
        ("resolve 42 disk replaced", Verb.RESOLVE, 42, "disk replaced"),
        ("escalate", Verb.ESCALATE, None, ""),
        ("list", Verb.LIST, None, ""),
        ("ack forty", Verb.HELP, None, ""),
        ("ack, but I am at the cinema", Verb.HELP, None, ""),
        ("escalate to Bo please", Verb.HELP, None, ""),
        ("I am on it", Verb.HELP, None, ""),
        ("Please do not resolve it", Verb.HELP, None, ""),
        ("Close to a fix, hold on", Verb.HELP, None, ""),
        ("R u kidding", Verb.HELP, None, ""),
        ("Resolve this ASAP please!", Verb.HELP, None, ""),
        ("resolve by tomorrow", Verb.HELP, None, ""),
        ("close", Verb.RESOLVE, None, ""),
        ("R: disk replaced", Verb.RESOLVE, None, "disk replaced"),
        ("", Verb.HELP, None, ""),
    ],
)
def test_nothing_is_guessed(line: str, verb: Verb, number: int | None, rest: str) -> None:
    words = reply_text.read(line)
    assert (words.verb, words.number, words.rest) == (verb, number, rest)


@bounded
@given(st.text(max_size=300))
def test_any_text_has_a_line_that_can_be_read(text: str) -> None:
    reply_text.read(reply_text.first_line(text))
