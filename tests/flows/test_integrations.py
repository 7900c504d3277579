"""What an integration checks, and by which mapping it reads: from tocsin.yaml to an incident."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from config import auth, http, security
from config.database import Database
from config.declaration import DeclarationError
from config.errors import UnavailableError
from config.sealed import Vault
from escalation import responders
from incidents import cli_integration, configuration, export, webhooks
from incidents.edge_in import Edge
from incidents.models import Incident, Integration
from incidents.sources.table import SOURCES
from tests.contract import recorded
from tests.world import KEY, SECRET_KEY, SHELF, World, team

GITHUB, GENERIC, SNS, KUMA = "a1" * 16, "a2" * 16, "a3" * 16, "a4" * 16
SECRET = "It's a Secret to Everybody"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:paging"
INTEGRATIONS = f"""integrations:
      - {{source: github, key: "{GITHUB}", secret: "{SECRET}"}}
      - {{source: generic, key: "{GENERIC}", map: {{title: rule.name, dedup_key: rule.id, ignore: ping}}}}
      - {{source: cloudwatch, key: "{SNS}", topic: "{TOPIC}"}}
      - {{source: uptime-kuma, key: "{KUMA}"}}"""
RUN = recorded.kept("github", "workflow_run.completed.failure.json")


def config(integrations: str = INTEGRATIONS) -> str:
    old = f'checkout: {{policy: standard, integrations: [{{source: pagerduty, key: "{KEY}"}}]}}'
    text = team()
    assert old in text
    return text.replace(old, f"checkout:\n    policy: standard\n    {integrations}")


class Site:
    """The ways in alone, with the outside that Tocsin asks by itself."""

    def __init__(self, database: Database) -> None:
        self.world = World(database, config=config(), now=recorded.NOW)
        self.fetched: list[str] = []
        self.is_away = False
        self.app = Flask(__name__, static_folder=None)
        http.install(self.app, database)
        security.install(self.app, base_url="http://localhost")
        auth.install(self.app, database, responders, secret_key=SECRET_KEY, clock=lambda: self.world.now)
        edge = Edge(
            database,
            self.world.desk,
            lambda: self.world.now,
            lambda: None,
            lambda _: None,
            fetch=self.fetch,
            certificates=self.fetch,
        )
        self.app.register_blueprint(webhooks.blueprint(edge))

    def fetch(self, address: str) -> bytes:
        self.fetched.append(address)
        if self.is_away:
            raise UnavailableError("sns.eu-west-1.amazonaws.com could not be asked (ConnectTimeout). Send it again.")
        if address.endswith(".pem"):
            return (recorded.KEPT / "cloudwatch" / "signing-cert.pem").read_bytes()
        return b"<ConfirmSubscriptionResponse/>"

    def post(self, source: str, key: str, payload: Any, **more: Any) -> TestResponse:
        return self.app.test_client().post(f"/alerts/{source}/{key}", json=payload, **more)

    def send(self, source: str, key: str, body: bytes, kind: str, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().post(f"/alerts/{source}/{key}", data=body, content_type=kind, headers=named)

    def titles(self) -> list[str]:
        with self.world.database.reading() as session:
            return list(session.scalars(select(Incident.title).order_by(Incident.id)))


@pytest.fixture
def site(sqlite_database: Database) -> Site:
    return Site(sqlite_database)


def test_a_letter_that_a_mail_server_pipes_opens_an_incident_and_its_end_resolves_it(site: Site) -> None:
    key = "e1" * 16
    site.world.apply(config(f"integrations: [{{source: email, key: {key}}}]"))
    folder = recorded.KEPT / "email"
    for name in ("nagios.problem", "nagios.recovery"):
        sent = (folder / f"{name}.eml").read_bytes()
        assert site.send("email", key, sent, "message/rfc822").status_code == 202
    with site.world.database.reading() as session:
        incident = session.scalars(select(Incident)).one()
    assert (incident.title, incident.status) == ("** PROBLEM Service Alert: db1/Disk / is CRITICAL **", "resolved")
    assert site.send("email", key, b" ", "message/rfc822").status_code == 422
    assert site.send("email", key, (folder / "bounce.delivery-status.eml").read_bytes(), "x/y").status_code == 422


def test_a_key_for_letters_must_be_able_to_stand_in_an_address(site: Site) -> None:
    for key in ("E1" * 16, "_" * 20, "e" * 41, "e" * 15):
        with pytest.raises(DeclarationError, match="lower-case"):
            site.world.apply(config(f"integrations: [{{source: email, key: {key}}}]"))


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_request_with_its_senders_signature_opens_an_incident_as_json_and_as_a_form(site: Site) -> None:
    body = json.dumps(RUN).encode()
    form = (recorded.KEPT / "github" / "workflow_run.form.txt").read_bytes()
    for sent, kind in ((body, "application/json"), (form, "application/x-www-form-urlencoded")):
        assert site.send("github", GITHUB, sent, kind, X_Hub_Signature_256=signature(sent)).status_code == 202
    assert site.titles() == ["test failed on master", "CI failed on main"]


def test_a_wrong_and_a_missing_signature_are_401_and_logged(site: Site) -> None:
    wrong = signature(json.dumps(RUN).encode(), "another secret")
    with capture_logs() as logged:
        answers = [site.post("github", GITHUB, RUN, headers=each) for each in ({}, {"X-Hub-Signature-256": wrong})]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert site.titles() == []
    assert SECRET not in "".join(answer.get_data(as_text=True) for answer in answers) + repr(logged)
    assert [line["event"] for line in logged] == ["alert refused, not its sender's"] * 2


def test_a_secret_that_cannot_be_read_any_more_is_503_until_the_file_is_applied_again(site: Site) -> None:
    with site.world.database.transaction() as session:
        row = session.scalars(select(Integration).where(Integration.source == "github")).one()
        row.signing_secret = Vault("another key").seal(SECRET)
    assert site.post("github", GITHUB, RUN).status_code == 503
    site.world.apply(config())
    body = json.dumps(RUN).encode()
    answer = site.send("github", GITHUB, body, "application/json", X_Hub_Signature_256=signature(body))
    assert answer.status_code == 202


def test_a_mapping_reads_and_ignores(site: Site) -> None:
    assert site.post("generic", GENERIC, {"rule": {"name": "Queue grows", "id": 7}}).get_json()["accepted"] == 1
    assert site.post("generic", GENERIC, {"ping": True}).get_json() == {"accepted": 0, "incidents": []}
    assert site.titles() == ["Queue grows"]


def test_sns_is_verified_and_confirmed_and_told_to_try_again_while_aws_cannot_be_asked(site: Site) -> None:
    confirmation = recorded.kept("cloudwatch", "subscriptionconfirmation.v1.json")
    assert site.post("cloudwatch", SNS, confirmation).status_code == 202
    assert site.fetched[-1] == confirmation["SubscribeURL"]
    alarm = recorded.kept("cloudwatch", "notification.alarm.v1.json")
    sent = site.send("cloudwatch", SNS, json.dumps(alarm).encode(), "text/plain; charset=UTF-8")
    assert (sent.status_code, site.titles()) == (202, ["checkout-HighCPU"])
    asked = len(site.fetched)
    for name in ("reject.evil-cert-host", "reject.tampered-message", "raw_delivery", "reject.subscribe-url-ssrf"):
        answer = site.post("cloudwatch", SNS, recorded.kept("cloudwatch", f"{name}.json"))
        assert answer.status_code in (401, 422), name
    assert all(address.endswith(".pem") for address in site.fetched[asked:])
    site.is_away = True
    assert site.post("cloudwatch", SNS, alarm).status_code == 503


def test_kuma_sends_a_form_or_a_query_and_a_browser_that_opens_the_address_does_nothing(site: Site) -> None:
    client, address = site.app.test_client(), f"/alerts/uptime-kuma/{KUMA}"
    query = recorded.kept("uptime-kuma", "webhook.get.down.json")
    assert client.get(address, query_string=query).status_code == 202
    up = {name: json.loads(query[name]) for name in ("heartbeat", "monitor")} | {"msg": "Up"}
    up["heartbeat"]["status"] = 1
    assert client.post(address, data={"data": json.dumps(up)}).status_code == 202
    assert site.titles() == ["db1 tcp"]
    assert client.get(address).status_code == 405
    assert client.head(address, query_string=query).status_code == 405
    assert client.get(f"/alerts/generic/{GENERIC}?title=x").status_code == 405
    with site.world.database.reading() as session:
        assert [each.status for each in session.scalars(select(Incident))] == ["resolved"]


def test_the_secret_is_stored_sealed_and_written_nowhere(site: Site) -> None:
    with site.world.database.reading() as session:
        row = session.scalars(select(Integration).where(Integration.source == "github")).one()
        written = export.to_text(session)
    assert SECRET not in row.signing_secret
    assert Vault(SECRET_KEY).open(row.signing_secret) == SECRET
    assert f'secret: "${{CHECKOUT_GITHUB_{GITHUB[-4:].upper()}_SECRET}}"' in written
    assert SECRET not in written
    assert f'topic: "{TOPIC}"' in written
    assert "map: {title: rule.name, dedup_key: rule.id, ignore: ping}" in written.replace('"', "")


def test_applied_again_nothing_changes_and_another_secret_is_told_without_it(site: Site) -> None:
    def applied(text: str) -> list[str]:
        return configuration.apply_text(
            site.world.database,
            text,
            env={},
            file_name="tocsin.yaml",
            now=site.world.now,
            sources=SOURCES,
            runbook_ids={runbook.id for runbook in SHELF.library.runbooks},
            vault=site.world.desk.vault,
        ).lines

    other = config(INTEGRATIONS.replace(SECRET, "quite another one"))
    assert applied(config()) == []
    (line,) = applied(other)
    assert line.startswith("~ integration github …a1a1")
    assert "quite another one" not in line
    (line,) = applied(other.replace("rule.name", "rule.title"))
    assert line == "~ integration generic …a2a2: map.title rule.name -> rule.title"


def test_a_sample_is_tried_before_it_is_saved(tmp_path: Path) -> None:
    file = tmp_path / "sample.json"
    file.write_text(json.dumps({"rule": {"name": "Queue grows", "id": 7}}))

    def tried(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(cli_integration.command(), ["try", *words])
        return found.exit_code, found.output

    assert tried("generic", str(file), "--map", "title=rule.name")[1].startswith("firing: Queue grows\n  dedup_key: ")
    assert tried("generic", str(file)) == (1, "Refused: title: is missing or blank; a title says what happened\n")
    assert "the fields are title" in tried("generic", str(file), "--map", "titel=x")[1]
    letter = recorded.KEPT / "email" / "zabbix.recovery.eml"
    assert tried("email", str(letter))[1].startswith("resolved: Resolved in 5m 12s: High CPU utilization")
    assert "nobody is woken" in tried("github", str(recorded.KEPT / "github" / "ping.json"))[1]
