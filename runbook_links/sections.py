"""The sections of a runbook and the lines about itself below its title. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_links import lines, steps
from runbook_links.lines import Line

# The sections in their order, each with the other headings that mean it.
CANONICAL: Mapping[str, tuple[str, ...]] = {
    "Purpose": ("overview", "scope", "meaning"),
    "Trigger Conditions": ("triggers", "scenario", "when to use"),
    "Symptoms": ("impact",),
    "Prerequisites": ("pre-requisites", "preconditions"),
    "Diagnosis": (),
    "Procedure": ("steps", "resolution", "procedure steps", "procedures", "mitigation"),
    "Decision Points": (),
    "Verification": ("validation",),
    "Escalation": ("escalation paths", "escalation procedures"),
    "Rollback": ("rollback procedure", "rollback procedures"),
    "Expected Outcomes": ("expected outcome", "outputs"),
    "Troubleshooting": ("error handling",),
    "Prevention": (),
    "Monitoring": (),
    "Dependencies": (),
    "Contacts": (),
    "References": (),
    "Change Log": ("updates", "changelog", "change history"),
    "Automation Opportunities": ("automation",),
}
_NAMES = {alias: name for name, aliases in CANONICAL.items() for alias in (name.lower(), *aliases)}

_HEADER = re.compile(
    r"^\s*(?:[-*]\s+)?\**(?P<name>last updated|version|owner|next review)\**\s*:\**\s*(?P<value>.*?)\s*$", re.I
)
_FOOTER_LINES_MAX = 8
_RULE_LINE = re.compile(r"^ {0,3}(?:-\s*){3,}$")
_BEFORE_NAME = re.compile(r"^(?:[^\x00-\x7f\s]\S*\s+)?(?:\d{1,3}[.)]\s+)?")


@dataclass(frozen=True, slots=True)
class Part:
    """One `##` section as written; `line` is its heading's."""

    name: str
    line: int
    written: list[Line]


def canonical(heading: str) -> str:
    """The standard's name for a section heading, or the heading itself: numbers and colours before it do not count."""
    bare = _BEFORE_NAME.sub("", heading).strip(" *:")
    return _NAMES.get(bare.lower(), bare or heading)


def parts(scanned: Sequence[Line]) -> list[Part]:
    """The `##` sections in the order written. Steps that stand as `##` themselves belong to the procedure."""
    found: list[Part] = []
    for line in scanned:
        heading = lines.heading(line)
        if heading and heading.depth == 2 and steps.is_step(heading.title, 2):
            found.append(Part("Procedure", heading.line, [line]))
        elif heading and heading.depth == 2:
            found.append(Part(canonical(heading.title), heading.line, []))
        elif heading and heading.depth == 1:
            found.append(Part("", heading.line, []))
        elif found:
            found[-1].written.append(line)
    return [part for part in found if part.name]


def texts(found_parts: Sequence[Part]) -> dict[str, str]:
    """Each section's Markdown under its name; sections of one name are joined."""
    found: dict[str, list[str]] = {}
    for part in found_parts:
        found.setdefault(part.name, []).append(lines.raw(part.written))
    return {name: "\n\n".join(filter(None, written)) for name, written in found.items()}


def header(scanned: Sequence[Line]) -> tuple[dict[str, str], dict[str, int]]:
    """`Last Updated:`, `Version:`, `Owner:` and `Next Review:` above the first section, or else in the footer."""
    first = next((i for i, line in enumerate(scanned) if (h := lines.heading(line)) and h.depth > 1), len(scanned))
    rules = (i for i in range(len(scanned) - 1, first, -1) if not scanned[i].code and _RULE_LINE.match(scanned[i].text))
    footer = next(rules, len(scanned))
    if len(scanned) - footer > _FOOTER_LINES_MAX:
        footer = len(scanned)
    found: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for line in (*scanned[:first], *scanned[footer:]):
        match = None if line.code else _HEADER.match(line.text)
        key = match["name"].lower().replace(" ", "_") if match else ""
        if match and key not in found:
            found[key], numbers[key] = match["value"].strip("* "), line.number
    return found, numbers
