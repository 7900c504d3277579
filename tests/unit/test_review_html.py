from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.reviews import drafting, html, rendering, sections
from incidents.reviews.record import Record
from tests.unit.review_records import constitutional, everywhere, operational, texts


class Page(HTMLParser):
    """What a browser would make of the file: its tags with their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_html_is_one_file_without_script_and_loads_nothing() -> None:
    source = html.to_html(drafting.draft(constitutional()))
    page = Page(source)
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    assert not re.search(r"url\(|@import", source)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name in ("src", "style")]
    assert "@media print" in source
    assert "@page" in source


def test_the_html_has_every_section_and_links_entries_to_the_timeline() -> None:
    page = Page(html.to_html(drafting.draft(constitutional())))
    ids = [str(attrs["id"]) for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert [s.key for s in sections.for_class("constitutional")] == [
        i for i in ids if not i.startswith(("entry-", "left-"))
    ]
    inside = [str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a" and str(attrs["href"]).startswith("#")]
    assert "entry-6" in inside
    assert set(inside) <= set(ids)
    assert "NOT YET WRITTEN (owner: Ana Lima" in page.text


def test_a_picture_people_put_in_becomes_a_link_to_it() -> None:
    rendered = rendering.to_html("![graph](https://graphs.example.org/1.png)")
    assert "<img" not in rendered
    assert 'href="https://graphs.example.org/1.png"' in rendered


@settings(max_examples=15, deadline=None)
@given(texts, st.sampled_from([operational, constitutional]))
def test_no_text_of_record_or_people_opens_a_tag_in_the_html(text: str, make: Callable[..., Record]) -> None:
    source = html.to_html(drafting.draft(everywhere(make(), lambda _: text or "x")))
    page = Page(source)
    allowed = {
        "html", "head", "meta", "title", "style", "body", "main", "header", "nav", "section", "footer", "h1", "h2", "p",
        "ul", "ol", "li", "dl", "dt", "dd", "div", "span", "a", "table", "thead", "tbody", "tr", "th", "td", "strong",
        "em", "code", "pre", "blockquote", "br", "hr", "s",
    }  # fmt: skip
    assert {tag for tag, _ in page.tags} <= allowed
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name in ("src", "style")]
    hrefs = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a"]
    assert all(href.startswith(("http://", "https://", "mailto:", "#")) for href in hrefs), hrefs
    assert sum(tag == "section" for tag, _ in page.tags) == len(sections.for_class(make().incident_class)) + 1


def test_a_title_reads_as_itself_in_the_html() -> None:
    title = 'p95 < 2 s & "slow" | <b>api</b> `x`'
    assert Page(html.to_html(drafting.draft(operational(title=title)))).text.count(title) >= 3
