"""Signing in and out in a browser, how long it lasts, and that forms come from our own pages."""

from __future__ import annotations

import pytest
import time_machine
from werkzeug.test import TestResponse

from config import passwords
from config.database import Database
from config.errors import InvalidInputError
from escalation import responders
from tests.edge import NOW, PASSWORD, CountingHasher, Edge, form_token, sign_in

FAILED = "That e-mail address and password do not go together."
TOO_MANY = "Too many attempts to sign in."


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    cheap = CountingHasher()
    monkeypatch.setattr(passwords, "HASHER", cheap)
    return cheap


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(sqlite_database)


def is_signed_in(response: TestResponse) -> bool:
    return response.status_code == 303 and response.location != "/sign-in"


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


def test_who_has_no_password_is_told_who_sets_one(edge: Edge) -> None:
    assert "<code>tocsin password</code>" in edge.browser().get("/sign-in").text


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
    edge.leave(edge.person("cy"))
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


def test_only_what_failed_counts_so_that_a_whole_team_signs_in_from_one_address(edge: Edge) -> None:
    edge.person()
    with time_machine.travel(NOW, tick=False):
        for _ in range(12):
            assert is_signed_in(sign_in(edge.browser()))
        for number in range(10):
            assert sign_in(edge.browser(), f"guess{number}@example.org").status_code == 401
        assert sign_in(edge.browser()).status_code == 429


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


@pytest.mark.parametrize(("base_url", "status"), [("https://tocsin.example.org", 401), ("http://localhost", 429)])
def test_addresses_told_by_a_proxy_count_only_where_there_is_one(
    sqlite_database: Database, base_url: str, status: int
) -> None:
    edge = Edge(sqlite_database, base_url=base_url)
    with time_machine.travel(NOW, tick=False):
        for number in range(11):
            browser = edge.browser()
            browser.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
            last = sign_in(browser, f"guess{number}@example.org").status_code
    assert last == status


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
    stored = edge.person().password_hash
    browser = edge.browser()
    sign_in(browser)
    with browser.session_transaction() as session:
        told = str(dict(session))
    assert "Ana" in told
    assert stored is not None
    assert stored.rpartition("$")[2] not in told


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
        passwords.set_password(session, session.merge(ana), PASSWORD + " anew")
    assert browser.get("/incidents").status_code == 302


def test_a_session_ends_when_the_person_leaves(edge: Edge) -> None:
    ana = edge.person()
    browser = edge.browser()
    sign_in(browser)
    edge.leave(ana)
    assert browser.get("/incidents").status_code == 302


@pytest.mark.parametrize("ticket", ["1", "1.2", "1.x.y", "1.99999999999999999999." + "a" * 32, "..", "x" * 5_000])
def test_a_session_that_another_version_signed_asks_to_sign_in_again(edge: Edge, ticket: str) -> None:
    browser = edge.browser()
    with browser.session_transaction() as session:
        session["_user_id"] = ticket
    assert browser.get("/incidents").status_code == 302


def test_signing_out_ends_the_session_in_this_browser(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    sign_in(browser)
    token = form_token(browser, "/frame")
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
    assert browser.post("/incidents", data={"csrf_token": form_token(browser, "/frame")}).status_code == 200


def test_a_session_may_read_the_api_and_write_with_the_form_token_only(edge: Edge) -> None:
    edge.person()
    browser = edge.browser()
    sign_in(browser)
    assert browser.get("/api/v1/me").get_json()["key"] == "ana"
    refused = browser.post("/api/v1/wishes", json={"reason": "x"})
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    headers = {"X-CSRFToken": form_token(browser, "/frame")}
    assert browser.post("/api/v1/wishes", json={"reason": "x"}, headers=headers).status_code == 200


def test_programs_need_no_form_token(edge: Edge) -> None:
    headers = edge.bearer(role="responder")
    assert edge.client().post("/api/v1/wishes", json={"reason": "x"}, headers=headers).status_code == 200
    assert edge.client().post("/alerts/generic/a-key", data=b"{}").status_code == 202
