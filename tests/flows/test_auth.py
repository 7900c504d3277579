"""Who gets in, by what, and how far."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from config import auth, passwords
from config.auth_models import ApiToken
from config.database import Database
from config.errors import InvalidInputError, NotFoundError
from escalation import tokens
from tests.edge import NOW, CountingHasher, Edge, sign_in


@pytest.fixture(autouse=True)
def cheap_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", CountingHasher())


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(sqlite_database)


# Tokens


def test_a_responders_token_acts_as_that_responder(edge: Edge) -> None:
    ana = edge.person(name="Ana Lima", roles=["responder", "keeper"])
    assert edge.client().get("/api/v1/me", headers=edge.bearer(person=ana)).get_json() == {
        "id": ana.id,
        "key": "ana",
        "name": "Ana Lima",
        "roles": ["keeper", "responder"],
        "kind": "responder",
    }


def test_a_programs_token_acts_as_a_program_with_its_role(edge: Edge) -> None:
    headers = edge.bearer(role="observer", name="prometheus")
    assert edge.client().get("/api/v1/me", headers=headers).get_json() == {
        "id": None,
        "key": "",
        "name": "prometheus",
        "roles": ["observer"],
        "kind": "program",
    }


def test_without_credentials_the_api_is_401_and_says_what_to_send(edge: Edge) -> None:
    response = edge.client().get("/api/v1/me")
    assert (response.status_code, response.mimetype) == (401, "application/problem+json")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tocsin"'
    assert "Authorization: Bearer" in response.get_json()["detail"]


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "bearer tocsin_forged", "Bearer a b", "Bearer \xff"])
def test_a_forged_token_is_401(edge: Edge, sent: str) -> None:
    response = edge.client().get("/api/v1/me", headers={"Authorization": sent})
    assert (response.status_code, response.mimetype) == (401, "application/problem+json")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tocsin", error="invalid_token"'


def test_a_revoked_token_is_401_and_its_namesakes_with_it(edge: Edge) -> None:
    first, second = edge.bearer(role="observer", name="old"), edge.bearer(role="observer", name="old")
    other = edge.bearer(role="observer", name="new")
    with edge.database.transaction() as session:
        assert len(tokens.revoke(session, tokens.of_name("old"), actor="root", via="cli", now=NOW)) == 2
    statuses = [edge.client().get("/api/v1/me", headers=headers).status_code for headers in (first, second, other)]
    assert statuses == [401, 401, 200]
    with edge.database.transaction() as session, pytest.raises(NotFoundError, match="revoked already"):
        tokens.revoke(session, tokens.of_name("old"), actor="root", via="cli", now=NOW)


def test_the_token_of_who_left_is_401(edge: Edge) -> None:
    ana = edge.person()
    headers = edge.bearer(person=ana)
    edge.leave(ana)
    response = edge.client().get("/api/v1/me", headers=headers)
    assert response.status_code == 401
    assert "no longer active" in response.get_json()["detail"]


def test_a_token_works_in_its_header_only(edge: Edge) -> None:
    token = edge.token(role="admin")
    for path in (f"/api/v1/me?token={token}", f"/api/v1/me?access_token={token}"):
        assert edge.client().get(path).status_code == 401
    assert edge.client().get("/api/v1/me", headers={"Authorization": f"Basic {token}"}).status_code == 401


def test_a_bad_token_is_not_made_good_by_a_session(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    sign_in(browser)
    assert browser.get("/api/v1/me").status_code == 200
    assert browser.get("/api/v1/me", headers={"Authorization": "Bearer forged"}).status_code == 401


def test_only_the_hash_of_a_token_is_kept(edge: Edge) -> None:
    token = edge.token(role="observer", name="  spaced  ")
    with edge.database.reading() as session:
        row = session.scalars(select(ApiToken)).one()
    assert token.startswith("tocsin_")
    assert token not in str(vars(row))
    assert row.name == "spaced"


def test_a_token_needs_a_name_and_either_a_responder_or_a_role(edge: Edge) -> None:
    ana = edge.person()
    with edge.database.transaction() as session:
        for name, responder_id, role in [
            (" ", None, "observer"),
            ("n" * 201, None, "observer"),
            ("both", ana.id, "observer"),
            ("neither", None, None),
            ("unknown role", None, "emperor"),
        ]:
            with pytest.raises(InvalidInputError):
                auth.create_token(session, name=name, now=NOW, responder_id=responder_id, role=role)


# How far


def test_an_observer_reads_and_cannot_write_even_where_no_view_forbids_it(edge: Edge) -> None:
    headers = edge.bearer(person=edge.person(name="Olga", roles=["observer"]))
    assert edge.client().get("/incidents", headers=headers).status_code == 200
    response = edge.client().post("/api/v1/wishes", json={"reason": "x"}, headers=headers)
    assert (response.status_code, response.mimetype) == (403, "application/problem+json")
    detail = response.get_json()["detail"]
    assert detail.startswith("Olga may not do this")
    assert "responder" in detail
    assert "Olga has observer" in detail


def test_a_person_without_a_role_reads_nothing(edge: Edge) -> None:
    assert edge.client().get("/api/v1/me", headers=edge.bearer(person=edge.person(roles=[]))).status_code == 403


def test_approving_takes_a_keeper_who_is_a_person(edge: Edge) -> None:
    keeper = edge.person("kim", name="Kim", roles=["keeper"])
    admin = edge.person("ada", roles=["admin"])
    decide = edge.client()
    assert decide.post("/api/v1/decisions", headers=edge.bearer(person=keeper)).get_json() == {"by": "Kim"}
    assert decide.post("/api/v1/decisions", headers=edge.bearer(person=admin)).status_code == 403
    refused = decide.post("/api/v1/decisions", headers=edge.bearer(role="keeper", name="robot"))
    assert refused.status_code == 403
    assert refused.get_json()["detail"] == "This takes a person; robot is a program."


def test_a_view_can_require_a_role(edge: Edge) -> None:
    assert edge.client().post("/api/v1/settings", headers=edge.bearer(role="responder")).status_code == 403
    assert edge.client().post("/api/v1/settings", headers=edge.bearer(role="admin")).status_code == 200


def test_every_route_takes_a_caller_or_is_marked_public(edge: Edge) -> None:
    assert auth.unprotected_routes(edge.app) == [
        "GET /",
        "GET /api/openapi.json",
        "GET /assets/<path:filename>",
        "GET /greeting",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
        "GET /sign-in",
        "POST /alerts/<source>/<key>",
        "POST /sign-in",
        "POST /sign-out",
    ]
    for path in ("/api/v1/me", "/api/v1/searched", "/incidents", "/runbooks", "/report"):
        assert edge.client().get(path).status_code == 401


def test_an_application_without_the_gate_protects_nothing() -> None:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/incidents", "incidents", lambda: "")
    assert auth.unprotected_routes(app) == ["GET /incidents"]


# The database is away


def test_runbooks_are_shown_while_the_database_is_away_to_who_signed_in_before(edge: Edge, tmp_path: Path) -> None:
    edge.person(name="Ana Lima")
    browser = edge.browser()
    sign_in(browser)
    edge.database.engine.dispose()
    (tmp_path / "tocsin.db").unlink()
    (tmp_path / "tocsin.db").mkdir()
    assert browser.get("/runbooks").text == "runbooks for Ana Lima, who may act: False"
    assert browser.get("/incidents").status_code == 503
    assert edge.browser().get("/runbooks").status_code == 302
    edge.clock.forward(hours=12)
    assert browser.get("/runbooks").status_code == 302
