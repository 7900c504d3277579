"""What `tocsin up` does before it serves: the declared configuration, or the demo's team, and what is still missing."""

from __future__ import annotations

import click

from config import clock
from config.database import Database
from config.errors import ConflictError
from config.settings import Settings
from escalation.channels import configured
from incidents import cli, demo_guide
from incidents.desk import Desk


def prepare(database: Database, settings: Settings, desk: Desk) -> None:
    """Raises ClickException with what is wrong; nothing is applied in part."""
    if settings.demo:
        _prepare_demo(database, settings, desk)
    else:
        cli.apply_at_start(database, desk, settings.config)


def warn_of_missing_channels(settings: Settings, database: Database) -> None:
    """A night without pages shall not begin unnoticed."""
    for sentence in configured.missing(settings, database):
        click.echo(f"Warning: {sentence}", err=True)


def _prepare_demo(database: Database, settings: Settings, desk: Desk) -> None:
    if settings.config:
        raise click.ClickException("--demo brings a team of its own; unset TOCSIN_CONFIG for it.")
    try:
        lines = demo_guide.prepare(database, settings, desk, clock.now())
    except ConflictError as refused:
        raise click.ClickException(refused.detail) from refused
    for line in lines:
        click.echo(line)
