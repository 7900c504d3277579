"""The review document as one HTML file that needs nothing else: styles inside, no script, no image. Pure.

Every value in the frame is escaped by Markup; the parts of a section are Markdown and go through `rendering`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from incidents.phases import duration
from incidents.reviews import due, export, markup, rendering, written
from incidents.reviews.stylesheet import CSS

_SEVERITIES = ("critical", "high", "medium", "low", "info")

_FILE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Post-incident review {number}: {title}</title>
<style>{css}</style>
</head>
<body>
<main>
{header}
{contents}
{sections}
<section id="left-out"><h2>Left out</h2>{left_out}</section>
<footer>Drafted from the record of {generated_at}. Ruleset {ruleset}, template {template}.
Timeline head {head}.</footer>
</main>
</body>
</html>
""")

_HEADER = Markup("""<header>
<p class="kicker">Post-incident review, {state}</p>
<h1>{title}</h1>
<ul class="badges"><li class="{tone}">{severity}</li><li class="{incident_class}">{incident_class}</li><li>{status}</li></ul>
<p class="meta">Incident {number} on service {service}, opened {opened_at}. Review owner: {owner}. {written} of {asked}
sections written.</p>
{standing}
<dl class="durations">{durations}</dl>
<p class="legend">{legend}</p>
</header>""")


def to_html(review: export.Review) -> str:
    """A whole document; the same review gives the same text."""
    incident, snapshot = review["incident"], review["snapshot"]
    entries = {str(entry["seq"]) for entry in review["timeline"]}
    groups = list(export.sections(review))
    text = _FILE.format(
        number=incident["id"],
        title=markup.one_line(incident["title"]),
        css=CSS,
        header=_header(review),
        contents=_contents(groups),
        sections=_joined(_section(parts, entries) for parts in groups),
        left_out=rendering.to_html(markup.paragraphs(*export.left_out(review))),
        generated_at=snapshot["generated_at"],
        ruleset=snapshot["ruleset"],
        template=snapshot["template"],
        head=snapshot["head"] or markup.NOT_KNOWN,
    )
    return markup.visible(text)


def _header(review: export.Review) -> Markup:
    incident = review["incident"]
    severity, asked = incident["severity"]["final"], [p for p in review["sections"] if p["kind"] == "human"]
    return _HEADER.format(
        state=review["review"]["state"],
        title=markup.one_line(incident["title"]),
        tone=severity.lower() if severity.lower() in _SEVERITIES else "",
        severity=severity,
        incident_class=incident["class"],
        status=incident["status"],
        number=incident["id"],
        service=markup.one_line(incident["service"]) or markup.NOT_KNOWN,
        opened_at=markup.moment(export.instant(incident["opened_at"])),
        owner=markup.one_line(review["review"]["owner"]) or "nobody yet",
        written=sum(part["status"] != "empty" for part in asked),
        asked=len(asked),
        standing=rendering.to_html(export.standing(review)) if review["review"]["published_at"] else "",
        durations=_joined(_duration(key, review["metrics"][key]) for key in due.DEFINITIONS),
        legend=export.LEGEND,
    )


def _duration(key: str, seconds: int | None) -> Markup:
    name, meaning = due.DEFINITIONS[key]
    shown = markup.NOT_KNOWN if seconds is None else duration(timedelta(seconds=seconds))
    tone = "unknown" if seconds is None else "known"
    return Markup('<div title="{}"><dt>{}</dt><dd class="{}">{}</dd></div>').format(meaning, name, tone, shown)


def _contents(groups: Iterable[list[Mapping[str, Any]]]) -> Markup:
    line = Markup('<li class="{}"><span class="number">{}</span> <a href="#{}">{}</a></li>')
    lines = _joined(
        line.format(
            "open" if any(part["status"] == "empty" for part in parts) else "done",
            parts[0]["number"],
            parts[0]["key"],
            parts[0]["heading"],
        )
        for parts in groups
    )
    return Markup("<nav><h2>Sections (○ not yet written)</h2><ol>{}</ol></nav>").format(lines)


def _section(parts: list[Mapping[str, Any]], entries: set[str]) -> Markup:
    first = parts[0]
    frame = Markup('<section id="{}"><h2><span class="number">{}</span>{}</h2>\n{}</section>\n')
    body = _joined(_part(part, entries) for part in parts)
    return frame.format(first["key"], first["number"], first["heading"], body)


def _part(part: Mapping[str, Any], entries: set[str]) -> Markup:
    if part["kind"] == "auto":
        drafted = rendering.to_html(part["markdown"], entries, is_timeline=part["key"] == "timeline")
        return Markup('<div class="auto"><span class="mark">AUTO-DRAFT</span>\n{}</div>\n').format(drafted)
    if part["status"] == "empty":
        prompts = rendering.to_html(markup.bullets(p for p in part["prompts"] if p))
        mark = rendering.to_html(f"**{export.not_yet_written(part)}**")
        return Markup('<div class="unwritten">{}{}</div>\n').format(mark, prompts)
    byline = rendering.to_html(export.byline(part))
    text = rendering.to_html(written.contained(part["markdown"]))
    return Markup('<div class="people"><div class="byline">{}</div>{}</div>\n').format(byline, text)


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)
