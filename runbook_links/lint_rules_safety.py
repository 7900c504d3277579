"""Lint rules over what a runbook may tell people to do (RB018-RB026). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from runbook_links import fields, lines, lint_screen, steps
from runbook_links.document import Approval, Runbook, Step
from runbook_links.lint_rules import ERROR, NOTE, WARNING, Finding
from runbook_links.steps import CONSTITUTIONAL, MIXED, OPERATIONAL

APPROVERS_MIN = 2
HALT_HOLD_MIN = timedelta(hours=48)

# Where an operational runbook gives advice outside its steps.
_ADVISING_SECTIONS = ("Diagnosis", "Decision Points", "Rollback", "Troubleshooting")

_DESTRUCTIVE = re.compile(
    r"\brm\s+-\w*[rRf]\w*|\bDROP\s+(?:TABLE|DATABASE|SCHEMA|INDEX)\b|\bTRUNCATE\s+(?:TABLE\s+)?\w+"
    r"|\bFLUSH(?:ALL|DB)\b|\bDELETE\s+FROM\s+\w+|\bgit\s+push\s+(?:\S+\s+)*(?:--force\b|-f\b)|\bgit\s+reset\s+--hard\b"
    r"|\bkubectl\s+delete\b|\bterraform\s+destroy\b|\bmkfs(?:\.\w+)?\b|\bdd\s+(?:\S+\s+)*of=|\bdropdb\b|\bforce[- ]push"
)
_CAREFUL = re.compile(
    r"dry[- ]?run|\bconfirm(?:s|ed|ation)?\b|\bpreview\b|\bsecond person\b|\btwo (?:people|persons)\b", re.I
)
_WARNS = re.compile(r"\b(?:never|do not|don['’]t|must not|forbidden)\b", re.I)
_PLAN_CHARACTERS_MAX = 2_000

_SECRETS = (
    ("a private key", re.compile(r"(?P<value>-----BEGIN [A-Z ]*PRIVATE KEY-----)")),
    ("an AWS access key", re.compile(r"\b(?P<value>(?:AKIA|ASIA)[0-9A-Z]{16})\b")),
    ("a GitHub token", re.compile(r"\b(?P<value>gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})")),
    ("a Slack token", re.compile(r"\b(?P<value>xox[abeoprs]-[\w-]{10,})")),
    ("a Slack webhook", re.compile(r"(?P<value>hooks\.slack\.com/services/T\w+/B\w+/\w+)")),
    ("a Google key", re.compile(r"\b(?P<value>AIza[\w-]{35})")),
    ("a Stripe key", re.compile(r"\b(?P<value>[sr]k_live_\w{16,})")),
    ("a SendGrid key", re.compile(r"\b(?P<value>SG\.[\w-]{16,}\.[\w-]{16,})")),
    ("a signed token", re.compile(r"\b(?P<value>eyJ[\w-]{8,300}\.eyJ[\w-]{8,}\.[\w-]{8,})")),
    ("a bearer token", re.compile(r"\b(?:Bearer|GenieKey)\s+(?P<value>[\w.~+/=-]{20,})", re.I)),
    ("a password in an address", re.compile(r"\w://[^\s:/@]{0,64}:(?P<value>[^\s/@]{3,128})@")),
    (
        "a password",
        re.compile(r"(?:password|passwd|passphrase|\bpwd)[\"']?(?:=|:\s*)[\"'`]?(?P<value>[^\s\"'`,;|)]{6,})", re.I),
    ),
    ("a secret", re.compile(r"(?:secret|token|api_?-?key)[\"']?\s*[:=]\s*[\"'`]?(?P<value>[\w+/=.-]{16,})", re.I)),
    ("a password", re.compile(r"\bcurl\b[^\n]{0,200}\s(?:-u|--user)[ =][\"']?\w+:(?P<value>[^\s\"']{4,})")),
)
_STAND_IN = re.compile(
    r"[<\[{$%*…]|\\\$|(?:your|example|changeme|redacted|placeholder|password|passwd|pass|secret|token|none|null|true|false"
    r"|prompt|x{3,}|\.{3})\b",
    re.I,
)
_WORDS = re.compile(r"(?:[a-z]+|\d{1,4})(?:[-_/.](?:[a-z]+|\d{1,4}))*", re.I)
_MOJIBAKE = re.compile("ðŸ|â€|â†|âœ|âš|Ã[\xa0-\xbf]|Â[\xa0-\xbf]|\ufffd")
_HALT = re.compile(r"(?<![a-z])(?:halt|fork)(?![a-z])", re.I)
_HOURS = r"(?P<{0}>\d{{1,4}})[ -]?(?P<{1}>h(?:ours?)?|d(?:ays?)?)\b"
_SHORT_WAIT = re.compile(
    r"\b(?:waiting period|recovery wait|hold)(?:\s+(?:of|for|is|to|lasts|at|least|only|just)){0,3}\s+"
    + _HOURS.format("n1", "u1")
    + r"|\bresum\w+\b[^.;]{0,60}?\bafter\s+"
    + _HOURS.format("n2", "u2")
    + "|"
    + _HOURS.format("n3", "u3")
    + r"\s+(?:\w+\s+)?(?:wait|waiting period|hold)\b",
    re.I,
)


def destructive_commands(runbook: Runbook) -> Iterator[Finding]:
    """RB018. The care must stand in the same step, or in the same section where there is no step, not in its title."""
    units: dict[tuple[str, int], list[tuple[int, str]]] = {}
    section = ""
    for line in _scanned(runbook):
        heading = lines.heading(line)
        if heading is not None:
            section = heading.title if heading.depth <= 2 else section
            continue
        step = next((each.number for each in runbook.steps if each.line <= line.number <= each.last_line), 0)
        units.setdefault((section, step), []).append((line.number, line.text))
    for unit in units.values():
        if any(_CAREFUL.search(text) for _, text in unit):
            continue
        for number, text in unit:
            match = _DESTRUCTIVE.search(text[:_PLAN_CHARACTERS_MAX])
            if match and not _WARNS.search(text[: match.start()]):
                message = "a command that destroys, without a dry run or a confirmation in the same step"
                yield Finding("RB018", WARNING, message, number, match[0])


def secrets(runbook: Runbook) -> Iterator[Finding]:
    """RB019, over the whole file with its front matter, comments and code. The finding shows only how it begins."""
    for number, text in enumerate(lines.split(runbook.source), start=1):
        for kind, pattern in _SECRETS:
            found = next((m["value"] for m in pattern.finditer(text) if _is_secret(kind, m["value"], m[0])), None)
            if found is not None:
                message = f"{kind} stands in the text: take it out, and change it, because it is in the history too"
                yield Finding("RB019", ERROR, message, number, found[:4] + "…")
                break


def _is_secret(kind: str, value: str, written: str) -> bool:
    if kind == "a secret":  # a word such as "token" has many uses: the value must look random
        return not _STAND_IN.match(value) and not _WORDS.fullmatch(value) and any(c.isdigit() for c in value)
    if kind == "a password":  # a value after a colon may be prose
        return not _STAND_IN.match(value) and (": " not in written or any(c.isdigit() for c in value))
    return not _STAND_IN.match(value)


def labels(runbook: Runbook) -> Iterator[Finding]:
    """RB020 and RB023."""
    for step in runbook.steps:
        if not step.label:
            message = f"step {step.number} has no label: write **Label:** OPERATIONAL or CONSTITUTIONAL"
            yield Finding("RB020", ERROR, message, step.line)
        elif step.label == MIXED and not step.blocks:
            message = f"step {step.number} is mixed: part it into `#### OPERATIONAL` and `#### CONSTITUTIONAL`"
            yield Finding("RB020", ERROR, message, step.line)
        elif bare := next((action for action in step.actions if not action.label), None):
            message = f"an action of step {step.number} stands outside its labelled parts"
            yield Finding("RB020", ERROR, message, bare.line or step.line, bare.text)
    found = {step.label for step in runbook.steps if step.label}
    has_constitutional, has_operational = bool(found & {CONSTITUTIONAL, MIXED}), bool(found & {OPERATIONAL, MIXED})
    line = runbook.key_lines.get("class", 1)
    declared = runbook.incident_class
    if not found or not runbook.has_front_matter:
        return
    if declared == "operational" and has_constitutional:
        step = next(step for step in runbook.steps if step.is_constitutional)
        message = f"`class: operational`, but step {step.number} is {step.label}"
        yield Finding("RB023", ERROR, message, line, declared)
    elif declared != "operational" and not has_constitutional:
        yield Finding("RB023", ERROR, f"`class: {declared}`, but no step is CONSTITUTIONAL", line, declared)
    elif declared == "mixed" and not has_operational:
        yield Finding(
            "RB023", ERROR, "`class: mixed`, but no step is OPERATIONAL: write `constitutional`", line, declared
        )


def governance(runbook: Runbook) -> Iterator[Finding]:
    """RB021: what is constitutional names the authority for it, and the evidence to keep."""
    if runbook.has_front_matter and runbook.is_constitutional and not _real(runbook.governance_refs):
        message = f"a {runbook.incident_class} runbook needs `governance_refs` in its front matter"
        yield Finding("RB021", ERROR, message, runbook.key_lines.get("governance_refs", 1))
    for step in filter(_is_constitutional, runbook.steps):
        if not _real(step.governance_refs):
            message = f"step {step.number} is constitutional and names no authority: write **Governance:**"
            yield Finding("RB021", ERROR, message, step.line)
        if not step.evidence or fields.is_placeholder(step.evidence):
            message = f"step {step.number} is constitutional and records nothing: write **Evidence to record:**"
            yield Finding("RB021", ERROR, message, step.line)


def _real(references: tuple[str, ...]) -> bool:
    return any(not fields.is_placeholder(each) for each in references)


def _is_constitutional(step: Step) -> bool:
    return step.is_constitutional


def approvals(runbook: Runbook) -> Iterator[Finding]:
    """RB024: what changes something constitutional is agreed to by two people; looking needs nobody's leave."""
    needed = runbook.incident_class == "constitutional" and runbook.has_front_matter
    line = runbook.key_lines.get("approvals", 1)
    for step in filter(_is_constitutional, runbook.steps):
        changing = any(a.label != OPERATIONAL and lint_screen.changes_state(a.text) for a in step.actions)
        needed = needed or changing or bool(step.approvals)
        yield from _step_approvals(step, changing=changing)
    for approval in runbook.approvals:
        if approval.least < APPROVERS_MIN:
            yield _too_few(approval, line)
    if not runbook.has_front_matter:
        return
    if needed and not runbook.approvals:
        message = "constitutional actions need `approvals` in the front matter: {action, roles, min: 2}"
        yield Finding("RB024", ERROR, message, line)
        return
    declared = {approval.action for approval in runbook.approvals}
    for step in runbook.steps:
        for approval in step.approvals:
            if approval.action not in declared:
                message = f"step {step.number} asks for the approval `{approval.action}`, which the front matter lacks"
                yield Finding("RB024", ERROR, message, step.line, approval.action)


