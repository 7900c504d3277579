"""Text into Markdown that shows exactly that text, and the few shapes a review is made of. Pure.

`Markdown` marks what is already Markdown; every other value that passes through here is taken for somebody's text
and escaped, so that forgetting to escape is not possible by omission, only by writing `Markdown(...)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlsplit

from incidents.phases import duration

NOT_KNOWN = "not known"
NOTHING = "–"  # an empty cell

# Control characters, the marks that reorder text on screen, surrogates and non-characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_SPECIAL = re.compile(r"[\\`*\[\]<>|~&$#]")
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # inside a word GFM leaves it alone
_AUTOLINK = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
_LIST_OR_RULE = re.compile(r"^(?:[-+=:]|\d{1,9}(?=[.)]))")
_PLAIN_CODE = re.compile(r"[\w.:@/+-]+", re.ASCII)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_URL_SAFE = "/:?#@!&=+$,;%-._"  # everything that could end a link or a table cell is percent-encoded


class Markdown(str):
    __slots__ = ()


def visible(text: str) -> str:
    """Without the characters that hide or reorder others; each becomes U+FFFD."""
    return _INVISIBLE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """The visible text on one line: runs of white space become one space."""
    return " ".join(visible(text).split())


def escape(text: str) -> Markdown:
    """Markdown that shows `one_line(text)` and is nothing else: no markup, link, list, heading, tag or cell edge."""
    line = _SPECIAL.sub(r"\\\g<0>", one_line(text))
    line = _OUTER_UNDERSCORE.sub(r"\\_", line)
    line = _AUTOLINK.sub(r"\\\g<0>", line)
    if marker := _LIST_OR_RULE.match(line):
        at = marker.end() if marker.group()[0].isdigit() else 0
        line = f"{line[:at]}\\{line[at:]}"
    return Markdown(line)


def show(value: object) -> Markdown:
    """Any fact for people: times in UTC with offset, spans in units, None as "not known"."""
    match value:
        case Markdown():
            return value
        case None:
            return Markdown(NOT_KNOWN)
        case bool():
            return Markdown("yes" if value else "no")
        case datetime():
            return Markdown(moment(value))
        case date():
            return Markdown(value.isoformat())
        case timedelta():
            return Markdown(duration(value))
        case _:
            return escape(str(value))


def say(sentence: str, *values: object) -> Markdown:
    """`sentence` with each {} replaced by a value shown; the sentence itself is ours and is Markdown already."""
    return Markdown(sentence.format(*(show(value) for value in values)))


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +00:00")


def code(text: str) -> Markdown:
    """A hash, an id or a version as code; text that code marks could not hold is escaped instead."""
    return Markdown(f"`{text}`") if _PLAIN_CODE.fullmatch(text) else escape(text) if text else Markdown(NOTHING)


def link(url: str) -> Markdown:
    """A web address shown as its host, so that it cannot pass for another; whatever else was given is plain text."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # `port` raises for one that is no number
    except ValueError:
        return escape(url)
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or one_line(url) != url:
        return escape(url)
    return Markdown(f"[{escape(host)}]({quote(url, safe=_URL_SAFE)})")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Markdown:
    """A GFM table; raises ValueError for a row of another width."""
    lines = [_line(columns, len(columns)), "|" + " --- |" * len(columns)]
    lines += [_line(row, len(columns)) for row in rows]
    return Markdown("\n".join(lines))


def facts(rows: Iterable[tuple[str, object]]) -> Markdown:
    return table(("What", "Recorded"), rows)


def bullets(items: Iterable[object]) -> Markdown:
    return Markdown("\n".join(f"- {show(item) or NOTHING}" for item in items))


def callout(sentence: Markdown) -> Markdown:
    return Markdown(f"> **{sentence}**")


def paragraphs(*parts: str) -> Markdown:
    """The parts that are not empty, a blank line between them. Takes Markdown only."""
    return Markdown("\n\n".join(part for part in parts if part))


def _line(cells: Sequence[object], width: int) -> str:
    if len(cells) != width:
        raise ValueError(f"a table of {width} columns was given a row of {len(cells)}")
    return "| " + " | ".join(show(cell) or NOTHING for cell in cells) + " |"
