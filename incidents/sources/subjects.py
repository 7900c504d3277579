"""What the subject of a monitoring system's letter says: is it over, and which alert is it about. Pure.

The letter of a problem and the letter of its end must come to one key, and two problems must not. So only what is
certain is taken out: that it is a reply, words that say how it stands where such words stand (in brackets, before a
colon, at the end), how many there are (`[FIRING:2]`), how long it took (`Resolved in 5m:`), and the number of a build.
Every other number stays: "Disk 97 % full" and "Disk 98 % full" are two. Whoever wants them to be one writes the key
into the address, behind a plus.

A letter that is wrongly taken for an end is a page that nobody gets. In doubt it is a problem: "Error rate is up" is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from incidents.severity import Severity
from incidents.sources.base import AlertStatus

# What says by itself that it fires, what says that it is over, and what only stands before one of these.
_FIRING = (
    "problem|updated problem|firing|alerting|triggered|re-triggered|down|unreachable|failed|failure|failing|still failing"
    "|unstable|still unstable|no data|insufficient[ _]data|offline|open|opened|unavailable"
)
_OVER = (
    "resolved|recovery|recovered|ok|up|closed|cleared|clear|fixed|restored|normal|back to normal|success|successful"
    "|succeeded|online|healthy"
)
_BEFORE = (
    "alert|alarm|monitor alert|notification|critical|crit|warning|warn|error|unknown|high|major|minor|average|low|info"
    "|disaster|emergency|degraded|p[1-5]"
)
_STATE = f"(?:{_FIRING}|{_OVER}|{_BEFORE})"
_MARK = r"[\s✅🔴🟢🟠🟡⚠️❌🔥]*"
_DOUBTFUL = frozenset({"up", "normal", "clear", "success", "successful", "succeeded", "online", "healthy", "restored"})
_TOLD = {"acknowledgement": AlertStatus.ACKNOWLEDGED, "acknowledged": AlertStatus.ACKNOWLEDGED}
# Nagios writes of these too; they ask for nobody.
_IGNORED = re.compile(
    r"[\s*\[(]*(?:downtime(?:start|end|cancelled|removed)|flapping(?:start|stop|end|disabled)|custom)\b", re.I
)

_REPLY = re.compile(r"\s*(?:re|fwd?|aw|wg|tr|sv|vs|antw|rv)(?:\[\d+\])?\s*:\s*", re.I)
_BRACKET = re.compile(rf"{_MARK}[\[(]{_MARK}([^\[\]()]{{1,60}}?)\s*[\])]\s*[:|-]?\s*")
_LEADING = re.compile(
    rf"{_MARK}(?P<word>{_STATE}|acknowledgement)"
    r"(?:\s+(?P<about>alert|alarm|notification|incident|event|service alert|host alert))?"
    r"(?:\s+in\s+(?:\d+\s*[a-z]+\s*)+)?\s*(?::|\||\s[-–—]+\s)\s*",
    re.I,
)
# Not RECOVERY, which may fail or begin: products put it before a colon, or in brackets.
_SHOUTED = re.compile(r"(?P<word>RESOLVED|RECOVERED|CLEARED)\s+")
# "UP: 3, DOWN: 2" and "Success: 0" count; they do not say that anything is over.
_COUNTS = re.compile(rf"\d+\W+{_STATE}\W*[1-9]", re.I)
_COUNT = re.compile(r"\d+(?:[\s,;/|]|$)")
_TRANSITION = re.compile(rf"\s+{_STATE}\s*(?:->|=>|→)\s*(?P<word>{_STATE})[\s!.]*$", re.I)
_AT_THE_END = re.compile(
    rf"(?:\s+(?:is|are|is now|went|has gone)\s+|\s*[:|]\s+|\s+[-–—]+\s+)(?P<word>{_STATE})[\s!.]*$", re.I
)
_IN_BRACKETS = re.compile(rf"\s*[\[(]{_MARK}(?P<word>{_STATE})\s*[\])][\s!.]*$", re.I)
_PHRASE = re.compile(
    r"\s+(?:(?:is|are) (?:now )?(?:back to normal|back up|back online|resolved)"
    r"|(?:has|have) (?:recovered|cleared|been resolved|been restored|returned to normal)|returned to normal)[\s!.]*$",
    re.I,
)
_COUNTED = re.compile(r"\s*:\s*\d+\s*$")
_BAD_COUNT = re.compile(rf"(?:{_BEFORE})\s*:\s*0*[1-9]\d*", re.I)
_STARS = re.compile(r"^\s*\*+\s*|\s*\*+\s*$")

# A product's own words for a problem and for its end; the first is what both become in the key.
_PAIRS = tuple(
    (problem, re.compile(rf"\b{problem}\b", re.I), re.compile(rf"\b(?:{over})", re.I))
    for problem, over in {
        "power failure": r"(?:power has returned|power is back|mains returned)[\s!.]*$",  # apcupsd
        "communications lost with": "communications? (?:restored|re-?established) with",
        "on battery": r"on line power[\s!.]*$",  # Network UPS Tools
        "monit alert -- connection failed": "monit alert -- connection succeeded",
        "monit alert -- resource limit matched": "monit alert -- resource limit succeeded",
        "monit alert -- status failed": "monit alert -- status succeeded",
        "monit alert -- does not exist": "monit alert -- exists",
        "backup failed": r"backup (?:successful|succeeded)[\s!.]*$",
        "monitor is down": "monitor is up(?=:)",  # UptimeRobot
    }.items()
)
_JENKINS = re.compile(
    r"(?:build failed in jenkins|jenkins build (?:is|became) (?P<word>[a-z ]+?))\s*:\s*(?P<what>.+?)(?:\s*#\d+)?\s*$",
    re.I,
)
_JENKINS_EXTENDED = re.compile(
    r"(?P<what>.+ - build) # ?\d+ - (?P<word>still failing|failure|fixed|successful|still unstable|unstable|aborted)!?\s*$",
    re.I,
)
_UPTIME_KUMA = re.compile(r"(?P<what>\[[^\]]+\]) \[(?:🔴 Down|✅ (?P<word>Up))\].*", re.I)
_PRODUCTS_OVER = frozenset({"back to normal", "back to stable", "stable", "stable again", "fixed", "successful", "up"})

# Of words that stand where a subject says how it stands; "High CPU" says nothing of that kind.
_SEVERITIES = {
    word: severity
    for severity, words in {
        Severity.CRITICAL: "critical crit emergency disaster fatal down unreachable p1",
        Severity.HIGH: "error failed failure failing major high p2",
        Severity.MEDIUM: "warning warn degraded unstable average unknown p3",
        Severity.LOW: "low minor p4",
        Severity.INFO: "info p5",
    }.items()
    for word in words.split()
}
_ANYWHERE = re.compile(r"(?<!non-)(?<!non )(?<!not )\b(critical|emergency|disaster|fatal)\b", re.I)


@dataclass(frozen=True, slots=True)
class Subject:
    title: str  # without "Re:"
    about: str  # the same for a problem and its end; empty if the subject says only how it stands
    status: AlertStatus | None  # None: it asks for nobody
    severity: Severity | None


@dataclass(slots=True)
class _Rest:
    """What is left of a subject while words that say how it stands are taken from it; the first that decides, decides."""

    text: str
    status: AlertStatus | None = None
    words: list[str] = field(default_factory=list)

    def take(self, word: str) -> None:
        self.words.append(word.casefold())
        self.status = self.status or _standing(word)


def read(written: str) -> Subject:
    """`written` is one line. The same line always gives the same."""
    title = " ".join(written.split())
    while reply := _REPLY.match(title):
        title = title[reply.end() :]
    if _IGNORED.match(title):
        return Subject(title, _plain(title), None, None)
    rest = _rest(title)
    status = rest.status or AlertStatus.FIRING
    return Subject(title, _plain(rest.text), status, _severity(title, rest) if status is AlertStatus.FIRING else None)


def _rest(title: str) -> _Rest:
    for product in (_JENKINS, _JENKINS_EXTENDED, _UPTIME_KUMA):
        if match := product.fullmatch(title):
            word = (match["word"] or "").casefold()
            over = word in _PRODUCTS_OVER
            before = "" if product is _UPTIME_KUMA else "jenkins "
            return _Rest(before + match["what"], AlertStatus.RESOLVED if over else AlertStatus.FIRING, [word])
    for problem, firing, over_words in _PAIRS:
        if over_words.search(title) and not firing.search(title):
            return _Rest(over_words.sub(problem, title), AlertStatus.RESOLVED)
    rest = _Rest(_STARS.sub("", title))
    if whole := re.fullmatch(rf"{_MARK}({_STATE})[\s!.]*", rest.text, re.I):
        rest.take(whole[1])
        rest.text = ""
        return rest
    _leading(rest)
    _trailing(rest)
    return rest


def _leading(rest: _Rest) -> None:
    kept = ""
    for _ in range(6):
        if bracket := _BRACKET.match(rest.text):
            parts = [each.strip() for each in bracket[1].split(",")]
            if len(parts) > 1 and any(_BAD_COUNT.fullmatch(each) for each in parts):
                rest.take("problem")  # [OK:3, CRITICAL:2]
            words = [_COUNTED.sub("", each).strip() for each in parts]
            words = [each for each in words if re.fullmatch(rf"{_STATE}|acknowledge(?:ment|d)", each, re.I)]
            if not words:
                kept += bracket[0]  # "[db1]" belongs to what it is about
            for each in sorted(
                words, key=lambda word: _standing(word) is not AlertStatus.FIRING
            ):  # [FIRING:1, RESOLVED:1]
                rest.take(each)
            rest.text = rest.text[bracket.end() :]
        elif (word := (_LEADING.match(rest.text) or _SHOUTED.match(rest.text) or _nagios(rest.text))) and (
            _standing(word["word"]) is not AlertStatus.RESOLVED or not _counts(word)
        ):
            rest.take(word["word"])
            rest.text = rest.text[word.end() :]
        else:
            break
    rest.text = kept + rest.text


def _counts(leading: re.Match[str]) -> bool:
    """Whether a word of recovery that leads says how many, or is one that may as well belong to a sentence."""
    after = leading.string[leading.end() :]
    if _COUNTS.match(after):
        return True
    doubtful = leading["word"].casefold() in _DOUBTFUL
    dashed = leading[0].rstrip()[-1:] in "-–—"
    return doubtful and (_COUNT.match(after) is not None or (dashed and not leading["word"].isupper()))


def _nagios(text: str) -> re.Match[str] | None:
    """PROBLEM Service Alert: db1/Disk is CRITICAL."""
    return re.match(rf"(?P<word>{_STATE}|acknowledgement)\s+(?=(?:service|host) alert\s*:)", text, re.I)


def _trailing(rest: _Rest) -> None:
    if phrase := _PHRASE.search(rest.text):
        rest.take("resolved")
        rest.text = rest.text[: phrase.start()]
    elif end := (_TRANSITION.search(rest.text) or _IN_BRACKETS.search(rest.text) or _AT_THE_END.search(rest.text)):
        doubtful = end.re is _AT_THE_END or (end.re is _IN_BRACKETS and end["word"].casefold() in _DOUBTFUL)
        if doubtful and _standing(end["word"]) is AlertStatus.RESOLVED and not end["word"].isupper():
            return  # "Disk usage is up", "All but one is ok", "Load (normal)"
        rest.take(end["word"])
        rest.text = rest.text[: end.start()]


def _standing(word: str) -> AlertStatus | None:
    word = word.casefold()
    if word in _TOLD:
        return _TOLD[word]
    if re.fullmatch(_OVER, word):
        return AlertStatus.RESOLVED
    return AlertStatus.FIRING if re.fullmatch(_FIRING, word) else None


def _severity(title: str, rest: _Rest) -> Severity | None:
    """The worst that it says."""
    found = [_SEVERITIES[word] for word in rest.words if word in _SEVERITIES]
    found += [Severity.CRITICAL] if _ANYWHERE.search(title) else []
    return min(found, key=list(Severity).index, default=None)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" \t-–—:|.!")
