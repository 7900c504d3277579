"""What a person wrote in answer to a letter, apart from what their mail program put around it. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from escalation.channels import reply_words
from escalation.channels.base import Verb
from escalation.channels.reply_words import Words

LINES_MAX = 500

# Where the letter that is answered begins, or a signature. What follows is never anybody's answer.
_END = re.compile(
    r"-- ?$|_{10,}$|-{3,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine|mensaje original)",
    re.I,
)

# What follows "resolve" where somebody is asked to.
_ASKING = frozenset(("this", "that", "these", "those", "all", "them", "by", "asap", "please", "now", "soon", "today"))


def first_line(text: str) -> str:
    """The first line that is a person's own; empty if there is none.

    Lines marked with > are the other letter's, and so is the line that leads to them ("On Friday Tocsin wrote:").
    """
    lines = [line.strip() for line in text.splitlines()[:LINES_MAX]]
    for place, line in enumerate(lines):
        if _END.match(line):
            return ""
        if line and not line.startswith(">") and not _leads_to_quotation(lines, place):
            return line
    return ""


def _leads_to_quotation(lines: list[str], place: int) -> bool:
    """A line that ends with a colon, or the first of two that do together, with a quotation behind it."""
    for last in (place, place + 1):
        if last < len(lines) and lines[last].endswith(":"):
            rest = [line for line in lines[last + 1 : last + 4] if line]
            return bool(rest) and rest[0].startswith(">")
    return False


def read(line: str) -> Words:
    """By the same words as a text message; the letter says which incident it is, so that the number may be left out."""
    words = reply_words.read(line)
    if words.verb is not Verb.HELP:
        return words
    said, _, rest = line.strip(" \"'“”.!").partition(" ")
    word, rest = said.lower().rstrip(".,:;!"), rest.strip()
    verb = reply_words.WORDS.get(word)
    if verb is Verb.ESCALATE and not rest:
        return Words(verb)
    if verb is Verb.RESOLVE and not re.match(r"[\s#:,]*[0-9]", rest) and _says_that_it_is_over(word, said, rest):
        return replace(Words(verb), rest=rest.strip(" \t,.;:!-"))
    return words


def _says_that_it_is_over(word: str, said: str, rest: str) -> bool:
    """Not "Close to a fix" and not "Resolve this today, please": who is asked to resolve it has not done so yet."""
    if not rest or said.endswith(":"):
        return True
    return word == "resolved" or (word == "resolve" and rest.lower().split()[0].strip(".,;!?") not in _ASKING)
