"""Text to words: what the rules see of an alert. Pure.

Words are NFKC, casefolded and split at everything that is not a letter or digit, and at camelCase, so that
`HashChainBroken`, `hash_chain_broken` and `Ｈａｓｈ-chain broken` read the same. Each word knows its *clause* (a rule's
words must stand in one) and its *phrase* (what a "no" in front of it reaches).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

CHARACTERS_MAX = 65_536  # of one field, after normalising (NFKC can make one character eighteen)
MARKS_MAX = 4  # combining marks in a row; NFKC sorts longer runs in quadratic time
WORD_CHARACTERS_MAX = 48  # a longer one is a hash or a token; its beginning is kept
LINE_WRAPPED_CHARACTERS = 50  # a line this long that stops without a full stop goes on in the next

# Invisible characters that can stand inside a word without being seen, and the typographic apostrophe.
_UNSEEN: dict[int, str | None] = dict.fromkeys(
    chain(
        (0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
        range(0x180B, 0x1810),
        range(0x200B, 0x2010),
        range(0x202A, 0x202F),
        range(0x2060, 0x2070),
        range(0xFE00, 0xFE10),
        range(0xFFF0, 0xFFFC),
        range(0xE0000, 0xE0080),
    )
)
_UNSEEN[0x2019] = "'"
_UNEQUAL = re.compile("!=|≠|<>")
_OUT_OF = re.compile(r"(?<=\d)/(?=\d)")  # 4999/5000
_SURROGATES = re.compile("[\ud800-\udfff]")

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"([^\W_]+(?:'[^\W_]+)*)|[;!?|.,\n:=()\[\]{}>—–•]| -+ ")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+[a-z]*")
_NEVER_SPLIT = re.compile(r"[a-z\d]+|[A-Z\d]+s?|[A-Z][a-z\d]+")

# The next words take up what was said before: "Hash chain check done. Result: broken".
_TAKING_UP = frozenset({"result", "results", "status", "outcome", "verdict", "it", "this", "reason"})
_OPPOSING = frozenset({"but", "however", "while", "whereas", "although", "though", "except", "yet"})
_LIST_GOES_ON = frozenset({"and", "or", "nor"})


def normalise(text: str) -> str:
    """NFKC without invisible characters; the case is kept, camelCase needs it. At most CHARACTERS_MAX characters."""
    text = text[:CHARACTERS_MAX]
    if text.isascii():
        return text
    text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text).translate(_UNSEEN)
    return unicodedata.normalize("NFKC", _few_marks(text)).translate(_UNSEEN)[:CHARACTERS_MAX]


def _few_marks(text: str) -> str:
    kept = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept)


def folded(text: str) -> str:
    """For comparing whole values: names, labels, services. Case, spaces and separators do not count."""
    return "".join(_WORD.findall(normalise(text))).casefold()


@dataclass(slots=True)
class Words:
    """The words of one alert's fields, one after the other."""

    text: list[str] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    phrases: list[int] = field(default_factory=list)
    fields: dict[str, tuple[int, int]] = field(default_factory=dict)  # first word, one past the last

    def field_of(self, place: int) -> str:
        return next(name for name, (first, end) in self.fields.items() if first <= place < end)


class Reader:
    """Splits text to words, knowing which joined names are one word (`GitHub`, `ZooKeeper`): those in a rule."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known

    def read(self, fields: Mapping[str, str]) -> Words:
        words = Words()
        for name, text in fields.items():
            first = len(words.text)
            self._add(words, normalise(text))
            words.fields[name] = (first, len(words.text))
        return words

    def _add(self, words: Words, text: str) -> None:
        clause = phrase = 1 + (words.phrases[-1] if words.phrases else 0)
        pending = ""  # the strongest mark since the last word: "" < soft ":" < comma "," < hard "."
        line_start = 0
        unit = len(words.text)  # first word of what stands between two spaces: the key in "flux_failures=3"
        text = _OUT_OF.sub(" of ", _UNEQUAL.sub(" not equal ", text))[:CHARACTERS_MAX]
        for piece in _PIECE.finditer(text):
            word = piece[1]
            if word is None:
                if piece[0] in "=:" and _begins_pair(words, unit, piece[0]):
                    phrase += 1
                    words.phrases[unit:] = [phrase] * (len(words.text) - unit)
                mark, line_start = _mark(text, piece, line_start)
                if _STRENGTH[mark] > _STRENGTH[pending]:
                    pending = mark
                continue
            if text[piece.start() - 1 : piece.start()].isspace():
                unit = len(words.text)
            for part in self._parts(word):
                if pending or part in _OPPOSING:
                    phrase += 1
                    if part in _OPPOSING or _divides(pending, part):
                        clause = phrase
                    pending = ""
                words.text.append(part)
                words.clauses.append(clause)
                words.phrases.append(phrase)

    def _parts(self, word: str) -> Sequence[str]:
        if "'" in word:
            stem, _, end = word.partition("'")
            word = stem[:-1] if end.casefold() == "t" and stem[-1:].casefold() == "n" else stem
            negated = ("not",) if end.casefold() == "t" else ()
            return (*self._parts(word), *negated) if word else negated
        whole = word[:WORD_CHARACTERS_MAX].casefold()
        if whole in self._known or _NEVER_SPLIT.fullmatch(word) or not word.isascii():
            return (whole,)
        return [part[:WORD_CHARACTERS_MAX].casefold() for part in _CAMEL.findall(word)] or (whole,)


_STRENGTH = {"": 0, ":": 1, ",": 2, ".": 3}


def _begins_pair(words: Words, unit: int, mark: str) -> bool:
    """Whether the words from `unit` on are the key of a next pair, as the second in "errors=0 flux_failures=3"."""
    if not 0 < unit < len(words.text) or words.phrases[unit] != words.phrases[unit - 1]:
        return False
    after_value = unit > 1 and words.text[unit - 1].isdigit() and words.phrases[unit - 2] != words.phrases[unit - 1]
    return mark == "=" or after_value


def _mark(text: str, piece: re.Match[str], line_start: int) -> tuple[str, int]:
    """What this punctuation does, as one of the keys of _STRENGTH, and where the current line starts."""
    sign, after = piece[0], text[piece.end() : piece.end() + 1]
    if sign == "\n":
        wrapped = piece.start() - line_start >= LINE_WRAPPED_CHARACTERS and after.islower()
        return ("" if wrapped else "."), piece.end()
    if sign in ".,":
        inside = after.isdigit() if sign == "," else bool(after) and not after.isspace()
        return ("" if inside else sign), line_start  # inside: 99.9, 9,800, example.org
    return ("." if sign in ";!?|•" else ":"), line_start


def _divides(mark: str, word: str) -> bool:
    """Whether a new clause begins at this word, after this mark."""
    if mark == ".":
        return word not in _TAKING_UP
    return mark == "," and word not in _LIST_GOES_ON and not word[0].isdigit()
