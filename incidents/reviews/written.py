"""What a person wrote under a section, made to stay inside that section. Pure.

People write Markdown and keep what it gives them: emphasis, lists, tables, code, links. What would reach beyond their
section is taken away: headings, HTML, link definitions, a code fence left open.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from incidents.reviews import markup

WRITTEN_CHARACTERS_MAX = 100_000  # of one section; beyond it the text is shown plain, which is cheap
_SENTINEL = "end-of-section"
_FENCES = ("fence", "code_block")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# With HTML switched on, so that tags are seen for what another reader of the Markdown would make of them.
_READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def contained(text: str) -> str:
    """Markdown that means what `text` meant, except for what reaches beyond its section."""
    lines = [_tidy(line) for line in _BREAKS.sub("\n", text).split("\n")]
    candidate = "\n".join(lines).strip("\n")
    if len(candidate) <= WRITTEN_CHARACTERS_MAX:
        for repair in (_as_it_is, _without_headings, _without_tags):
            candidate = repair(candidate)
            if _stays_inside(candidate):
                return candidate
    return "\n\n".join(markup.escape(line) for line in lines if line.strip())


def _tidy(line: str) -> str:
    """Tabs and leading spaces mean something in Markdown and stay."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return indent + re.sub(r"\S+", lambda word: markup.one_line(word.group()), line[len(indent) :])


def _as_it_is(text: str) -> str:
    return text


def _without_headings(text: str) -> str:
    """Headings become bold lines."""
    lines: list[str | None] = list(text.split("\n"))
    for token in _READER.parse(text):
        if token.type != "heading_open" or token.map is None:
            continue
        first, end = token.map
        if token.markup.startswith("#"):
            prefix, words = re.split(r"#{1,6}", lines[first] or "", maxsplit=1)
            lines[first] = f"{prefix}**{words.strip().rstrip('#').strip()}**" if words.strip("# \t") else prefix
        else:
            lines[end - 1] = None  # the underline of a heading of the other kind
    return "\n".join(line for line in lines if line is not None)


def _without_tags(text: str) -> str:
    """Every < outside a code block becomes an entity, so that `<pod>` is read and not obeyed."""
    kept: set[int] = set()
    for token in _READER.parse(text):
        if token.type in _FENCES and token.map is not None:
            kept.update(range(*token.map))
    return "\n".join(
        line if number in kept else line.replace("<", "&lt;") for number, line in enumerate(text.split("\n"))
    )


def _stays_inside(text: str) -> bool:
    env: dict[str, object] = {}
    tokens = _READER.parse(f"{text}\n\n{_SENTINEL}\n", env)
    last = tokens[-2] if len(tokens) >= 3 else None
    ends_clean = last is not None and last.type == "inline" and last.content == _SENTINEL and last.level == 1
    return ends_clean and not env.get("references") and not any(_reaches_out(token) for token in tokens)


def _reaches_out(token: Token) -> bool:
    if token.type in ("heading_open", "html_block"):
        return True
    return any(child.type == "html_inline" for child in token.children or ())
