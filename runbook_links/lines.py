"""Markdown as numbered lines that know whether they are code or prose, with HTML comments taken out. Pure.

Headings, checkboxes and field lines count only in prose: a template that shows a runbook inside a code fence must
not be read as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_BREAK = re.compile(r"\r\n|\n|\r")
_FENCE = re.compile(r"^\s*(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"^ {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*$")
_BEGINS = re.compile(r"[-*+]\s|\d+[.)]\s|#|\*\*|\||>")
_INLINE_MARKS = re.compile(r"[`*]|\[(?P<text>[^\]]*)\]\([^)]*\)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `raw` is as written; `text` is without comments; `code` is true inside a fence and on its marks."""

    number: int  # 1-based, counted in the whole file
    raw: str
    text: str
    code: bool = False

    @property
    def is_fence(self) -> bool:
        return self.code and _FENCE.match(self.raw) is not None


@dataclass(frozen=True, slots=True)
class Heading:
    depth: int  # 1 for `#`
    title: str
    line: int


@dataclass(frozen=True, slots=True)
class Comment:
    """What stood between `<!--` and `-->`, on the line where it began."""

    line: int
    text: str


def split(text: str) -> list[str]:
    """Break at the line ends of files only. `str.splitlines` would also break at form feeds and at U+2028."""
    return _BREAK.split(text)


def scan(text: str, *, first: int = 1) -> tuple[tuple[Line, ...], tuple[Comment, ...]]:
    """Number the lines from `first`. A comment that is never closed is text: what it would swallow may be needed."""
    raws = split(text)
    last_end = max((i for i, raw in enumerate(raws) if "-->" in raw), default=-1)
    found: list[Line] = []
    comments: list[Comment] = []
    fence = ""
    commented: Comment | None = None
    for i, raw in enumerate(raws):
        number = first + i
        if commented is None:
            mark = _fence_mark(raw, fence)
            if fence or mark:
                found.append(Line(number, raw, raw, code=True))
                fence = "" if fence and mark else fence or mark
                continue
        kept, commented = _without_comments(raw, number, commented, comments, closable=i < last_end)
        found.append(Line(number, raw, kept))
    return tuple(found), tuple(comments)


def _fence_mark(raw: str, fence: str) -> str:
    """The mark that opens a fence here, or closes the open one; "" when this line does neither."""
    match = _FENCE.match(raw)
    if match is None:
        return ""
    mark, info = match["mark"], match["info"]
    if fence:
        return mark if mark[0] == fence[0] and len(mark) >= len(fence) and not info.strip() else ""
    return "" if mark[0] == "`" and "`" in info else mark  # "```x```" on one line is a code span


def _without_comments(
    raw: str, number: int, commented: Comment | None, comments: list[Comment], *, closable: bool
) -> tuple[str, Comment | None]:
    """The line less its comments, and the comment still open at its end. Finished ones are added to `comments`.

    `closable` says that a later line holds a `-->`.
    """
    kept: list[str] = []
    at = 0
    while True:
        if commented is not None:
            end = raw.find("-->", at)
            if end < 0:
                return "".join(kept), Comment(commented.line, commented.text + raw[at:] + "\n")
            comments.append(Comment(commented.line, (commented.text + raw[at:end]).strip()))
            commented, at = None, end + 3
        start = _comment_start(raw, at)
        if start < 0 or ("-->" not in raw[start + 4 :] and not closable):
            return "".join([*kept, raw[at:]]), None
        kept.append(raw[at:start])
        commented, at = Comment(number, ""), start + 4


def _comment_start(raw: str, at: int) -> int:
    """Where the next comment begins; one shown inside `code` is no comment."""
    start = raw.find("<!--", at)
    while start >= 0 and raw.count("`", at, start) % 2:
        start = raw.find("<!--", start + 4)
    return start


def heading(line: Line) -> Heading | None:
    if line.code:
        return None
    match = _HEADING.match(line.text)
    return Heading(len(match["marks"]), (match["title"] or "").strip(), line.number) if match else None


def without_comments(text: str) -> str:
    """The Markdown with its comments removed, for showing."""
    return "\n".join(line.text for line in scan(text)[0])


def paragraphs(found: Iterable[Line]) -> list[tuple[int, str]]:
    """What belongs together as one saying, with the line it begins on: wrapped lines are joined, code is not."""
    units: list[tuple[int, str]] = []
    joined = False
    for line in found:
        text = line.text.strip()
        if not text or line.is_fence:
            joined = False
        elif joined and not line.code and not _BEGINS.match(text):
            number, before = units[-1]
            units[-1] = (number, f"{before} {text}")
        else:
            units.append((line.number, text))
            joined = not line.code and heading(line) is None
    return units


def raw(found: Sequence[Line]) -> str:
    """The lines as written, without the blank ones around them."""
    return "\n".join(line.raw for line in found).strip("\n")


def slugs(headings: Iterable[Heading]) -> tuple[str, ...]:
    """The anchor of each heading as GitHub makes it, so that a link works there and here; repeats end in -1, -2."""
    taken: dict[str, int] = {}
    made: list[str] = []
    for each in headings:
        base = slug(each.title)
        count = taken.get(base, 0)
        taken[base] = count + 1
        made.append(f"{base}-{count}" if count else base)
    return tuple(made)


def slug(title: str) -> str:
    plain = _INLINE_MARKS.sub(lambda m: m["text"] or "", title)
    return _NOT_IN_SLUG.sub("", plain.strip().lower()).replace(" ", "-")
