"""Writing values as the declared file's language, so that `config.declaration` reads back the same. Pure.

Short values stand on one line in braces, as people write them; a text is quoted unless it can be nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LINE_CHARACTERS_MAX = 110
INDENT = "  "

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_]*([ ./+-][A-Za-z0-9_]+)*")
_BARE_DURATION = re.compile(r"([0-9]+(s|m|h|d|w|mo))+")
_TYPED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})  # to this reader or to others
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with a comment after it. In lists only."""

    value: Any
    comment: str


def to_text(value: Mapping[str, Any]) -> str:
    """Mappings of texts, numbers, truth values, lists and mappings. What is None or empty is left out."""
    return "".join(f"{line}\n" for line in _lines(_without_empty(value)))


def variable(name: str) -> str:
    """A value that is read from the environment."""
    return f"\0{name}"


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, each in value.items():
        name = _scalar(key, is_key=True)
        inline = _inline(each)
        fits = inline is not None and len(inline) + len(name) <= LINE_CHARACTERS_MAX
        if fits or not isinstance(each, Mapping | Sequence) or isinstance(each, str):
            yield f"{name}: {inline}"
        elif isinstance(each, Mapping):
            yield f"{name}:"
            yield from (f"{INDENT}{line}" for line in _lines(each))
        else:
            yield f"{name}:"
            yield from (f"{INDENT}{line}" for item in each for line in _item(item))


def _item(item: Any) -> Iterator[str]:
    comment = ""
    if isinstance(item, Noted):
        item, comment = item.value, f"  # {item.comment}"
    inline = _inline(item, is_nested=True)
    if inline is None or (isinstance(item, Mapping) and len(inline) > LINE_CHARACTERS_MAX):
        first, *rest = _lines(item)
        yield f"- {first}{comment}"
        yield from (f"{INDENT}{line}" for line in rest)
    else:
        yield f"- {inline}{comment}"


def _inline(value: Any, *, is_nested: bool = False) -> str | None:
    """On one line; None for what reads better on several, unless it stands inside a list."""
    if isinstance(value, Mapping):
        if not is_nested and any(map(_holds_mappings, value.values())):
            return None
        parts = [(key, _inline(each, is_nested=True)) for key, each in value.items()]
        if any(part is None for _, part in parts):
            return None
        return "{" + ", ".join(f"{_scalar(key, is_key=True)}: {part}" for key, part in parts) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(each, Noted) for each in value):
            return None
        if not is_nested and _holds_mappings(value):
            return None
        return "[" + ", ".join(str(_inline(each, is_nested=True)) for each in value) + "]"
    return _scalar(value)


def _holds_mappings(value: Any) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return isinstance(value, Mapping)
    return any(isinstance(each, Mapping | Noted) for each in value)


def _scalar(value: Any, *, is_key: bool = False) -> str:
    """Variables stand in values only."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    if text.startswith("\0"):
        return f'"${{{text[1:]}}}"'
    if (_BARE.fullmatch(text) or _BARE_DURATION.fullmatch(text)) and text.lower() not in _TYPED:
        return text
    return '"' + "".join(map(_escaped, text if is_key else text.replace("${", "$${"))) + '"'


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        held = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in held.items() if not _is_empty(each)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_empty(each) for each in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | Mapping | Sequence) and not value)
