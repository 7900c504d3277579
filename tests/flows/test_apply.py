"""Bringing the database to the declared configuration: adding and changing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from config import ids
from config.changes import Changes
from config.database import Database
from config.declaration import DeclarationError
from escalation import responders, settled
from escalation.models import ContactMethod, Responder
from escalation.oncall import rota
from escalation.policies import Target
from incidents import intake
from incidents.models import Integration, Service
from tests.declaring import (
    ALERTMANAGER_KEY,
    NOW,
    OPSGENIE_KEY,
    PAGERDUTY_KEY,
    STORE_KEY,
    TEAM,
    apply,
    changed,
    everything,
    writes,
)


def on_call(database: Database, *targets: str) -> list[str]:
    with database.reading() as session:
        return [person.key for person in rota.people(session, map(Target.parse, targets), NOW)]


def whose(database: Database, channel: str, address: str) -> str | None:
    with database.reading() as session:
        person = responders.by_handle(session, channel, address)
        return person.key if person else None


# The first time


def test_a_declared_team_is_told_line_by_line(database: Database) -> None:
    assert apply(database, TEAM).lines == [
        "+ responder ana (Ana Lima)",
        "+ responder bo (Bo Chen)",
        "+ responder mia (Mia Berg)",
        "+ schedule primary",
        "+ schedule secondary",
        "+ policy standard",
        "+ policy quiet",
        "+ last resort responder:mia",
        "+ service checkout (policy standard)",
        "+ service event-store (policy quiet, protected)",
        "+ integration pagerduty …c0c0 of checkout",
        "+ integration opsgenie …c1c1 of checkout",
        "+ integration alertmanager …c2c2 of checkout",
        "+ integration pagerduty …e0e0 of event-store",
    ]


def test_a_declared_team_can_be_paged(database: Database) -> None:
    apply(database, TEAM)
    assert on_call(database, "schedule:primary", "schedule:secondary", "role:manager") == ["ana", "bo", "mia"]
    assert whose(database, "slack", "U0ANA") == whose(database, "sms", "+15005550101") == "ana"
    with database.reading() as session:
        assert settled.last_resort(session) == ("responder:mia",)
        policy = settled.policy(session, "standard")
        assert [(level.level, level.after_seconds) for level in policy.levels] == [(1, 0), (2, 300), (3, 900)]
        bo = session.scalars(select(Responder).where(Responder.key == "bo")).one()
        ways = responders.ways(session, [bo], "high", NOW)[bo.id]
        assert [(way.after_seconds, way.channel, way.address) for way in ways] == [
            (0, "sms", "+15005550102"),
            (120, "voice", "+15005550102"),
        ]


def test_a_declared_key_opens_the_door_of_its_service_for_its_source_alone(database: Database) -> None:
    apply(database, TEAM)
    with database.reading() as session:
        found = intake.door(session, ids.secret_hash(STORE_KEY), "pagerduty")
        assert found is not None
        assert (found.service.key, found.service.protected, found.source) == ("event-store", True, "pagerduty")
        assert intake.door(session, ids.secret_hash(STORE_KEY), "alertmanager") is None


def test_of_integration_keys_only_hash_and_hint_are_stored(database: Database) -> None:
    apply(database, TEAM)
    stored = repr(everything(database))
    for key in (PAGERDUTY_KEY, OPSGENIE_KEY, ALERTMANAGER_KEY, STORE_KEY):
        assert key not in stored
        assert ids.secret_hash(key) in stored
    with database.reading() as session:
        assert set(session.scalars(select(Integration.key_hint))) == {"c0c0", "c1c1", "c2c2", "e0e0"}


def test_a_source_that_cannot_be_received_yet_is_a_warning_and_no_change(database: Database) -> None:
    for changes in (apply(database, TEAM), apply(database, TEAM)):
        assert changes.warnings == [
            "service checkout: alerts from opsgenie cannot be received yet; its key …c1c1 is kept for when they can"
        ]
    assert not changes
    assert apply(database, TEAM, sources=("alertmanager", "opsgenie", "pagerduty")).warnings == []


# Again


def test_a_second_apply_changes_nothing_and_writes_nothing(database: Database) -> None:
    apply(database, TEAM)
    before = everything(database)
    with writes(database) as written:
        changes = apply(database, TEAM, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (changes.lines, bool(changes), written) == ([], False, [])
    assert everything(database) == before


def test_a_dry_run_tells_the_same_and_writes_nothing(database: Database) -> None:
    apply(database, TEAM)
    text = changed("after: 15m", "after: 20m").replace("U0ANA", "U0ANNA").replace("  event-store:", "  ledger:")
    before = everything(database)
    told = apply(database, text, dry_run=True).lines
    assert everything(database) == before
    assert len(told) == 5
    assert apply(database, text).lines == told


def test_a_file_with_problems_changes_nothing_and_names_them_all(database: Database) -> None:
    apply(database, TEAM)
    before = everything(database)
    text = changed("after: 15m", "after: 20m").replace("policy: quiet", "policy: quite").replace("U0BO", "bo")
    text = text.replace(PAGERDUTY_KEY, "short") + "teams: {}\n"
    with pytest.raises(DeclarationError) as refused:
        apply(database, text)
    assert [problem.where for problem in refused.value.problems] == [
        "responders.bo.slack",
        "services.checkout.integrations[0].key",
        "services.event-store.policy",
        "teams",
    ]
    assert everything(database) == before


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("after: 15m", "after: 20m", ["~ policy standard: levels[2].after 15m -> 20m"]),
        (
            "    repeat: 0\n",
            "    repeat: 2\n    ack_timeout: 1h\n",
            ["~ policy standard: repeat 0 -> 2", "~ policy standard: ack_timeout 30m -> 1h"],
        ),
        (
            'page: ["schedule:secondary"]',
            'page: ["schedule:secondary", "role:manager"]',
            ["~ policy standard: levels[1].page [schedule:secondary] -> [schedule:secondary, role:manager]"],
        ),
        ("{members: [bo]", "{members: [bo, ana]", ["~ schedule secondary: rotations[0].members [bo] -> [bo, ana]"]),
        ("roles: [manager]", "roles: [manager, admin]", ["~ responder mia: roles [manager] -> [manager, admin]"]),
        ("name: Bo Chen", "name: Bo Chan", ["~ responder bo: name Bo Chen -> Bo Chan"]),
        ("+15005550102", "+15005550112", ["~ responder bo: phone +15005550102 -> +15005550112"]),
        ("slack: U0BO, ", "", ["~ responder bo: slack U0BO -> none"]),
        ("after: 2m", "after: 3m", ["~ responder bo: page_by.high[1].after 2m -> 3m"]),
        ('["responder:mia"]', '["role:manager"]', ["~ last resort: [responder:mia] -> [role:manager]"]),
        ("protected: true", "runbook: backup", [
            "~ service event-store: protected true -> false",
            "~ service event-store: runbook none -> backup",
        ]),
        ("policy: quiet", "policy: standard\n    timezone: Asia/Tokyo", [
            "~ service event-store: policy quiet -> standard",
            "~ service event-store: timezone UTC -> Asia/Tokyo",
        ]),
        ("protected: true", "protected: true\n    group: {within: 5m, by: [cluster]}\n    flap: {toggles: 4, within: 30m}", [
            "~ service event-store: group none -> {within: 5m, by: [cluster]}",
            "~ service event-store: flap none -> {toggles: 4, within: 30m}",
        ]),
    ],
)  # fmt: skip
def test_a_change_is_told_as_the_file_writes_it(database: Database, old: str, new: str, lines: list[str]) -> None:
    text = changed(old, new)
    if "slack: U0BO" in old:
        text = text.replace("low: [{after: 0s, by: slack}]}}\n  mia", "low: [{after: 0s, by: email}]}}\n  mia")
        lines = [*lines, "~ responder bo: page_by.low[0].by slack -> email"]
    apply(database, TEAM)
    assert apply(database, text).lines == lines
    assert apply(database, text).lines == []
    assert len(apply(database, TEAM).lines) == len(lines)


def test_the_address_of_an_announcement_is_not_told(database: Database) -> None:
    old = "slack:#incidents"
    first, second = ("webhook:https://secret:words@hooks.example/" + token for token in ("t0ken", "t1ken"))
    apply(database, TEAM)
    to_webhook = apply(database, changed(old, first))
    assert to_webhook.lines == [
        "~ policy standard: levels[0].announce [slack:#incidents] -> [webhook:https://hooks.example/…]"
    ]
    assert apply(database, changed(old, second)).lines == [
        "~ policy standard: an announcement's URL, which is not shown"
    ]
    to_apprise = apply(database, changed(old, "apprise:tgram://bottoken/chat"))
    assert to_apprise.lines[0].endswith("-> [apprise:tgram://…]")
    with database.reading() as session:
        assert "bottoken" in str(settled.policy(session, "standard").levels[0].announce)


def test_two_people_may_exchange_their_addresses(database: Database) -> None:
    apply(database, TEAM)
    swapped = TEAM
    for ana, bo in (("U0ANA", "U0BO"), ("+15005550101", "+15005550102"), ("ana@example.org", "bo@example.org")):
        swapped = swapped.replace(ana, "?").replace(bo, ana).replace("?", bo)
    assert len(apply(database, swapped).lines) == 6
    assert whose(database, "slack", "U0ANA") == whose(database, "voice", "+15005550101") == "bo"
    assert whose(database, "slack", "U0BO") == whose(database, "email", "bo@example.org") == "ana"
    with database.reading() as session:
        assert getattr(responders.by_email(session, "bo@example.org"), "key", None) == "ana"


def test_an_address_found_not_to_work_stays_out_of_use_until_another_is_declared(database: Database) -> None:
    apply(database, TEAM)
    with database.transaction() as session:
        method = session.scalars(select(ContactMethod).where(ContactMethod.address == "+15005550101")).first()
        assert method is not None
        method.disabled_reason = "unsubscribed"

    def reasons() -> set[str]:
        with database.reading() as session:
            phone = ContactMethod.address.like("+1500555011%") | (ContactMethod.address == "+15005550101")
            return set(session.scalars(select(ContactMethod.disabled_reason).where(phone)))

    apply(database, changed("name: Ana Lima", "name: Ana Lima Reis"))
    assert reasons() == {"", "unsubscribed"}
    apply(database, changed("+15005550101", "+15005550111"))
    assert reasons() == {""}


def test_a_missing_contact_method_is_put_back(database: Database) -> None:
    apply(database, TEAM)
    with database.transaction() as session:
        session.delete(session.scalars(select(ContactMethod).where(ContactMethod.channel == "voice")).first())
    assert apply(database, TEAM).lines == ["~ responder ana: contact methods"]
    assert whose(database, "voice", "+15005550101") == "ana"


# Beside others


def test_of_four_applies_at_once_one_does_the_work_and_the_others_find_it_done(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    ready = threading.Barrier(4)
    results: list[Changes] = []

    def start() -> None:
        mine = Database(url)
        ready.wait(timeout=10)
        try:
            results.append(apply(mine, TEAM))
        finally:
            mine.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(len(changes.lines) for changes in results) == [0, 0, 0, 14]


def test_each_change_is_one_line_in_the_log_without_anybodys_address(database: Database) -> None:
    apply(database, TEAM)
    text = changed("+15005550102", "+15005550112").replace("after: 15m", "after: 20m")
    with structlog.testing.capture_logs() as logged:
        apply(database, text, dry_run=True)
        assert logged == []
        apply(database, text)
    told: list[Any] = [(line["change"], line["what"], line["where"]) for line in logged if "change" in line]
    assert told == [("~", "responder bo", "phone"), ("~", "policy standard", "levels[2].after")]
    assert "+1500" not in repr(logged)


def test_a_configuration_without_services_is_applied(database: Database) -> None:
    assert (
        "+ responder ana (Ana Lima)"
        in apply(database, TEAM[: TEAM.index("services:")] + "last_resort: ['responder:mia']").lines
    )
    with database.reading() as session:
        assert session.scalars(select(Service)).all() == []
