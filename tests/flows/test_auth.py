"""Who gets in, by what, and how far."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import auth, passwords
from config.auth_models import ApiToken
from config.database import Database
from config.errors import InvalidInputError, NotFoundError
from escalation import responders
from tests.edge import NOW, PASSWORD, Edge, form_token, sign_in

FAILED = "That e-mail address and password do not go together."
TOO_MANY = "Too many attempts to sign in."


class CountingHasher:
    """argon2 with the cheapest parameters, which counts how often it had to verify."""

    def __init__(self, passes: int = 1) -> None:
        self.verified = 0
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=8, parallelism=1)

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, stored: str, password: str) -> bool:
        self.verified += 1
        return self._hasher.verify(stored, password)

    def check_needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingHasher]:
    cheap = CountingHasher()
    monkeypatch.setattr(passwords, "HASHER", cheap)
    yield cheap


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(sqlite_database)


def is_signed_in(response: TestResponse) -> bool:
    return response.status_code == 303 and response.location != "/sign-in"


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
        assert auth.revoke_tokens(session, "old", now=NOW) == 2
    statuses = [edge.client().get("/api/v1/me", headers=headers).status_code for headers in (first, second, other)]
    assert statuses == [401, 401, 200]
    with edge.database.transaction() as session, pytest.raises(NotFoundError, match="revoked already"):
        auth.revoke_tokens(session, "old", now=NOW)


def test_the_token_of_who_left_is_401(edge: Edge) -> None:
    ana = edge.person()
    headers = edge.bearer(person=ana)
    leave(edge, ana.id)
    response = edge.client().get("/api/v1/me", headers=headers)
    assert response.status_code == 401
    assert "no longer active" in response.get_json()["detail"]


def leave(edge: Edge, responder_id: int) -> None:
    with edge.database.transaction() as session:
        person = responders.by_id(session, responder_id)
        assert person is not None
        person.active = False


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


# Browsers


def test_a_browser_is_shown_the_way_in_and_then_what_it_asked_for(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    response = browser.get("/incidents?status=open&q=a%20b")
    assert response.status_code == 302
    assert response.location == "/sign-in?next=/incidents?status%3Dopen%26q%3Da%2520b"
    assert 'name="next" value="/incidents?status=open&amp;q=a%20b"' in browser.get(response.location).text
    done = sign_in(browser, next="/incidents?status=open&q=a%20b")
    assert (done.status_code, done.location) == (303, "/incidents?status=open&q=a%20b")
    assert browser.get("/incidents").text == "incidents for Ana"
    assert browser.get("/sign-in").location == "/incidents"  # no need to


def test_who_was_signed_out_meanwhile_comes_back_to_the_page_whose_form_they_sent(edge: Edge) -> None:
    browser = edge.browser()
    sent = browser.post("/incidents", headers={"Referer": "http://localhost/incidents/42"})
    assert sent.location == "/sign-in?next=/incidents/42"
    assert browser.post("/incidents", headers={"Referer": "http://evil.example/x"}).location == "/sign-in"


@pytest.mark.parametrize("elsewhere", ["//evil.com", "https://evil.com", "/\\evil.com", "/\t/evil.com"])
def test_signing_in_leads_to_nowhere_else(edge: Edge, elsewhere: str) -> None:
    edge.person()
    assert sign_in(edge.browser(), next=elsewhere).location == "/incidents"


def test_an_e_mail_address_may_be_typed_in_capitals(edge: Edge) -> None:
    edge.person()
    assert is_signed_in(sign_in(edge.browser(), email=" Ana@Example.ORG "))


def test_every_failure_to_sign_in_reads_the_same_and_costs_the_same(edge: Edge, hasher: CountingHasher) -> None:
    edge.person()
    edge.person("bo", password=None)
    leave(edge, edge.person("cy").id)
    tries = [
        ("ana@example.org", "wrong"),
        ("ana@example.org", ""),
        ("bo@example.org", PASSWORD),
        ("cy@example.org", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("\0", PASSWORD),
    ]
    pages = set()
    for email, password in tries:
        before = hasher.verified
        response = sign_in(edge.browser(), email, password)
        assert hasher.verified == before + 1
        assert response.status_code == 401
        assert FAILED in response.text
        pages.add(response.text.count("class"))
    assert len(pages) == 1


def test_the_eleventh_attempt_of_a_minute_from_one_address_is_refused(edge: Edge) -> None:
    edge.person()
    with time_machine.travel(NOW, tick=False) as wall_clock:
        browser = edge.browser()
        for number in range(10):
            assert sign_in(browser, f"guess{number}@example.org").status_code == 401
        refused = sign_in(browser)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert TOO_MANY in refused.text
        wall_clock.shift(61)
        assert is_signed_in(sign_in(browser))


def test_the_eleventh_attempt_of_a_minute_on_one_person_is_refused_from_wherever(edge: Edge) -> None:
    edge.person()
    edge.person("bo")
    with time_machine.travel(NOW, tick=False):
        for number in range(11):
            browser = edge.browser()
            browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
            status = sign_in(browser, "ANA@example.org", "wrong").status_code
        assert status == 429
        assert is_signed_in(sign_in(browser, "bo@example.org"))


def test_a_password_hashed_by_weaker_parameters_is_hashed_anew(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    old = edge.person().password_hash
    monkeypatch.setattr(passwords, "HASHER", CountingHasher(passes=2))
    browser = edge.browser()
    assert is_signed_in(sign_in(browser))
    assert browser.get("/incidents").status_code == 200
    with edge.database.reading() as session:
        person = responders.by_email(session, "ana@example.org")
    assert person is not None
    assert person.password_hash != old
    assert is_signed_in(sign_in(edge.browser()))


def test_a_short_password_is_refused(edge: Edge) -> None:
    with pytest.raises(InvalidInputError, match="at least 12 characters"):
        edge.person(password="elevenchars")


# Sessions


def test_a_session_cookie_is_out_of_reach_for_scripts_and_other_sites(edge: Edge) -> None:
    edge.person()
    cookie = sign_in(edge.browser()).headers["Set-Cookie"]
    assert cookie.startswith("tocsin=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # plain HTTP: it would never come back


def test_a_session_tells_its_owner_nothing_of_the_password(edge: Edge) -> None:
    ana = edge.person()
    cookie = sign_in(edge.browser()).headers["Set-Cookie"].removeprefix("tocsin=").split(".")[0]
    told = json.loads(base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)))
    assert ana.password_hash is not None
    assert ana.password_hash[-20:] not in str(told)


def test_signing_in_keeps_nothing_of_the_session_before(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    planted = form_token(browser)
    with browser.session_transaction() as session:
        session["planted"] = "by somebody else"
    sign_in(browser)
    with browser.session_transaction() as session:
        assert "planted" not in session
    assert browser.post("/incidents", data={"csrf_token": planted}).status_code == 400


def test_a_session_ends_after_twelve_hours_however_busy(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    sign_in(browser)
    for _ in range(11):
        edge.clock.forward(hours=1)
        assert browser.get("/incidents").status_code == 200
    edge.clock.forward(hours=1)
    assert browser.get("/incidents").status_code == 302


def test_a_session_ends_when_the_password_changes(edge: Edge) -> None:
    ana = edge.person()
    browser = edge.browser()
    sign_in(browser)
    with edge.database.transaction() as session:
        person = responders.by_id(session, ana.id)
        assert person is not None
        passwords.set_password(session, person, PASSWORD + " anew")
    assert browser.get("/incidents").status_code == 302


def test_a_session_ends_when_the_person_leaves(edge: Edge) -> None:
    ana = edge.person()
    browser = edge.browser()
    sign_in(browser)
    leave(edge, ana.id)
    assert browser.get("/incidents").status_code == 302


def test_signing_out_ends_the_session_in_this_browser(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    sign_in(browser)
    token = form_token(browser, "/none")  # the button is on every page
    response = browser.post("/sign-out", data={"csrf_token": token})
    assert (response.status_code, response.location) == (303, "/sign-in")
    assert "You are signed out." in browser.get("/sign-in").text
    assert browser.get("/incidents").status_code == 302


# Forms


def test_a_form_from_elsewhere_is_refused_for_lack_of_its_token(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    assert browser.post("/sign-in", data={"email": "ana@example.org", "password": PASSWORD}).status_code == 400
    sign_in(browser)
    refused = browser.post("/incidents")
    assert (refused.status_code, refused.mimetype) == (400, "text/html")
    assert "not sent from a page of Tocsin" in refused.text
    assert browser.post("/incidents", data={"csrf_token": "forged"}).status_code == 400
    assert browser.post("/sign-out").status_code == 400
    assert browser.post("/incidents", data={"csrf_token": form_token(browser, "/none")}).status_code == 200


def test_a_session_may_read_the_api_and_write_with_the_form_token_only(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    sign_in(browser)
    assert browser.get("/api/v1/me").get_json()["key"] == "ana"
    refused = browser.post("/api/v1/wishes", json={"reason": "x"})
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    headers = {"X-CSRFToken": form_token(browser, "/none")}
    assert browser.post("/api/v1/wishes", json={"reason": "x"}, headers=headers).status_code == 200


def test_programs_need_no_form_token(edge: Edge) -> None:
    headers = edge.bearer(role="responder")
    assert edge.client().post("/api/v1/wishes", json={"reason": "x"}, headers=headers).status_code == 200
    assert edge.client().post("/alerts/generic/a-key", data=b"{}").status_code == 202


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
    assert browser.get("/runbooks").status_code == 503
