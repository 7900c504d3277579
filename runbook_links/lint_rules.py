"""What a lint rule sees and says, and the rules over the front matter (RB001-RB007, RB040-RB043). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from runbook_links import fields
from runbook_links.document import Runbook

ERROR, WARNING, NOTE = "E", "W", "I"
STOPS_ATTACHMENT = ("RB019", "RB022", "RB025")  # with one of these, no runbook is better than this one
EXERCISE_DAYS_MAX = 365

_PROBLEM_SEVERITY = {"RB026": WARNING}
_FROM_HEADER = ("version", "last_updated", "next_review")
_NOT_A_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """`severity` is E (cannot be published), W or I. `span` quotes the words meant. Lines count in the whole file."""

    rule: str
    severity: str
    message: str
    line: int = 1
    span: str = ""
    runbook: str = ""  # the file's name without .md
    waived_by: str = ""  # somebody read the place and found it sound; asked again at each recertification


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What the linter needs of a classification rule."""

    id: str
    runbook: str = ""  # the id of the runbook that it names
    severity: str = ""
    alert_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LintContext:
    """`now`, and what is known beyond the files. None means not known: the rules that need it are not checked."""

    now: datetime
    known_targets: Collection[str] | None = None  # every `role:…`, `schedule:…`, `responder:…` there is
    staffed_targets: Collection[str] | None = None  # those of them that reach somebody now
    rules: Collection[RuleFacts] | None = None
    committed_on: Mapping[str, date] | None = None  # file name without .md -> the day of its last content commit
    previous: Mapping[str, Runbook] | None = None  # file name without .md -> the last published copy
    paths: Collection[str] | None = None  # every file of the folder, relative to it
    dead_urls: Collection[str] | None = None  # external links that were tried and are dead


def from_reading(runbook: Runbook) -> Iterator[Finding]:
    """RB001, RB003, RB012, RB026: what reading the document already found."""
    for problem in runbook.problems:
        severity = _PROBLEM_SEVERITY.get(problem.rule, ERROR)
        yield Finding(problem.rule, severity, problem.message, problem.line, problem.span)


def required_keys(runbook: Runbook) -> Iterator[Finding]:
    """RB002: a required key is missing, or holds what stands for a value."""
    if not runbook.has_front_matter:
        yield from _placeholders_of_header(runbook)
        return
    for path in (*fields.REQUIRED, "owner", *(f"recert.{key}" for key in fields.REQUIRED_OF_RECERT)):
        value = fields.at(runbook.front_matter, path)
        line = runbook.key_lines.get(path) or runbook.key_lines.get(path.partition(".")[0], 1)
        if path in _FROM_HEADER and value is None:
            value = runbook.header.get(path)
            line = runbook.header_lines.get(path, line)
        held = next((each for each in _items(value) if fields.is_placeholder(each)), None)
        if held is not None:
            yield Finding("RB002", ERROR, f"`{path}` still holds a placeholder: write the real value", line, str(held))
        elif _is_missing(runbook, path, value):
            yield Finding("RB002", ERROR, f"`{path}` is required and is missing", line)


def _is_missing(runbook: Runbook, path: str, value: Any) -> bool:
    if path == "owner" or (path.startswith("recert.") and not isinstance(runbook.front_matter.get("recert"), Mapping)):
        return False  # RB041 asks for the owner; a `recert` that is absent or no mapping is one finding, not six
    return value is None or value == "" or (value == [] and path not in fields.MAY_BE_EMPTY)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _placeholders_of_header(runbook: Runbook) -> Iterator[Finding]:
    for key, value in runbook.header.items():
        if not value or fields.is_placeholder(value):
            yield Finding(
                "RB002",
                ERROR,
                f"`{key}` still holds a placeholder: write the real value",
                runbook.header_lines[key],
                value,
            )
    if fields.is_placeholder(runbook.title):
        line = runbook.headings[0].line if runbook.headings else 1
        yield Finding("RB002", ERROR, "the title is still a placeholder", line, runbook.title)


def id_is_file_name(runbook: Runbook) -> Iterator[Finding]:
    """RB004, the half that one file shows; whether the id is unique is seen across the folder."""
    if runbook.id != runbook.name:
        message = f"`id: {runbook.id}` must be the file's name, `{runbook.name}`: links and rules name it so"
        yield Finding("RB004", ERROR, message, runbook.key_lines.get("id", 1), runbook.id)


def is_no_template(runbook: Runbook) -> Iterator[Finding]:
    """RB004, of a copy of the template whose front matter still says that it is one: nobody is given it."""
    if runbook.category == "template" and runbook.name != "TEMPLATE":
        message = "`category: template` makes it no runbook: say ritual, runbook or operation"
        yield Finding("RB004", ERROR, message, runbook.key_lines.get("category", 1), "category")


