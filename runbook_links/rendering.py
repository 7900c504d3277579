"""Markdown -> HTML that is safe to show: no raw HTML, no script, no image from elsewhere. Pure.

Two walls: markdown-it-py runs without raw HTML, so that a tag in the text comes out as text (`<service>` in a command
is something people need to read); and nh3 lets through only the tags and attributes named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runbook_links import lines
from runbook_links.lines import Heading

ID_PREFIX = "rb-"  # so that no heading can take the id of something on the page around it
NESTING_MAX = 20

TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "ul", "ol", "li", "input", "s"),
    *("table", "thead", "tbody", "tr", "th", "td", "em", "strong", "code", "pre", "a"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "input": {"type", "disabled", "checked"},
    "ol": {"start", "class"},
    "li": {"class"},
    "ul": {"class"},
    **{f"h{depth}": {"id"} for depth in range(1, 7)},
}
_CLASSES = {"task-list-item", "contains-task-list"}
_CHECKBOX = re.compile(r"\[([ xX])\]\s+")


def _keep(tag: str, attribute: str, value: str) -> str | None:
    """The attribute's value, or None to drop it."""
    if attribute == "class":
        known = value in _CLASSES or (tag == "code" and value.startswith("language-") and " " not in value)
        return value if known else None
    if attribute == "type":
        return value if value == "checkbox" else None
    return value


_MARKDOWN = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_MAX}).enable(["table", "strikethrough"])
_MARKDOWN.disable("image")  # a picture would be fetched from elsewhere; its link stays
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_keep,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer",
)


def render(markdown: str, *, link: Callable[[str], str] | None = None) -> str:
    """A whole document or a section. `link` turns the target of each relative link into the caller's address for it."""
    tokens = _MARKDOWN.parse(lines.without_comments(markdown))
    headings = [(token, tokens[i + 1]) for i, token in enumerate(tokens) if token.type == "heading_open"]
    slugs = lines.slugs([Heading(int(token.tag[1]), inline.content, 0) for token, inline in headings])
    for (token, _), slug in zip(headings, slugs, strict=True):
        token.attrSet("id", ID_PREFIX + slug)
    _tick(tokens)
    _point(tokens, link)
    return _CLEANER.clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def links(markdown: str, *, first: int = 1) -> list[tuple[str, int]]:
    """Every link's target and the line where its paragraph begins, counted from `first`. Links shown as code are none."""
    found: list[tuple[str, int]] = []
    for token in _MARKDOWN.parse(lines.without_comments(markdown)):
        line = first + (token.map[0] if token.map else 0)
        found += [(str(child.attrs["href"]), line) for child in token.children or () if "href" in child.attrs]
    return found


def is_external(target: str) -> bool:
    """Whether a link leaves for another host or program: `https://…`, `//host`, `mailto:…`."""
    scheme = target.partition(":")[0]
    return target.startswith("//") or (":" in target and scheme.replace("+", "").replace("-", "").isalnum())


def _tick(tokens: list[Token]) -> None:
    """`- [ ]` and `- [x]` become checkboxes that show and cannot be changed. One pass, however long the list."""
    open_lists: list[Token] = []
    for i, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            open_lists.append(token)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            open_lists.pop()
        elif token.type == "inline" and token.children and i >= 2 and tokens[i - 2].type == "list_item_open":
            first = token.children[0]
            box = _CHECKBOX.match(first.content) if first.type == "text" else None
            if box is None:
                continue
            checked = "" if box[1] == " " else " checked"
            shown = Token("html_inline", "", 0, content=f'<input type="checkbox" disabled{checked}> ')
            first.content = first.content[box.end() :]
            token.children.insert(0, shown)
            tokens[i - 2].attrSet("class", "task-list-item")
            open_lists[-1].attrSet("class", "contains-task-list")


def _point(tokens: list[Token], link: Callable[[str], str] | None) -> None:
    for token in tokens:
        for child in token.children or ():
            target = str(child.attrs.get("href", ""))
            if target.startswith("#"):
                child.attrSet("href", f"#{ID_PREFIX}{target[1:]}")
            elif target and link is not None and not is_external(target):
                child.attrSet("href", link(target))
