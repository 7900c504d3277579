"""The review document as Markdown and as JSON. Pure: the same document gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from incidents.reviews import markup, written
from incidents.reviews.markup import Markdown, say

LEGEND = (
    "What is marked AUTO-DRAFT was filled in by Tocsin from the incident's record and cites timeline entries by "
    "number; everything else is written by people. Times are UTC with offset."
)
NOTHING_LEFT_OUT = "Nothing was left out of this export."

Review = Mapping[str, Any]


def to_json(review: Review) -> bytes:
    """Indented UTF-8 with sorted keys and a final newline; raises ValueError for a number JSON cannot hold."""
    text = json.dumps(review, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")  # half of a surrogate pair becomes its JSON escape


def to_markdown(review: Review) -> str:
    """GFM with front matter. Nobody's text can end a table row, open a tag or add a heading."""
    incident = review["incident"]
    head = say(
        "Incident {}, {}, {}, {}; {} {}",
        incident["id"], incident["class"], incident["severity"]["final"], incident["status"],
        standing(review), markup.link(incident["url"]),
    )  # fmt: skip
    body = markup.paragraphs(
        f"# Post-incident review: {markup.escape(incident['title'])}",
        head,
        LEGEND,
        *(part for group in sections(review) for part in _section(group)),
        "## Left out",
        *left_out(review),
    )
    return f"{_front_matter(review)}\n\n{body}\n"


def standing(review: Review) -> Markdown:
    """Where the review itself stands: a draft, or finished by whom and when, and where that text is."""
    told = review["review"]
    if told["published_at"] is None:
        return say("review: {}.", told["state"])
    said = say("review: published by {}, {}.", told["published_by"], instant(told["published_at"]))
    if told["document"]:
        said = Markdown(f"{said} {say('The finished text is at {}.', markup.link(told['document']))}")
    return Markdown(f"{said} {say('“{}”', told['note'])}") if told["note"] else said


def sections(review: Review) -> Iterator[list[Mapping[str, Any]]]:
    """The parts of each section together, in order."""
    for _, parts in groupby(review["sections"], key=lambda part: part["key"]):
        yield list(parts)


def left_out(review: Review) -> list[Markdown]:
    if not review["omissions"]:
        return [Markdown(NOTHING_LEFT_OUT)]
    return [markup.bullets(review["omissions"])]


def not_yet_written(part: Mapping[str, Any]) -> Markdown:
    return say("NOT YET WRITTEN (owner: {}, due: {})", part["owner"] or "nobody yet", _due(part["due"]))


def byline(part: Mapping[str, Any]) -> Markdown:
    what = "Declined by" if part["status"] == "declined" else "Written by"
    return say("{} {}, {}:", what, part["author"] or "somebody not known", instant(part["written_at"]))


def instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored)


def _section(parts: list[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {parts[0]['number']}. {markup.escape(parts[0]['heading'])}"
    for part in parts:
        if part["kind"] == "auto":
            yield "**AUTO-DRAFT**"
            yield part["markdown"]
        elif part["status"] == "empty":
            yield f"**{not_yet_written(part)}**"
            yield markup.bullets(prompt for prompt in part["prompts"] if prompt)
        else:
            yield f"*{byline(part)}*"
            yield written.contained(part["markdown"])


def _due(given: str | None) -> str:
    if given is None:
        return "counted from resolution"
    return markup.moment(instant(given)) if "T" in given else given


def _front_matter(review: Review) -> str:
    incident, snapshot = review["incident"], review["snapshot"]
    fields = {
        "schema": review["schema"],
        "id": incident["id"],
        "title": incident["title"],
        "class": incident["class"],
        "severity": incident["severity"]["final"],
        "severity_peak": incident["severity"]["peak"],
        "status": incident["status"],
        "review": review["review"]["state"],
        "published_at": review["review"]["published_at"],
        "published_by": review["review"]["published_by"],
        "document": review["review"]["document"],
        "generated_at": snapshot["generated_at"],
        "timeline_head": snapshot["head"],
        "ruleset": snapshot["ruleset"],
        "template": snapshot["template"],
    }
    return "\n".join(["---", *(f"{name}: {_yaml(value)}" for name, value in fields.items()), "---"])


def _yaml(value: object) -> str:
    """A JSON scalar on one line, which is YAML too."""
    plain = value if value is None or isinstance(value, int) else markup.one_line(str(value))
    return json.dumps(plain, ensure_ascii=False)
