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
