"""Alerts of a storm join one incident, page once, and are all kept; what must stand alone does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from config.database import Database
from escalation.models import Escalation
from incidents import manual
from incidents.models import Alert
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus
from tests.calling import counted
from tests.world import STORE_KEY, World, team

PLAIN = "checkout: {policy: standard, "
OVER = AlertStatus.RESOLVED


def grouped(by: str = "") -> str:
    by = f", by: [{by}]" if by else ""
    return team().replace(PLAIN, f"{PLAIN}group: {{within: 5m{by}}}, ")


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=grouped())


def alerts(world: World, number: int) -> list[Alert]:
    with world.database.reading() as session:
        return list(session.scalars(select(Alert).where(Alert.incident_id == number).order_by(Alert.id)))


def standing(world: World, number: int) -> dict[str, object]:
    with world.database.reading() as session:
        return dict(session.scalars(select(Escalation.standing).where(Escalation.incident_id == number)).one())


def test_alerts_within_five_minutes_of_the_opening_join_one_incident_which_pages_once(database: Database) -> None:
    world = World(database, config=grouped())
    first = world.alert("Observer API down: no replica answers", dedup_key="a")
    world.fast_forward(minutes=4)
    assert world.alert("Observer API down on node 2", dedup_key="b") == first
    world.fast_forward(seconds=59)
    assert world.alert("Observer API down on node 3", dedup_key="c") == first
    assert [sent.to for sent in world.sent("sms")] == ["+15005550101"]
    assert [alert.dedup_key for alert in alerts(world, first)] == ["a", "b", "c"]
    joined = [entry for entry in world.timeline(first) if entry.kind == "alert.joined"]
    assert joined[0].text == (
        "pagerduty reported another alert of the service, which joins this incident: Observer API down on node 2"
    )
    world.fast_forward(seconds=1)  # five minutes after the opening, however late the last one joined
    assert world.alert("Observer API down on node 4", dedup_key="d") != first


def test_each_alert_repeats_and_ends_by_its_own_key_and_the_incident_is_over_when_all_are(database: Database) -> None:
    world = World(database, config=grouped())
    number = world.alert(dedup_key="a")
    world.alert(dedup_key="b")
    assert world.alert(dedup_key="a") == number
    assert [(alert.dedup_key, alert.count) for alert in alerts(world, number)] == [("a", 2), ("b", 1)]
    assert world.alert(dedup_key="b", status=OVER) == number
    assert world.incident(number).status == "open"
    shown = standing(world, number)
    assert (shown["alerts"], shown["alerts_ended"]) == (2, 1)
    world.alert(dedup_key="b")  # it came back, and is an alert anew
    world.alert(dedup_key="a", status=OVER)
    assert world.incident(number).status == "open"
    world.alert(dedup_key="b", status=OVER)
    assert world.incident(number).status == "resolved"
    assert [alert.status for alert in alerts(world, number)] == ["resolved"] * 3
    assert world.alert(dedup_key="a") != number  # nothing joins what is over


def test_only_alerts_that_agree_in_the_labels_share_an_incident(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=grouped("cluster, alertname"))
    eu = world.alert(dedup_key="a", labels={"cluster": "eu", "alertname": "Down", "node": "1"})
    assert world.alert(dedup_key="b", labels={"cluster": "eu", "alertname": "Down", "node": "2"}) == eu
    us = world.alert(dedup_key="c", labels={"cluster": "us", "alertname": "Down"})
    none = world.alert(dedup_key="d", labels={"alertname": "Down"})
    assert len({eu, us, none}) == 3
    assert world.alert(dedup_key="e", labels={"alertname": "Down"}) == none


def test_alerts_that_have_none_of_the_labels_stand_alone(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=grouped("cluster, alertname"))
    alone = {world.alert(dedup_key=key, labels={"from": "cron@example.org"}) for key in ("a", "b", "c")}
    assert len(alone) == 3
    assert len(world.sent("sms")) > 1, "new trouble pages anew"


def test_nothing_joins_a_constitutional_incident_and_no_constitutional_alert_joins_any(world: World) -> None:
    operational = world.alert(dedup_key="a")
    constitutional = world.alert("Hash chain broken at sequence 48211", dedup_key="b")
    assert world.incident(constitutional).incident_class == "constitutional"
    assert constitutional != operational
    assert world.alert(dedup_key="c") == operational
    world.alert("Hash chain broken at sequence 48211", dedup_key="a")  # it becomes constitutional later
    assert world.incident(operational).incident_class == "constitutional"
    later = world.alert(dedup_key="d")
    assert later not in (operational, constitutional)
    assert world.alert(dedup_key="e") == later


def test_a_protected_service_that_groups_has_an_incident_for_each_alert(sqlite_database: Database) -> None:
    protected = "event-store: {policy: standard, protected: true, "
    world = World(sqlite_database, config=team().replace(protected, f"{protected}group: {{within: 5m}}, "))
    assert world.alert(dedup_key="a", key=STORE_KEY) != world.alert(dedup_key="b", key=STORE_KEY)


def test_what_joins_an_acknowledged_incident_pages_nobody_and_is_not_its_holders_activity(world: World) -> None:
    number = world.alert(dedup_key="a")
    world.acknowledge(number)
    active_at = world.incident(number).activity_at
    world.fast_forward(minutes=1)
    before = len(world.sent("sms"))
    assert world.alert(dedup_key="b") == number
    assert (world.incident(number).status, world.incident(number).activity_at) == ("acknowledged", active_at)
    world.fast_forward(minutes=30)
    assert len(world.sent("sms")) == before
    (room,) = {sent.to for sent in world.sent("slack", edits=True)}
    shown = world.sent("slack", to=room, edits=True)[-1].message.standing
    assert (shown.alerts, shown.alerts_ended, shown.status) == (2, 0, "acknowledged")


def test_a_worse_alert_that_joins_pages_anew_and_the_incident_is_named_after_it(database: Database) -> None:
    world = World(database, config=grouped())
    number = world.alert("Redis memory capacity warning 82% used", dedup_key="a")
    assert world.incident(number).severity == "LOW"
    assert world.sent("sms") == []
    assert world.alert("Observer API down: health check failing on all replicas", dedup_key="b") == number
    incident = world.incident(number)
    assert (incident.severity, incident.title) == ("HIGH", "Observer API down: health check failing on all replicas")
    (page,) = world.sent("sms")
    assert (page.message.brief.title, page.message.standing.alerts) == (incident.title, 2)
    world.acknowledge(number)
    world.alert("Redis memory capacity warning 85% used", dedup_key="c")  # severity never falls
    assert (world.incident(number).severity, world.incident(number).status) == ("HIGH", "acknowledged")
    assert world.incident(number).title == incident.title
    kinds = world.kinds(number)
    assert kinds.count("alert.joined") == 2
    assert kinds.count("incident.raised") == 1


def test_what_a_person_reports_opens_an_incident_of_its_own(world: World) -> None:
    number = world.alert(dedup_key="a")
    with world.database.transaction() as session:
        reported = manual.report(
            session, world.desk, world.actor("ana"), world.now, service="checkout", title="Checkout answers with 500"
        )
    assert (reported.opened, reported.incident_id != number) == (True, True)


def test_a_service_that_neither_groups_nor_damps_executes_no_statement_more(sqlite_database: Database) -> None:
    both = "group: {within: 5m}, flap: {toggles: 4, within: 30m}, "
    plain = _statements(World(sqlite_database))
    world = World(sqlite_database, config=team().replace(PLAIN, PLAIN + both))
    all_of_it = _statements(world, prefix="other ")
    extra = [statement for statement in all_of_it["opens"] if statement not in plain["opens"]]
    assert [("group_key <> ''" in statement, "ORDER BY alerts.first_at" in statement) for statement in extra] == [
        (False, True),
        (True, False),
    ]
    assert len(all_of_it["opens"]) == len(plain["opens"]) + 2
    for what in ("repeats", "ends"):
        assert not any("group_key <> ''" in each or "settle" in each.split("WHERE")[-1] for each in plain[what])
    assert len(all_of_it["repeats"]) == len(plain["repeats"])
    assert not any("count(" in each.lower() for each in (*plain["opens"], *plain["repeats"], *plain["ends"]))


def _statements(world: World, prefix: str = "") -> dict[str, list[str]]:
    found = {}
    for what, status in (("opens", AlertStatus.FIRING), ("repeats", AlertStatus.FIRING), ("ends", OVER)):
        world.now += timedelta(seconds=1)
        with counted(world.database) as statements:
            world.alert(dedup_key=f"{prefix}counted", status=status, run=False)
        found[what] = list(statements)
    return found


def test_severity_and_class_that_a_person_gives_matter_to_no_group(world: World) -> None:
    with world.database.transaction() as session:
        reported = manual.report(
            session, world.desk, world.actor("ana"), world.now, service="checkout", title="The witness disagrees",
            severity=Severity.HIGH, incident_class=IncidentClass.CONSTITUTIONAL,
        )  # fmt: skip
    number = world.alert(dedup_key="a")
    assert number != reported.incident_id