def _step_approvals(step: Step, *, changing: bool) -> Iterator[Finding]:
    written = step.approvals_text
    if not written:
        message = f"step {step.number} is constitutional and says nothing of approvals: write **Approvals:**"
        yield Finding("RB024", ERROR, message, step.line)
    elif not steps.approvals(written)[1]:
        message = "approvals are written `action: 2 of role, role`, or `none`"
        yield Finding("RB024", ERROR, message, step.line, written)
    elif changing and not step.approvals:
        message = f"step {step.number} changes something constitutional without the approval of two people"
        yield Finding("RB024", ERROR, message, step.line, written)
    for approval in step.approvals:
        if approval.least < APPROVERS_MIN:
            yield _too_few(approval, step.line)


def _too_few(approval: Approval, line: int) -> Finding:
    message = f"`{approval.action}` needs {APPROVERS_MIN} distinct people; it asks for {approval.least}"
    return Finding("RB024", ERROR, message, line, approval.action)


def bypasses(runbook: Runbook) -> Iterator[Finding]:
    """RB022: an operational step does harm to a protected object. A screen, not a proof; a reviewer may waive it."""
    scanned = _scanned(runbook)
    for step in runbook.steps:
        if step.label == CONSTITUTIONAL:
            continue
        governed = [(b.line, _end(step, i)) for i, b in enumerate(step.blocks) if b.label == CONSTITUTIONAL]
        for number, text in lines.paragraphs(_between(scanned, step.line, step.last_line)):
            if not any(start <= number <= end for start, end in governed):
                yield from _bypass(runbook, number, text, (step.line, step.last_line))
    if runbook.incident_class != "operational":
        return
    for name in filter(runbook.sections.__contains__, _ADVISING_SECTIONS):
        first = runbook.section_lines[name]
        last = min((n for n in runbook.section_lines.values() if n > first), default=scanned[-1].number + 1) - 1
        for number, text in lines.paragraphs(_between(scanned, first, last)):
            yield from _bypass(runbook, number, text, (first, last))


