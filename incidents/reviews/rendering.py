"""A section's Markdown into HTML that is safe whoever wrote it. Pure.

Tags in the Markdown are switched off, and what comes out is sanitised again against a list of what a review may hold.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from incidents.reviews import markup

# No img: a picture kept elsewhere would tell its host who reads the review. No h1 to h6: the frame has the headings.
_TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
_ATTRIBUTES = {"a": {"href", "title"}, "div": {"class"}, "td": {"class", "data-label"}, "tr": {"id"}}
_SCHEMES = {"http", "https", "mailto"}

_TABLES_OF_FACTS = (["What", "Recorded"], ["Check", "Result"])
_TONES = {
    "good": ("met", "acknowledged", "approved", "VERIFIED"),
    "bad": ("late", "failed", "no answer", "BROKEN"),
    "held": ("held",),
    "unknown": ("not known", "not recorded", "no receipt", "not sent", "not started", "none", markup.NOTHING),
}
_TONE_OF = {word: tone for tone, words in _TONES.items() for word in words}
_MOMENT = re.compile(r"[0-9-]{10} [0-9:]{8} \+00:00")
UNBROKEN_CHARACTERS_MAX = 24
_ENTRY = re.compile(r"\b(entry (\d{1,9}))\b", re.ASCII)


def to_html(text: str, entries: Collection[str] = (), *, is_timeline: bool = False) -> Markup:
    """`entries`: the numbers an "entry 12" in the text may link to. `is_timeline`: its table's rows are their goal."""
    tokens = _RENDERER.parse(text)
    header: list[str] = []
    column = 0
    for at, token in enumerate(tokens):
        if token.type == "table_open":
            header = _first_row(tokens[at:])
            token.meta["class"] = "table facts" if header in _TABLES_OF_FACTS else "table"
        elif token.type == "tr_open":
            column = 0
            if is_timeline and tokens[at + 1].type == "td_open" and tokens[at + 2].content in entries:
                token.attrSet("id", f"entry-{tokens[at + 2].content}")
        elif token.type == "td_open":
            token.attrSet("data-label", header[column])
            if classes := " ".join(_classes(tokens[at + 1].content)):
                token.attrSet("class", classes)
            column += 1
        elif token.type == "inline" and entries:
            token.children = [piece for child in token.children or [] for piece in _with_links(child, entries)]
    html = _RENDERER.renderer.render(tokens, _RENDERER.options, {})
    return Markup(nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES))  # noqa: S704 - sanitised


def _first_row(tokens: Sequence[Token]) -> list[str]:
    end = next(at for at, token in enumerate(tokens) if token.type == "tr_close")
    return [token.content for token in tokens[:end] if token.type == "inline"]


def _classes(cell: str) -> Iterator[str]:
    """How the cell should look: a verdict in its colour, a moment on one line, a word too long for a column broken."""
    if tone := _TONE_OF.get(cell):
        yield tone
    if _MOMENT.fullmatch(cell):
        yield "moment"
    elif any(len(word) > UNBROKEN_CHARACTERS_MAX for word in cell.split()):
        yield "long"


def _with_links(token: Token, entries: Collection[str]) -> Iterator[Token]:
    """Text that names an entry, cut into text and links to that entry's row."""
    if token.type != "text":
        yield token
        return
    pieces = _ENTRY.split(token.content)  # text, "entry 12", "12", text, …
    for at in range(0, len(pieces), 3):
        yield Token("text", "", 0, content=pieces[at])
        if at + 2 < len(pieces):
            phrase, number = pieces[at + 1], pieces[at + 2]
            known = number in entries
            if known:
                yield Token("link_open", "a", 1, attrs={"href": f"#entry-{number}"})
            yield Token("text", "", 0, content=phrase)
            if known:
                yield Token("link_close", "a", -1)


def _table_open(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Any) -> str:
    return f'<div class="{tokens[at].meta["class"]}"><table>\n'


def _table_close(_self: RendererHTML, _tokens: Sequence[Token], _at: int, _options: OptionsDict, _env: Any) -> str:
    return "</table></div>\n"


def _image(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Any) -> str:
    token = tokens[at]
    return Markup('<a href="{}">picture: {}</a>').format(token.attrs.get("src", ""), token.content or "unnamed")


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    renderer.add_render_rule("table_open", _table_open)
    renderer.add_render_rule("table_close", _table_close)
    renderer.add_render_rule("image", _image)
    return renderer


_RENDERER = _renderer()
