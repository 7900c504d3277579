"""Commands about people: API tokens and passwords."""

from __future__ import annotations

from collections.abc import Callable

import click

from config import auth, clock, passwords
from config.database import Database
from escalation import responders
from escalation.policies import ROLES


def commands(open_database: Callable[[], Database]) -> list[click.Command]:
    return [_tokens(open_database), _password(open_database)]


def _tokens(open_database: Callable[[], Database]) -> click.Group:
    @click.group("token")
    def token() -> None:
        """API tokens."""

    @token.command("create")
    @click.option("--responder", help="The key of the responder it acts as, as in tocsin.yaml.")
    @click.option("--name", help="A program's name, together with --role.")
    @click.option("--role", type=click.Choice(ROLES), help="The one role the program has.")
    def create(responder: str | None, name: str | None, role: str | None) -> None:
        """Print a new token once, alone on the last line. Only its hash is kept."""
        if bool(responder) == bool(name or role) or bool(name) != bool(role):
            raise click.UsageError("Give either --responder KEY, or both --name NAME and --role ROLE.")
        database = open_database()
        with database.transaction() as session:
            person = responders.by_key(session, responder) if responder else None
            if responder and person is None:
                raise click.ClickException(
                    f"There is no active responder {responder!r}. Declare them and run `tocsin apply`."
                )
            made = auth.create_token(
                session,
                name=name or f"{responder}'s token",
                responder_id=person.id if person else None,
                role=role,
                now=clock.now(),
            )
        database.close()
        acts_as = f"as {person.name}" if person else f"as the program {name} with the role {role}"
        click.echo(f"This token acts {acts_as}. It is shown only now; keep it safe.", err=True)
        click.echo(made)

    return token


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