def last_updated(runbook: Runbook, context: LintContext) -> Iterator[Finding]:
    """RB005."""
    written = runbook.last_updated
    if written is None:
        return
    line = runbook.key_lines.get("last_updated") or runbook.header_lines.get("last_updated", 1)
    if written > context.now.date():
        yield Finding("RB005", ERROR, f"`last_updated` is in the future: {written}", line, str(written))
    committed_on = (context.committed_on or {}).get(runbook.name)
    if committed_on is not None and written < committed_on:
        message = f"`last_updated` is {written}, but the text was last changed on {committed_on}"
        yield Finding("RB005", WARNING, message, line, str(written))


def title_and_header(runbook: Runbook) -> Iterator[Finding]:
    """RB006: the title, and the lines below it, say what the front matter says."""
    titles = [heading for heading in runbook.headings if heading.depth == 1]
    if len(titles) != 1:
        line = titles[1].line if titles else runbook.body_line
        yield Finding("RB006", WARNING, f"there must be one `# Title`; there are {len(titles)}", line)
    elif runbook.has_front_matter and titles[0].title != runbook.title:
        message = f"the heading says `{titles[0].title}`, the front matter `{runbook.title}`"
        yield Finding("RB006", WARNING, message, titles[0].line, titles[0].title)
    for key, value in runbook.header.items():
        declared = runbook.front_matter.get(key)
        if not isinstance(declared, str) or fields.is_placeholder(declared) or _same(declared, value):
            continue
        severity = WARNING if key == "owner" else ERROR
        message = f"the line below the title says `{value}`, the front matter `{key}: {declared}`"
        yield Finding("RB006", severity, message, runbook.header_lines[key], value)


def _same(declared: str, value: str) -> bool:
    """`role:constitutional-oncall` and "Constitutional On-call" are one owner."""
    return _bare(declared) == _bare(value) or _bare(declared.rpartition(":")[2]) == _bare(value)


def _bare(text: str) -> str:
    return _NOT_A_LETTER.sub("" if not text[:1].isdigit() else ".", text).lower()


def version_moved(runbook: Runbook, context: LintContext) -> Iterator[Finding]:
    """RB007."""
    before = (context.previous or {}).get(runbook.name)
    if before is None or before.version != runbook.version:
        return
    if before.sections.get("Procedure") != runbook.sections.get("Procedure"):
        message = f"the procedure changed and the version is still {runbook.version}"
        yield Finding("RB007", WARNING, message, runbook.key_lines.get("version", 1), runbook.version)


def certification(runbook: Runbook, context: LintContext) -> Iterator[Finding]:
    """RB040: the worse of what the file says and what its dates say."""
    state = runbook.recert_state(context.now.date())
    line = runbook.key_lines.get("recert.status") or runbook.key_lines.get("recert", 1)
    until = f" (due {runbook.recert.due_on})" if runbook.recert.due_on else ""
    if state == "expired":
        yield Finding(
            "RB040", ERROR, f"the certification has expired{until}: its owner must confirm or update it", line
        )
    elif state == "overdue":
        yield Finding("RB040", WARNING, f"the certification is overdue{until}", line)
    elif state in ("due", "in-review"):
        yield Finding("RB040", NOTE, f"the certification is {state.replace('-', ' ')}{until}", line)


def owner(runbook: Runbook, context: LintContext) -> Iterator[Finding]:
    """RB041: somebody answers for it, and it was they who certified it."""
    line = runbook.key_lines.get("owner") or runbook.header_lines.get("owner", 1)
    if not runbook.owner:
        yield Finding("RB041", ERROR, "no owner: name the role that answers for this runbook", line)
        return
    if context.known_targets is not None and runbook.has_front_matter and runbook.owner not in context.known_targets:
        message = f"the owner `{runbook.owner}` is not known: they left, or were never declared"
        yield Finding("RB041", ERROR, message, line, runbook.owner)
    by = runbook.recert.certified_by
    if by and by != runbook.owner and not fields.is_placeholder(runbook.owner):
        message = f"the owner is `{runbook.owner}`, but `{by}` certified it"
        yield Finding("RB041", WARNING, message, runbook.key_lines.get("recert.certified_by", line), by)


def next_review(runbook: Runbook) -> Iterator[Finding]:
    """RB042."""
    due_on = runbook.recert.due_on
    if due_on is not None and runbook.next_review is not None and runbook.next_review != due_on:
        message = f"`next_review` is {runbook.next_review}; certified_on and period give {due_on}"
        line = runbook.key_lines.get("next_review") or runbook.header_lines.get("next_review", 1)
        yield Finding("RB042", WARNING, message, line, str(runbook.next_review))


def exercised(runbook: Runbook, context: LintContext) -> Iterator[Finding]:
    """RB043."""
    on = runbook.last_exercised.on
    line = runbook.key_lines.get("last_exercised", 1)
    if on is None:
        yield Finding("RB043", WARNING, "never exercised: write `last_exercised` after a dry run", line)
    elif (context.now.date() - on).days > EXERCISE_DAYS_MAX:
        yield Finding(
            "RB043", WARNING, f"last exercised on {on}, more than {EXERCISE_DAYS_MAX} days ago", line, str(on)
        )
