"""HTML as the text a person would see, for letters that come without any other. Pure.

Nothing is fetched and nothing runs: nh3 leaves only sound HTML of few tags, and these are read and thrown away. What is
quoted is marked with "> ", as in plain text.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nh3

HTML_CHARACTERS_MAX = 200_000
QUOTES_DEEP_MAX = 10

_UNSEEN = frozenset({"script", "style", "title", "template"})
_BLOCKS = (
    "address article aside blockquote br caption center dd div dl dt fieldset figure footer h1 h2 h3 h4 h5 h6 header hr "
    "li main nav ol p pre section table tr ul"
)
_LINES = frozenset(_BLOCKS.split())
_KEPT = {*_LINES, "a", "td", "th"}
_BLANK_LINES = re.compile(r"\n{3,}")


def text(document: str) -> str:
    """Never refuses. A link's address follows its words, unless these are the address."""
    # What is left is short, sound and harmless; the parser's time would grow with the square of what is not.
    document = nh3.clean(
        document[:HTML_CHARACTERS_MAX],
        tags=_KEPT,
        clean_content_tags=set(_UNSEEN),
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(document)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._quotes = 0
        self._pre = 0
        self._href = ""
        self._linked_from = 0

    def text(self) -> str:
        return _tidy("".join(self._pieces))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "blockquote":
            self._quotes = min(self._quotes + 1, QUOTES_DEEP_MAX)
        elif tag == "a":
            self._href = dict(attrs).get("href") or ""
            self._linked_from = len(self._pieces)
        elif tag == "pre":
            self._pre += 1
        if tag in _LINES:
            self._end_line()
        elif tag in ("td", "th"):
            self._pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)
        elif tag == "a":
            shown = "".join(self._pieces[self._linked_from :]).strip()
            if self._href.startswith(("http://", "https://")) and shown != self._href:
                self._pieces.append(f" ({self._href})" if shown else self._href)
            self._href = ""
        if tag in _LINES and tag != "br":
            self._end_line()
            if tag == "p":
                self._end_line()

    def handle_data(self, data: str) -> None:
        ends = "\n" + "> " * self._quotes
        self._pieces.append(ends.join(data.split("\n")) if self._pre else re.sub(r"\s+", " ", data))

    def _end_line(self) -> None:
        self._pieces.append("\n" + "> " * self._quotes)


def _tidy(written: str) -> str:
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in written.split("\n")]
    lines = ["" if set(line) <= {">", " "} else line for line in lines]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
