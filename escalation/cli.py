"""Commands about people: their passwords, and API tokens, which are `cli_tokens`'s."""

from __future__ import annotations

from collections.abc import Callable

import click

from config import passwords
from config.database import Database
from escalation import cli_tokens, responders


def commands(open_database: Callable[[], Database]) -> list[click.Command]:
    return [cli_tokens.command(open_database), _password(open_database)]


def _password(open_database: Callable[[], Database]) -> click.Command:
    @click.command("password")
    @click.argument("responder")
    @click.password_option(help="Asked for when it is not given.")
    def password(responder: str, password: str) -> None:
        """Set the password that RESPONDER (a key in tocsin.yaml) signs in to the web pages with."""
        database = open_database()
        with database.transaction() as session:
            person = responders.by_key(session, responder)
            if person is None:
                raise click.ClickException(
                    f"There is no active responder {responder!r}. Declare them and run `tocsin apply`."
                )
            passwords.set_password(session, person, password)
            email = person.email
        database.close()
        click.echo(
            f"{responder} can now sign in as {email}."
            if email
            else f"{responder} has a password, and signs in once an e-mail address is declared in tocsin.yaml."
        )

    return password
