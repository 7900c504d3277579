"""Text in the alphabet of a text message (GSM 03.38), and how many parts it takes. Pure.

Only the basic alphabet is used, one septet a character: the extension characters ([ ] { } ~ | ^ \\ €) count twice and
may not straddle two parts. One character outside the alphabet would turn the whole message into UCS-2, 70 a part.
"""

from __future__ import annotations

import re
import unicodedata

PART_CHARACTERS = 160
JOINED_PART_CHARACTERS = 153  # each part of a longer message gives seven to its header
CUT_MARK = ".."

ALPHABET = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)  # without line ends: a page is one line

_SIGNS = "[]{}~|^\\`‘’‚“”„«»‹›–—−‐‑‒…•·→←⇒×÷≤≥≠≈°¢€œŒðÐþÞłŁđĐıħŧ¬⁄"
_SIGNS_SPELLED = (
    "( ) ( ) ca. / ' / ' ' ' ' \" \" \" \" \" ' ' - - - - - - .. * . -> <- => x / <= >= != ca. deg c EUR "
    "oe OE d D th Th l L d D i h t - /"
)
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщыэюяєіґ"
_CYRILLIC_SPELLED = "a b v g d e zh z i i k l m n o p r s t u f kh ts ch sh shch y e yu ya ie i g"
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
_GREEK_SPELLED = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"

_SPELLED: dict[str, str] = {
    **dict(zip(_SIGNS, _SIGNS_SPELLED.split(), strict=True)),
    **dict(zip(_CYRILLIC, _CYRILLIC_SPELLED.split(), strict=True)),
    **dict(zip(_GREEK, _GREEK_SPELLED.split(), strict=True)),
    "ъ": "",
    "ь": "",
}
_UNKNOWN = "\x00"  # stands for what has no spelling; no spelling has it
_RUN = re.compile(f"{_UNKNOWN}(?: *{_UNKNOWN})*")


def spell(text: str) -> str:
    """`text` in ALPHABET alone: accents dropped where they must be, Cyrillic and Greek in Latin letters.

    Pictures vanish; each run of what has no spelling, over spaces too, becomes one question mark: a title that begins
    with a line of Hebrew still shows what follows. White space becomes single spaces.
    """
    written: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        spelling = _spelling(character)
        if spelling is None:
            spelling = "" if written and written[-1] == _UNKNOWN else _UNKNOWN
        if spelling:
            written.append(spelling)
    return " ".join(_RUN.sub("?", "".join(written)).split())


def _spelling(character: str) -> str | None:
    if character in ALPHABET:
        return character
    if character in _SPELLED:
        return _SPELLED[character]
    if character.isspace() or unicodedata.category(character) == "Cc":
        return " "
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    if character.lower() in _SPELLED:
        return _SPELLED[character.lower()].capitalize()
    taken_apart = unicodedata.normalize("NFKD", character)
    if taken_apart != character:
        return "".join(_spelling(part) or "" for part in taken_apart) or None
    # Marks and joiners belong to a letter already written; symbols are mostly pictures, and say little without colour.
    return "" if unicodedata.category(character) in ("Mn", "Me", "Cf", "So", "Sk") else None


def parts(text: str) -> int:
    """How many text messages carry `text`, which is in ALPHABET."""
    return 1 if len(text) <= PART_CHARACTERS else -(-len(text) // JOINED_PART_CHARACTERS)


def cut(text: str, characters_max: int) -> str:
    """At most `characters_max` characters (0 or more), with CUT_MARK where something is missing."""
    if len(text) <= characters_max:
        return text
    return (text[: max(characters_max - len(CUT_MARK), 0)].rstrip() + CUT_MARK)[:characters_max]
