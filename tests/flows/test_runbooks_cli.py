"""The shipped library can be published, and the linter's command says when one cannot."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import wsgi
from incidents import rules
from runbook_links import cli


def test_the_shipped_library_has_no_error() -> None:
    made = cli.commands(lambda: wsgi.Shelf(wsgi.SHIPPED_RUNBOOKS), lambda: rules.facts(wsgi.Settings().rules_path))
    answer = CliRunner().invoke(made[0], ["lint"])
    assert answer.exit_code == 0, answer.output
    assert "15 runbooks: 0 errors" in answer.output


@pytest.mark.parametrize("lost", ["## Escalation", "## Rollback"])
def test_a_runbook_that_lacks_a_section_ends_the_command_with_1(tmp_path: Path, lost: str) -> None:
    shutil.copytree(wsgi.SHIPPED_RUNBOOKS, tmp_path / "library")
    spoilt = tmp_path / "library" / "backup.md"
    spoilt.write_text(spoilt.read_text().replace(lost, "## Something else"))
    made = cli.commands(lambda: wsgi.Shelf(tmp_path / "library"), lambda: rules.facts(wsgi.Settings().rules_path))
    answer = CliRunner().invoke(made[0], ["lint"])
    assert answer.exit_code == 1
    assert "backup.md" in answer.output


def test_of_a_folder_of_ones_own_it_says_what_the_rules_miss_once_and_that_a_template_is_no_runbook(
    tmp_path: Path,
) -> None:
    shutil.copy(wsgi.SHIPPED_RUNBOOKS / "TEMPLATE.md", tmp_path / "checkout.md")
    made = cli.commands(lambda: wsgi.Shelf(tmp_path), lambda: rules.facts(wsgi.Settings().rules_path))
    answer = CliRunner().invoke(made[0], ["lint"])
    lines = answer.output.splitlines()
    assert answer.exit_code == 1
    assert "checkout.md:4 E RB004 `category: template` makes it no runbook: say ritual, runbook or operation" in lines
    (backup,) = [line for line in lines if "`backup`" in line]
    assert backup == "the folder: E RB052 the rule O13 names the runbook `backup`, which is missing"
    assert sum("`epic-1-event-store`" in line for line in lines) == 1