def _end(step: Step, index: int) -> int:
    return step.blocks[index + 1].line - 1 if index + 1 < len(step.blocks) else step.last_line


def _scanned(runbook: Runbook) -> tuple[lines.Line, ...]:
    return lines.scan(runbook.body, first=runbook.body_line)[0]


def _between(scanned: Sequence[lines.Line], first: int, last: int) -> list[lines.Line]:
    return [line for line in scanned if first <= line.number <= last]


def _bypass(runbook: Runbook, number: int, text: str, place: tuple[int, int]) -> Iterator[Finding]:
    for span in lint_screen.spans(text, lint_screen.BYPASS):
        waiver = next((w for w in runbook.waivers if w.rule == "RB022" and place[0] <= w.line <= place[1]), None)
        if waiver and waiver.reviewer and waiver.reason:
            message = f"reviewed by {waiver.reviewer}: {waiver.reason}"
            yield Finding("RB022", NOTE, message, number, span, waived_by=waiver.reviewer)
            continue
        lacking = "; the waiver beside it must name `reviewed-by …` and `reason …`" if waiver else ""
        yield Finding("RB022", ERROR, f"an operational step must not touch a protected object{lacking}", number, span)


def hold(runbook: Runbook) -> Iterator[Finding]:
    """RB025: recovery from a halt or a fork waits 48 hours, and no step makes that shorter."""
    if not is_about_halt(runbook):
        return
    if runbook.min_hold is None or runbook.min_hold < HALT_HOLD_MIN:
        message = 'a halt or fork runbook needs `min_hold` of at least 48 hours: `min_hold: "P2D"`'
        yield Finding("RB025", ERROR, message, runbook.key_lines.get("min_hold", 1))
    scanned = _scanned(runbook)
    least = max(runbook.min_hold or HALT_HOLD_MIN, HALT_HOLD_MIN)
    for step in runbook.steps:
        for number, text in lines.paragraphs(_between(scanned, step.line, step.last_line)):
            found = lint_screen.spans(text, lint_screen.SHORTEN_HOLD) or _short_waits(text, least)
            for span in found:
                yield Finding("RB025", ERROR, f"step {step.number} shortens the hold", number, span)


def is_about_halt(runbook: Runbook) -> bool:
    named = (runbook.id, runbook.title, *(approval.action for approval in runbook.approvals))
    return any(_HALT.search(each) for each in named)


def _short_waits(text: str, least: timedelta) -> list[str]:
    found: list[str] = []
    for match in _SHORT_WAIT.finditer(text):
        number, unit = next((match[f"n{i}"], match[f"u{i}"]) for i in (1, 2, 3) if match[f"n{i}"])
        if timedelta(**{"hours" if unit[0].lower() == "h" else "days": int(number)}) < least:
            found.append(match[0])
    return found


def mojibake(runbook: Runbook) -> Iterator[Finding]:
    """RB026, the half about text that went through a wrong encoding; one finding, at the first place."""
    broken = [(n, m[0]) for n, text in enumerate(lines.split(runbook.source), 1) if (m := _MOJIBAKE.search(text))]
    if broken:
        message = f"{len(broken)} lines were broken by a wrong encoding: save the file as UTF-8"
        yield Finding("RB026", WARNING, message, *broken[0])
