"""Commands about the record and reviews; those about the configuration are `cli_configuration`'s."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path

import click

from config import clock
from config.database import Database
from incidents import cli_configuration, cli_integration, cli_simulate
from incidents.desk import Desk
from incidents.proof import report, verify
from incidents.reviews import export, html, reviewing

FORMATS = ("md", "json", "html")


def commands(
    open_database: Callable[[], Database],
    make_desk: Callable[[], Desk],
    channels: Callable[[], Collection[str]],
) -> list[click.Command]:
    """`channels` tells which are configured."""
    configuring = cli_configuration.commands(open_database, make_desk, channels)
    simulate = cli_simulate.command(open_database, make_desk)
    trying = cli_integration.command()
    return [*configuring, simulate, trying, _verify(open_database), _review(open_database, make_desk)]


def apply_at_start(database: Database, desk: Desk, file: str) -> None:
    """The file that the settings name, if they do."""
    if file:
        changes = cli_configuration.apply_file(database, desk, Path(file), applied_by="tocsin up")
        for line in (*changes.warnings, *changes.lines):
            click.echo(line)


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
