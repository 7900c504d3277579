"""The sample team of the demo, and its sample alerts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config import ids
from config.changes import Changes
from config.database import Database
from config.settings import SHIPPED_RULES
from escalation import responders
from escalation.models import Responder
from escalation.oncall import rota
from escalation.policies import Target
from incidents import classification, configuration, demo, intake, rules
from incidents.classification import AlertText, Classification
from incidents.demo import SampleAlert
from incidents.models import Service
from incidents.sources.table import SOURCES
from runbook_links.shelf import Shelf
from tests.declaring import everything

NOW = datetime(2026, 11, 2, 3, 12, tzinfo=UTC)
SECRET = "a secret key of this machine, 0123456789"
LIBRARY = Path(configuration.__file__).parents[1] / "runbook_links" / "library"


def apply(database: Database, secret_key: str = SECRET) -> Changes:
    return configuration.apply_text(
        database,
        demo.text(),
        env=demo.environment(secret_key),
        file_name=demo.FILE_NAME,
        now=NOW,
        sources=SOURCES,
        runbook_ids={runbook.id for runbook in Shelf(LIBRARY).library.runbooks},
    )


def sample(name: str) -> SampleAlert:
    return next(each for each in demo.sample_alerts(SECRET, now=NOW) if each.name == name)


def classified(alert: SampleAlert, *, protected: bool) -> Classification:
    payload = json.loads(json.dumps(alert.payload))
    (incoming,) = SOURCES[alert.source].parse(payload, now=NOW)
    text = AlertText(
        title=incoming.title,
        body=incoming.body,
        name=incoming.labels.get("alertname", ""),
        service=alert.service,
        component=incoming.component,
        environment=incoming.environment,
        source=incoming.source,
        labels=incoming.labels,
        severity_hint=incoming.severity_hint,
        protected=protected,
    )
    return classification.classify(text, rules.load(SHIPPED_RULES))


def test_the_sample_team_is_applied_whole_and_without_a_warning(database: Database) -> None:
    changes = apply(database)
    assert changes.warnings == []
    assert [line for line in changes.lines if not line.startswith("+")] == []
    with database.reading() as session:
        people = session.scalars(select(Responder)).all()
        assert len(people) == len({person.timezone for person in people}) == 5
        keepers, managers = (responders.with_role(session, role) for role in ("keeper", "manager"))
        assert (len(keepers), len(managers)) == (2, 1)
        services = session.scalars(select(Service).order_by(Service.key)).all()
        assert [(service.key, service.protected) for service in services] == [
            ("checkout", False),
            ("event-store", True),
            ("reports", False),
        ]


def test_starting_the_demo_again_changes_nothing(database: Database) -> None:
    apply(database)
    assert apply(database).lines == []


@pytest.mark.parametrize("week", range(4))
def test_somebody_is_on_call_first_and_somebody_else_second_in_any_week(sqlite_database: Database, week: int) -> None:
    apply(sqlite_database)
    at = NOW + timedelta(weeks=week)
    with sqlite_database.reading() as session:
        first, second = (
            rota.people(session, [Target("schedule", schedule)], at) for schedule in ("primary", "secondary")
        )
    assert (len(first), len(second)) == (1, 1)
    assert first[0].key != second[0].key


def test_everybody_can_be_reached_at_once(sqlite_database: Database) -> None:
    apply(sqlite_database)
    with sqlite_database.reading() as session:
        people = session.scalars(select(Responder)).all()
        for urgency in ("high", "low"):
            ways = responders.ways(session, people, urgency, NOW)
            assert [found[0].after_seconds for found in ways.values()] == [0] * 5


def test_the_demo_keys_can_be_shown_at_every_start_and_are_not_stored(database: Database) -> None:
    apply(database)
    stored = repr(everything(database))
    for service, source in demo.INTEGRATIONS:
        key = demo.key(SECRET, service, source)
        assert key not in stored
        with database.reading() as session:
            door = intake.door(session, ids.secret_hash(key), source)
        assert door is not None
        assert door.service.key == service


def test_demo_keys_differ_from_each_other_and_from_machine_to_machine() -> None:
    mine, others = demo.environment(SECRET), demo.environment("another secret key, on another machine")
    assert len(set(mine.values()) | set(others.values())) == 2 * len(demo.INTEGRATIONS)
    assert all(len(key) == 32 and key.isalnum() for key in mine.values())
    assert SECRET not in repr(mine)


def test_the_table_of_integrations_is_the_files() -> None:
    env = demo.environment(SECRET)
    read = configuration.read_text(
        demo.text(), env=env, file_name="demo.yaml", sources=SOURCES, runbook_ids=["epic-1-event-store"]
    )
    declared = [(service.key, each.source, each.key) for service in read.services for each in service.integrations]
    assert declared == [(service, source, demo.key(SECRET, service, source)) for service, source in demo.INTEGRATIONS]


@pytest.mark.parametrize(
    ("name", "protected", "expected"),
    [
        ("checkout-down", False, ("operational", "HIGH", "recovery")),
        ("broken-chain", True, ("constitutional", "CRITICAL", "epic-1-event-store")),
        ("slow-report", False, ("operational", "MEDIUM", "")),
    ],
)
def test_a_sample_alert_is_what_it_says(name: str, protected: bool, expected: tuple[str, str, str]) -> None:
    found = classified(sample(name), protected=protected)
    assert (found.incident_class, found.severity, found.runbook) == expected
    assert expected[1] in sample(name).says
    assert expected[0] in sample(name).says


def test_sample_alerts_knock_at_doors_that_open(database: Database) -> None:
    apply(database)
    for alert in demo.sample_alerts(SECRET, now=NOW):
        key = str(alert.payload.get("routing_key") or alert.path.rpartition("/")[2])
        with database.reading() as session:
            door = intake.door(session, ids.secret_hash(key), alert.source)
        assert door is not None
        assert door.service.key == alert.service


def test_sample_alerts_begin_now() -> None:
    later = NOW + timedelta(days=3)
    for alert in demo.sample_alerts(SECRET, now=later):
        (incoming,) = SOURCES[alert.source].parse(json.loads(json.dumps(alert.payload)), now=later)
        assert incoming.started_at is not None
        assert later - timedelta(minutes=1) <= incoming.started_at <= later
