"""Commands about the configuration: apply, export, drift, check."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from config import account, clock
from config.changes import Changes
from config.database import Database
from config.declaration import DeclarationError
from escalation.export import EVERYBODY
from escalation.models import Owner
from incidents import cli_check, configuration, drift, export
from incidents.configuration import Configuration, Look
from incidents.desk import Desk
from incidents.sources.table import SOURCES

OWNERS = {"all": EVERYBODY, **{owner.value: frozenset({owner.value}) for owner in Owner}}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def commands(
    open_database: Callable[[], Database],
    make_desk: Callable[[], Desk],
    channels: Callable[[], Collection[str]],
) -> list[click.Command]:
    checking = cli_check.command(open_database, make_desk, channels)
    return [_apply(open_database, make_desk), _export(open_database), _drift(open_database, make_desk), checking]


def apply_file(
    database: Database,
    desk: Desk,
    file: Path,
    *,
    dry_run: bool = False,
    applied_by: str = "",
    look: Look | None = None,
    now: datetime | None = None,
) -> Changes:
    """Apply a declaration, in the name of whose process this is if nothing else is said. Raises ClickException, and
    has done nothing then, if it has any problem."""
    try:
        return configuration.apply_text(
            database,
            file.read_text(encoding="utf-8"),
            env=os.environ,
            file_name=str(file),
            now=now or clock.now(),
            applied_by=applied_by or account.name(),
            dry_run=dry_run,
            look=look,
            sources=SOURCES,
            runbook_ids={runbook.id for runbook in desk.shelf.library.runbooks},
            vault=desk.vault,
            base_url=desk.base_url,
        )
    except (DeclarationError, UnicodeDecodeError) as refused:
        problems = (
            refused.problems if isinstance(refused, DeclarationError) else [f"{file} is not UTF-8 text: {refused}"]
        )
        raise click.ClickException("Nothing was applied:\n" + "\n".join(map(str, problems))) from refused


def _apply(open_database: Callable[[], Database], make_desk: Callable[[], Desk]) -> click.Command:
    @click.command("apply")
    @click.argument("file", type=FILE)
    @click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
    def apply(file: Path, dry_run: bool) -> None:
        """Bring the database to the configuration declared in FILE, all of it or nothing."""
        database = open_database()
        try:
            changes = apply_file(database, make_desk(), file, dry_run=dry_run)
        finally:
            database.close()
        for line in (*changes.warnings, *changes.lines):
            click.echo(line)
        for sentence in changes.moved:
            click.echo(f"  {sentence}")
        if not changes:
            click.echo("Nothing to change.")
        elif dry_run:
            click.echo("Nothing was changed: this was a dry run.")

    return apply


def _export(open_database: Callable[[], Database]) -> click.Command:
    @click.command("export")
    @click.option("--owner", type=click.Choice(list(OWNERS)), default="all", show_default=True, help="Whose things.")
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; otherwise it is printed.")
    def export_configuration(owner: str, output: Path | None) -> None:
        """Write the configuration as it is in the database, as a tocsin.yaml."""
        database = open_database()
        with database.reading() as session:
            written = export.to_text(session, OWNERS[owner])
        database.close()
        if output is None:
            click.echo(written, nl=False)
        else:
            output.write_text(written, encoding="utf-8")
            click.echo(f"Wrote the configuration to {output}.")

    return export_configuration


def _drift(open_database: Callable[[], Database], make_desk: Callable[[], Desk]) -> click.Command:
    @click.command("drift")
    @click.argument("file", type=FILE)
    @click.option("--json", "as_json", is_flag=True, help="For programs.")
    @click.pass_context
    def tell(context: click.Context, file: Path, as_json: bool) -> None:
        """Tell what applying FILE now would change, and what is in force that no file says. Changes nothing.

        Exit code 0: the database is as the file says; 1: it is not.
        """
        database, now, beside = open_database(), clock.now(), list[str]()

        def look(session: Session, file_says: Configuration) -> None:
            beside.extend(drift.beside(session, file_says, now))

        try:
            changes = apply_file(database, make_desk(), file, dry_run=True, look=look, now=now)
        finally:
            database.close()
        if as_json:
            click.echo(json.dumps({"drift": changes.lines, "beside": beside}, indent=2, ensure_ascii=False))
        else:
            for line in _told(file, changes.lines, beside):
                click.echo(line)
        context.exit(1 if changes else 0)

    return tell


def _told(file: Path, lines: list[str], beside: list[str]) -> list[str]:
    head = f"Applying {file} now would change:" if lines else f"The database is as {file} says."
    return [
        head,
        *(f"  {line}" for line in lines),
        *(["In force beside it:"] if beside else []),
        *(f"  {b}" for b in beside),
    ]
