"""Twilio's error codes, of requests and of delivery receipts: what each means, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

OPTED_OUT = 21610
CALLBACK_REFUSED = frozenset({21205, 21609, 21626})  # what Twilio says of a status callback that it cannot call


@dataclass(frozen=True, slots=True)
class Meaning:
    """`permanent`: the same again is pointless. `of_address`: that is the address's own fault, and nobody else's."""

    words: str
    permanent: bool = True
    of_address: bool = False


def _passing(words: str) -> Meaning:
    return Meaning(words, permanent=False)


def _number(words: str) -> Meaning:
    return Meaning(words, of_address=True)


MEANINGS: dict[int, Meaning] = {
    10001: Meaning("the Twilio account is not active"),
    10004: _passing("too many calls at once for this Twilio account"),
    11200: _passing("Twilio could not reach this Tocsin"),
    13224: _number("the number cannot be called: it is not one, or out of use"),
    13225: Meaning("Twilio blocks calls to this number"),
    13227: Meaning("calls to this country are not allowed; allow them in Twilio's geographic permissions"),
    14107: _passing("more messages a second than Twilio allows"),
    20003: Meaning("Twilio's account SID and auth token do not match"),
    20005: Meaning("the Twilio account is suspended"),
    20404: Meaning("no such resource: most likely a wrong account SID or API address"),
    20429: _passing("too many requests to Twilio"),
    20500: _passing("Twilio has failed"),
    20503: _passing("Twilio is unavailable"),
    21205: Meaning("an address that Twilio should call is not one that it can"),
    21210: Meaning("the sender's number is not verified with Twilio"),
    21211: _number("it is not a phone number"),
    21212: Meaning("the sender is not a phone number; correct TOCSIN_TWILIO_FROM"),
    21214: _number("the number cannot be reached"),
    21215: Meaning("calls to this country are not allowed; allow them in Twilio's geographic permissions"),
    21216: Meaning("Twilio does not allow calls to this number"),
    21217: _number("it is not a phone number that can be called"),
    21219: Meaning("a trial account calls verified numbers only"),
    21408: Meaning("messages to this country are not allowed; allow them in Twilio's geographic permissions"),
    21602: Meaning("the message has no text"),
    21603: Meaning("the message has no sender"),
    21604: Meaning("the message has no recipient"),
    21606: Meaning("the sender cannot send messages to this number; TOCSIN_TWILIO_FROM can name one for its country"),
    21608: Meaning("a trial account writes to verified numbers only"),
    21609: Meaning("the address for delivery receipts is not one that Twilio can call"),
    OPTED_OUT: _number("the person replied STOP; START from the same telephone takes that back"),
    21611: _passing("the sender's queue is full"),
    21612: Meaning("there is no way from this sender to this number; TOCSIN_TWILIO_FROM can name one for its country"),
    21614: _number("it is not a mobile number"),
    21617: Meaning("the text is too long"),
    30001: _passing("it waited too long in Twilio's queue"),
    30002: Meaning("the Twilio account is suspended"),
    30003: _passing("the telephone is switched off or out of reach"),
    30004: Meaning("the recipient, or their carrier, blocks messages"),
    30005: _number("the number is unknown or out of use"),
    30006: _number("it is a landline, or a carrier that takes no messages"),
    30007: Meaning("the carrier filtered it; the same text would be again"),
    30008: _passing("the carrier gave no reason"),
    30032: Meaning("the toll-free sender is not verified with Twilio"),
    30034: Meaning("the sender is not registered with the carriers (A2P 10DLC)"),
    30410: _passing("the carrier did not answer in time"),
}


def meaning(code: int) -> Meaning | None:
    return MEANINGS.get(code)


def is_permanent(code: int, status: int = 200) -> bool:
    """Whether trying again cannot help, by Twilio's error `code`, or failing that the HTTP `status`."""
    if status == 429 or status >= 500:
        return False
    known = MEANINGS.get(code)
    return known.permanent if known else 400 <= status < 500 and status != 408


def is_of_address(code: int) -> bool:
    known = MEANINGS.get(code)
    return known is not None and known.of_address


def words(code: int) -> str:
    """`the telephone is switched off or out of reach (30003)`; of a code that is not known, its number alone."""
    known = MEANINGS.get(code)
    return f"{known.words} ({code})" if known else f"error {code}"
