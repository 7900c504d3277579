from __future__ import annotations

import pytest

from config import twilio_senders

POOL = "MG" + "b" * 32
MINE = f"{POOL},GB=+447700900001,PT=+351300000000,voice=+15005550006"


@pytest.mark.parametrize(
    ("to", "texts", "calls"),
    [
        ("+442079460000", "+447700900001", "+15005550006"),
        ("+351910000001", "+351300000000", "+15005550006"),
        ("+4915112345678", POOL, "+15005550006"),
        ("not a number", POOL, "+15005550006"),
    ],
)
def test_the_sender_is_that_of_the_country_it_goes_to(to: str, texts: str, calls: str) -> None:
    senders = twilio_senders.read(MINE)
    assert (senders.texts(to), senders.calls(to)) == (texts, calls)


def test_one_number_does_both_and_a_pool_alone_cannot_call() -> None:
    assert twilio_senders.read("+15005550006").calls("+351910000001") == "+15005550006"
    assert twilio_senders.read(POOL).calls("+351910000001") == ""
    assert twilio_senders.read(f"{POOL},GB=+447700900001").calls("+442079460000") == "+447700900001"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("Tocsin", "no sender that can be replied to"),
        ("GB=+447700900001", "without a country"),
        ("+15005550006,XX=+447700900001", "no country's two letters"),
        ("+15005550006,GB=+447700900001,GB=+447700900002", "twice"),
        ("+15005550006,+15005550007", "second default"),
        (f"+15005550006,voice={POOL}", "calls come from a number"),
    ],
)
def test_a_slip_is_told(written: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        twilio_senders.read(written)
