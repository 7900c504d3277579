"""Finding a rule's words near each other, and what takes a find back: a negation or a listed exclusion. Pure.

Everything here is linear in the length of the text: a window slides once over the words found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from incidents.vocabulary import Reading, Span, Term

GAP_WORDS = 5  # by default: other words allowed between two neighbours of a rule's words
NEGATION_REACH_WORDS = 6  # between "no" and what it denies
ZERO_REACH_WORDS = 2  # between what is counted and its zero: "failures found: 0"
EXCLUSION_BEFORE_WORDS = 5  # "Slack webhook request signature"
EXCLUSION_AFTER_WORDS = 4  # to the preposition in "signature invalid for a GitHub webhook"
EXCLUSION_OBJECT_WORDS = 1  # between that preposition and the exclusion, articles and the like not counted
EXCLUSION_WORDS_MAX = 4  # of one excluding phrase
DENYING_NOUNS = ("no", "without", "zero")  # these can begin a rule's phrase and yet deny what follows it


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word families that the machinery itself needs; a ruleset must declare each under `words:`."""

    negator: Term  # no, not, without, none, 0
    light: Term  # what may stand between a negator and what it denies
    subject: Term  # nouns of which failures are counted: "no signature failures"
    countable: Term  # troubles whose denial is good news, also by a zero behind: "failures: 0", but not "pool low: 0"
    reporting: Term  # after these a 0 counts something; after others it is a number: "found 0", "replica 0"
    failing: Term  # any of these, not denied, and the text is not good news
    fine: Term  # good news
    check: Term  # a title that ends so is finished by the body: "Hash chain verification" / "broken at 7"
    preposition: Term


@dataclass(frozen=True, slots=True)
class Find:
    """One place where all of a rule's words stand together; `spans` in the order of the text."""

    spans: tuple[Span, ...]

    @property
    def first(self) -> int:
        return self.spans[0][0]

    @property
    def last(self) -> int:
        return self.spans[-1][1]


def together(
    reading: Reading, groups: Sequence[Term], *, gap: int = GAP_WORDS, ordered: bool = False, across: bool = False
) -> Iterator[Find]:
    """Every narrowest stretch with one word of each group and at most `gap` other words per neighbouring pair.

    The words must stand in one clause of one field (`across`: one field) and, if `ordered`, in the groups' order.
    """
    found = sorted((span, group) for group, term in enumerate(groups) for span in reading.spans(term))
    latest: list[Span | None] = [None] * len(groups)
    for span, group in found:
        latest[group] = span
        spans = [s for s in latest if s is not None]
        if len(spans) < len(groups):
            continue
        in_order = sorted(spans)
        if ordered and in_order != spans:
            continue
        if any(left[1] >= right[0] for left, right in pairwise(in_order)):
            continue  # one word cannot stand for two
        first, last = in_order[0][0], in_order[-1][1]
        others = last - first + 1 - sum(s[1] - s[0] + 1 for s in spans)
        if others <= gap * (len(groups) - 1) and _joined(reading, first, last, across=across):
            yield Find(tuple(in_order))


def _joined(reading: Reading, first: int, last: int, *, across: bool) -> bool:
    words = reading.words
    if across:
        return words.field_of(first) == words.field_of(last)
    return words.clauses[first] == words.clauses[last]


