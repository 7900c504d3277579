"""A screen over sentences: does this one tell somebody to do harm to a protected object? Pure.

It is a screen, not a proof. It reads a verb near a noun, and knows the commonest ways of saying the opposite ("never
skip", "nobody may shorten"), of asking ("whether anyone bypassed"), and of hiding one ("do not hesitate to skip").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

GAP_WORDS_MAX = 5
NEGATION_WORDS_MAX = 12
SENTENCE_CHARACTERS_MAX = 2_000  # of a longer one, the beginning is read

_BYPASS_VERB = (
    r"skip(?:s|ped|ping)?|bypass(?:es|ed|ing)?|disabl(?:es?|ed|ing)|forc(?:es?|ed|ing)|overrid(?:es?|den|ing)|overrode"
    r"|shorten(?:s|ed|ing)?|delet(?:es?|ed|ing)|rewrit(?:es?|ten|ing)|rewrote|ignor(?:es?|ed|ing)|truncat(?:es?|ed|ing)"
    r"|circumvent(?:s|ed|ing)?|suppress(?:es|ed|ing)?|eras(?:es?|ed|ing)|wip(?:es?|ed|ing)"
    r"|(?:turn|switch)(?:s|es|ed|ing)? off|work(?:s|ed|ing)? around|cut(?:s|ting)? short|(?-i:DEL|UNLINK|DROP TABLE)"
)
_RELEASE_VERB = r"clear(?:s|ing)?|reset(?:s|ting)?|lift(?:s|ing)?|remov(?:es?|ing)|releas(?:es?|ing)"
_SHORTEN_VERB = (
    r"shorten(?:s|ed|ing)?|reduc(?:es?|ed|ing)|skip(?:s|ped|ping)?|waiv(?:es?|ed|ing)|bypass(?:es|ed|ing)?"
    r"|cut(?:s|ting)? short|cut(?:s|ting)?|abbreviat(?:es?|ed|ing)|overrid(?:es?|den|ing)|ignor(?:es?|ed|ing)"
)
_KEY = r"(?<!redis )(?<!cache )(?<!primary )(?<!foreign )(?<!dedup )(?<!routing )(?<!idempotency )(?<!sort )keys?(?! metric)"
_PROTECTED = (
    rf"halt(?:s|ed)?|hash ?chain|signatures?|witness(?:es)?|quorum|{_KEY}|waiting period|recovery wait|hour wait|holds?"
    r"|audit (?:log|trail)|timeline"
)
_HOLD = r"waiting period|recovery wait|hour wait|wait|holds?|min hold|cooling period"

_JOINT = re.compile(r"(?<=\w)[-_:/.](?=\w)")  # `halt_flag`, `--skip-signature-check` and `halt:flag` are read as words
_SENTENCE = re.compile(r"[.;:!?](?=\s|$)|[()|]| [-–—] ")
_CLAUSE = re.compile(r",(?=\s|$)|\b(?:but|then|instead|unless|except)\b", re.IGNORECASE)
_APART = (
    r"(?:then|but|before|after|until|while|when|if|unless|because|so"
    r"|and (?:check|confirm|verify|record|note|read|ask|tell|notify|page|watch))\b"
)
_GAP = rf"(?:[\s`'\"*]+(?!{_APART})[\w%]+(?:['’]\w+)?){{0,{GAP_WORDS_MAX}}}?[\s`'\"*]+"
_MODAL = r"(?:do|does|did|must|may|should|can|could|shall|will|would)"
_NEGATOR = re.compile(
    rf"\b(?:never|{_MODAL} not|cannot|(?:do|does|did|must|should|could|ca|wo|would)n['’]t|nobody|no one|nothing|avoid"
    rf"|refuse to|instead of|rather than|not to|forbidden to|forbids?|no \w+ (?:\w+ )?{_MODAL})\b",
    re.IGNORECASE,
)
_VOIDS = re.compile(r"\b(?:hesitate|wait|delay|bother|only|need|forget|fear|afraid|just|fail|stop)\b", re.IGNORECASE)
_WITHOUT = re.compile(r"\bwithout(?: \w+)?[\s`*]*$", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:whether|attempt(?:s|ed)?|tried|tries|if (?:any|some)(?:one|body)|(?:any|some)(?:one|body) (?:has )?)\b(?:\W+\w+){0,5}\W*$",
    re.IGNORECASE,
)
_CHECKS = re.compile(r"^\W*(?:\w+\W+){0,3}(?:check|confirm|verify|see|look|ask|expected outcome)\b", re.IGNORECASE)
_NOUN_BEFORE = re.compile(
    r"\b(?:the|an?|each|every|this|that|any|no|keeper|in|of|logged|last|first)\W*$", re.IGNORECASE
)
_NOUN_LIKE = re.compile(r"^(?:overrides?|force|skip|wipe|reset|release|lift|cut)$", re.IGNORECASE)
_NOUN_AFTER = re.compile(
    r"^\W+(?:logs?|logging|rates?|records?|requests?|register|entr(?:y|ies)|events?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Screen:
    """`told` finds "skip … halt"; `done` finds "halt may be skipped", or is None where a check would read like one."""

    told: re.Pattern[str]
    done: re.Pattern[str] | None
    verb: re.Pattern[str]


def _screen(verb: str, noun: str, *, passive: bool) -> Screen:
    told = rf"\b(?P<verb>{verb})\b{_GAP}(?P<noun>{noun})\b"
    done = rf"\b(?P<noun>{noun})\b(?: \w+){{0,2}} (?:is|are|can|may|be|being|gets?)(?: be)? (?P<verb>{verb})\b"
    return Screen(
        told=re.compile(told, re.IGNORECASE),
        done=re.compile(done, re.IGNORECASE) if passive else None,
        verb=re.compile(rf"\b(?:{verb})\b", re.IGNORECASE),
    )


BYPASS = (
    _screen(_BYPASS_VERB, _PROTECTED, passive=True),
    _screen(_RELEASE_VERB, r"halt|holds?", passive=False),
)
SHORTEN_HOLD = (_screen(_SHORTEN_VERB, _HOLD, passive=True),)


def spans(text: str, screens: tuple[Screen, ...]) -> list[str]:
    """The parts of `text` in which a verb is told to be done to a noun, as written there."""
    found: list[str] = []
    for start, end in _sentences(text):
        written = text[start:end]
        words = _JOINT.sub(" ", written)  # as long as `written`, so that a span of one is a span of the other
        for screen in screens:
            matches = list(_told(words, screen))
            if not matches and screen.done and (done := screen.done.search(words)) and _is_told(words, done, screen):
                matches = [done]
            found += [written[match.start() : match.end()] for match in matches]
    return found


def _told(words: str, screen: Screen) -> Iterator[re.Match[str]]:
    at = 0
    while match := screen.told.search(words, at):
        counts = _is_told(words, match, screen)
        at = match.end() if counts else match.start() + 1
        if counts:
            yield match


def _sentences(text: str) -> list[tuple[int, int]]:
    edges = [0]
    for boundary in _SENTENCE.finditer(text):
        edges += [boundary.start(), boundary.end()]
    edges.append(len(text))
    return [
        (start, min(end, start + SENTENCE_CHARACTERS_MAX))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if end > start
    ]


def _is_told(words: str, match: re.Match[str], screen: Screen) -> bool:
    before = words[: match.start("verb")]
    if match.start("noun") < match.start("verb") and _CHECKS.match(words):
        return False
    if _NOUN_LIKE.match(match["verb"]) and (
        _NOUN_BEFORE.search(before) or _NOUN_AFTER.match(words[match.end("verb") :])
    ):
        return False
    return not (_ASKS.search(before) or _WITHOUT.search(before) or _is_negated(before, screen))


def _is_negated(before: str, screen: Screen) -> bool:
    """A negation reaches to the end of its clause; the commas of a list of such verbs do not end one."""
    negators = list(_NEGATOR.finditer(before))
    if not negators:
        return False
    between = before[negators[-1].end() :]
    if _VOIDS.search(between) or len(between.split()) > NEGATION_WORDS_MAX:
        return False
    pieces = _CLAUSE.split(between)
    return all(screen.verb.search(piece) or not piece.strip() for piece in pieces[:-1])


_CHANGING_VERB = (
    "restart|stop|start|delete|remove|drop|restore|apply|deploy|scale|promote|fail over|rotate|revoke|write|update|set"
    "|enable|disable|flush|migrate|switch|drain|kill|move|truncate|resume|clear|lift|declare|execute|publish|replay"
    "|install|create|evict|freeze|block|quarantine|isolate|import|reset|replace|cordon|upgrade|downgrade|terminate"
    "|shut down|add|detach|attach|reroute|shift|increase|decrease|raise|lower|halt|cancel|suspend|append|insert"
    "|roll back|revert|reduce|unseal|release|purge|rebuild|reconfigure|redeploy"
)
_PAPERWORK = (
    "timer|clock|stopwatch|incident|ticket|channel|call|note|notes|record|timeline|status|page|document|report|checklist"
    "|log|thread|message|question|alarm|table|list|bridge"
)
_STATEMENT = r"\W+(?:(?!(?:that|which|if|when|until|once|while|after|before)\b)\w+\W+){0,3}(?:is|are|was|were)\b"
_CHANGES = re.compile(
    rf"(?:^\W*|[,;:]\s+|\b(?:then|and)\s+)(?:{_CHANGING_VERB})\b"
    rf"(?!\W+(?:\w+\W+){{0,3}}(?:{_PAPERWORK})\b)(?!{_STATEMENT})",  # nor "Halt state is clear"
    re.IGNORECASE,
)
_CHANGING_COMMAND = re.compile(
    r"\bsystemctl (?:restart|stop|start|reload|enable|disable)\b|\bkubectl (?:apply|delete|scale|rollout (?:restart|undo)"
    r"|drain|cordon|patch|edit)\b|\bdocker(?: compose|-compose)? (?:up|down|restart|stop|start|rm|kill)\b|\brm -\w+\b"
    r"|\bgit push\b|\bredis-cli\b.{0,200}\b(?:SET|DEL|FLUSH(?:ALL|DB)|CONFIG SET|SHUTDOWN)\b|\bpg_restore\b|\bpg_ctl\b"
    r"|\b(?:UPDATE \w+ SET|INSERT INTO|DELETE FROM|DROP (?:TABLE|DATABASE)|ALTER (?:TABLE|SYSTEM))\b|\bterraform apply\b"
)


def changes_state(text: str) -> bool:
    """Whether an action, as worded, leaves the system other than it was. Keeping notes does not."""
    read = text[:SENTENCE_CHARACTERS_MAX]
    return bool(_CHANGES.search(read) or _CHANGING_COMMAND.search(read))
