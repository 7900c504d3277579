"""The commands about API tokens: one is made, those there are are told, one is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

import click
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from config import account, auth, clock
from config.database import Database
from escalation import responders, tokens
from escalation.models import Responder
from escalation.policies import ROLES

OpenDatabase = Callable[[], Database]


def command(open_database: OpenDatabase) -> click.Group:
    group = click.Group("token", help="API tokens.")
    for each in (_create(open_database), _list(open_database), _revoke(open_database)):
        group.add_command(each)
    return group


def _create(open_database: OpenDatabase) -> click.Command:
    @click.command("create")
    @click.option("--responder", help="The key of the responder it acts as, as in tocsin.yaml.")
    @click.option("--name", help="A program's name, together with --role.")
    @click.option("--role", type=click.Choice(ROLES), help="The one role the program has.")
    def create(responder: str | None, name: str | None, role: str | None) -> None:
        """Print a new token once, alone on the last line. Only its hash is kept."""
        if bool(responder) == bool(name or role) or bool(name) != bool(role):
            raise click.UsageError("Give either --responder KEY, or both --name NAME and --role ROLE.")
        database = open_database()
        with database.transaction() as session:
            person = _active(session, responder) if responder else None
            made = auth.create_token(
                session,
                name=name or f"{responder}'s token",
                responder_id=person.id if person else None,
                role=role,
                now=clock.now(),
            )
            known = auth.find_token(session, made)
            assert known is not None  # noqa: S101  made above
            tokens.created(session, known, actor=account.name(), via="cli", now=clock.now())
        database.close()
        acts_as = f"as {person.name}" if person else f"as the program {name} with the role {role}"
        click.echo(f"This token acts {acts_as}. It is shown only now; keep it safe.", err=True)
        click.echo(made)

    return create


def _list(open_database: OpenDatabase) -> click.Command:
    @click.command("list")
    @click.option("--revoked", is_flag=True, help="Those that were taken back too.")
    @click.option("--json", "as_json", is_flag=True, help="For programs.")
    def list_tokens(revoked: bool, as_json: bool) -> None:
        """Tell which tokens there are: number, name, whom each acts as, since when. Never the token itself."""
        database = open_database()
        with database.reading() as session:
            known = tokens.listed(session, revoked=revoked)
        database.close()
        if as_json:
            click.echo(json.dumps({"tokens": [asdict(each) for each in known]}, indent=2, default=str))
            return
        for each in known:
            click.echo(str(each))
        if not known:
            click.echo("There are none. `tocsin token create` makes one.", err=True)

    return list_tokens


def _revoke(open_database: OpenDatabase) -> click.Command:
    @click.command("revoke")
    @click.argument("number", type=int, required=False)
    @click.option("--name", help="All tokens of this name.")
    @click.option("--responder", help="All tokens that act as this responder, by key.")
    def revoke(number: int | None, name: str | None, responder: str | None) -> None:
        """Take back the token NUMBER of `tocsin token list`: whoever sends it from now on is answered 401."""
        if [number is not None, bool(name), bool(responder)].count(True) != 1:
            raise click.UsageError("Give one of NUMBER, --name NAME and --responder KEY.")
        database = open_database()
        with database.transaction() as session:
            which = _chosen(number, name, responder)
            gone = tokens.revoke(session, which, actor=account.name(), via="cli", now=clock.now())
        database.close()
        for each in gone:
            click.echo(f"Revoked: {each}")

    return revoke


def _chosen(number: int | None, name: str | None, responder: str | None) -> ColumnElement[bool]:
    if number is not None:
        return tokens.of_number(number)
    return tokens.of_name(name) if name else tokens.of_responder(responder or "")


def _active(session: Session, key: str) -> Responder:
    person = responders.by_key(session, key)
    if person is None:
        raise click.ClickException(f"There is no active responder {key!r}. Declare them and run `tocsin apply`.")
    return person
