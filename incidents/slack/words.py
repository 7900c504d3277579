"""What people type after /incident. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from escalation.channels.reply_words import NUMBER_DIGITS_MAX


class Word(StrEnum):
    HELP = "help"
    LIST = "list"
    SHOW = "show"
    ACK = "ack"
    ACK_ALL = "ack all"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    NOTE = "note"
    WHO = "who"
    OPEN = "open"


WORDS: dict[str, Word] = {
    "help": Word.HELP,
    "h": Word.HELP,
    "list": Word.LIST,
    "ls": Word.LIST,
    "l": Word.LIST,
    "show": Word.SHOW,
    "more": Word.SHOW,
    "ack": Word.ACK,
    "a": Word.ACK,
    "acknowledge": Word.ACK,
    "resolve": Word.RESOLVE,
    "r": Word.RESOLVE,
    "close": Word.RESOLVE,
    "escalate": Word.ESCALATE,
    "e": Word.ESCALATE,
    "note": Word.NOTE,
    "n": Word.NOTE,
    "who": Word.WHO,
    "oncall": Word.WHO,
    "on-call": Word.WHO,
    "open": Word.OPEN,
    "new": Word.OPEN,
}
NUMBERED = frozenset({Word.SHOW, Word.ACK, Word.RESOLVE, Word.ESCALATE, Word.NOTE})
_NUMBER = re.compile(r"#?([0-9]+)(?:[\s:,]+(.*))?", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    word: Word
    number: int | None = None
    rest: str = ""  # the reason, the note, the title
    service: str = ""
    wrong: str = ""  # what was not understood; the answer is help then, and nothing is done


def read(text: str) -> Asked:
    """Never refuses. A number alone shows that incident: looking must not acknowledge."""
    typed = unicodedata.normalize("NFKC", text).strip()
    first, _, rest = typed.partition(" ")
    word = WORDS.get(first.lower())
    if not typed:
        return Asked(Word.HELP)
    if _NUMBER.fullmatch(typed):
        word, rest = Word.SHOW, typed
    if word is None:
        return Asked(Word.HELP, wrong=f"There is no “{first[:40]}”.")
    rest = rest.strip()
    if word in NUMBERED:
        return _numbered(word, rest)
    if word is Word.OPEN:
        service, _, title = rest.partition(" ")
        return Asked(word, service=service, rest=title.strip())
    return Asked(word)


def _numbered(word: Word, rest: str) -> Asked:
    if word is Word.ACK and rest.lower() == "all":
        return Asked(Word.ACK_ALL)
    if word is Word.ACK and not rest:
        return Asked(word)  # the newest page to whoever typed it
    match = _NUMBER.fullmatch(rest)
    if match is None or len(match[1]) > NUMBER_DIGITS_MAX:
        return Asked(Word.HELP, wrong=f"Say which incident: {word} 42.")
    more = (match[2] or "").strip()
    if more and word in (Word.ACK, Word.ESCALATE, Word.SHOW):
        # `ack 42 43` would leave one unanswered, unnoticed.
        return Asked(Word.HELP, wrong=f"One incident at a time: {word} {match[1]}.")
    return Asked(word, int(match[1]), more)
