"""What the rules find in one alert: hits, the hits that were taken back, and whether the text is good news. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from incidents import nearness, wording
from incidents.nearness import Denial, Find, Lexicon, Qualifying
from incidents.ruleset import Condition, Exclusion, Guards, Rule, Ruleset
from incidents.severity import Severity
from incidents.vocabulary import Reading, Span, Term

NEGATION = "negation"  # what takes a hit back, if no exclusion does
NAMING_SURROUNDINGS = ("service", "component")  # those that say what an alert is about
LABELS_MAX = 200
VALUE_CHARACTERS_SHOWN = 80
GOOD_NEWS_WORDS_MAX = 60  # a longer text says too much to be believed for one good word


@dataclass(frozen=True, slots=True)
class Hit:
    rule: Rule
    field: str  # name, title, body or labels
    words: str  # the matched words in the order of the text
    specificity: int
    context: str  # the words that give a CRITICAL rule its context; "" if there are none


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A hit that does not count: denied in the text, or another meaning of the words."""

    rule: Rule
    field: str
    words: str
    by: str  # the exclusion's id, or NEGATION
    because: str  # the words that did it


@dataclass(frozen=True, slots=True)
class Evidence:
    hits: tuple[Hit, ...]  # in the order of the rules
    suppressed: tuple[Suppressed, ...]
    drill: str  # what says that this is a drill or a test; ""
    trouble: str  # the first failing word left undenied, or the words of an excluded hit; "" if there are none
    good_news: str  # words that say all is well; only if there is no trouble


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked through. `fields` by name, title, body; `surroundings`: service, component, environment, source."""

    fields: Mapping[str, str]
    surroundings: Mapping[str, str]
    labels: Mapping[str, str]
    protected: bool


def gather(subject: Subject, ruleset: Ruleset) -> Evidence:
    reading = ruleset.reader.read(subject.fields)
    _end_clauses_after_good_words(reading, ruleset.lexicon)
    _finish_title_with_body(reading, ruleset.lexicon)
    search = _Search(
        ruleset,
        reading,
        around=ruleset.reader.read(subject.surroundings),
        denial=Denial.of(reading, ruleset.lexicon),
        qualifying=Qualifying.of(reading, ruleset.lexicon),
        name=wording.folded(subject.fields.get("name", "")),
        labels=dict(list(subject.labels.items())[:LABELS_MAX]),
        protected=subject.protected,
        contexts={},
    )
    hits: list[Hit] = []
    suppressed: list[Suppressed] = []
    for rule in ruleset.rules:
        found = search.rule(rule)
        if isinstance(found, Hit):
            hits.append(found)
        elif found is not None:
            suppressed.append(found)
    trouble, good_news = _mood(reading, search.denial, ruleset.lexicon)
    excluded = next((taken_back.words for taken_back in suppressed if taken_back.by != NEGATION), "")
    if excluded and not trouble:  # an exclusion may be wrong; then a person should still look
        trouble, good_news = excluded, ""
    drill = _drill(reading, subject.labels, ruleset.guards)
    return Evidence(tuple(hits), tuple(suppressed), drill, trouble, good_news)


@dataclass(slots=True)
class _Search:
    ruleset: Ruleset
    reading: Reading
    around: Reading
    denial: Denial
    qualifying: Qualifying
    name: str
    labels: Mapping[str, str]
    protected: bool
    contexts: dict[str, frozenset[int]]  # rule -> its context words, filled when first needed

    def rule(self, rule: Rule) -> Hit | Suppressed | None:
        """The rule's most specific match; a suppressed one only if no match of it stands."""
        best: Hit | None = None
        taken_back: Suppressed | None = None
        for condition in rule.when:
            if not self.reading.has_all(condition.near_numbers):
                continue
            if best and best.specificity >= condition.specificity:
                continue
            found = self._condition(rule, condition)
            if isinstance(found, Hit):
                best = found
            elif found and not taken_back:
                taken_back = found
        return best or taken_back

    def _condition(self, rule: Rule, condition: Condition) -> Hit | Suppressed | None:
        if condition.names and self.name not in condition.names:
            return None
        if condition.services and not self.around.spans(condition.services):
            return None
        if not all(wording.folded(self.labels.get(key, "")) in values for key, values in condition.labels):
            return None
        if not condition.near:
            return self._exact(rule, condition)
        taken_back = None
        for find in nearness.together(
            self.reading, condition.near, gap=condition.gap, ordered=condition.ordered, across=condition.across
        ):
            field = self.reading.words.field_of(find.first)
            if field not in condition.fields:
                continue
            words = self.reading.shown(find.spans)
            by, because = self._taken_back(rule, find)
            if not by:
                return Hit(rule, field, words, condition.specificity, self._context(rule))
            taken_back = taken_back or Suppressed(rule, field, words, by, because)
        return taken_back

    def _exact(self, rule: Rule, condition: Condition) -> Hit:
        shown = [f"{key}={self.labels[key][:VALUE_CHARACTERS_SHOWN]}" for key, _ in condition.labels]
        if condition.names:
            shown.insert(0, self.name[:VALUE_CHARACTERS_SHOWN])
        field = "name" if condition.names else "labels"
        return Hit(rule, field, wording.normalise(" ".join(shown)), condition.specificity, self._context(rule))

    def _taken_back(self, rule: Rule, find: Find) -> tuple[str, str]:
        negator = self.denial.by(find)
        if negator is not None:
            return NEGATION, self.reading.words.text[negator]
        if not self.protected:
            for exclusion in self.ruleset.exclusions:
                if rule.id in exclusion.rules:
                    because = self._excluded(exclusion, rule, find)
                    if because:
                        return exclusion.id, because
        return "", ""

    def _excluded(self, exclusion: Exclusion, rule: Rule, find: Find) -> str:
        """In the text; or by the service's or component's name, unless the text itself gives the rule its context.

        The source and the environment do not count: that Azure reports a key does not make it Azure's key.
        """
        if rule.id not in self.contexts:
            self.contexts[rule.id] = self.reading.places(rule.context) if rule.context else frozenset()
        because = nearness.excluded_by(
            self.reading, find, exclusion.words, qualifying=self.qualifying, context=self.contexts[rule.id]
        )
        if because or self._context_words(self.reading, rule.context):
            return because
        for span in self.around.spans(exclusion.words):
            if self.around.words.field_of(span[0]) in NAMING_SURROUNDINGS:
                return self.around.shown([span])
        return ""

    def _context(self, rule: Rule) -> str:
        return self._context_words(self.reading, rule.context) or self._context_words(self.around, rule.context)

    @staticmethod
    def _context_words(reading: Reading, context: Term | None) -> str:
        return reading.shown(reading.spans(context)[:1]) if context else ""


