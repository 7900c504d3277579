"""The words that rules look for, compiled once, and where they stand in one alert. Pure.

A *term* is what a rule writes as one string: phrases separated by `|`. A phrase is one or more words that must follow
each other; a word may end in `*` (any ending), be `<number>` or `<nonzero>`, and `$name` stands for a word family
declared under `words:`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from incidents import wording
from incidents.wording import Words

NUMBER, NONZERO = "<number>", "<nonzero>"
PREFIX_CHARACTERS_MIN = 3  # `ha*` would match half the dictionary
FAMILY_DEPTH_MAX = 5

Span = tuple[int, int]  # first and last word of a phrase in the text
Phrase = tuple[str, ...]


class TermError(ValueError):
    """A term that cannot be compiled; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Term:
    number: int  # in its vocabulary
    text: str  # as the rule wrote it
    phrases: frozenset[Phrase]


@dataclass(slots=True)
class _Branch:
    """The phrases that begin with one word: which terms end there, and how the others go on."""

    ends: list[int] = field(default_factory=list)
    by_next: dict[str, list[tuple[int, Phrase]]] = field(default_factory=dict)  # word, beginning or NUMBER -> the rest

    def add(self, term: int, rest: Phrase) -> None:
        if not rest:
            self.ends.append(term)
            return
        following = rest[0]
        if following.endswith("*"):
            key = following[:PREFIX_CHARACTERS_MIN] + "*"
        else:
            key = NUMBER if following == NONZERO else following
        self.by_next.setdefault(key, []).append((term, rest))

    def going_on(self, following: str) -> Iterator[tuple[int, Phrase]]:
        for key in (following, following[:PREFIX_CHARACTERS_MIN] + "*", NUMBER):
            if key in self.by_next:
                yield from self.by_next[key]


@dataclass(slots=True)
class Vocabulary:
    """Compiles terms, then reads texts. `families` are the lists under `words:` by name without the `$`."""

    families: Mapping[str, Sequence[str]]
    _terms: dict[str, Term] = field(default_factory=dict)
    _exact: dict[str, _Branch] = field(default_factory=dict)  # by a phrase's first word
    _prefix: dict[str, _Branch] = field(default_factory=dict)  # by its beginning, if it ends in *
    _known: set[str] = field(default_factory=set)
    used_families: set[str] = field(default_factory=set)

    def term(self, text: str) -> Term:
        """Raises TermError."""
        if text not in self._terms:
            phrases = frozenset(self._phrases(text, depth=0))
            if not phrases:
                raise TermError("has no words")
            term = Term(len(self._terms), text, phrases)
            for phrase in sorted(phrases):
                index, first = (self._prefix, phrase[0][:-1]) if phrase[0].endswith("*") else (self._exact, phrase[0])
                index.setdefault(first, _Branch()).add(term.number, phrase[1:])
                self._known.update(word.rstrip("*") for word in phrase)
            self._terms[text] = term
        return self._terms[text]

    def _phrases(self, text: str, depth: int) -> list[Phrase]:
        if depth > FAMILY_DEPTH_MAX:
            raise TermError("the word families refer to each other in a circle")
        found: list[Phrase] = []
        for alternative in (part.strip() for part in text.split("|")):
            if alternative.startswith("$"):
                name = alternative[1:]
                if name not in self.families:
                    raise TermError(f"there is no word family ${name}")
                self.used_families.add(name)
                for entry in self.families[name]:
                    found += self._phrases(entry, depth + 1)
            elif alternative:
                found.append(_phrase(alternative))
        return found

    @property
    def prefix_lengths(self) -> list[int]:
        return sorted({len(prefix) for prefix in self._prefix})

    def reader(self) -> TextReader:
        """For reading any number of texts; terms compiled later are not seen by it."""
        return TextReader(self._exact, self._prefix, self.prefix_lengths, frozenset(self._known))


def _phrase(text: str) -> Phrase:
    words: list[str] = []
    for written in text.split():
        if written in (NUMBER, NONZERO):
            words.append(written)
            continue
        stem = written.removesuffix("*")
        if any(sign in stem for sign in "*$<>#"):
            raise TermError(f"'{written}': only letters and digits, * at the end, $family, {NUMBER} and {NONZERO}")
        parts = wording.Reader(()).read({"": stem.casefold()}).text
        if not parts:
            raise TermError(f"'{written}' has no letters or digits")
        if stem != written:
            if len(parts[-1]) < PREFIX_CHARACTERS_MIN:
                raise TermError(f"'{written}': at least {PREFIX_CHARACTERS_MIN} letters before *")
            parts[-1] += "*"
        words += parts
    return tuple(words)


def matches(pattern: str, word: str) -> bool:
    if pattern[-1] == "*":
        return word.startswith(pattern[:-1])
    if pattern in (NUMBER, NONZERO):
        return word.isdigit() and (pattern == NUMBER or bool(word.strip("0")))
    return word == pattern


@dataclass(slots=True)
class TextReader:
    _exact: Mapping[str, _Branch]
    _prefix: Mapping[str, _Branch]
    _prefix_lengths: Sequence[int]
    _known: frozenset[str]

    def read(self, fields: Mapping[str, str]) -> Reading:
        words = wording.Reader(self._known).read(fields)
        occurrences: dict[int, list[Span]] = {}
        following = [*words.text[1:], ""]
        for place, word in enumerate(words.text):
            for branch in self._branches(word):
                for term in branch.ends:
                    occurrences.setdefault(term, []).append((place, place))
                for term, rest in branch.going_on(following[place]) if branch.by_next else ():
                    if _follows(words, place, rest):
                        occurrences.setdefault(term, []).append((place, place + len(rest)))
        return Reading(words, occurrences)

    def _branches(self, word: str) -> list[_Branch]:
        found = [self._exact.get(word)]
        for length in self._prefix_lengths:
            if length > len(word):
                break
            found.append(self._prefix.get(word[:length]))
        if word.isdigit():
            found.append(self._exact.get(NUMBER))
            if word.strip("0"):
                found.append(self._exact.get(NONZERO))
        return [branch for branch in found if branch]


def _follows(words: Words, place: int, rest: Phrase) -> bool:
    last = place + len(rest)
    if last >= len(words.text) or words.clauses[last] != words.clauses[place]:
        return False
    return all(matches(pattern, words.text[place + 1 + n]) for n, pattern in enumerate(rest))


@dataclass
class Reading:
    """One alert's words, and where each term occurs in them, in the order of the text."""

    words: Words
    _occurrences: dict[int, list[Span]]

    def spans(self, term: Term) -> Sequence[Span]:
        return self._occurrences.get(term.number, ())

    def has_all(self, numbers: Set[int]) -> bool:
        """Whether each of these terms, by number, occurs at all."""
        return numbers <= self._occurrences.keys()

    def places(self, term: Term) -> frozenset[int]:
        """Every word that belongs to an occurrence of the term."""
        return frozenset(place for first, last in self.spans(term) for place in range(first, last + 1))

    def shown(self, spans: Sequence[Span]) -> str:
        return " ".join(" ".join(self.words.text[first : last + 1]) for first, last in sorted(spans))
