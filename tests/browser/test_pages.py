"""The pages in a real browser, as wide as a phone and as a desk: nothing sticks out, and a thumb finds every target."""

from __future__ import annotations

import html
import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.database import Database
from config.ids import secret_hash
from config.web import STYLES
from incidents import demo, intake
from incidents.sources.base import AlertStatus, IncomingAlert, Link
from tests.edge import SECRET_KEY
from tests.pages import Pages, demo_world

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS_PX = (390, 1280)
TARGET_PX = 44
SECONDS_MAX = 90

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")

# Each page in a frame of its own; what is found is written into the outer document, which --dump-dom prints.
HARNESS = """<!doctype html><meta charset="utf-8"><body>{frames}<pre id="found"></pre><script>
addEventListener("load", () => {{
  const found = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument, wide = page.documentElement.clientWidth;
    for (const each of page.querySelectorAll("details")) each.open = frame.dataset.opened === "yes";
    const name = each => each.tagName.toLowerCase() + " " + (each.innerText || each.name || "").slice(0, 60);
    const seen = each => each.getClientRects().length > 0 && !each.closest(".visually-hidden, .skip, pre, .prose");
    const sticks = [...page.querySelectorAll("main *, header *")].filter(each => seen(each)
      && each.getBoundingClientRect().right > wide + 1 && !each.closest(".ways, .scroll"));
    const targets = "button, summary, select, textarea, input:not([type=hidden]):not([type=checkbox]), a.button, a.tap,"
      + " .filters a, .pager a, label.choice, td.is-main a";
    const low = [...page.querySelectorAll(targets)].filter(each => seen(each)
      && Math.round(each.getBoundingClientRect().height) < {target} && wide < 768);
    return {{page: frame.title, scrolls: page.documentElement.scrollWidth > wide, sticks: sticks.map(name),
      low: low.map(name), heading: page.querySelector("h1").innerText,
      colors: [getComputedStyle(page.body).color, getComputedStyle(page.body).backgroundColor]}};
  }});
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


def measured(pages: dict[str, str], folder: Path, *flags: str, opened: bool = False) -> list[dict[str, Any]]:
    styles = STYLES.read_text(encoding="utf-8")
    frames = []
    for name, page in pages.items():
        whole = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{styles}</style>", page)
        whole = re.sub(r'<meta http-equiv="refresh"[^>]*>|<link rel="icon"[^>]*>', "", whole)
        frames += [
            f'<iframe title="{name} at {width}" width="{width}" height="900" data-opened="{"yes" if opened else "no"}"'
            f' style="border:0" srcdoc="{html.escape(whole)}"></iframe>'
            for width in WIDTHS_PX
        ]
    document = folder / "harness.html"
    document.write_text(HARNESS.format(frames="".join(frames), target=TARGET_PX), encoding="utf-8")
    found = re.search(r'<pre id="found">(.*?)</pre>', dumped(document, folder / "profile", *flags), re.S)
    assert found and found[1], "the browser measured nothing"
    measures: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    assert len(measures) == len(frames)
    return measures


@pytest.fixture
def shown(sqlite_database: Database) -> dict[str, str]:
    """Every page, with much on it and with words that do not break."""
    pages = Pages(demo_world(sqlite_database), is_demo=True)
    world, reader = pages.world, pages.by("kofi")
    pages.lives_in("kofi", "America/Argentina/ComodRivadavia")
    empty = reader.get("/incidents").text
    for sample in ("checkout-down", "broken-chain", "slow-report"):
        reader.post(f"/console/alerts/{sample}")
    word = "W" * 300
    unbroken = IncomingAlert(
        "generic", word, AlertStatus.FIRING, f"{word} <b>", body=f"{word}\n" * 300, labels={word: word},
        links=(Link(f"https://example.org/{word}", word),),
    )  # fmt: skip
    with world.database.transaction() as session:
        door = intake.door(session, secret_hash(demo.key(SECRET_KEY, "reports", "generic")))
        assert door is not None
        intake.receive(session, world.desk, door, unbroken, world.now)
    world.now += timedelta(seconds=1)
    world.fast_forward(minutes=20)
    reader.post("/incidents/1/acknowledge")
    reader.post("/incidents/2/notes", data={"text": word, "starred": "1"})
    reader.post("/incidents/2/steps/1", data={"note": word})
    pages.by("ana").post("/incidents/2/resolve", data={"reason": word})
    reader.post("/incidents/3/resolve", data={"reason": word})
    paths = [
        *(f"/incidents/{number}" for number in range(1, 5)),
        "/incidents",
        "/incidents?choose=1&status=all",
        "/incidents/new",
    ]
    paths += ["/console", "/oncall", "/me", "/runbooks", "/runbooks/recovery", "/sign-in"]
    admin = pages.by("kofi", role="admin")
    kept = ("/configuration", "/configuration/schedule", "/configuration/policy/standard", "/readiness", "/audit")
    return {"empty list": empty, **{path: admin.get(path).text for path in kept}} | {
        path: (reader if path != "/sign-in" else pages.stranger()).get(path).text for path in paths
    }


@pytest.mark.parametrize("opened", [False, True])
def test_nothing_sticks_out_and_every_target_is_high_enough(
    shown: dict[str, str], tmp_path: Path, opened: bool
) -> None:
    for each in measured(shown, tmp_path, opened=opened):
        assert not each["scrolls"], f"{each['page']} is wider than the screen: {each['sticks'][:5]}"
        assert not each["sticks"], f"{each['page']}: {each['sticks'][:5]}"
        assert not each["low"], f"{each['page']} has targets lower than {TARGET_PX} pixels: {each['low'][:8]}"


def test_at_night_the_pages_are_dark(shown: dict[str, str], tmp_path: Path) -> None:
    few = {path: shown[path] for path in ("/incidents", "/incidents/2")}
    dark = "--blink-settings=preferredColorScheme=0"
    for each in measured(few, tmp_path, dark):
        ink, ground = (sum(map(int, re.findall(r"\d+", color)[:3])) for color in each["colors"])
        assert ground < 150 < 500 < ink, each
