"""The pages in a real browser, as wide as a phone and as a desk: nothing sticks out, and a thumb finds every target."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import navigation
from config.database import Database
from config.web import STYLES
from migrations import run
from tests.browser import every_page

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS_PX = (390, 1280)
TARGET_PX = 44
SECONDS_MAX = 90

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")

# Each page in a frame of its own, measured with all that opens closed, then open; what is found is written into the
# outer document, which --dump-dom prints.
HARNESS = """<!doctype html><meta charset="utf-8"><body>{frames}<pre id="found"></pre><script>
addEventListener("load", () => {{
  const found = [...document.querySelectorAll("iframe")].flatMap(frame => [false, true].map(opened => {{
    const page = frame.contentDocument;
    for (const each of page.querySelectorAll("details")) each.open = opened;
    const wide = page.documentElement.clientWidth;  // without a bar that opening or closing brought or took
    const name = each => each.tagName.toLowerCase() + " " + (each.innerText || each.name || "").slice(0, 60);
    const seen = each => each.checkVisibility() && !each.closest(".visually-hidden, .skip, pre, .prose");
    const sticks = [...page.querySelectorAll("main *, header *")].filter(each => seen(each)
      && each.getBoundingClientRect().right > wide + 1 && !each.closest(".scroll"));
    const inside = each => each.checkVisibility() && each.getBoundingClientRect().left >= 0
      && each.getBoundingClientRect().right <= wide;
    const targets = "button, summary, select, textarea, input:not([type=hidden]):not([type=checkbox]), a.button, a.tap,"
      + " .filters a, .pager a, nav a, label.choice, td.is-main a";
    const low = [...page.querySelectorAll(targets)].filter(each => seen(each)
      && Math.round(each.getBoundingClientRect().height) < {target} && wide < 768);
    return {{page: frame.title + (opened ? ", opened" : ""), scrolls: page.documentElement.scrollWidth > wide, sticks: sticks.map(name),
      low: low.map(name), bar: [...page.querySelectorAll("nav > a, nav summary")].filter(inside).map(each => each.innerText.trim()),
      menu: [...page.querySelectorAll("nav li a")].filter(inside).map(each => each.getAttribute("href")), heading: page.querySelector("h1").innerText,
      colors: [getComputedStyle(page.body).color, getComputedStyle(page.body).backgroundColor]}};
  }}));
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script></body>"""


def dumped(document: Path, profile: Path, *flags: str) -> str:
    command = [
        str(CHROMIUM),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"),
        *("--virtual-time-budget=5000", "--window-size=1400,1000", *flags, "--dump-dom", document.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=True).stdout


def measured(pages: dict[str, str], folder: Path, *flags: str) -> list[dict[str, Any]]:
    styles = STYLES.read_text(encoding="utf-8")
    frames = []
    for name, page in pages.items():
        whole = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{styles}</style>", page)
        whole = re.sub(r'<meta http-equiv="refresh"[^>]*>|<link rel="icon"[^>]*>', "", whole)
        frames += [
            f'<iframe title="{name} at {width}" width="{width}" height="900"'
            f' style="border:0" srcdoc="{html.escape(whole)}"></iframe>'
            for width in WIDTHS_PX
        ]
    document = folder / "harness.html"
    document.write_text(HARNESS.format(frames="".join(frames), target=TARGET_PX), encoding="utf-8")
    found = re.search(r'<pre id="found">(.*?)</pre>', dumped(document, folder / "profile", *flags), re.S)
    assert found and found[1], "the browser measured nothing"
    measures: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    assert len(measures) == 2 * len(frames)
    return measures


def paths(roles: set[str]) -> list[str]:
    return [entry.path for group in navigation.shown(roles, demo=True) for entry in group.entries]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Made once: no test changes them."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'tocsin.db'}")
    run.upgrade(database)
    yield every_page.of(database)
    database.close()


def test_every_entry_of_the_navigation_is_looked_at(shown: dict[str, str]) -> None:
    missing = {path for path in paths({"admin"}) if not any(name.partition(":")[0] == path for name in shown)}
    assert not missing


def test_nothing_sticks_out_and_every_target_is_high_enough(shown: dict[str, str], tmp_path: Path) -> None:
    for each in measured(shown, tmp_path):
        assert not each["scrolls"], f"{each['page']} is wider than the screen: {each['sticks'][:5]}"
        assert not each["sticks"], f"{each['page']}: {each['sticks'][:5]}"
        assert not each["low"], f"{each['page']} has targets lower than {TARGET_PX} pixels: {each['low'][:8]}"


def test_the_whole_menu_is_on_the_screen_of_a_phone_and_what_the_night_needs_is_beside_it(
    shown: dict[str, str], tmp_path: Path
) -> None:
    few = {path: shown[path] for path in ("/configuration", "/incidents/2")}
    for each in measured(few, tmp_path):
        roles = {"admin"} if "/configuration" in each["page"] else {"responder"}
        at_hand = [entry.name for entry in navigation.AT_HAND]
        assert each["bar"][:2] == at_hand
        assert len(each["bar"]) == (3 if "at 390" in each["page"] else 5), each
        assert each["menu"] == (paths(roles) if "opened" in each["page"] else []), each


def test_at_night_the_pages_are_dark(shown: dict[str, str], tmp_path: Path) -> None:
    few = {path: shown[path] for path in ("/incidents", "/incidents/2")}
    dark = "--blink-settings=preferredColorScheme=0"
    for each in measured(few, tmp_path, dark):
        ink, ground = (sum(map(int, re.findall(r"\d+", color)[:3])) for color in each["colors"])
        assert ground < 150 < 500 < ink, each
