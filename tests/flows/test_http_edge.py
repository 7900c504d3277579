"""What the HTTP edge answers when something is wrong, and what it says to machines that ask how it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from config import auth, bodies, http, security
from config.database import Database
from config.errors import ConflictError, InvalidInputError, UnavailableError
from tests.edge import BROWSER, Edge, sign_in, url_of_database_away

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(sqlite_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(url_of_database_away(request.param, tmp_path))
    yield database
    database.close()


def problem_of(response: TestResponse) -> dict[str, Any]:
    assert response.mimetype == "application/problem+json"
    found: dict[str, Any] = json.loads(response.data)
    assert found["status"] == response.status_code
    assert set(found) == {"type", "title", "status", "detail", "instance", "errors", "request_id"}
    return found


def raising(edge: Edge, error: Exception, *, path: str = "/api/v1/broken") -> None:
    def fail() -> str:
        raise error

    edge.app.add_url_rule(path, path, security.exempt(auth.public(fail)), methods=["GET", "POST"])


def test_a_refusal_is_a_problem_document_that_names_the_fields(edge: Edge) -> None:
    raising(edge, InvalidInputError("The title is too long.", fields={"title": "has more than 255 characters"}))
    problem = problem_of(edge.client().get("/api/v1/broken"))
    assert (problem["status"], problem["title"]) == (422, "Invalid input")
    assert problem["type"] == "urn:tocsin:problem:invalid-input"
    assert problem["detail"] == "The title is too long."
    assert problem["instance"] == "/api/v1/broken"
    assert problem["errors"] == {"title": "has more than 255 characters"}


def test_a_browser_gets_a_page_with_the_same_words(edge: Edge) -> None:
    raising(edge, ConflictError("Incident 42 is <closed>."), path="/incidents/42")
    response = edge.browser().get("/incidents/42")
    assert (response.status_code, response.mimetype) == (409, "text/html")
    assert "<h1>Conflict</h1>" in response.text
    assert "Incident 42 is &lt;closed&gt;." in response.text


@pytest.mark.parametrize(
    "path", ["/api/v1/none", "/v2/none", "/alerts/a/b/c", "/integrations/x", "/replies/none", "/heartbeats/x"]
)
def test_where_nobody_browses_even_a_browser_gets_the_document(edge: Edge, path: str) -> None:
    assert problem_of(edge.browser().get(path))["status"] == 404


def test_a_path_that_only_begins_like_a_programs_is_a_page(edge: Edge) -> None:
    response = edge.browser().get("/apiary")
    assert response.mimetype == "text/html"
    assert "<h1>Not found</h1>" in response.text
    assert "There is nothing at this address." in response.text


def test_without_a_wish_for_a_page_it_is_the_document(edge: Edge) -> None:
    as_a_program = {**BROWSER, "Authorization": "Bearer x"}
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json, text/html;q=0.5"}, as_a_program):
        assert problem_of(edge.client().get("/none", headers=headers))["title"] == "Not Found"


def test_a_wrong_method_is_405_and_says_which_are_right(edge: Edge) -> None:
    response = edge.client().delete("/api/v1/wishes")
    assert problem_of(response)["status"] == 405
    assert "POST" in response.headers["Allow"]


def test_a_body_that_is_not_json_is_400(edge: Edge) -> None:
    sent = {"data": "{reason", "content_type": "application/json", "headers": edge.bearer(role="responder")}
    problem = problem_of(edge.client().post("/api/v1/wishes", **sent))
    assert (problem["status"], problem["errors"]) == (400, {"body": "Invalid JSON body."})
    assert problem_of(edge.client().post("/api/v1/loaded", **sent))["status"] == 400


def test_wrong_fields_are_422_and_named(edge: Edge) -> None:
    sent = {"count": "many", "milestones": [{"milestone": "contained"}, {}], "other": 1}
    headers = edge.bearer(role="responder")
    for path in ("/api/v1/wishes", "/api/v1/loaded"):
        problem = problem_of(edge.client().post(path, json=sent, headers=headers))
        assert problem["status"] == 422
        assert set(problem["errors"]) == {"reason", "count", "milestones.1.milestone", "other"}
    asked = problem_of(edge.client().get("/api/v1/searched?count=many", headers=headers))
    assert asked["errors"] == {"reason": "Missing data for required field.", "count": "Not a valid integer."}


def test_a_body_of_the_wrong_type_is_told_its_type(edge: Edge) -> None:
    headers = edge.bearer(role="responder")
    problem = problem_of(edge.client().post("/api/v1/wishes", data='{"reason": "x"}', headers=headers))
    assert "application/json" in problem["detail"]
    problem = problem_of(edge.client().post("/api/v1/wishes", json={}, headers=headers))
    assert "application/json" not in problem["detail"]


def test_a_body_over_one_mebibyte_is_413_and_one_of_that_size_is_not(edge: Edge) -> None:
    client, largest = edge.client(), b"x" * http.BODY_BYTES_MAX
    assert client.post("/alerts/generic/abc", data=largest).status_code == 202
    problem = problem_of(client.post("/alerts/generic/abc", data=largest + b"x"))
    assert (problem["status"], problem["title"]) == (413, "Body too large")
    assert "1024 KiB" in problem["detail"]


def in_chunks(body: BytesIO) -> dict[str, Any]:
    """As servers hand on a body whose length nobody said; the test client would say it."""
    said = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    return {"input_stream": body, "environ_overrides": said}


def test_a_body_sent_in_chunks_is_taken_whole_and_over_the_limit_refused_and_never_cut(edge: Edge) -> None:
    client, largest = edge.client(), b"x" * http.BODY_BYTES_MAX
    for length in (0, 1, http.BODY_BYTES_MAX):
        answer = client.post("/alerts/generic/abc", **in_chunks(BytesIO(largest[:length])))
        assert (answer.status_code, answer.text) == (202, str(length))
    assert problem_of(client.post("/alerts/generic/abc", **in_chunks(BytesIO(largest + b"x"))))["status"] == 413


@pytest.mark.parametrize("in_what", ["one", "chunks"])
def test_what_is_too_large_is_heard_out_so_that_its_sender_reads_the_refusal(edge: Edge, in_what: str) -> None:
    size = 5 * http.BODY_BYTES_MAX
    for path in ("/alerts/generic/abc", "/api/v1/wishes", "/none"):
        body = BytesIO(b"x" * size)
        sent = in_chunks(body) if in_what == "chunks" else {"input_stream": body}
        assert edge.client().post(path, **sent).status_code in (413, 401, 404)
        assert body.tell() == size, path


def test_of_what_is_far_too_large_no_more_than_a_part_is_heard(edge: Edge) -> None:
    body = BytesIO(b"x" * (bodies.DISCARDED_BYTES_MAX + 1))
    assert edge.client().post("/alerts/generic/abc", **in_chunks(body)).status_code == 413
    assert body.tell() == bodies.DISCARDED_BYTES_MAX


def test_a_form_is_refused_no_earlier_than_any_other_body(edge: Edge) -> None:
    text = "a" * 700_000
    multipart = f'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n{text}\r\n--x--\r\n'
    for kind, body in [
        ("application/x-www-form-urlencoded", f"email={text}"),
        ("multipart/form-data; boundary=x", multipart),
    ]:
        response = edge.client().post("/sign-in", data=body, content_type=kind)
        assert response.status_code == 400  # for the token it lacks, not for its size


def test_a_database_that_is_away_is_503_and_a_time_to_retry(database_away: Database) -> None:
    edge = Edge(database_away)
    with capture_logs() as logged:
        response = edge.client().get("/api/v1/me", headers={"Authorization": "Bearer tocsin_abc"})
    problem = problem_of(response)
    assert (problem["status"], problem["title"]) == (503, "Unavailable")
    assert response.headers["Retry-After"] == "5"
    assert [line["log_level"] for line in logged] == ["warning"]
    told = str(logged) + response.text
    assert "SELECT" not in told
    assert "pa55word" not in told
    page = sign_in(edge.browser())
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert 'href="/runbooks"' in page.text
    assert "<h1>Unavailable</h1>" in page.text


def test_what_says_itself_that_it_is_unavailable_gives_a_time_to_retry_too(edge: Edge) -> None:
    raising(edge, UnavailableError("The engine's record cannot be read."))
    assert edge.client().get("/api/v1/broken").headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("7 of secret"), IntegrityError("INSERT INTO secret", {}, ValueError("secret"))]
)
def test_a_fault_of_ours_is_500_without_internals_and_its_traceback_is_logged(edge: Edge, error: Exception) -> None:
    edge.app.testing = False
    raising(edge, error, path="/alerts/broken/a-key")
    with capture_logs([structlog.contextvars.merge_contextvars]) as logged:
        response = edge.client().post("/alerts/broken/a-key", headers={"X-Request-Id": "abc-1"})
    problem = problem_of(response)
    assert (problem["status"], problem["request_id"]) == (500, "abc-1")
    assert "secret" not in problem["detail"]
    (line,) = logged
    assert (line["log_level"], line["exc_info"], line["request_id"]) == ("error", error, "abc-1")


def test_every_answer_carries_a_request_id_and_the_log_knows_it_only_meanwhile(edge: Edge) -> None:
    client = edge.client()
    given = client.get("/healthz", headers={"X-Request-Id": "0b7c-77.x_1"}).headers["X-Request-Id"]
    assert given == "0b7c-77.x_1"
    assert "request_id" not in structlog.contextvars.get_contextvars()
    first, second = (client.get("/none").headers["X-Request-Id"] for _ in range(2))
    assert len(first) == 32
    assert first != second


@pytest.mark.parametrize("odd", ["", "a b", 'a"b', "a/b", "x" * 65, "ä", "{}"])
def test_an_odd_request_id_is_replaced(edge: Edge, odd: str) -> None:
    answered = edge.client().get("/healthz", headers={"X-Request-Id": odd}).headers["X-Request-Id"]
    assert answered != odd
    assert len(answered) == 32


def test_the_openapi_document_is_public_and_tells_of_problems_and_tokens(edge: Edge) -> None:
    document = edge.client().get("/api/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Tocsin"
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["security"] == [{"token": []}]
    assert set(document["components"]["schemas"]["Problem"]["properties"]) >= {"type", "title", "status", "errors"}
    answers = document["paths"]["/api/v1/wishes"]["post"]["responses"]
    assert "default" in answers
    shown = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert shown == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_everybody_gets_the_whole_document_also_while_it_is_first_written(edge: Edge) -> None:
    with ThreadPoolExecutor(4) as at_once:
        asked = [at_once.submit(edge.client().get, "/api/openapi.json") for _ in range(4)]
    documents = {answer.result().data for answer in asked} | {edge.client().get("/api/openapi.json").data}
    assert len(documents) == 1
    assert "/api/v1/wishes" in json.loads(documents.pop())["paths"]


def test_pages_run_no_script_from_elsewhere_and_sit_in_no_frame(edge: Edge) -> None:
    headers = edge.client().get("/sign-in", headers=BROWSER).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-cache"


def test_a_self_contained_document_may_show_its_styles_and_nothing_else(edge: Edge) -> None:
    policy = edge.client().get("/report", headers=edge.bearer(role="observer")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script" not in policy
    assert "sandbox" in policy


def test_https_is_remembered_but_never_forced_by_a_redirect(sqlite_database: Database) -> None:
    client = Edge(sqlite_database, base_url="https://tocsin.example.org").client()
    direct = client.get("/sign-in")
    assert direct.status_code == 200
    assert direct.headers["Set-Cookie"].startswith("__Host-tocsin=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in direct.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in direct.headers
    proxied = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert proxied.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_styles_are_public_and_kept_by_browsers(edge: Edge) -> None:
    response = edge.client().get("/assets/tocsin.css")
    assert (response.status_code, response.mimetype) == (200, "text/css")
    assert "max-age=86400" in response.headers["Cache-Control"]
    response.close()