def _drill(reading: Reading, labels: Mapping[str, str], guards: Guards) -> str:
    for key in sorted(labels):
        if wording.folded(key) in guards.drill_labels and wording.folded(labels[key]) in ("true", "yes", "1"):
            return f"label {wording.normalise(key)} says so"
    spans = reading.spans(guards.drill_words)
    if spans:
        return f"the text says '{reading.shown(spans[:1])}'"
    words = reading.words
    first, end = words.fields["title"]
    alone = first < end and (first + 1 == end or words.phrases[first + 1] != words.phrases[first])
    if alone and words.text[first] in guards.drill_markers:
        return f"the title begins with '{words.text[first]}'"
    return ""


def _end_clauses_after_good_words(reading: Reading, lexicon: Lexicon) -> None:
    """ "Signature verified and backup failed" are two clauses."""
    ends = {last for _, last in reading.spans(lexicon.fine)}
    words = reading.words
    split_of = fresh = 0
    for place, clause in enumerate(words.clauses):
        if place - 1 in ends and words.text[place] == "and":
            split_of, fresh = clause, -place
        if fresh and clause == split_of:
            words.clauses[place] = fresh


def _finish_title_with_body(reading: Reading, lexicon: Lexicon) -> None:
    """A title that only names a check ("Hash chain verification") is one clause with the body's first ("broken at 7")."""
    words = reading.words
    first, end = words.fields.get("title", (0, 0))
    body, body_end = words.fields.get("body", (0, 0))
    if body == body_end or not any(last == end - 1 for _, last in reading.spans(lexicon.check)):
        return
    if any(first <= at < end for term in (lexicon.failing, lexicon.fine) for at, _ in reading.spans(term)):
        return
    clause = words.clauses[body]
    for place in range(body, body_end):
        if words.clauses[place] != clause:
            break
        words.clauses[place] = words.clauses[end - 1]


def _mood(reading: Reading, denial: Denial, lexicon: Lexicon) -> tuple[str, str]:
    """(trouble, good news). Good news needs a word that says so and not one failing word or stray "not".

    What a "not" takes from a rule does not count: "the second channel did not see the halt" is anything but good news.
    """
    denying: dict[int, Span] = {}
    for span in reading.spans(lexicon.failing):
        negator = denial.by(Find((span,)))
        if negator is None or span[1] not in denial.countable:  # "no rollback" and "cannot delete" are no good news
            return reading.shown([span]), ""
        denying.setdefault(negator, span)
    fine = reading.spans(lexicon.fine)
    ends = {last for _, last in fine}
    stray = min((at for at in denial.negators - denying.keys() if denial.denies(at) or at - 1 in ends), default=None)
    if stray is not None:
        return reading.words.text[stray], ""
    partial = _partial(reading.words.text, denying)
    if partial:
        return partial, ""
    if len(reading.words.text) > GOOD_NEWS_WORDS_MAX:
        return "", ""
    if fine:
        return "", reading.shown(fine[:1])
    return "", next((f"{reading.words.text[at]} {reading.shown([span])}" for at, span in denying.items()), "")


def _partial(words: list[str], denying: Collection[int]) -> str:
    """ "4999 of 5000": some are left over. "0 of 5000 failed" was understood already."""
    for at, (some, of, whole) in enumerate(zip(words, words[1:], words[2:], strict=False)):
        if of == "of" and some.isdigit() and whole.isdigit() and some != whole and at not in denying:
            return f"{some} of {whole}"
    return ""


def informs_only(hit: Hit) -> bool:
    """An INFO rule about words, which counts only where nothing in the text speaks of trouble."""
    return hit.rule.severity is Severity.INFO and hit.specificity == 1