@dataclass(slots=True)
class Denial:
    """What in this text denies what. `by` answers with the place of the denying word, or None."""

    reading: Reading
    lexicon: Lexicon
    negators: frozenset[int]
    between: frozenset[int]
    countable: frozenset[int]
    reporting: frozenset[int]
    failing: frozenset[int]

    @classmethod
    def of(cls, reading: Reading, lexicon: Lexicon) -> Denial:
        return cls(
            reading,
            lexicon,
            reading.places(lexicon.negator),
            reading.places(lexicon.light) | reading.places(lexicon.subject),
            reading.places(lexicon.countable),
            reading.places(lexicon.reporting),
            reading.places(lexicon.failing),
        )

    def by(self, find: Find) -> int | None:
        if self._counted_after(find.last):
            return None
        for n, (first, last) in enumerate(find.spans):
            back_to = find.spans[n - 1][1] if n else -1
            negator = self._before(first, back_to)
            if negator is not None:
                return negator
            if self.reading.words.text[first] in DENYING_NOUNS and self._goes_on_to_fail(last):
                return first
        return self._zero_after(find.last)

    def _before(self, place: int, back_to: int) -> int | None:
        """ "no new signature failures", "did not fail", "0 of 5000 signatures failed"."""
        words = self.reading.words
        for at in range(place - 1, max(back_to, place - 1 - NEGATION_REACH_WORDS), -1):
            if words.phrases[at] != words.phrases[place]:
                return None
            if at in self.negators:
                return at if self.denies(at) else None
            if at not in self.between and not words.text[at].isdigit():
                return None
        return None

    def _goes_on_to_fail(self, last: int) -> bool:
        """ "no quorum" is a failure, but "no quorum failures" is none."""
        words = self.reading.words
        for at in range(last + 1, min(last + 1 + NEGATION_REACH_WORDS, len(words.text))):
            if words.phrases[at] != words.phrases[last]:
                return False
            if at in self.failing:
                return True
            if at not in self.between:
                return False
        return False

    def denies(self, at: int) -> bool:
        words = self.reading.words
        if words.text[at] == "no":  # "event no 5"
            return not (at + 1 < len(words.text) and words.text[at + 1].isdigit())
        if words.text[at].isdigit():  # "sequence 0 broken" counts nothing
            return at == 0 or words.phrases[at - 1] != words.phrases[at] or at - 1 in self.reporting
        return True

    def _counted_after(self, last: int) -> bool:
        """ "errors: 0 signature failures: 3": the 0 belongs to the errors."""
        words, at = self.reading.words, last + 1
        if at >= len(words.text) or not words.text[at].strip("0").isdigit() or words.phrases[at] == words.phrases[last]:
            return False
        ends = at + 1 == len(words.text) or words.phrases[at + 1] != words.phrases[at]
        return ends and words.clauses[at] == words.clauses[last]

    def _zero_after(self, last: int) -> int | None:
        """ "failures: 0", "mismatches found: none", but neither "failed: 0 replicas left" nor "pool low: 0"."""
        words = self.reading.words
        if last not in self.countable:
            return None
        at = last + 1
        while at < min(last + 1 + ZERO_REACH_WORDS, len(words.text)) and at in self.between:
            at += 1
        if at >= len(words.text) or at not in self.negators or words.clauses[at] != words.clauses[last]:
            return None
        ends = at + 1 == len(words.text) or words.phrases[at + 1] != words.phrases[at]
        counts = words.text[at].isdigit() or words.text[at] in ("none", "nil", "zero")
        return at if counts and (ends or words.text[at + 1] in ("and", "or")) else None


@dataclass(frozen=True, slots=True)
class Qualifying:
    """What in this text ties an excluding word to what stands before it."""

    prepositions: frozenset[int]
    light: frozenset[int]

    @classmethod
    def of(cls, reading: Reading, lexicon: Lexicon) -> Qualifying:
        return cls(reading.places(lexicon.preposition), reading.places(lexicon.light))

    def behind_preposition(self, place: int, last: int) -> bool:
        """Whether the word at `place` is what a preposition soon after `last` leads to: "… for the GitHub webhook"."""
        others = 0
        for at in range(place - 1, last, -1):
            if at in self.prepositions:
                return at <= last + EXCLUSION_AFTER_WORDS
            others += at not in self.light
            if others > EXCLUSION_OBJECT_WORDS:
                return False
        return False


def excluded_by(reading: Reading, find: Find, term: Term, *, qualifying: Qualifying, context: frozenset[int]) -> str:
    """The words of `term` that qualify this find, or "".

    They count where English puts what a thing belongs to: before it, between the rule's words, or behind a preposition.
    So a sentence about TLS that follows one about the event store hides nothing. Nor do they count where one of the
    rule's own `context` words stands nearer: "after the etcd restart the council lost quorum".
    """
    words = reading.words
    spans = reading.spans(term)
    nearest = find.first - EXCLUSION_BEFORE_WORDS - EXCLUSION_WORDS_MAX
    farthest = find.last + EXCLUSION_AFTER_WORDS + 2 * EXCLUSION_OBJECT_WORDS + 1
    for first, last in spans[bisect_left(spans, (nearest, 0)) :]:
        if first > farthest:
            break
        if words.clauses[first] != words.clauses[find.first]:
            continue
        if first <= find.last:
            between = range(last + 1, find.first)
            qualifies = last >= find.first - EXCLUSION_BEFORE_WORDS
        else:
            between = range(find.last + 1, first)
            qualifies = qualifying.behind_preposition(first, find.last)
        if qualifies and not any(at in context for at in between):
            return reading.shown([(first, last)])
    return ""
