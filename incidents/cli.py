"""Commands about the configuration, the record and reviews."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable
from pathlib import Path

import click

from config import clock
from config.changes import Changes
from config.database import Database
from config.declaration import DeclarationError
from incidents import configuration
from incidents.desk import Desk
from incidents.proof import report, verify
from incidents.reviews import export, html, reviewing
from incidents.sources.table import SOURCES

FORMATS = ("md", "json", "html")


def commands(open_database: Callable[[], Database], make_desk: Callable[[], Desk]) -> list[click.Command]:
    return [_apply(open_database, make_desk), _verify(open_database), _review(open_database, make_desk)]


def apply_file(database: Database, desk: Desk, file: Path, *, dry_run: bool = False, applied_by: str = "") -> Changes:
    """Apply a declaration, in the name of whose process this is if nothing else is said. Raises ClickException, and has done nothing then, if it has any problem."""
    try:
        return configuration.apply_text(
            database,
            file.read_text(encoding="utf-8"),
            env=os.environ,
            file_name=str(file),
            now=clock.now(),
            applied_by=applied_by or _account(),
            dry_run=dry_run,
            sources=SOURCES,
            runbook_ids={runbook.id for runbook in desk.shelf.library.runbooks},
        )
    except (DeclarationError, UnicodeDecodeError) as refused:
        problems = (
            refused.problems if isinstance(refused, DeclarationError) else [f"{file} is not UTF-8 text: {refused}"]
        )
        raise click.ClickException("Nothing was applied:\n" + "\n".join(map(str, problems))) from refused


def _account() -> str:
    """The account that this process belongs to; a container's may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _apply(open_database: Callable[[], Database], make_desk: Callable[[], Desk]) -> click.Command:
    @click.command("apply")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
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
        if not changes:
            click.echo("Nothing to change.")
        elif dry_run:
            click.echo("Nothing was changed: this was a dry run.")

    return apply


def _verify(open_database: Callable[[], Database]) -> click.Command:
    @click.command("verify")
    @click.option("--json", "as_json", is_flag=True, help="For programs.")
    @click.pass_context
    def verify_record(context: click.Context, as_json: bool) -> None:
        """Check the whole record. Exit code 0: verified; 1: broken; 2: cannot be verified."""
        database = open_database()
        found = verify.run(database)
        database.close()
        click.echo(json.dumps(found.as_json(), indent=2) if as_json else report.text(found))
        context.exit(found.exit_code)

    return verify_record


def _review(open_database: Callable[[], Database], make_desk: Callable[[], Desk]) -> click.Group:
    @click.group("review")
    def review() -> None:
        """Post-incident reviews."""

    @review.command("export")
    @click.argument("number", type=int)
    @click.option("--format", "form", type=click.Choice(FORMATS), default="md", show_default=True)
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; otherwise it is printed.")
    def export_review(number: int, form: str, output: Path | None) -> None:
        """Write the review of incident NUMBER as it stands now."""
        database, desk = open_database(), make_desk()
        with database.reading() as session:
            drafted = reviewing.review_of(session, number, now=clock.now(), base_url=desk.base_url)
        database.close()
        written = {
            "md": lambda: export.to_markdown(drafted),
            "json": lambda: export.to_json(drafted).decode(),
            "html": lambda: html.to_html(drafted),
        }[form]()
        if output is None:
            click.echo(written)
        else:
            output.write_text(written, encoding="utf-8")
            click.echo(f"Wrote the review of incident {number} to {output}.")

    return review
