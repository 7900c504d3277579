from __future__ import annotations

import pytest

from config import http, passwords
from config.auth import MAY, ROLES, Caller
from config.health import Readiness
from config.web import local_path


@pytest.mark.parametrize("path", ["/incidents", "/incidents/42?tab=timeline", "/a%20b", "/größe", "/", "/.//incidents"])
def test_a_path_of_this_tocsin_is_a_way_back(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        "",
        "incidents",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/incidents\\..\\evil",
        " //evil.example",
        "https://evil.example/incidents",
        "javascript:alert(1)",
        "/incidents\r\nSet-Cookie: a=b",
        "/" + "a" * 2000,
    ],
)
def test_a_path_to_elsewhere_is_none(elsewhere: str) -> None:
    assert local_path(elsewhere) is None


@pytest.mark.parametrize(
    ("role", "verbs"),
    [
        ("observer", {"read"}),
        ("responder", {"read", "act"}),
        ("manager", {"read", "act"}),
        ("keeper", {"read", "act", "approve"}),
        ("admin", {"read", "act", "administer"}),
    ],
)
def test_each_role_may_do_this_and_no_more(role: str, verbs: set[str]) -> None:
    caller = Caller(1, "ana", "Ana Lima", frozenset({role}))
    assert {verb for verb in MAY if caller.may(verb)} == verbs


def test_the_verbs_take_no_role_that_does_not_exist() -> None:
    assert frozenset().union(*MAY.values()) == set(ROLES)


def test_a_person_without_a_role_may_do_nothing() -> None:
    assert not any(Caller(1, "ana", "Ana Lima", frozenset()).may(verb) for verb in MAY)


def test_a_program_cannot_approve_whatever_its_role() -> None:
    program = Caller(None, "", "deployer", frozenset(ROLES), "program")
    assert not program.may("approve")
    assert program.may("administer")


def test_messages_within_messages_are_one_line_a_field() -> None:
    messages = {"reason": ["is required", "is short"], "levels": {0: {"after": ["is no duration"]}}, "_schema": ["odd"]}
    assert http.fields_of(messages) == {
        "reason": "is required is short",
        "levels.0.after": "is no duration",
        "body": "odd",
    }


def test_a_field_called_query_keeps_its_name() -> None:
    assert http.fields_of({"query": ["is required"]}, whole="query") == {"query": "is required"}


@pytest.mark.parametrize(
    ("status", "title", "kind"),
    [(404, "Not Found", "about:blank"), (403, "Not allowed", "urn:tocsin:problem:not-allowed")],
)
def test_a_problem_has_a_type_if_it_says_more_than_its_status(status: int, title: str, kind: str) -> None:
    assert http.Problem(status, title, "").type == kind


@pytest.mark.parametrize(
    ("readiness", "words"),
    [
        (Readiness(database_ok=False), ["database does not answer"]),
        (Readiness(True, 0.0, 0), ["No engine"]),
        (Readiness(True, 31.0, 1), ["31 seconds late"]),
        (Readiness(True, 31.0, 0), ["No engine", "31 seconds late"]),
        (Readiness(True, 30.0, 1), []),
        (Readiness(True, None, 2), []),
    ],
)
def test_not_being_ready_has_reasons_in_words(readiness: Readiness, words: list[str]) -> None:
    assert len(readiness.reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, readiness.reasons, strict=True))


def test_a_password_is_the_same_however_its_letters_are_composed() -> None:
    # é as one character, and as e with a combining accent
    stored = passwords.hashed("caf\u00e9 au lait")
    assert passwords.is_right(stored, "cafe\u0301 au lait")
    assert not passwords.is_right(stored, "cafe au lait")


@pytest.mark.parametrize("stored", ["", "plain text", "$argon2id$v=19$m=1$broken"])
def test_a_hash_that_is_none_lets_nobody_in(stored: str) -> None:
    assert not passwords.is_right(stored, stored)


def test_new_passwords_are_hashed_by_argon2id_with_64_mib() -> None:
    assert passwords.hashed("correct horse").startswith("$argon2id$v=19$m=65536,")
