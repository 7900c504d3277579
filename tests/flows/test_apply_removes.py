"""Bringing the database to the declared configuration: what happens to what is no longer declared."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from config import ids
from config.database import Database
from escalation import responders, settled
from escalation.models import Escalation, OverrideRow, PolicyRow, Responder, ScheduleRow
from incidents import apply as apply_services
from incidents import intake
from incidents.lifecycle import Status
from incidents.models import Alert, Incident, Integration, Service
from tests.declaring import NOW, PAGERDUTY_KEY, STORE_KEY, TEAM, apply, changed, without
from tests.factories import make_incident

WITHOUT_BO = without(TEAM, "bo:", "secondary:", "- {level: 2", "quiet:", "event-store:")
WITHOUT_STORE = without(TEAM, "quiet:", "event-store:")
WITHOUT_SECONDARY = without(TEAM, "secondary:", "- {level: 2")


def responder(session: Session, key: str) -> Responder:
    return session.scalars(select(Responder).where(Responder.key == key)).one()


def keys(database: Database, table: type[Service | PolicyRow | ScheduleRow]) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(table.key)))


def open_incident(database: Database, *, service: str = "event-store", key: str = STORE_KEY, **fields: Any) -> int:
    """With an alert by the integration with this key, and an escalation under the policy of its service."""
    with database.transaction() as session:
        return add_incident(session, service, key, **fields)


def add_incident(session: Session, service: str, key: str, **fields: Any) -> int:
    row = session.scalars(select(Service).where(Service.key == service)).one()
    incident = make_incident(session, now=NOW, service=row, **fields)
    door = intake.door(session, ids.secret_hash(key))
    assert door is not None
    alert = Alert(
        integration_id=door.integration_id,
        incident_id=incident.id,
        source="pagerduty",
        dedup_key="one",
        status="firing",
        title=incident.title,
        severity="HIGH",
        first_at=NOW,
        last_at=NOW,
    )
    escalation = Escalation(
        incident_id=incident.id,
        brief={},
        standing={},
        policy=settled.policy(session, row.policy_key).to_json(),
        last_resort=list(settled.last_resort(session)),
        urgency="high",
        stage="paging",
        started_at=NOW,
        base_at=NOW,
    )
    session.add_all([alert, escalation])
    session.flush()
    return incident.id


def opens(database: Database, key: str) -> bool:
    with database.reading() as session:
        return intake.door(session, ids.secret_hash(key)) is not None


# People


def test_a_person_no_longer_declared_is_told_kept_and_never_paged(database: Database) -> None:
    apply(database, TEAM)
    lines = apply(database, WITHOUT_BO).lines
    assert lines[0] == "- responder bo (Bo Chen)"
    with database.reading() as session:
        assert responder(session, "bo").active is False
        assert responders.by_key(session, "bo") is None
        assert responders.by_handle(session, "slack", "U0BO") is None
        assert responders.by_email(session, "bo@example.org") is None
    assert apply(database, WITHOUT_BO).lines == []


def test_an_address_given_up_is_free_for_somebody_else_in_the_same_apply(database: Database) -> None:
    apply(database, TEAM)
    text = changed('phone: "+15005550103"', 'phone: "+15005550102", email: bo@example.org, slack: U0BO', WITHOUT_BO)
    apply(database, text)
    with database.reading() as session:
        found = [responders.by_handle(session, *way) for way in (("slack", "U0BO"), ("sms", "+15005550102"))]
        assert [person and person.key for person in (*found, responders.by_email(session, "bo@example.org"))] == [
            "mia"
        ] * 3


def test_a_person_declared_again_is_the_same_person_and_active(database: Database) -> None:
    apply(database, TEAM)
    with database.reading() as session:
        before = responder(session, "bo").id
    apply(database, WITHOUT_BO)
    assert apply(database, TEAM).lines[0] == "+ responder bo (Bo Chen)"
    with database.reading() as session:
        found = responders.by_handle(session, "slack", "U0BO")
        assert found is not None
        assert (found.id, found.active, found.email) == (before, True, "bo@example.org")


# Schedules and policies


def test_a_schedule_and_a_policy_that_nothing_refers_to_are_deleted(database: Database) -> None:
    apply(database, TEAM)
    assert apply(database, WITHOUT_BO).lines == [
        "- responder bo (Bo Chen)",
        "~ policy standard: levels[1].level 2 -> 3",
        "~ policy standard: levels[1].after 5m -> 15m",
        "~ policy standard: levels[1].page [schedule:secondary] -> [role:manager]",
        "~ policy standard: levels[2] {level: 3, after: 15m, page: [role:manager]} -> none",
        "- integration pagerduty …e0e0 of event-store",
        "- service event-store",
        "- policy quiet",
        "- schedule secondary",
    ]
    assert keys(database, PolicyRow) == {"standard"}
    assert keys(database, ScheduleRow) == {"primary"}


def test_a_deleted_schedule_takes_its_overrides_and_says_how_many_were_to_come(database: Database) -> None:
    apply(database, TEAM)
    with database.transaction() as session:
        schedule = session.scalars(select(ScheduleRow).where(ScheduleRow.key == "secondary")).one()
        for ends_at in (NOW - timedelta(hours=1), NOW + timedelta(hours=1)):
            session.add(
                OverrideRow(
                    schedule_id=schedule.id,
                    responder_id=responder(session, "ana").id,
                    starts_at=ends_at - timedelta(hours=8),
                    ends_at=ends_at,
                    created_by="Ana Lima",
                    created_at=NOW,
                )
            )
    assert apply(database, WITHOUT_SECONDARY).lines[-1] == "- schedule secondary (with 1 override not yet over)"
    with database.reading() as session:
        assert session.scalars(select(OverrideRow)).all() == []


@pytest.mark.parametrize("status", [Status.OPEN, Status.ACKNOWLEDGED])
def test_a_schedule_stays_while_a_running_escalation_may_ask_it(database: Database, status: Status) -> None:
    apply(database, TEAM)
    incident_id = open_incident(database, service="checkout", key=PAGERDUTY_KEY, status=status)
    assert "- schedule secondary" not in apply(database, WITHOUT_SECONDARY).lines
    assert keys(database, ScheduleRow) == {"primary", "secondary"}
    with database.transaction() as session:
        session.get_one(Incident, incident_id).status = Status.RESOLVED
    assert apply(database, WITHOUT_SECONDARY).lines == ["- schedule secondary"]


def test_a_schedule_stays_while_the_last_resort_of_a_running_escalation_names_it(database: Database) -> None:
    resort = changed('last_resort: ["responder:mia"]', 'last_resort: ["responder:mia", "schedule:secondary"]')
    text = without(resort, "- {level: 2")
    apply(database, text)
    open_incident(database)
    lines = apply(database, WITHOUT_SECONDARY).lines
    assert lines == ["~ last resort: [responder:mia, schedule:secondary] -> [responder:mia]"]


def test_a_running_escalation_keeps_the_policy_it_began_with(database: Database) -> None:
    apply(database, TEAM)
    open_incident(database, service="checkout", key=PAGERDUTY_KEY)
    with database.reading() as session:
        before = session.scalars(select(Escalation.policy)).one()
    assert apply(database, changed("after: 15m", "after: 20m")).lines
    with database.reading() as session:
        assert session.scalars(select(Escalation.policy)).one() == before
        assert settled.policy(session, "standard").levels[2].after_seconds == 1_200


# Services and integrations


def test_a_service_without_history_is_deleted_with_its_keys(database: Database) -> None:
    apply(database, TEAM)
    assert apply(database, WITHOUT_STORE).lines == [
        "- integration pagerduty …e0e0 of event-store",
        "- service event-store",
        "- policy quiet",
    ]
    assert keys(database, Service) == {"checkout"}
    assert not opens(database, STORE_KEY)


def test_a_service_with_incidents_stays_with_its_policy_and_its_keys_are_refused(database: Database) -> None:
    apply(database, TEAM)
    incident_id = open_incident(database)
    assert apply(database, WITHOUT_STORE).lines == [
        "- integration pagerduty …e0e0 of event-store",
        "- service event-store (its history stays)",
    ]
    assert not opens(database, STORE_KEY)
    assert apply(database, WITHOUT_STORE).lines == []
    assert keys(database, Service) == {"checkout", "event-store"}
    assert keys(database, PolicyRow) == {"standard", "quiet"}
    with database.reading() as session:
        assert session.get_one(Incident, incident_id).status == Status.OPEN
        retired = [row for row in session.scalars(select(Integration)) if apply_services.is_retired(row)]
        assert [(row.source, row.key_hint) for row in retired] == [("pagerduty", "e0e0")]


def test_an_integration_declared_again_finds_its_open_alerts(database: Database) -> None:
    apply(database, TEAM)
    open_incident(database)
    apply(database, WITHOUT_STORE)
    assert apply(database, TEAM).lines == ["+ integration pagerduty …e0e0 of event-store"]
    with database.reading() as session:
        door = intake.door(session, ids.secret_hash(STORE_KEY))
        assert door is not None
        assert session.scalars(select(Alert.integration_id)).one() == door.integration_id
    assert apply(database, TEAM).lines == []


def test_a_changed_key_refuses_the_old_one_and_accepts_the_new(database: Database) -> None:
    apply(database, TEAM)
    assert apply(database, changed(STORE_KEY, "e1" * 16)).lines == [
        "+ integration pagerduty …e1e1 of event-store",
        "- integration pagerduty …e0e0 of event-store",
    ]
    assert (opens(database, STORE_KEY), opens(database, "e1" * 16)) == (False, True)


def test_a_key_declared_under_another_service_moves_and_its_open_alerts_stay(database: Database) -> None:
    apply(database, TEAM)
    incident_id = open_incident(database)
    line = f'      - {{source: pagerduty, key: "{STORE_KEY}"}}\n'
    text = changed("    integrations:\n", "    integrations:\n" + line, WITHOUT_STORE)
    assert apply(database, text).lines == ["~ integration pagerduty …e0e0: service event-store -> checkout"]
    with database.reading() as session:
        door = intake.door(session, ids.secret_hash(STORE_KEY))
        assert door is not None
        assert (door.service.key, session.scalars(select(Alert.incident_id)).one()) == ("checkout", incident_id)
    assert apply(database, text).lines == []


def test_a_service_whose_retired_key_brought_anothers_alerts_stays(database: Database) -> None:
    """The key came from event-store with an alert, moved, and went: the alert still refers to it."""
    apply(database, TEAM)
    open_incident(database)
    line = f'    integrations: [{{source: pagerduty, key: "{STORE_KEY}"}}]\n'
    moved = WITHOUT_STORE.replace("last_resort:", f"  ledger:\n    policy: standard\n{line}last_resort:")
    apply(database, moved)
    assert apply(database, WITHOUT_STORE).lines == [
        "- integration pagerduty …e0e0 of ledger",
        "- service ledger (its history stays)",
    ]
    assert apply(database, WITHOUT_STORE).lines == []


def test_an_alert_that_is_coming_in_while_its_key_goes_is_kept(postgresql_database: Database) -> None:
    apply(postgresql_database, TEAM)
    told: list[list[str]] = []
    asked = threading.Event()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "FROM services" in statement and "FOR UPDATE" in statement:
            asked.set()

    event.listen(postgresql_database.engine, "before_cursor_execute", note)
    removing = threading.Thread(target=lambda: told.append(apply(postgresql_database, WITHOUT_STORE).lines))
    with postgresql_database.transaction() as session:
        add_incident(session, "event-store", STORE_KEY)
        removing.start()
        assert asked.wait(timeout=10)
    removing.join(timeout=30)
    assert told == [["- integration pagerduty …e0e0 of event-store", "- service event-store (its history stays)"]]
    with postgresql_database.reading() as session:
        assert session.scalars(select(Alert.title)).one() == "Checkout answers with 500"
