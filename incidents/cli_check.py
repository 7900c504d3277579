"""The command that says whether somebody would be woken: for a pipeline, and before one trusts a change."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from config import clock, declaration, mail_in
from config.database import Database
from config.declaration import DeclarationError
from config.settings import Settings, read
from escalation.ground import Finding
from incidents import check
from incidents.desk import Desk
from incidents.sources.table import SOURCES

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

VARIABLE = "variable"


class StandIns(Mapping[str, str]):
    """The environment; a variable that is not set has a stand-in of the form of a key, so that a file can be checked
    where its secrets are not."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name in self.environment:
            return self.environment[name]
        self.used.add(name)
        return hashlib.sha256(name.encode()).hexdigest()[:32]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(self.environment)

    def __len__(self) -> int:
        return len(self.environment)


def command(
    open_database: Callable[[], Database],
    make_desk: Callable[[], Desk],
    channels: Callable[[], Collection[str]],
    *,
    settings: Callable[[], Settings] = read,
) -> click.Command:
    @click.command("check")
    @click.argument("file", type=FILE, required=False)
    @click.option("--json", "as_json", is_flag=True, help="For programs.")
    @click.option("--strict", is_flag=True, help="Warnings count as errors.")
    @click.pass_context
    def readiness(context: click.Context, file: Path | None, as_json: bool, strict: bool) -> None:
        """Find what would keep somebody from being woken: in FILE alone, or without it in the database.

        Exit code 0: nothing; 1: errors (with --strict: or warnings).
        """
        if file is not None:
            found = _of_file(file, make_desk())
        else:
            database = open_database()
            try:
                with database.reading() as session:
                    found = check.of_database(session, make_desk(), clock.now(), channels=channels())
            finally:
                database.close()
            found += _of_settings(settings())
        for line in [as_text(found)] if as_json else lines(found, str(file) if file else ""):
            click.echo(line)
        # Where its secrets are not, a file is checked all the same.
        judged = [finding for finding in found if finding.code != VARIABLE]
        context.exit(1 if any(strict or finding.severity == "error" for finding in judged) else 0)

    return readiness


def _of_settings(given: Settings) -> list[Finding]:
    return [
        Finding("warning", "mail-domain", "setting TOCSIN_MAIL_DOMAIN", sentence, "")
        for sentence in mail_in.warnings(given.mail_listen, given.mail_domain)
    ]


def _of_file(file: Path, desk: Desk) -> list[Finding]:
    """What the reader refuses comes as findings too: a pipeline wants one list."""
    stand_ins = StandIns(os.environ)
    try:
        text = file.read_text(encoding="utf-8")
        found = check.of_text(text, desk, clock.now(), env=stand_ins, file_name=str(file), sources=SOURCES)
    except UnicodeDecodeError as refused:
        return [Finding("error", "form", str(file), f"It is not UTF-8 text: {refused}.", "Save it as UTF-8.")]
    except DeclarationError as refused:
        return [_refused(problem) for problem in refused.problems]
    return found + [
        Finding(
            "warning",
            VARIABLE,
            f"variable {name}",
            "It is not set here; the file was checked with a stand-in for a key.",
            "See that it is set where the file is applied.",
        )
        for name in sorted(stand_ins.used)
    ]


def _refused(problem: declaration.Problem) -> Finding:
    said = problem.message if problem.message.endswith(("?", ".")) else f"{problem.message}."
    return Finding(
        "error", "form", problem.where or "the file", said, "`apply` refuses the file for it.", line=problem.line
    )


def lines(found: Collection[Finding], file: str = "") -> Iterator[str]:
    for finding in found:
        at = f"{file}:{finding.line}: " if file and finding.line else ""
        yield f"{at}{finding.severity} {finding.code}: {finding.what}: {finding.sentence} {finding.advice}"
    counts = [(sum(each.severity == word for each in found), word) for word in ("error", "warning")]
    if found:
        yield ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts) + "."
    else:
        yield "Nothing was found that would keep somebody from being woken."


def as_text(found: Collection[Finding]) -> str:
    return json.dumps({"findings": [as_json(finding) for finding in found]}, indent=2, ensure_ascii=False)


def as_json(finding: Finding) -> dict[str, Any]:
    told = asdict(finding)
    told["path"] = declaration.path_text(finding.path) if finding.line else None
    return told
