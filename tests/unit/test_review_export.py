from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from incidents.reviews import drafting, export, html, markup, sections, written
from incidents.reviews.record import Record, Written
from tests.unit.review_records import after, constitutional, everywhere, operational, texts

# Tags count as tags here, so that one that slips through is seen.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def plain(token: Token) -> str:
    return "".join(child.content for child in token.children or [])


def body(markdown: str) -> str:
    return markdown.split("\n---\n", 1)[1]


def shape(markdown: str) -> list[str]:
    """The document without what its text says: the kinds of its blocks, tables cut down to their width and height."""
    return [token.type for token in READER.parse(markdown) if token.type != "inline"]


def headings(markdown: str) -> list[str]:
    tokens = READER.parse(body(markdown))
    return [plain(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "heading_open"]


@pytest.mark.parametrize("make", [operational, constitutional])
def test_the_markdown_has_every_heading_of_the_template_in_order(make: Callable[..., Record]) -> None:
    record = make()
    expected = [f"{s.number}. {s.heading}" for s in sections.for_class(record.incident_class)]
    assert headings(export.to_markdown(drafting.draft(record)))[1:-1] == expected


def test_the_markdown_says_what_a_reader_looks_for() -> None:
    text = export.to_markdown(drafting.draft(operational()))
    for words in (
        "Observer API down", "Timeline", "Impact", "Contributing factors (root cause analysis)", "Action items",
        "Lessons", "Runbook", "Ana Lima", "NOT YET WRITTEN (owner: Ana Lima, due: 2026-11-03 04:32:05 +00:00)",
        "0-5", "5-15", "15-60", "AUTO-DRAFT",
    ):  # fmt: skip
        assert words in text, words


def test_the_front_matter_names_incident_class_severity_status_time_and_head() -> None:
    review = drafting.draft(operational())
    front = yaml.safe_load(export.to_markdown(review).split("---\n")[1])
    assert front["id"] == 42
    assert front["title"] == "Observer API down: health check failing on all replicas"
    assert (front["class"], front["severity"], front["status"]) == ("operational", "HIGH", "resolved")
    assert front["generated_at"] == "2026-11-02T14:52:05.000000Z"
    assert front["timeline_head"] == "c4" * 32


def test_each_drafted_part_is_marked_and_the_mark_is_explained() -> None:
    review = drafting.draft(constitutional())
    text = export.to_markdown(review)
    drafted = sum(part["kind"] == "auto" for part in review["sections"])
    assert text.count("\n**AUTO-DRAFT**\n") == drafted
    assert export.LEGEND in text


def test_people_and_their_time_stand_over_what_they_wrote() -> None:
    text = export.to_markdown(drafting.draft(operational()))
    assert "*Written by Ana Lima, 2026-11-02 13:12:05 +00:00:*\n\nCheckout could not reach" in text


def test_what_was_left_out_is_said_and_so_is_that_nothing_was() -> None:
    assert export.NOTHING_LEFT_OUT in export.to_markdown(drafting.draft(operational()))
    text = export.to_markdown(drafting.draft(operational(omissions=("2 entries are redacted.",))))
    assert "- 2 entries are redacted." in text
    assert export.NOTHING_LEFT_OUT not in text


@pytest.mark.parametrize("make", [operational, constitutional])
def test_every_export_is_the_same_for_the_same_document_even_after_a_round_trip(make: Callable[..., Record]) -> None:
    review = drafting.draft(make())
    stored = json.loads(export.to_json(review))
    assert stored == review
    reordered = json.loads(json.dumps(review, sort_keys=True))
    for other in (stored, reordered):
        assert export.to_json(other) == export.to_json(review)
        assert export.to_markdown(other) == export.to_markdown(review)
        assert html.to_html(other) == html.to_html(review)


def test_json_keeps_half_a_surrogate_pair_as_an_escape_and_refuses_what_json_cannot_hold() -> None:
    assert json.loads(export.to_json({"title": "a\udc80b"})) == {"title": "a\udc80b"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        export.to_json({"seconds": float("nan")})


def test_a_moment_in_another_zone_is_shown_in_utc_with_offset() -> None:
    assert markup.moment(after(0).astimezone(ZoneInfo("Asia/Kolkata"))) == "2026-11-02 03:12:05 +00:00"


@settings(max_examples=300, deadline=None)
@given(texts)
def test_escaped_text_reads_as_itself_in_a_paragraph_a_list_a_heading_and_a_cell(text: str) -> None:
    shown = markup.one_line(text)
    for frame in ("{}", "- {}", "# Review: {}", "> {}"):
        inline = [t for t in READER.parse(frame.format(markup.escape(text) or "x")) if t.type == "inline"]
        assert [plain(t) for t in inline] == [
            frame.lstrip("->#" if len(frame) < 5 else "# ").strip().format(shown or "x")
        ]
        assert all(c.type in ("text", "text_special") for t in inline for c in t.children or [])
    table = READER.parse(markup.table(("a", "b"), [(text, "e"), ("f", text)]))
    cells = [plain(t) for t in table if t.type == "inline"]
    assert cells == ["a", "b", shown or "–", "e", "f", shown or "–"]


@settings(max_examples=15, deadline=None)
@given(texts.filter(markup.one_line), st.sampled_from([operational, constitutional]))
def test_no_text_of_the_record_changes_the_shape_of_the_markdown(text: str, make: Callable[..., Record]) -> None:
    # One text for all: equal names fall together, so the tame record must have equal names too.
    record = make(sections_written={})
    hostile = export.to_markdown(drafting.draft(everywhere(record, lambda _: text)))
    tame = export.to_markdown(drafting.draft(everywhere(record, lambda _: "x")))
    assert shape(body(hostile)) == shape(body(tame))
    inline = {c.type for t in READER.parse(body(hostile)) for c in t.children or []}
    assert inline <= {"text", "text_special", "strong_open", "strong_close", "link_open", "link_close", "code_inline"}


@settings(max_examples=30, deadline=None)
@given(texts)
def test_any_title_survives_the_front_matter(text: str) -> None:
    markdown = export.to_markdown(drafting.draft(operational(title=text)))
    assert markdown.startswith("---\n")
    front = yaml.safe_load(markdown.split("\n---\n", 1)[0])
    assert front["title"] == markup.one_line(text)


def test_an_address_is_linked_only_if_it_is_http_and_is_shown_as_its_host() -> None:
    assert (
        markup.link("https://mon.example.org/a/1?x=(1)|2")
        == "[mon.example.org](https://mon.example.org/a/1?x=%281%29%7C2)"
    )
    assert markup.link("https://bank.example@evil.example/") == "[evil.example](https://bank.example@evil.example/)"
    for other in (
        "javascript:alert(1)",
        "http://[",
        "https://a.example/\nb",
        "data:text/html,x",
        "//evil.example",
        "https://a\\|b.example",
        "http://a.example:x",
        "",
    ):
        assert "](" not in markup.link(other), other


def test_a_bare_address_in_text_is_not_made_a_link_by_readers_that_look_for_them() -> None:
    shown = markup.escape("see https://evil.example or WWW.evil.example")
    assert shown == r"see https\://evil.example or WWW\.evil.example"


def test_what_people_write_keeps_its_markdown() -> None:
    text = "Two **factors**:\n\n1. `pool = 10`\n2. no alert\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n<pod> # not a heading\n```"
    assert written.contained(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Findings\ntext", "**Findings**\ntext"),
        ("Findings\n========\ntext", "Findings\ntext"),
        ("## Findings ##", "**Findings**"),
        ("kubectl get <pod> in `a<b`", "kubectl get &lt;pod> in `a&lt;b`"),
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
    ],
)
def test_headings_and_tags_of_people_become_text(text: str, expected: str) -> None:
    assert written.contained(text) == expected


def test_a_fence_left_open_does_not_swallow_the_sections_after_it() -> None:
    record = operational(sections_written={"summary": Written("Ana Lima", "```\nlog line", after(90))})
    assert len(headings(export.to_markdown(drafting.draft(record)))) == 27


def test_a_link_definition_of_one_author_does_not_reach_another_section() -> None:
    record = operational(
        sections_written={
            "summary": Written("Ana Lima", "[runbook]: https://evil.example", after(90)),
            "impact": Written("Bo Chen", "See the [runbook].", after(91)),
        }
    )
    tokens = READER.parse(body(export.to_markdown(drafting.draft(record))))
    hrefs = [str(c.attrs["href"]) for t in tokens for c in t.children or [] if c.type == "link_open"]
    assert not [href for href in hrefs if "evil" in href]


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=4).map("\n".join))
def test_nothing_people_write_adds_a_heading_opens_a_tag_or_hides_the_next_section(text: str) -> None:
    tokens = READER.parse(f"## one\n\n{written.contained(text)}\n\n## two\n")
    found = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert found == ["one", "two"]
    assert not [c for t in tokens for c in [t, *(t.children or [])] if c.type.startswith("html_")]


def test_a_long_timeline_is_exported_whole() -> None:
    base = operational()
    entries = tuple(replace(base.timeline[0], seq=n, text=f"Repeat number {n}") for n in range(1, 301))
    text = export.to_markdown(drafting.draft(replace(base, timeline=entries)))
    assert all(f"Repeat number {n} |" in text for n in range(1, 301))
