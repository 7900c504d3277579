"""Markdown -> HTML that is safe to show."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_links import rendering
from tests.unit import runbook_samples
from tests.unit.runbook_samples import GOOD, good


class Seen(HTMLParser):
    """What a browser would make of it: the tags and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_checkboxes_are_shown_and_cannot_be_changed_in_the_document() -> None:
    boxes = Seen(rendering.render("- [ ] one\n- [x] two\n")).of("input")
    assert [("checked" in box, "disabled" in box, box["type"]) for box in boxes] == [
        (False, True, "checkbox"),
        (True, True, "checkbox"),
    ]


def test_tables_code_and_numbered_lists_are_shown() -> None:
    html = rendering.render("| a | b |\n|---|---|\n| 1 | 2 |\n\n```bash\nls <x>\n```\n\n3. third\n")
    assert "<td>2</td>" in html
    assert '<code class="language-bash">ls &lt;x&gt;\n</code>' in html
    assert '<ol start="3">' in html


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<iframe src='https://example.org'></iframe>",
        "<div onclick=x>\n\n# T\n\n</div>",
        "<svg/onload=alert(1)>",
        "<input type=text autofocus onfocus=x>",
        "<a href='javascript:x'>y</a>",
    ],
)
def test_raw_html_is_shown_as_text(markdown: str) -> None:
    html = rendering.render(markdown)
    seen = Seen(html)
    assert {tag for tag, _ in seen.tags} <= {"p", "h1"}
    assert "&lt;" in html


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JaVaScRiPt:x", "file:///etc/passwd"]
)
def test_a_link_that_would_run_something_is_no_link(target: str) -> None:
    links = Seen(rendering.render(f"[x]({target})\n\n[y][1]\n\n[1]: {target}\n")).of("a")
    assert all("href" not in link for link in links)


def test_a_picture_from_elsewhere_is_a_link_and_is_not_fetched() -> None:
    seen = Seen(rendering.render("![plan](https://example.org/p.png)"))
    assert seen.of("img") == []
    assert seen.of("a")[0]["href"] == "https://example.org/p.png"


def test_a_placeholder_in_angle_brackets_stays_readable() -> None:
    assert "restart &lt;service&gt; now" in rendering.render("restart <service> now")


def test_comments_are_not_shown_unless_as_code() -> None:
    html = rendering.render("a <!-- lint: RB022 --> b `<!-- c -->`\n\n<!--\nx\n\ny\n-->\n\nz")
    assert "lint" not in html
    assert "x" not in html
    assert "<code>&lt;!-- c --&gt;</code>" in html


def test_relative_links_become_the_callers_and_anchors_meet_their_headings() -> None:
    html = rendering.render(
        "# My Title\n\n[a](other.md#x) [b](#my-title) [c](https://example.org)",
        link=lambda target: f"/runbooks/{target}",
    )
    seen = Seen(html)
    assert [link["href"] for link in seen.of("a")] == ["/runbooks/other.md#x", "#rb-my-title", "https://example.org"]
    assert seen.of("h1") == [{"id": "rb-my-title"}]
    assert all(link["rel"] == "noopener noreferrer" for link in seen.of("a"))


def test_every_link_within_a_good_runbook_meets_a_heading() -> None:
    seen = Seen(rendering.render(good().body))
    ids = {attributes.get("id") for tag, attributes in seen.tags if re.fullmatch(r"h\d", tag)}
    within = [str(link["href"]) for link in seen.of("a") if str(link["href"]).startswith("#")]
    assert within
    assert {target[1:] for target in within} <= ids


def test_links_are_listed_with_their_lines_and_those_in_code_are_not() -> None:
    assert rendering.links("x\n\n[a](b.md)\n\n`[c](d.md)`\n\n- [e](#f)\n", first=10) == [("b.md", 12), ("#f", 16)]


ALLOWED_ATTRIBUTES = {"id", "href", "title", "rel", "class", "type", "checked", "disabled", "start"}


@settings(max_examples=60, deadline=None)
@given(
    text=runbook_samples.spoilt()
    | st.lists(
        st.sampled_from(
            ["<", ">", "<a href=", "javascript:", "](", "[", "`", "onload=x", "<!--", "-->", "\n", '"', " ", "&lt;"]
        ),
        max_size=30,
    ).map("".join)
)
def test_whatever_is_written_only_safe_tags_and_attributes_come_out(text: str) -> None:
    for tag, attributes in Seen(rendering.render(text)).tags:
        assert tag in rendering.TAGS
        assert set(attributes) <= ALLOWED_ATTRIBUTES
        assert (attributes.get("href") or "").split(":")[0].lower() not in ("javascript", "data", "vbscript")


def test_the_whole_good_runbook_is_rendered() -> None:
    seen = Seen(rendering.render(good().body))
    assert len(seen.of("input")) == GOOD.count("- [ ]")
    assert len(seen.of("table")) == 2
