"""One runbook: Markdown text -> Runbook. Pure.

Reading is lenient and complete: whatever can be shown to somebody at night is kept, and what is wrong with it goes
into `problems`, for the linter to report. A plain document without front matter is read too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from runbook_links import fields, front_matter, lines, periods, sections, steps
from runbook_links.certification import GRACE_DAYS_CONSTITUTIONAL, GRACE_DAYS_OPERATIONAL
from runbook_links.certification import Exercise as Exercise
from runbook_links.certification import Recert as Recert
from runbook_links.front_matter import FrontMatter
from runbook_links.front_matter import Problem as Problem
from runbook_links.lines import Heading
from runbook_links.periods import Period as Period
from runbook_links.steps import Action as Action
from runbook_links.steps import Approval as Approval
from runbook_links.steps import Block as Block
from runbook_links.steps import Step as Step

TEXT_CHARACTERS_MAX = 300_000
NOT_RUNBOOKS = ("index", "template")

_WAIVER = re.compile(
    r"^lint:\s*(?P<rule>RB\d{3})\b(?:\s+reviewed-by\s+(?P<reviewer>\S.*?))?(?:\s+reason\s+(?P<reason>\S.*))?\s*$", re.S
)


class RunbookError(Exception):
    """The text cannot be read as a runbook at all."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """`<!-- lint: RB022 reviewed-by … reason … -->`. Without a reviewer or a reason it waives nothing."""

    rule: str
    reviewer: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Runbook:
    """`name` is the file's name without .md; `id` should be the same. `incident_class` is never empty."""

    name: str
    id: str
    title: str
    category: str
    incident_class: str  # operational, constitutional or mixed
    severities: tuple[str, ...]
    services: tuple[str, ...]
    triggers: tuple[str, ...]
    keywords: tuple[str, ...]
    owner: str
    contacts: tuple[str, ...]
    version: str
    last_updated: date | None
    next_review: date | None
    governance_refs: tuple[str, ...]
    approvals: tuple[Approval, ...]
    min_hold: timedelta | None
    recert: Recert
    last_exercised: Exercise
    active: bool
    steps: tuple[Step, ...]
    sections: Mapping[str, str]  # canonical name -> Markdown, in the order written; other sections under their own
    section_lines: Mapping[str, int]
    headings: tuple[Heading, ...]
    body: str  # without the front matter
    body_line: int
    source: str
    sha256: str  # of the file's bytes
    front_matter: Mapping[str, Any]
    key_lines: Mapping[str, int]
    has_front_matter: bool
    header: Mapping[str, str]  # the lines below the title, such as `Version: 1.0`: key of the front matter -> text
    header_lines: Mapping[str, int]
    waivers: tuple[Waiver, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), compare=False)

    def __hash__(self) -> int:
        return hash((self.name, self.sha256))

    @property
    def is_runbook(self) -> bool:
        """False for the index and the template."""
        return self.category not in NOT_RUNBOOKS

    @property
    def is_constitutional(self) -> bool:
        return self.incident_class in ("constitutional", "mixed")

    @property
    def anchors(self) -> tuple[str, ...]:
        """What a link `#…` into this document may name."""
        return lines.slugs(self.headings)

    def recert_state(self, today: date) -> str:
        grace_days = GRACE_DAYS_CONSTITUTIONAL if self.is_constitutional else GRACE_DAYS_OPERATIONAL
        return self.recert.state(today, grace_days=grace_days)


