"""What people type to answer a page: `ack 42`, `a42`, `42`, `1`, `resolve 42`. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from escalation.channels.base import Verb

TEXT_CHARACTERS_MAX = 1600  # the longest text message that Twilio hands over
NUMBER_DIGITS_MAX = 18  # fits the database's incident numbers

WORDS: dict[str, Verb] = {
    "ack": Verb.ACKNOWLEDGE,
    "a": Verb.ACKNOWLEDGE,
    "acked": Verb.ACKNOWLEDGE,
    "acknowledge": Verb.ACKNOWLEDGE,
    "acknowledged": Verb.ACKNOWLEDGE,
    "resolve": Verb.RESOLVE,
    "resolved": Verb.RESOLVE,
    "r": Verb.RESOLVE,
    "close": Verb.RESOLVE,
    "escalate": Verb.ESCALATE,
    "e": Verb.ESCALATE,
    "list": Verb.LIST,
    "l": Verb.LIST,
    "help": Verb.HELP,
    "h": Verb.HELP,
}
KEY_FOR_NEWEST = "1"  # alone it is the key of the telephone menu, not incident 1: that one is `ack 1`

# A word, a number, and the rest: what is not written exactly so is answered with help, and does nothing. A slip such
# as "ack forty" must not acknowledge some other incident.
_REPLY = re.compile(
    r"(?:reply\s+)?(?P<word>[a-z]*)\s*[:#,]?\s*#?(?P<number>[0-9]*)(?P<rest>(?:[\s,.;:!-].*)?)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"\s*[0-9]")


@dataclass(frozen=True, slots=True)
class Words:
    verb: Verb
    number: int | None = None  # None: the newest page to the sender that is still open
    rest: str = ""  # what follows the number, such as the reason for resolving
    everything: bool = False  # `ack all`


def read(text: str) -> Words:
    """What `text` asks for. Never refuses: what it does not understand is Verb.HELP."""
    typed = unicodedata.normalize("NFKC", text[:TEXT_CHARACTERS_MAX]).strip().strip("\"'“”.!").strip()
    if typed == KEY_FOR_NEWEST:
        return Words(Verb.ACKNOWLEDGE)
    if typed.lower() in ("ack all", "a all", "acknowledge all", "reply ack all"):
        return Words(Verb.ACKNOWLEDGE, everything=True)
    match = _REPLY.fullmatch(typed)
    if match is None or not typed:
        return Words(Verb.HELP)
    word, digits, rest = match["word"].lower(), match["number"], match["rest"].strip(" \t\r\n,.;:!-")
    verb = WORDS.get(word) if word else Verb.ACKNOWLEDGE
    if verb in (Verb.LIST, Verb.HELP):
        return Words(verb)
    if verb is None or len(digits) > NUMBER_DIGITS_MAX:
        return Words(Verb.HELP)
    if not digits:  # only an acknowledgement may leave the number out: it harms least when it meets another incident
        return Words(verb) if verb is Verb.ACKNOWLEDGE and word and not rest else Words(Verb.HELP)
    if _NUMBER.match(rest) or (rest and not word):
        return Words(Verb.HELP)  # "ack 42 43" would leave one unanswered unnoticed; "42 minutes late" means no incident
    return Words(verb, int(digits), rest)


def number(digits: str) -> int | None:
    """A number as it stands in an address that a provider calls; None for what is none."""
    few = 0 < len(digits) <= NUMBER_DIGITS_MAX
    return int(digits) if few and digits.isascii() and digits.isdecimal() else None
