"""The folder of runbooks, kept in memory through whatever happens to the files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from runbook_links import linter, shelf
from runbook_links.linter import LintContext
from runbook_links.shelf import Shelf
from tests.unit.runbook_samples import GOOD, INDEX, NOW, TEMPLATE, changed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chain-break.md").write_text(GOOD, encoding="utf-8")
    (tmp_path / "index.md").write_text(INDEX, encoding="utf-8")
    (tmp_path / "TEMPLATE.md").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "plan.svg").write_text("<svg/>", encoding="utf-8")
    return tmp_path


def test_the_folder_is_read_with_its_index_and_template_apart(folder: Path) -> None:
    library = Shelf(folder).library
    assert [runbook.id for runbook in library.runbooks] == ["chain-break"]
    assert library.index is not None
    assert library.template is not None
    assert library.get("chain-break") is library.runbooks[0]
    assert library.get("index") is None
    assert "plan.svg" in library.paths
    assert library.problems == ()


def test_a_changed_file_is_read_anew_and_the_copy_before_it_is_remembered(folder: Path) -> None:
    served = Shelf(folder)
    before = served.library.runbooks[0]
    edited = changed(("Stop the writer", "Stop every writer"))
    (folder / "chain-break.md").write_text(edited, encoding="utf-8")
    library = served.refresh()
    assert library.runbooks[0].steps[1].actions[0].text.startswith("Stop every writer")
    assert library.previous == {"chain-break": before}
    findings = linter.lint(library.runbooks[0], LintContext(now=NOW, previous=library.previous))
    assert [finding.rule for finding in findings] == ["RB007"]


def test_an_unchanged_file_is_not_read_again(folder: Path) -> None:
    served = Shelf(folder)
    before = served.library.runbooks[0]
    assert served.refresh().runbooks[0] is before


def test_a_file_that_can_no_longer_be_read_leaves_its_last_good_copy(folder: Path) -> None:
    served = Shelf(folder)
    before = served.library.runbooks[0]
    (folder / "chain-break.md").write_bytes(b"")
    library = served.refresh()
    assert library.runbooks == (before,)
    assert [(problem.file, problem.kept) for problem in library.problems] == [("chain-break.md", True)]
    (folder / "chain-break.md").write_text(GOOD, encoding="utf-8")
    assert served.refresh().problems == ()


def test_a_file_that_was_never_readable_is_a_problem_and_the_others_are_served(folder: Path) -> None:
    (folder / "broken.md").write_bytes(b"\0\1\2")
    library = Shelf(folder).library
    assert [runbook.id for runbook in library.runbooks] == ["chain-break"]
    assert [(problem.file, problem.kept) for problem in library.problems] == [("broken.md", False)]


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "gone"])
def test_a_folder_that_is_gone_or_empty_takes_nothing_away(folder: Path, empty: bool) -> None:
    served = Shelf(folder)
    before = served.library.runbooks
    for file in folder.iterdir():
        file.unlink()
    if not empty:
        folder.rmdir()
    library = served.refresh()
    assert library.runbooks == before
    assert [problem.kept for problem in library.problems] == [True]


def test_a_file_that_was_removed_leaves_the_shelf(folder: Path) -> None:
    served = Shelf(folder)
    (folder / "chain-break.md").unlink()
    assert served.refresh().runbooks == ()


def test_a_folder_that_never_was_is_an_empty_library_with_a_problem(tmp_path: Path) -> None:
    library = Shelf(tmp_path / "nowhere").library
    assert library.runbooks == ()
    assert [problem.kept for problem in library.problems] == [False]


def test_a_file_in_another_encoding_is_served_with_a_finding_and_its_own_digest(folder: Path) -> None:
    content = GOOD.replace("Find where", "Trouvé où").encode("latin-1")
    (folder / "chain-break.md").write_bytes(content)
    (runbook,) = Shelf(folder).library.runbooks
    assert runbook.sha256 == hashlib.sha256(content).hexdigest()
    assert [finding.rule for finding in linter.lint(runbook, LintContext(now=NOW))] == ["RB026"]


def test_a_file_over_the_limit_is_not_read(folder: Path) -> None:
    with (folder / "huge.md").open("wb") as file:
        os.truncate(file.fileno(), shelf.FILE_BYTES_MAX + 1)
    (problem,) = Shelf(folder).library.problems
    assert problem.file == "huge.md"
    assert "larger than" in problem.message


def test_files_beyond_the_limit_are_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "FILES_MAX", 2)
    library = Shelf(folder).library
    assert set(library.documents) == {"TEMPLATE", "chain-break"}
    assert "index.md" in library.problems[0].message


def test_a_hidden_folder_is_not_listed(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x", encoding="utf-8")
    (folder / "img").mkdir()
    (folder / "img" / "a.png").write_text("x", encoding="utf-8")
    assert Shelf(folder).library.paths == {"TEMPLATE.md", "chain-break.md", "img/a.png", "index.md", "plan.svg"}
