"""Whether a runbook may be published, and what would make it better. Pure: documents and facts in, findings out.

The rules stand in lint_rules*.py, each a function that yields findings. A rule whose facts are unknown does not run,
and `not_checked` says so: silence must not look like a pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from runbook_links import lint_rules as record
from runbook_links import lint_rules_library as across
from runbook_links import lint_rules_safety as safety
from runbook_links import lint_rules_structure as structure
from runbook_links.document import Runbook
from runbook_links.lint_rules import ERROR, STOPS_ATTACHMENT
from runbook_links.lint_rules import Finding as Finding
from runbook_links.lint_rules import LintContext as LintContext
from runbook_links.lint_rules import RuleFacts as RuleFacts

_BLOCKERS_CACHED_MAX = 512


@dataclass(frozen=True, slots=True)
class NotChecked:
    rule: str
    reason: str


def lint(runbook: Runbook, context: LintContext) -> list[Finding]:
    """The findings that this document shows by itself, by line and then by rule.

    The index and the template are no runbooks: of them, only reading, secrets and encoding are checked.
    """
    found = [*record.from_reading(runbook), *record.is_no_template(runbook)]
    found += [*safety.secrets(runbook), *safety.mojibake(runbook)]
    if runbook.is_runbook:
        found += [*_record(runbook, context), *_structure(runbook), *_safety(runbook)]
    return _in_order(replace(each, runbook=runbook.name) for each in found)


def lint_library(documents: Collection[Runbook], context: LintContext) -> list[Finding]:
    """The findings that show only across the folder: `documents` holds the runbooks, the index and the template.

    Does not repeat those of `lint`. Findings about a rule, or about the folder itself, name no runbook.
    """
    by_name = {document.name: document for document in documents}
    runbooks = [document for document in documents if document.is_runbook]
    found = [*across.ids_are_unique(runbooks), *across.index(by_name)]
    for document in documents:
        # The template shows links and contacts that are yet to be written.
        if document.category != "template":
            found += [replace(each, runbook=document.name) for each in across.links(document, by_name, context)]
        if document.is_runbook:
            found += [replace(each, runbook=document.name) for each in across.contacts(document, context)]
    if context.rules is not None:
        found += across.rules(by_name, context.rules)
    return _in_order(found)


def not_checked(context: LintContext) -> list[NotChecked]:
    """The rules, or the parts of rules, that did not run because the context lacks their facts."""
    wanted = (
        ("RB005", context.committed_on, "whether the text changed after `last_updated`: needs the commit dates"),
        ("RB007", context.previous, "whether the version moved with the procedure: needs the last published copies"),
        ("RB031", context.known_targets, "whether the roles named exist: needs the declared responders"),
        ("RB031", context.staffed_targets, "whether somebody is on call for them: needs the schedules"),
        ("RB041", context.known_targets, "whether the owner is still there: needs the declared responders"),
        ("RB050", context.paths, "whether linked files other than runbooks exist: needs the folder"),
        ("RB050", context.dead_urls, "whether external links are alive: needs them to have been tried"),
        ("RB052", context.rules, "whether triggers and rules agree: needs the classification rules"),
    )
    return [NotChecked(rule, reason) for rule, facts, reason in wanted if facts is None]


def publishable(findings: Iterable[Finding]) -> bool:
    """No error among them."""
    return all(finding.severity != ERROR for finding in findings)


@lru_cache(maxsize=_BLOCKERS_CACHED_MAX)
def blockers(runbook: Runbook) -> tuple[Finding, ...]:
    """The findings that stop the runbook from being attached to an incident. Remembered per content of the file."""
    found = [*safety.secrets(runbook), *safety.bypasses(runbook), *safety.hold(runbook)]
    return tuple(each for each in found if each.severity == ERROR and each.rule in STOPS_ATTACHMENT)


def waived(findings: Iterable[Finding]) -> list[Finding]:
    """Those that a reviewer answered for; to be asked again at each recertification."""
    return [finding for finding in findings if finding.waived_by]


def _record(runbook: Runbook, context: LintContext) -> list[Finding]:
    return [
        *record.required_keys(runbook),
        *record.id_is_file_name(runbook),
        *record.last_updated(runbook, context),
        *record.title_and_header(runbook),
        *record.version_moved(runbook, context),
        *record.certification(runbook, context),
        *record.owner(runbook, context),
        *record.next_review(runbook),
        *record.exercised(runbook, context),
    ]


def _structure(runbook: Runbook) -> list[Finding]:
    return [
        *structure.required_sections(runbook),
        *structure.section_order(runbook),
        *structure.steps_are_numbered(runbook),
        *structure.steps_act(runbook),
        *structure.steps_are_verified(runbook),
        *structure.steps_have_actors(runbook),
        *structure.steps_can_be_undone(runbook),
        *structure.escalation(runbook),
        *structure.forethought(runbook),
        *structure.reading_time(runbook),
    ]


def _safety(runbook: Runbook) -> list[Finding]:
    return [
        *safety.destructive_commands(runbook),
        *safety.labels(runbook),
        *safety.governance(runbook),
        *safety.approvals(runbook),
        *safety.bypasses(runbook),
        *safety.hold(runbook),
    ]


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: (each.runbook, each.line, each.rule, each.message))
