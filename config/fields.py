"""Reading the mappings of a declared file key by key, into values of the type they should have. Pure.

A key that is absent, empty or null is absent. What cannot be used is added to the problems and read as the default,
or as nothing at all, so that reading goes on and finds the next problem; whoever builds something from the values
first looks whether there were any (`sound`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from config import declaration, durations
from config.declaration import Document, Path, Problems

NAME_CHARACTERS_MAX = 200
INTEGER_MAX = 1_000_000_000


class Fields:
    """One mapping of the document. Every key that is read becomes a known one (see Document.refuse_unread)."""

    def __init__(self, document: Document, path: Path, problems: Problems) -> None:
        """Something else than a mapping is a problem, and reads as an empty one."""
        self.path = path
        self._document = document
        self._problems = problems
        value = document.get(path)
        if value is not None and not isinstance(value, dict):
            problems.add(path, "must hold keys and values")

    @property
    def sound(self) -> bool:
        """So far nothing in this mapping, at any depth, was found to be a problem."""
        return not self._problems.touch(self.path)

    @property
    def name(self) -> str:
        """The key that this mapping is the value of."""
        return str(self.path[-1])

    def refuse(self, key: str, message: str) -> None:
        self.refuse_at((*self.path, key), message)

    def refuse_at(self, path: Path, message: str) -> None:
        self._problems.add(path, message)

    def has(self, key: str) -> bool:
        return self._document.ask(self.path, key) is not None

    def text(self, key: str, *, required: bool = False, characters_max: int = NAME_CHARACTERS_MAX) -> str:
        """As written, so that an unquoted +351910000001 keeps its plus; empty if absent."""
        value = self._ask(key, required)
        if value is None:
            return ""
        return self._checked_text((*self.path, key), value, characters_max)

    def integer(self, key: str, *, default: int | None = None, minimum: int = 0, maximum: int = INTEGER_MAX) -> int:
        """Required if there is no default."""
        value = self._ask(key, required=default is None)
        if value is None:
            return default or 0
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
            return value
        self.refuse(key, f"must be a whole number from {minimum} to {maximum}")
        return default or 0

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._ask(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.refuse(key, "must be true or false")
        return default

    def seconds(
        self, key: str, *, default: int | None = None, minimum: int = 0, maximum: int = durations.DURATION_SECONDS_MAX
    ) -> int:
        """A duration such as `15m`. Required if there is no default."""
        written = self.text(key, required=default is None)
        if not written:
            return default or 0
        try:
            seconds = durations.to_seconds(written)
        except durations.DurationError as refused:
            self.refuse(key, str(refused))
            return default or 0
        if not minimum <= seconds <= maximum:
            limits = f"from {durations.to_text(minimum)} to {durations.to_text(maximum)}"
            self.refuse(key, f"must be a duration {limits}, not {written}")
        return seconds

    def choice(self, key: str, among: Collection[str], *, default: str = "") -> str:
        """One of the words. Required if there is no default."""
        written = self.text(key, required=not default)
        if written and written not in among:
            self.refuse(key, f'no such value "{declaration.shown(written)}"; {declaration.suggestion(written, among)}')
        return written if written in among else default

    def texts(self, key: str, *, required: bool = False, characters_max: int = NAME_CHARACTERS_MAX) -> dict[Path, str]:
        """The texts of a list, in order, each with its path; what is not a text is a problem and left out."""
        found: dict[Path, str] = {}
        for index, value in enumerate(self._list(key, required)):
            path = (*self.path, key, index)
            if text := self._checked_text(path, value, characters_max):
                found[path] = text
        return found

    def pairs(self, key: str, *, characters_max: int = NAME_CHARACTERS_MAX) -> dict[str, str]:
        """A mapping of names that the file's author chose to texts, as written."""
        value = self._ask(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(key, "must hold names, each with a text")
            return {}
        found: dict[str, str] = {}
        for name in value:
            self._document.ask((*self.path, key), name)
            found[str(name)] = self._checked_text((*self.path, key, name), value[name], characters_max)
        return found

    def each(self, key: str, *, required: bool = False) -> list[Fields]:
        """A list of mappings."""
        count = len(self._list(key, required))
        return [Fields(self._document, (*self.path, key, index), self._problems) for index in range(count)]

    def inner(self, key: str) -> Fields:
        """A mapping with keys of its own; one that is absent has none."""
        self._document.ask(self.path, key)
        return Fields(self._document, (*self.path, key), self._problems)

    def entries(self, key: str) -> dict[str, Fields]:
        """A mapping of names that the file's author chose to mappings: `responders`, `policies`."""
        value = self._ask(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(key, "must hold names, and keys and values under each")
            return {}
        return {name: Fields(self._document, (*self.path, key, name), self._problems) for name in value}

    def _ask(self, key: str, required: bool = False) -> Any:
        value = self._document.ask(self.path, key)
        if value is None and required:
            self.refuse(key, "is missing")
        return value

    def _list(self, key: str, required: bool) -> list[Any]:
        value = self._ask(key, required)
        if value is None or isinstance(value, list):
            if value == [] and required:
                self.refuse(key, "is empty")
            return value or []
        self.refuse(key, "must be a list")
        return []

    def _checked_text(self, path: Path, value: Any, characters_max: int) -> str:
        text = self._document.written.get(path, "").strip()
        if isinstance(value, (dict, list)) or not text:
            self._problems.add(path, "must be a text")
        elif len(text) > characters_max:
            self._problems.add(path, f"is longer than {characters_max} characters")
        return text


def root(document: Document, problems: Problems) -> Fields:
    """The top level, whose keys are the sections."""
    return Fields(document, (), problems)
