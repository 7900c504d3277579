"""What applying a declared configuration changes, told in lines for people. Pure.

A line begins with what happens: `+ responder ana (Ana Lima)`, `~ policy standard: levels[2].after 15m -> 20m`,
`- schedule old`. Values stand as the file writes them, and places are counted as its problems count them, from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

SHOWN_CHARACTERS_MAX = 200  # of one value in a line
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Change:
    sign: Literal["+", "~", "-"]
    what: str  # `policy standard`
    where: str = ""  # of a `~`: what in it, `levels[2].after`
    says: str = ""  # the rest of the line

    def __str__(self) -> str:
        if self.sign == "~":
            return f"~ {self.what}: " + " ".join(filter(None, (self.where, self.says)))
        return f"{self.sign} {self.what} {self.says}".rstrip()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one thing, for the audit."""

    action: Literal["added", "changed", "removed"]
    what: str
    text: str
    before: Mapping[str, Any] | None  # as the file writes it; None: it was not there, or its value is not told
    after: Mapping[str, Any] | None


class Changes:
    """Collects what is changed, in order. True if anything is. Warnings are no change: they come again every time."""

    def __init__(self) -> None:
        self.made: list[Change] = []
        self.recorded: list[Recorded] = []
        self.moved: list[str] = []  # what a dry run would change for whom
        self.warnings: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.made)

    @property
    def lines(self) -> list[str]:
        return [str(change) for change in self.made]

    def added(self, what: str, says: str = "", *, after: Any = None) -> None:
        self.made.append(Change("+", what, says=says))
        self.recorded.append(Recorded("added", what, str(self.made[-1]), None, _mapping(after)))

    def removed(self, what: str, says: str = "", *, before: Any = None) -> None:
        self.made.append(Change("-", what, says=says))
        self.recorded.append(Recorded("removed", what, str(self.made[-1]), _mapping(before), None))

    def told(self, what: str, sentence: str) -> None:
        """A change that lies in no value: whose a thing is."""
        self.made.append(Change("~", what, says=sentence))
        self.recorded.append(Recorded("changed", what, str(self.made[-1]), None, None))

    def changed(self, what: str, before: Any, after: Any, *, otherwise: str) -> None:
        """A line for each difference. `otherwise` tells of one that lies in what is not shown."""
        found = [
            Change("~", what, where, f"{shown(old)} -> {shown(new)}") for where, old, new in _between(before, after)
        ]
        found = found or [Change("~", what, says=otherwise)]
        self.made += found
        self.recorded.append(Recorded("changed", what, "\n".join(map(str, found)), _mapping(before), _mapping(after)))

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)


def shown(value: Any) -> str:
    """One line, without anything that a terminal would obey; an over-long one is cut."""
    line = "".join(letter if letter.isprintable() else " " for letter in _written(value))
    return line if len(line) <= SHOWN_CHARACTERS_MAX else f"{line[:SHOWN_CHARACTERS_MAX]}…"


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if value is None or isinstance(value, Mapping) else {"value": value}


def _written(value: Any) -> str:
    if _is_empty(value):
        return NOTHING
    if isinstance(value, Mapping):
        held = ((key, each) for key, each in value.items() if not _is_empty(each))
        return "{" + ", ".join(f"{key}: {_written(each)}" for key, each in held) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_written, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _between(before: Any, after: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(where, before, after) of each difference: as deep as mappings go, and into lists of mappings."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _between(before.get(key), after.get(key), f"{where}.{key}" if where else str(key))
    elif _holds_mappings(before) and _holds_mappings(after):
        for index, (old, new) in enumerate(zip_longest(before, after)):
            yield from _between(old, new, f"{where}[{index}]")
    elif before != after and not (_is_empty(before) and _is_empty(after)):
        yield where, before, after


def _holds_mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
