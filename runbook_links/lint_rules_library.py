"""Lint rules that need the other files, or facts from outside them (RB004, RB031, RB050-RB052). Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import unquote

from runbook_links import fields, rendering
from runbook_links.document import Runbook
from runbook_links.lint_rules import ERROR, WARNING, Finding, LintContext, RuleFacts
from runbook_links.lint_rules_structure import escalation_table

_TARGET = re.compile(r"\b(?:role|schedule|responder):[a-z0-9][a-z0-9._-]*", re.IGNORECASE)
_URGENT = ("CRITICAL", "HIGH")


def ids_are_unique(runbooks: Collection[Runbook]) -> Iterator[Finding]:
    """RB004."""
    first: dict[str, Runbook] = {}
    for runbook in runbooks:
        before = first.setdefault(runbook.id, runbook)
        if before is not runbook:
            message = f"the id `{runbook.id}` is that of {before.name}.md already"
            yield Finding("RB004", ERROR, message, runbook.key_lines.get("id", 1), runbook.id, runbook.name)


def contacts(runbook: Runbook, context: LintContext) -> Iterator[Finding]:
    """RB031: whom the escalation table and the contacts name is known, and somebody holds the role now."""
    if context.known_targets is None and context.staffed_targets is None:
        return
    places = [(runbook.key_lines.get("contacts", 1), contact) for contact in runbook.contacts]
    table = escalation_table(runbook)
    for number, cells in table.rows if table else ():
        said = " ".join(cells[1:3])
        if not _TARGET.search(said) and not any(fields.is_placeholder(cell) for cell in cells[1:3]):
            message = "nobody can be looked up by this row: name a `role:…`, `schedule:…` or `responder:…`"
            yield Finding("RB031", ERROR, message, number, said)
        places.append((number, said))
    reported: set[str] = set()
    for number, said in places:
        for target in map(str.lower, _TARGET.findall(said)):
            if target in reported:
                continue
            if context.known_targets is not None and target not in context.known_targets:
                reported.add(target)
                yield Finding("RB031", ERROR, f"`{target}` is not known", number, target)
            elif context.staffed_targets is not None and target not in context.staffed_targets:
                reported.add(target)
                yield Finding("RB031", ERROR, f"`{target}` reaches nobody now", number, target)


def links(runbook: Runbook, others: Mapping[str, Runbook], context: LintContext) -> Iterator[Finding]:
    """RB050. `others` holds every document of the folder by its file name without .md."""
    for target, line in rendering.links(runbook.body, first=runbook.body_line):
        if rendering.is_external(target):
            if context.dead_urls is not None and target in context.dead_urls:
                yield Finding("RB050", WARNING, "this link leads to nothing any more", line, target)
            continue
        path, _, anchor = unquote(target).partition("#")
        path = posixpath.normpath(path) if path else ""
        if path.startswith(("../", "/")):
            message = "this link leaves the folder: a reader of an exported copy cannot follow it"
            yield Finding("RB050", WARNING, message, line, target)
            continue
        other = runbook if not path else others.get(path.removesuffix(".md")) if path.endswith(".md") else None
        if other is None:
            if path.endswith(".md") or (context.paths is not None and path not in context.paths):
                yield Finding("RB050", ERROR, f"there is no {path}", line, target)
        elif anchor and anchor not in other.anchors:
            yield Finding("RB050", ERROR, f"{other.name}.md has no heading for `#{anchor}`", line, target)


def index(documents: Mapping[str, Runbook]) -> Iterator[Finding]:
    """RB051: the index lists every runbook, and nothing else that ends in .md. The template need not be listed."""
    found = next((document for document in documents.values() if document.category == "index"), None)
    if found is None:
        yield Finding("RB051", ERROR, "there is no index.md: nobody finds a runbook by its file name at night")
        return
    listed = {
        posixpath.normpath(unquote(target).partition("#")[0]): line
        for target, line in rendering.links(found.body, first=found.body_line)
        if not rendering.is_external(target) and ".md" in target
    }
    for path, line in listed.items():
        if path.removesuffix(".md") not in documents and not path.startswith(("../", "/")):
            yield Finding("RB051", ERROR, f"the index lists {path}, which is missing", line, path, found.name)
    for document in documents.values():
        if document.is_runbook and f"{document.name}.md" not in listed:
            message = f"{document.name}.md is not in the index"
            yield Finding("RB051", ERROR, message, 1, document.name, document.name)


def rules(documents: Mapping[str, Runbook], known: Collection[RuleFacts]) -> Iterator[Finding]:
    """RB052, both ways: each trigger matches a rule, and each rule's runbook is there."""
    names = {name.lower() for rule in known for name in (rule.id, *rule.alert_names)}
    ids = {document.id for document in documents.values() if document.is_runbook}
    for document in documents.values():
        for trigger in document.triggers if document.is_runbook else ():
            if trigger.lower() not in names:
                message = f"the trigger `{trigger}` is no rule, and no rule knows such an alert"
                line = document.key_lines.get("triggers", 1)
                yield Finding("RB052", WARNING, message, line, trigger, document.name)
    missing: dict[str, list[str]] = {}  # a folder of one's own beside the shipped rules lacks a dozen of them
    for rule in known:
        if rule.runbook and rule.runbook not in ids:
            missing.setdefault(rule.runbook, []).append(rule.id)
        elif not rule.runbook and rule.severity in _URGENT:
            yield Finding("RB052", ERROR, f"the {rule.severity} rule {rule.id} names no runbook")
    for runbook, naming in missing.items():
        who = f"the rule {naming[0]} names" if len(naming) == 1 else f"the rules {', '.join(naming)} name"
        yield Finding("RB052", ERROR, f"{who} the runbook `{runbook}`, which is missing")
