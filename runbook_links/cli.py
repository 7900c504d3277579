"""Commands about the runbook library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import click

from config import clock
from runbook_links import linter
from runbook_links.lint_rules import LintContext, RuleFacts
from runbook_links.shelf import Shelf

FAILING = "E"


def commands(open_shelf: Callable[[], Shelf], rule_facts: Callable[[], Collection[RuleFacts]]) -> list[click.Command]:
    @click.group("runbooks")
    def runbooks() -> None:
        """The runbook library."""

    @runbooks.command("lint")
    @click.pass_context
    def lint(context: click.Context) -> None:
        """Say what keeps runbooks from being published. Exit code 1 if anything does."""
        library = open_shelf().library
        facts = LintContext(now=clock.now(), rules=tuple(rule_facts()), previous=library.previous, paths=library.paths)
        found = [finding for each in library.documents.values() for finding in linter.lint(each, facts)]
        found += linter.lint_library(list(library.documents.values()), facts)
        for problem in library.problems:
            click.echo(f"{problem.file}: {problem.message}")
        for finding in found:
            where = f"{finding.runbook}.md:{finding.line}" if finding.runbook else "the folder:"
            click.echo(f"{where} {finding.severity} {finding.rule} {finding.message}")
        counts = Counter(str(finding.severity) for finding in found)
        click.echo(
            f"{len(library.runbooks)} runbooks: {counts[FAILING]} errors, {counts['W']} warnings, {counts['I']} notes."
        )
        context.exit(1 if counts[FAILING] or library.problems else 0)

    return [runbooks]
