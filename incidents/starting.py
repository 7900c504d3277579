"""What commands begin with: the settings, and before `tocsin up` serves the declared configuration, or the demo's team,
and what is still missing."""

from __future__ import annotations

import os
from dataclasses import replace

import click

from config import clock, mail_in
from config.database import Database
from config.errors import ConflictError, SettingsError
from config.settings import Settings, read
from escalation.channels import configured
from incidents import cli, demo_guide
from incidents.desk import Desk

DEMO_DATABASE_URL = "sqlite:///var/demo.db"


def settings(*, demo: bool = False) -> Settings:
    """Raises ClickException with every problem."""
    try:
        found = read()
    except SettingsError as refused:
        raise click.ClickException("The settings cannot be used:\n" + "\n".join(refused.problems)) from refused
    if not (demo or found.demo):
        return found
    # The demo keeps to a file of its own, so that trying it never touches a team's database.
    apart = found if "TOCSIN_DATABASE_URL" in os.environ else replace(found, database_url=DEMO_DATABASE_URL)
    return replace(apart, demo=True)


def prepare(database: Database, settings: Settings, desk: Desk) -> None:
    """Raises ClickException with what is wrong; nothing is applied in part."""
    if settings.demo:
        _prepare_demo(database, settings, desk)
    else:
        cli.apply_at_start(database, desk, settings.config)


def warn_of_missing_channels(settings: Settings, database: Database) -> None:
    """A night without pages shall not begin unnoticed."""
    for sentence in (
        *configured.missing(settings, database),
        *mail_in.warnings(settings.mail_listen, settings.mail_domain),
    ):
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
