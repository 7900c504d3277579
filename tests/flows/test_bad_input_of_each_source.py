"""What each source may send wrongly, by accident or by intent: twice, out of order, broken, too large, forged, again.

The table of sources is gone through, so that a new one is asked the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from config import auth, http, security
from config.database import Database
from escalation import responders
from escalation.models import Page
from incidents import webhooks
from incidents.edge_in import Edge
from incidents.models import Alert, Incident
from incidents.proof import timeline
from incidents.sources.base import AlertStatus, PayloadRefusedError
from incidents.sources.table import SOURCES
from tests.contract import recorded
from tests.databases import migrated_sqlite_file
from tests.world import SECRET_KEY, World, team

SECRET = "a secret of the sender's"
NAMES = sorted(SOURCES)
SECRETIVE = sorted(name for name, source in SOURCES.items() if source.check and not source.is_always_checked)
ONE_WAY = {"github", "opsgenie"}  # of these no end is recorded: Opsgenie's comes by an address of its own


def key_of(source: str, *, secret: bool = False) -> str:
    return hashlib.sha256(f"{source} {secret}".encode()).hexdigest()[:32]


def _declared() -> str:
    plain = [f'{{source: {name}, key: "{key_of(name)}"}}' for name in NAMES]
    secret = [f'{{source: {name}, key: "{key_of(name, secret=True)}", secret: "{SECRET}"}}' for name in SECRETIVE]
    return team().replace("integrations: [", f"integrations: [{', '.join(plain + secret)}, ", 1)


class Site:
    """The ways in alone. AWS is asked for its certificate."""

    def __init__(self, database: Database) -> None:
        self.world = World(database, config=_declared(), now=recorded.NOW)
        self.app = Flask(__name__, static_folder=None)
        self.app.testing = True
        http.install(self.app, database)
        security.install(self.app, base_url="http://localhost")
        auth.install(self.app, database, responders, secret_key=SECRET_KEY, clock=lambda: self.world.now)
        certificate = (recorded.KEPT / "cloudwatch" / "signing-cert.pem").read_bytes()
        edge = Edge(
            database, self.world.desk, lambda: self.world.now, lambda: None, lambda _: None,
            fetch=lambda address: b"", certificates=lambda address: certificate,
        )  # fmt: skip
        self.app.register_blueprint(webhooks.blueprint(edge))
        self.incidents_before = 0

    def send(self, source: str, body: bytes, *, secret: bool = False, **headers: str) -> TestResponse:
        kind = "application/json" if body[:1] in (b"{", b"[") else "text/plain"
        return self.app.test_client().post(
            f"/alerts/{source}/{key_of(source, secret=secret)}", data=body, content_type=kind, headers=headers
        )

    def count(self, of: Any) -> int:
        with self.world.database.reading() as session:
            return session.scalar(select(func.count()).select_from(of)) or 0

    def opened(self) -> int:
        return self.count(Incident) - self.incidents_before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = migrated_sqlite_file(tmp_path_factory.mktemp("bad-input"))
    database = Database(f"sqlite:///{file}", before_commit=timeline.write)
    yield Site(database)
    database.close()


@pytest.fixture
def site(shared: Site) -> Site:
    """Whatever is open ends, so that each test begins with a way in on which nothing is."""
    with shared.world.database.transaction() as session:
        for alert in session.scalars(select(Alert).where(Alert.status == AlertStatus.FIRING)):
            alert.status = AlertStatus.RESOLVED
    shared.incidents_before = shared.count(Incident)
    return shared


def recorded_as(source: str, status: AlertStatus) -> bytes | None:
    """The first recorded request that brings an alert in this state, and none in another, as its body."""
    for file in sorted((recorded.KEPT / source).iterdir()):
        if file.name.startswith("reject") or file.suffix == ".pem":
            continue
        is_letter = SOURCES[source].content == "bytes"
        content = file.read_bytes() if is_letter else recorded.content(file)
        try:
            alerts = SOURCES[source].parse(content, now=recorded.NOW)
        except PayloadRefusedError:
            continue
        if {alert.status for alert in alerts} == {status}:
            return (
                content if is_letter else content.encode() if isinstance(content, str) else json.dumps(content).encode()
            )
    return None


def signed(source: str, body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "github": {"X-Hub-Signature-256": f"sha256={digest}"},
        "gitlab": {"X-Gitlab-Token": secret},
        "grafana": {"X-Grafana-Alerting-Signature": digest},
        "sentry": {"Sentry-Hook-Signature": digest},
    }.get(source, {"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize("source", NAMES)
def test_what_comes_twice_is_counted_and_pages_once(site: Site, source: str) -> None:
    body = recorded_as(source, AlertStatus.FIRING)
    assert body is not None
    assert site.send(source, body).status_code == 202
    opened, pages = site.opened(), site.count(Page)
    assert opened >= 1
    assert site.send(source, body).status_code == 202
    assert (site.opened(), site.count(Page)) == (opened, pages)
    with site.world.database.reading() as session:
        assert set(session.scalars(select(Alert.count).where(Alert.status == AlertStatus.FIRING))) == {2}


@pytest.mark.parametrize("source", NAMES)
def test_an_end_before_its_beginning_is_taken_and_ends_nothing(site: Site, source: str) -> None:
    body = recorded_as(source, AlertStatus.RESOLVED)
    if source in ONE_WAY:
        assert body is None
        return
    assert body is not None
    assert site.send(source, body).status_code == 202
    assert site.opened() == 0
    beginning = recorded_as(source, AlertStatus.FIRING)
    assert beginning is not None
    assert site.send(source, beginning).status_code == 202
    assert site.opened() >= 1


BROKEN = [
    b"", b" ", b"{", b'{"a":', b"[" * 50_000, b'{"a":' * 50_000, b"null", b"42", b'"text"', b"[]", b"[[]]", b"{}",
    b"\xff\xfe{\x00}\x00", b'{"alerts": 7}', b'{"alerts": [null]}', b'{"n": ' + b"9" * 6_000 + b"}", b'{"a": NaN}',
    b'{"title": "\\ud800", "message": "\\u0000"}', b"\x00\x01\x02", b"a=b&c=%ff", b"--x\r\n\r\n--x--",
]  # fmt: skip


@pytest.mark.parametrize("source", NAMES)
def test_what_is_broken_is_refused_with_a_reason_or_taken_whole(site: Site, source: str) -> None:
    for body in BROKEN:
        before = site.count(Alert)
        answer = site.send(source, body)
        said = answer.get_json()
        assert answer.status_code in (202, 401, 422), (body, answer.text)
        if answer.status_code == 202:  # what is recognisably an alert, or asks for nobody
            assert site.count(Alert) - before <= said["accepted"], body
        else:
            assert (len(said["detail"]) > 20, site.count(Alert)) == (True, before), body


@pytest.mark.parametrize("source", NAMES)
def test_what_is_too_large_is_413_with_a_sentence_and_nothing_of_it_is_taken(site: Site, source: str) -> None:
    body = recorded_as(source, AlertStatus.FIRING)
    assert body is not None
    answer = site.send(source, body + b" " * http.BODY_BYTES_MAX)
    assert (answer.status_code, answer.mimetype) == (413, http.PROBLEM)
    assert "none of these was taken" in answer.get_json()["detail"]
    assert site.opened() == 0


@pytest.mark.parametrize("source", SECRETIVE)
def test_what_is_forged_is_401_and_the_real_one_still_opens_an_incident(site: Site, source: str) -> None:
    body = recorded_as(source, AlertStatus.FIRING)
    assert body is not None
    forged = [{}, signed(source, body, secret="another secret"), signed(source, body, secret=SECRET[:-1])]
    if source in ("github", "grafana", "sentry"):  # the others show their secret, and sign no body
        forged.append(signed(source, body + b" "))
    for headers in forged:
        answer = site.send(source, body, secret=True, **headers)
        assert answer.status_code == 401, headers
        assert SECRET not in answer.text
    assert site.opened() == 0
    assert site.send(source, body, secret=True, **signed(source, body)).status_code == 202
    assert site.opened() >= 1


def test_what_grafana_signed_with_its_time_is_not_taken_later(site: Site) -> None:
    """Of the others that sign, none signs the time: sent again, theirs is the same alert (see what comes twice)."""
    body = recorded_as("grafana", AlertStatus.FIRING)
    assert body is not None
    moment = str(int(recorded.NOW.timestamp()) - 301)
    digest = hmac.new(SECRET.encode(), f"{moment}:".encode() + body, hashlib.sha256).hexdigest()
    replayed = {"X-Grafana-Alerting-Signature": digest, "X-Grafana-Alerting-Timestamp": moment}
    assert site.send("grafana", body, secret=True, **replayed).status_code == 401
    assert site.opened() == 0


def test_what_sns_signed_is_not_taken_later(site: Site) -> None:
    envelope = recorded.kept("cloudwatch", "notification.alarm.v1.json")
    assert site.send("cloudwatch", json.dumps(envelope).encode()).status_code == 202
    opened = site.opened()
    assert opened
    site.world.now += timedelta(minutes=76)
    answer = site.send("cloudwatch", json.dumps(envelope).encode())
    site.world.now -= timedelta(minutes=76)
    assert (answer.status_code, site.opened()) == (401, opened)
    assert "more than an hour" in answer.get_json()["detail"]