def parse(text: str, *, name: str) -> Runbook:
    """Read a runbook. Raises RunbookError only when nothing can be made of the text; `name` lacks the `.md`."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise RunbookError(f"{name}.md is longer than {TEXT_CHARACTERS_MAX} characters")
    if "\0" in text:
        raise RunbookError(f"{name}.md is not text: it contains NUL characters")
    front = front_matter.read(text.removeprefix("\ufeff"))
    scanned, comments = lines.scan(front.body, first=front.body_line)
    headings = tuple(heading for line in scanned if (heading := lines.heading(line)))
    if not headings and not front.present:
        raise RunbookError(f"{name}.md has neither a heading nor front matter")
    parts = sections.parts(scanned)
    procedure = [line for part in parts if part.name == "Procedure" for line in part.written]
    found_steps, step_problems = steps.read(procedure)
    header, header_lines = sections.header(scanned)
    values, title = front.values, next((each.title for each in headings if each.depth == 1), "")
    category = _category(values, name)
    recert = values.get("recert")
    exercised = values.get("last_exercised")
    return Runbook(
        name=name,
        id=_text(values.get("id")) or name,
        title=_text(values.get("title")) or title or name,
        category=category,
        incident_class=_class(values, found_steps),
        severities=tuple(each.upper() for each in _texts(values.get("severities"))),
        services=_texts(values.get("services")),
        triggers=_texts(values.get("triggers")),
        keywords=_texts(values.get("keywords")),
        owner=_text(values.get("owner")) or header.get("owner", ""),
        contacts=_texts(values.get("contacts")),
        version=_text(values.get("version")) or header.get("version", ""),
        last_updated=_day(values.get("last_updated")) or _day(header.get("last_updated")),
        next_review=_day(values.get("next_review")) or _day(header.get("next_review")),
        governance_refs=_texts(values.get("governance_refs")),
        approvals=_approvals(values.get("approvals")),
        min_hold=_hold(values.get("min_hold")),
        recert=_recert(recert if isinstance(recert, Mapping) else {}),
        last_exercised=_exercise(exercised if isinstance(exercised, Mapping) else {}),
        active=not _is_off(values.get("active")),
        steps=found_steps,
        sections=sections.texts(parts),
        section_lines={part.name: part.line for part in reversed(parts)},
        headings=headings,
        body=front.body,
        body_line=front.body_line,
        source=text,
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        front_matter=values,
        key_lines=front.line_of,
        has_front_matter=front.present,
        header=header,
        header_lines=header_lines,
        waivers=tuple(_waiver(match, each.line) for each in comments if (match := _WAIVER.match(each.text))),
        problems=(*front.problems, *_field_problems(front, category), *step_problems),
    )


def _category(values: Mapping[str, Any], name: str) -> str:
    declared = _text(values.get("category"))
    if declared:
        return declared
    return {"index": "index", "TEMPLATE": "template"}.get(name, "runbook")


def _class(values: Mapping[str, Any], found: Sequence[Step]) -> str:
    """As declared; else by the labels of its steps, so that a plain document is not taken for more than it is."""
    declared = _text(values.get("class")).lower()
    if declared in fields.CLASSES:
        return declared
    labels = {step.label for step in found if step.label}
    if not labels or labels == {steps.OPERATIONAL}:
        return "operational"
    return "constitutional" if labels == {steps.CONSTITUTIONAL} else "mixed"


def _field_problems(front: FrontMatter, category: str) -> Sequence[Problem]:
    """The template's own values are placeholders, each of which would be of a wrong kind."""
    return () if category == "template" else fields.problems(front)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(filter(None, map(_text, items)))


def _is_off(value: Any) -> bool:
    """`active: no` is reported as a wrong kind, and still means what its author meant."""
    return value is False or (isinstance(value, str) and value.strip().lower() in ("false", "no", "off"))


def _day(value: Any) -> date | None:
    return periods.day(value) if isinstance(value, str) else None


def _hold(value: Any) -> timedelta | None:
    found = periods.period(value) if isinstance(value, str) else None
    return found.as_timedelta if found else None


def _approvals(value: Any) -> tuple[Approval, ...]:
    return tuple(
        Approval(_text(each.get("action")), _texts(each.get("roles")), each["min"])
        for each in (value if isinstance(value, list) else ())
        if isinstance(each, Mapping) and isinstance(each.get("min"), int)
    )


def _recert(values: Mapping[str, Any]) -> Recert:
    return Recert(
        status=_text(values.get("status")).lower(),
        certified_on=_day(values.get("certified_on")),
        certified_by=_text(values.get("certified_by")),
        period=periods.period(_text(values.get("period"))),
        record_url=_text(values.get("record_url")),
    )


def _exercise(values: Mapping[str, Any]) -> Exercise:
    return Exercise(_day(values.get("date")), _text(values.get("kind")), _text(values.get("incident")))


def _waiver(match: re.Match[str], line: int) -> Waiver:
    return Waiver(match["rule"], (match["reviewer"] or "").strip(), (match["reason"] or "").strip(), line)
