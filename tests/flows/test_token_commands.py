"""Tokens that were given out can be told from each other, and taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from config import audit, auth
from config.database import Database
from escalation import cli_tokens, responders
from tests import factories

AT = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)


def command(database: Database, *arguments: str) -> Result:
    return CliRunner().invoke(cli_tokens.command(lambda: database), arguments)


def made(database: Database, *arguments: str) -> str:
    return command(database, "create", *arguments).stdout.strip().splitlines()[-1]


@pytest.fixture
def ana(sqlite_database: Database) -> str:
    with sqlite_database.transaction() as session:
        factories.make_responder(session, key="ana", name="Ana Lima")
    return "ana"


def is_good(database: Database, token: str) -> bool:
    with database.reading() as session:
        return auth.find_token(session, token) is not None


def test_the_list_tells_whom_each_token_acts_as_and_never_the_token(sqlite_database: Database, ana: str) -> None:
    secrets = [
        made(sqlite_database, "--responder", ana),
        made(sqlite_database, "--name", "prometheus", "--role", "observer"),
    ]
    said = command(sqlite_database, "list")
    assert said.exit_code == 0
    first, second = said.stdout.splitlines()
    assert first.startswith("1  ana's token: acts as Ana Lima; made ")
    assert second.startswith("2  prometheus: acts as a program with the role observer; made ")
    assert not any(secret in said.output for secret in secrets)
    told = json.loads(command(sqlite_database, "list", "--json").stdout)["tokens"]
    assert [(each["id"], each["name"], each["responder"]) for each in told] == [
        (1, "ana's token", "ana"),
        (2, "prometheus", ""),
    ]


def test_a_token_is_revoked_by_its_number_and_the_others_stay(sqlite_database: Database, ana: str) -> None:
    lost, kept = made(sqlite_database, "--responder", ana), made(sqlite_database, "--responder", ana)
    said = command(sqlite_database, "revoke", "1")
    assert said.exit_code == 0
    assert "Revoked: 1  ana's token" in said.stdout
    assert (is_good(sqlite_database, lost), is_good(sqlite_database, kept)) == (False, True)
    assert [line.split()[0] for line in command(sqlite_database, "list").stdout.splitlines()] == ["2"]
    assert "revoked 20" in command(sqlite_database, "list", "--revoked").stdout.splitlines()[0]


def test_all_tokens_of_a_person_who_left_are_revoked(sqlite_database: Database, ana: str) -> None:
    tokens = [made(sqlite_database, "--responder", ana), made(sqlite_database, "--responder", ana)]
    program = made(sqlite_database, "--name", "prometheus", "--role", "observer")
    with sqlite_database.transaction() as session:
        person = responders.by_key(session, ana)
        assert person is not None
        person.active = False
    assert "no longer active" in command(sqlite_database, "list").stdout
    assert command(sqlite_database, "revoke", "--responder", ana).exit_code == 0
    assert [is_good(sqlite_database, each) for each in (*tokens, program)] == [False, False, True]


def test_making_and_revoking_are_in_the_audit_with_who_did_it(
    sqlite_database: Database, ana: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.account.getpass.getuser", lambda: "root")
    token = made(sqlite_database, "--responder", ana)
    command(sqlite_database, "revoke", "--name", "ana's token")
    with sqlite_database.reading() as session:
        removed, added = audit.entries(session, limit=10, what="token 1")
        assert (added.actor, added.via, added.action) == ("root", "cli", "added")
        assert (removed.actor, removed.via, removed.action) == ("root", "cli", "removed")
        assert removed.text == "- token 1 (ana's token), which acted as Ana Lima"
        assert token not in f"{added.text}{added.after}{removed.text}{removed.before}"


@pytest.mark.parametrize("arguments", [["7"], ["--name", "nobody's"], ["--responder", "nobody"]])
def test_what_there_is_not_is_said_to_be_missing(sqlite_database: Database, arguments: list[str]) -> None:
    said = command(sqlite_database, "revoke", *arguments)
    assert said.exit_code != 0
    assert "tocsin token list" in str(said.exception)


@pytest.mark.parametrize("arguments", [[], ["1", "--name", "x"], ["--name", "x", "--responder", "ana"]])
def test_exactly_one_way_of_naming_tokens_is_taken(sqlite_database: Database, arguments: list[str]) -> None:
    said = command(sqlite_database, "revoke", *arguments)
    assert (said.exit_code, "Give one of" in said.output) == (2, True)
