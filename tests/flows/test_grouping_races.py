"""A storm in many processes at once: one incident, nobody waits for ever, and nothing is dropped."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select

from config.database import Database
from config.ids import secret_hash
from escalation.models import Escalation, Page
from incidents import actions, heartbeats, intake
from incidents.models import Alert, Heartbeat, Incident
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.flows.test_many_engines import all_at_once, databases
from tests.world import KEY, World, team

PLAIN = "checkout: {policy: standard, "
BEAT = 'heartbeats: [{name: nightly, every: 15m, key: "' + "b0" * 16 + '"}], '
CONFIG = team().replace(PLAIN, f"{PLAIN}group: {{within: 5m}}, {BEAT}")


def take(world: World, database: Database, key: str, status: AlertStatus = AlertStatus.FIRING) -> int | None:
    incoming = IncomingAlert("pagerduty", key, status, "Observer API down: no replica answers")
    with database.transaction() as session:
        door = intake.door(session, secret_hash(KEY))
        assert door is not None
        return intake.receive(session, world.desk, door, incoming, world.now).incident_id


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_alerts_that_arrive_at_one_instant_open_one_incident_between_them(
    kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    world = World(request.getfixturevalue(f"{kind}_database"), config=CONFIG)
    with databases(url, world, 8) as opened:
        all_at_once([partial(_take_all, world, each, n) for n, each in enumerate(opened)])
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 1
        assert session.scalar(select(func.count()).select_from(Alert)) == 24
        assert session.scalar(select(func.count()).select_from(Page)) == 1
        counted = session.scalars(select(Escalation.standing)).one()
    assert counted["alerts"] == 24


def _take_all(world: World, database: Database, n: int) -> None:
    for each in range(3):
        take(world, database, f"node {n} {each}")


def test_a_storm_meets_acknowledgements_ends_and_heartbeats_and_nobody_waits_for_ever(
    postgresql_database: Database, postgresql_url: str
) -> None:
    world = World(postgresql_database, config=CONFIG)
    number = take(world, postgresql_database, "first")
    assert number is not None
    for n in range(12):
        take(world, postgresql_database, f"ends {n}")
    mia = world.actor("mia")
    world.now += timedelta(minutes=1)

    def storm(database: Database) -> None:
        for n in range(12):
            take(world, database, f"{threading.get_ident()} {n}")

    def end(database: Database) -> None:
        for n in range(12):
            take(world, database, f"ends {n}", AlertStatus.RESOLVED)

    def beat(database: Database) -> None:
        for status in (AlertStatus.FIRING, AlertStatus.RESOLVED) * 6:
            with database.transaction() as session:
                row = session.scalars(select(Heartbeat).with_for_update()).one()
                heartbeats._report(session, world.desk, row, status, world.now)

    def answer(database: Database) -> None:
        for _ in range(12):
            with database.transaction() as session:
                actions.acknowledge(session, world.desk, number, mia, world.now)

    acts = (storm, storm, storm, end, beat, answer)
    with databases(postgresql_url, world, len(acts)) as opened:
        all_at_once([partial(act, each) for act, each in zip(acts, opened, strict=True)])
    with postgresql_database.reading() as session:
        incidents = session.scalars(select(Incident)).all()
        assert [(each.id, each.status) for each in incidents] == [(number, "acknowledged")]
        firing = select(func.count()).select_from(Alert).where(Alert.status == "firing")
        assert session.scalar(firing) == 1 + 3 * 12


def test_an_alert_that_ends_while_its_repeat_waits_comes_back_into_the_incident_it_was_in(
    postgresql_database: Database, postgresql_url: str
) -> None:
    world = World(postgresql_database, config=CONFIG)
    number = take(world, postgresql_database, "a")
    take(world, postgresql_database, "b")
    other = _newer_that_would_take_it(world, number)
    waits = threading.Event()
    with databases(postgresql_url, world, 1) as (opened,):

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            if "FOR NO KEY UPDATE" in statement:  # it has read its alert, which fires still, and wants the incident
                waits.set()

        event.listen(opened.engine, "before_cursor_execute", note)
        got: list[int | None] = []
        repeat = threading.Thread(target=lambda: got.append(take(world, opened, "b")))
        with postgresql_database.transaction() as session:
            alert = session.scalars(select(Alert).where(Alert.dedup_key == "b")).one()
            actions.resolve_alert(session, world.desk, alert, world.actor("ana"), world.now)
            repeat.start()
            assert waits.wait(20)
        repeat.join(20)
    assert got == [number]
    assert other != number
    with postgresql_database.reading() as session:
        statuses = session.scalars(select(Alert.status).where(Alert.dedup_key == "b").order_by(Alert.id)).all()
    assert statuses == ["resolved", "firing"]


def _newer_that_would_take_it(world: World, number: int | None) -> int:
    """A second open incident of the group, as there is after the first one's time is up and the clock was set back."""
    with world.database.transaction() as session:
        first = session.get_one(Incident, number)
        copied = {
            column.name: getattr(first, column.name) for column in Incident.__table__.columns if column.name != "id"
        }
        newer = Incident(**copied | {"opened_at": world.now + timedelta(seconds=1)})
        session.add(newer)
        session.flush()
        return newer.id
