"""Values as the timeline keeps them. Pure: what has no canonical form is refused, what is too long is cut with a mark.

What comes from outside (an alert's words) never makes an entry fail; what only a slip in our own code can bring (a
float, a date, a key that is not text) raises at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT_LIMIT_CHARACTERS = 2_000
VALUE_LIMIT_CHARACTERS = 4_000
ITEMS_LIMIT = 200
DEPTH_LIMIT = 8
INTEGER_LIMIT = 2**53 - 1  # RFC 8785: what every JSON reader takes in without rounding


def text(words: str, limit_characters: int = TEXT_LIMIT_CHARACTERS) -> str:
    """Without NUL, which PostgreSQL cannot keep, and without lone surrogates, which UTF-8 cannot."""
    clean = words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if len(clean) <= limit_characters:
        return clean
    mark = f" … [{len(clean)} characters, cut]"
    return clean[: limit_characters - len(mark)] + mark


def facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises TypeError for a value that has no place in a record, ValueError for one out of bounds."""
    return _mapping(values, DEPTH_LIMIT)


def _mapping(values: Mapping[str, Any], depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(key, str):
            raise TypeError(f"{key!r} names a fact; only text can")
        if len(plain) == ITEMS_LIMIT:
            plain["cut"] = f"{len(values)} facts, cut"
            break
        plain[text(key, VALUE_LIMIT_CHARACTERS)] = _value(value, depth)
    return plain


def _value(value: object, depth: int) -> Any:
    if depth == 0:
        raise ValueError(f"facts lie more than {DEPTH_LIMIT} deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(str.__str__(value), VALUE_LIMIT_CHARACTERS)
    if isinstance(value, int):
        if abs(value) > INTEGER_LIMIT:
            raise ValueError(f"{value} is beyond what JSON readers keep exactly; record it as text")
        return int(value)
    if isinstance(value, Mapping):
        return _mapping(value, depth - 1)
    if isinstance(value, list | tuple):
        items = [_value(item, depth - 1) for item in value[:ITEMS_LIMIT]]
        return items if len(value) <= ITEMS_LIMIT else [*items, f"{len(value)} items, cut"]
    raise TypeError(f"{value!r} cannot be recorded: facts are text, integers, booleans, and lists and maps of them")
