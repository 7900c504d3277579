"""Reading values out of parsed YAML: every mistake is noted with file, rule and field, and reading goes on. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from incidents.vocabulary import Term, TermError, Vocabulary

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(slots=True)
class Raw:
    """One mapping of a file, and where it stands."""

    file: str
    where: str  # a rule's or exclusion's id, or a section; may be ""
    values: Mapping[Any, Any]
    problems: list[str] = field(default_factory=list)  # shared by all of a ruleset

    def problem(self, key: str, what: str) -> None:
        self.problems.append(": ".join(part for part in (self.file, self.where, key, what) if part))

    def expect(self, known: Sequence[str], needed: Sequence[str] = ()) -> None:
        for key in self.values:
            if key not in known:
                self.problem(str(key), f"is not known here; known are {', '.join(known)}")
        for key in needed:
            if self.values.get(key) in (None, "", [], {}):
                self.problem(key, "is missing")

    def text(self, key: str) -> str:
        return self._text(key, self.values.get(key, ""))

    def texts(self, key: str) -> list[str]:
        """A list of texts, or one text."""
        value = self.values.get(key, [])
        return [self._text(key, entry) for entry in (value if isinstance(value, list) else [value])]

    def flag(self, key: str) -> bool:
        return bool(self._of_kind(key, self.values.get(key, False), bool, "true or false"))

    def whole(self, key: str, default: int, most: int) -> int:
        value = self.values.get(key, default)
        if type(value) is int and 0 <= value <= most:
            return value
        self.problem(key, f"is {value!r}; it must be a whole number from 0 to {most}")
        return default

    def choice(self, key: str, kinds: type[Choice]) -> Choice | None:
        value = self.values.get(key)
        if value in list(kinds):
            return kinds(str(value))
        self.problem(key, f"is {value!r}, not one of {', '.join(kinds)}")
        return None

    def term(self, key: str, vocabulary: Vocabulary) -> Term | None:
        """None if there is none, or a wrong one."""
        return next(iter(self.terms(key, vocabulary)), None) if key in self.values else None

    def terms(self, key: str, vocabulary: Vocabulary) -> list[Term]:
        found = []
        for text in self.texts(key):
            try:
                found.append(vocabulary.term(text))
            except TermError as error:
                self.problem(key, str(error))
        return found

    def inner(self, key: str, where: str = "") -> Raw:
        """The mapping under `key`; an empty one if there is none."""
        found = self._of_kind(key, self.values.get(key, {}), dict, "a mapping")
        return Raw(self.file, where or self.where, found or {}, self.problems)

    def each(self, key: str, name: str = "") -> Iterator[Raw]:
        """The mappings listed under `key`, each at the place called by its `id`, or by `name`."""
        for entry in self._of_kind(key, self.values.get(key, []), list, "a list") or []:
            found = self._of_kind(key, entry, dict, "a mapping") or {}
            here = str(found.get("id") or "") if name else ""
            yield Raw(self.file, here or name or self.where, found, self.problems)

    def _text(self, key: str, value: Any) -> str:
        if isinstance(value, str):
            return value.strip()
        self.problem(key, f"is {value!r}, not text; put it in quotes")
        return ""

    def _of_kind(self, key: str, value: Any, kind: type, name: str) -> Any:
        if isinstance(value, kind):
            return value
        self.problem(key, f"is {value!r}, not {name}")
        return None
