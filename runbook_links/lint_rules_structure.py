"""Lint rules over the shape of a runbook: sections, steps, escalation table (RB010-RB017, RB030-RB032, RB053-54). Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runbook_links import fields, lines, lint_screen, sections
from runbook_links.document import Runbook, Step
from runbook_links.lint_rules import ERROR, NOTE, WARNING, Finding

OPTIONAL_SECTIONS = ("Decision Points", "Monitoring", "Dependencies", "Automation Opportunities")
REQUIRED_SECTIONS = tuple(name for name in sections.CANONICAL if name not in OPTIONAL_SECTIONS)
ESCALATION_COLUMNS = ("condition", "escalate to", "contact")
READING_WORDS_PER_MINUTE = 200
READING_MINUTES_MAX = 10
REASON_WORDS_MIN = 2

_NOT_APPLICABLE = re.compile(r"^\W*(?:not applicable|n/?a|none|irreversible)\b[\s:.—–-]*(?P<reason>.*)$", re.I | re.S)
_OBSERVABLE = re.compile(r"\d|`[^`]+`|[\"“][^\"”]+[\"”]|[<>=≤≥]|\b(?:empty|zero|none|no rows|green|exit code)\b", re.I)
_VAGUE = re.compile(
    r"\b(?:check|see|look at|review|read|watch)\s+(?:the\s+)?(?:\w+\s+)?(?:logs?|dashboards?|metrics|output)\b\W*$",
    re.I,
)
_VERIFICATION_FAILED = re.compile(r"verif\w*\b.*\b(?:fail|not pass)|fail\w*\b.*\bverif", re.I)
_NO_ANSWER = re.compile(
    r"\b(?:no|without)\b.*\b(?:answer|response|reply|ack\w*)|\b(?:not|un|nobody)[ -]?(?:answer|ack|respon|repl|reach)\w*",
    re.I,
)
_CELL = re.compile(r"(?<!\\)\|")
_SEPARATOR = re.compile(r"^[\s|:-]+$")


def required_sections(runbook: Runbook) -> Iterator[Finding]:
    """RB010."""
    for name in REQUIRED_SECTIONS:
        if name not in runbook.sections:
            yield Finding("RB010", ERROR, f"the section `## {name}` is missing", runbook.body_line)
        elif is_empty(runbook.sections[name]):
            yield Finding("RB010", ERROR, f"the section `## {name}` is empty", runbook.section_lines[name], name)
        elif name == "Rollback" and _lacks_reason(runbook.sections[name]):
            message = "`## Rollback` says that it does not apply: say why, or that the steps are irreversible and why"
            yield Finding("RB010", ERROR, message, runbook.section_lines[name], name)


def is_empty(section: str) -> bool:
    """No words beyond headings, comments, and what stands where words belong."""
    found = lines.scan(section)[0]
    words = [line.text.strip(" \t-*+|:>") for line in found if lines.heading(line) is None]
    return all(not text or fields.is_placeholder(text) for text in words)


def _lacks_reason(text: str) -> bool:
    match = _NOT_APPLICABLE.match(text)
    return match is not None and len(match["reason"].split()) < REASON_WORDS_MIN


def section_order(runbook: Runbook) -> Iterator[Finding]:
    """RB011: one finding, at the first section that stands too late."""
    order = list(sections.CANONICAL)
    placed = sorted((line, name) for name, line in runbook.section_lines.items() if name in order)
    furthest = ""
    for line, name in placed:
        if furthest and order.index(name) < order.index(furthest):
            yield Finding("RB011", WARNING, f"`## {name}` belongs before `## {furthest}`", line, name)
            return
        furthest = name


def steps_are_numbered(runbook: Runbook) -> Iterator[Finding]:
    """RB012."""
    if "Procedure" not in runbook.sections:
        return
    if not runbook.steps:
        line = runbook.section_lines["Procedure"]
        yield Finding("RB012", ERROR, "the procedure has no step: write `### Step 1: …`", line)
    for expected, step in enumerate(runbook.steps, start=1):
        if step.number != expected:
            message = f"step {step.number} stands where step {expected} belongs"
            yield Finding("RB012", ERROR, message, step.line, f"Step {step.number}")
            return


def steps_act(runbook: Runbook) -> Iterator[Finding]:
    """RB013."""
    for step in runbook.steps:
        if not step.actions:
            yield Finding("RB013", ERROR, f"step {step.number} has no action: write `- [ ] …`", step.line)
            continue
        for block in step.blocks:
            if not block.actions:
                message = f"the {block.label} part of step {step.number} has no action: write `- [ ] …`"
                yield Finding("RB013", ERROR, message, block.line)


def steps_are_verified(runbook: Runbook) -> Iterator[Finding]:
    """RB014, and RB015: what is expected can be seen by whoever looks."""
    for step in runbook.steps:
        if not step.expected_outcome or fields.is_placeholder(step.expected_outcome):
            message = (
                f"step {step.number} does not say what to expect: write **Verification:** with `Expected outcome:`"
            )
            yield Finding("RB014", ERROR, message, step.line)
        elif not _is_observable(step):
            message = f"step {step.number} is verified by nothing that can be seen: give a command or a value"
            yield Finding("RB015", WARNING, message, step.line, step.expected_outcome)


def _is_observable(step: Step) -> bool:
    command = step.verify_command
    if command and not fields.is_placeholder(command) and not _VAGUE.search(command):
        return True
    return bool(_OBSERVABLE.search(step.expected_outcome)) and not _VAGUE.search(step.expected_outcome)


def steps_have_actors(runbook: Runbook) -> Iterator[Finding]:
    """RB016."""
    for step in runbook.steps:
        absent = [name for name, value in (("Actor", step.actor), ("Duration", step.duration)) if not value]
        if absent:
            yield Finding("RB016", WARNING, f"step {step.number} has no {' and no '.join(absent)}", step.line)


def steps_can_be_undone(runbook: Runbook) -> Iterator[Finding]:
    """RB017."""
    for step in runbook.steps:
        changing = next((action for action in step.actions if lint_screen.changes_state(action.text)), None)
        if changing is None or (
            step.rollback and not fields.is_placeholder(step.rollback) and not _lacks_reason(step.rollback)
        ):
            continue
        message = f"step {step.number} changes something and names no way back: write **Rollback:**, or `Irreversible: reason`"
        yield Finding("RB017", ERROR, message, changing.line or step.line, changing.text)


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]  # the line of each row, and its cells


def escalation_table(runbook: Runbook) -> Table | None:
    """The first table of the escalation section."""
    first = runbook.section_lines.get("Escalation", 0)
    rows: list[tuple[int, tuple[str, ...]]] = []
    for line in lines.scan(runbook.body, first=runbook.body_line)[0]:
        if not first or line.number <= first or line.code:
            continue
        heading = lines.heading(line)
        is_row = "|" in line.text
        if (heading is not None and heading.depth <= 2) or (rows and not is_row):
            break
        if is_row:
            rows.append((line.number, tuple(cell.strip() for cell in _CELL.split(line.text.strip().strip("|")))))
    if len(rows) < 2 or not all(_SEPARATOR.match(cell or "-") for cell in rows[1][1]):
        return None
    return Table(rows[0][1], tuple((number, cells) for number, cells in rows[2:] if any(cells)))


def escalation(runbook: Runbook) -> Iterator[Finding]:
    """RB030, RB032 and the half of RB031 that the file itself shows."""
    if is_empty(runbook.sections.get("Escalation", "")):
        return  # RB010
    line = runbook.section_lines["Escalation"]
    table = escalation_table(runbook)
    shape = "`| Condition | Escalate To | Contact |`"
    if table is None:
        yield Finding("RB030", ERROR, f"there is no escalation table: write one headed {shape}", line)
        return
    if tuple(column.strip("* `").lower() for column in table.columns) != ESCALATION_COLUMNS:
        yield Finding("RB030", ERROR, f"the escalation table must be headed {shape}", line, " | ".join(table.columns))
        return
    if not table.rows:
        yield Finding("RB030", ERROR, "the escalation table has no row", line)
        return
    for number, cells in table.rows:
        _, to, contact, *_ = (*cells, "", "", "")
        for name, cell in (("Escalate To", to), ("Contact", contact)):
            if not cell or fields.is_placeholder(cell):
                message = f"`{name}` names nobody: write a role that somebody holds"
                yield Finding("RB031", ERROR, message, number, cell)
    conditions = [cells[0] for _, cells in table.rows]
    for wanted, pattern in (
        ("the verification failed", _VERIFICATION_FAILED),
        ("nobody answers in n minutes", _NO_ANSWER),
    ):
        if not any(pattern.search(condition) for condition in conditions):
            yield Finding("RB032", WARNING, f"the escalation table has no row for when {wanted}", line)


def forethought(runbook: Runbook) -> Iterator[Finding]:
    """RB053. An absent Prevention is RB010's."""
    absent = [
        name for name in ("Monitoring", "Automation Opportunities") if _says_nothing(runbook.sections.get(name, ""))
    ]
    if _is_none(runbook.sections.get("Prevention", "")):
        absent.insert(0, "Prevention")
    if absent:
        yield Finding("RB053", NOTE, f"nothing is said under {', '.join(absent)}", runbook.body_line)


def _says_nothing(text: str) -> bool:
    return is_empty(text) or _is_none(text)


def _is_none(text: str) -> bool:
    match = _NOT_APPLICABLE.match(text)
    return match is not None and not match["reason"].strip()


def reading_time(runbook: Runbook) -> Iterator[Finding]:
    """RB054."""
    minutes = len(runbook.body.split()) / READING_WORDS_PER_MINUTE
    if "CRITICAL" in runbook.severities and minutes > READING_MINUTES_MAX:
        message = f"about {math.ceil(minutes)} minutes to read, for a CRITICAL incident: {READING_MINUTES_MAX} at most"
        yield Finding("RB054", NOTE, message, runbook.body_line)
