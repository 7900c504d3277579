"""One schedule, policy or set of hours as people write it in the browser: read by the file's own readers. Pure.

The text is what stands below the thing's name in tocsin.yaml, so that one language serves both, and each problem is
told by its line and field. Variables are not read: the environment is the server's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config import declaration, fields
from config.declaration import DeclarationError, Document, Path, Problem, Problems
from config.fields import Fields
from escalation import declared_names, declared_policies, declared_schedules
from escalation.declared_names import KEY, Names
from escalation.oncall.hours import Hours
from escalation.oncall.schedules import Schedule
from escalation.policies import Policy

Thing = Schedule | Policy | Hours
SECTIONS = {"schedule": "schedules", "policy": "policies", "hours": "hours"}
_HEAD_LINES = 2


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to refer to."""

    names: Names
    hours: Mapping[str, Hours]
    usergroups: Mapping[str, str]  # Slack's id of it -> the schedule that it follows


def from_text(kind: str, key: str, text: str, known: Known) -> Thing:
    """`kind` is one of SECTIONS. Raises DeclarationError with every problem, by the lines of this text."""
    body = "\n".join(f"    {line}" for line in text.splitlines())
    return _read(kind, key, f"{SECTIONS[kind]}:\n  {json.dumps(key)}:\n{body}\n", known, head_lines=_HEAD_LINES)


def from_value(kind: str, key: str, value: Mapping[str, Any], known: Known) -> Thing:
    """The same as JSON says it. Its problems are told by field alone."""
    whole = {SECTIONS[kind]: {key: value}}
    return _read(kind, key, json.dumps(whole, ensure_ascii=False), known, head_lines=1)


def _read(kind: str, key: str, text: str, known: Known, *, head_lines: int) -> Thing:
    what, path = f"{kind} {key}", (SECTIONS[kind], key)
    try:
        if not KEY.fullmatch(key):
            raise DeclarationError(what, [Problem(1, "", "a name has up to 64 lower-case letters, digits and . _ -")])
        document = declaration.read_text(text, env={}, file_name=what)
        problems = Problems(document)
        section = _section(document, path, problems)
        read = _READERS[kind](section, known)
        document.refuse_unread(problems)
        problems.raise_if_any()
    except DeclarationError as refused:
        raise DeclarationError(what, [_below(problem, path, head_lines) for problem in refused.problems]) from None
    if read is None:
        raise ValueError(f"{what} was not read, and no problem told")
    return read


def _section(document: Document, path: Path, problems: Problems) -> Fields:
    top = fields.root(document, problems)
    if len(document.data) != 1:
        top.refuse_at((), "only what stands below the name is written here")
    found = top.entries(str(path[0])).get(str(path[1]))
    if found is None or not isinstance(document.get(path), dict):
        top.refuse_at(path, "is empty, or no keys and values")
        return Fields(document, path, problems)
    return found


def _below(problem: Problem, path: Path, head_lines: int) -> Problem:
    where = problem.where.removeprefix(declaration.path_text(path)).removeprefix(".")
    return Problem(max(problem.line - head_lines, 1), where, problem.message)


def _schedule(section: Fields, known: Known) -> Thing | None:
    found = declared_schedules.schedule(section, known.names)
    if found is not None and known.usergroups.get(found.slack_usergroup, found.key) != found.key:
        other = known.usergroups[found.slack_usergroup]
        section.refuse("slack_usergroup", declared_names.usergroup_problem(found.slack_usergroup, other))
    return found


def _policy(section: Fields, known: Known) -> Thing | None:
    return declared_policies.policy(section, known.names, known.hours)


_READERS: dict[str, Callable[[Fields, Known], Thing | None]] = {
    "schedule": _schedule,
    "policy": _policy,
    "hours": lambda section, _: declared_policies.hours(section),
}
