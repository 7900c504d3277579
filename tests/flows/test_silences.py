"""A silence holds back paging, never intake, never for ever, and never what is constitutional."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.database import Database
from config.ids import secret_hash
from incidents import assigning, intake, manual, reclassifying
from incidents.severity import IncidentClass, Severity
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.calling import counted
from tests.silenced import end, extend, held, recurring, release_at, row, silence, suspected
from tests.world import KEY, MONDAY, STORE_KEY, World, team

ANA, BO = "+15005550101", "+15005550102"
HOUR = timedelta(hours=1)


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def woken(world: World) -> list[str]:
    return [sent.to for sent in world.sent("sms")]


def test_what_opens_while_it_goes_on_is_taken_in_and_wakes_people_when_it_is_over(database: Database) -> None:
    world = World(database)
    number = silence(world)
    incident = world.alert()
    found = world.incident(incident)
    assert (found.status, found.severity, found.silenced_until) == ("open", "HIGH", MONDAY + 2 * HOUR)
    assert found.classification["sentence"]
    assert world.sent() == []
    assert held(world, incident) == [(number, "")]
    told = next(entry for entry in world.timeline(incident) if entry.kind == "incident.silenced")
    assert told.text == (
        f'Nobody is woken for it until 12:00 UTC: it is held back by silence {number} of Bo Chen: "patching db-1"'
    )
    assert "runbook.attached" in world.kinds(incident)
    world.fast_forward(minutes=119)
    assert (world.sent(), suspected(world)) == ([], [])
    world.fast_forward(minutes=1)
    assert woken(world) == [ANA]
    assert {sent.to for sent in world.sent("slack")} == {"#incidents"}
    world.fast_forward(minutes=5)
    assert woken(world) == [ANA, BO]
    assert held(world, incident) == [(number, "released")]
    assert world.incident(incident).silenced_until is None
    assert suspected(world) == []
    assert row(world, number).ended_at == MONDAY + 2 * HOUR


def test_what_it_does_not_fit_and_what_is_constitutional_page_at_once(world: World) -> None:
    silence(world, services=(), labels={"host": "db-*"})
    world.alert(dedup_key="other", labels={"host": "web-1"})
    assert woken(world) == [ANA]
    constitutional = world.alert("Hash chain broken", key=STORE_KEY, labels={"host": "db-1"})
    assert woken(world).count(ANA) == 2
    assert world.incident(constitutional).silenced_until is None
    assert world.incident(world.alert(dedup_key="third", labels={"host": "db-2"})).silenced_until is not None


def test_one_that_begins_holds_back_what_is_open_and_fits_and_cancels_its_queued_pages(database: Database) -> None:
    world = World(database, config=team(ana_by="[{after: 0s, by: sms}, {after: 10m, by: voice}]"))
    incident, other = world.alert(), world.alert(dedup_key="other", labels={"host": "web-1"})
    taken = world.alert(dedup_key="taken")
    world.acknowledge(taken)
    store = world.alert("Hash chain broken", key=STORE_KEY)
    before = len(world.sent())
    number = silence(world, title="observer api*", labels={}, services=("checkout", "event-store"))
    assert world.incident(incident).silenced_until == world.incident(other).silenced_until == MONDAY + 2 * HOUR
    assert world.incident(taken).silenced_until is None
    assert {page.state for page in world.pages(incident) if page.channel == "voice"} == {"cancelled"}
    world.fast_forward(hours=1)
    told = {sent.message.brief.incident_id for sent in world.sent()[before:]}
    assert (store in told, told & {incident, other}) == (True, set())
    assert suspected(world) == []
    end(world, number)
    for each in (incident, other):
        assert [page.channel for page in world.pages(each) if page.queued_at == world.now] == ["sms", "voice"]
    assert held(world, incident) == [(number, "released")]
    assert suspected(world) == []


def test_one_that_comes_later_holds_nobody_back_before(world: World) -> None:
    number = silence(world, starts_at=MONDAY + HOUR, ends_at=MONDAY + 2 * HOUR)
    incident = world.alert()
    assert woken(world) == [ANA]
    world.fast_forward(minutes=59)
    assert held(world, incident) == []
    world.fast_forward(minutes=1)
    assert held(world, incident) == [(number, "")]


def test_it_stays_silenced_while_another_silence_goes_on(world: World) -> None:
    first, second = silence(world, lasts_hours=1), silence(world, lasts_hours=3, title="*api*")
    incident = world.alert()
    assert held(world, incident) == [(second, "")]
    end(world, second)
    assert held(world, incident) == [(second, "replaced"), (first, "")]
    assert (release_at(world, incident), world.sent()) == (MONDAY + HOUR, [])
    extend(world, first, MONDAY + 2 * HOUR)
    assert world.incident(incident).silenced_until == MONDAY + 2 * HOUR
    world.fast_forward(minutes=119)
    assert world.sent() == []
    world.fast_forward(minutes=1)
    assert woken(world) == [ANA]


def test_one_that_is_ended_releases_all_it_holds_however_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.maintaining.AT_ONCE", 2)
    monkeypatch.setattr("incidents.maintaining.LOOKED_AT", 3)
    numbers = [world.alert(dedup_key=f"thing {each}") for each in range(7)]
    number = silence(world)
    assert all(world.incident(each).silenced_until for each in numbers)
    end(world, number)
    assert [held(world, each) for each in numbers] == [[(number, "released")]] * 7
    assert suspected(world) == []


def test_an_alert_that_changes_so_that_it_does_not_fit_any_more_is_released(world: World) -> None:
    number = silence(world, labels={"host": "db-1"})
    incident = world.alert(labels={"host": "db-1"})
    world.alert(labels={"host": "db-1"})
    assert world.sent() == []
    world.alert(labels={"host": "db-2"})
    assert woken(world) == [ANA]
    assert held(world, incident) == [(number, "released")]


def test_what_becomes_constitutional_is_released_at_once(world: World) -> None:
    silence(world)
    incident = world.alert()
    world.alert("Hash chain broken: signature of the halt does not verify")
    assert world.incident(incident).incident_class == "constitutional"
    assert world.incident(incident).silenced_until is None
    assert ANA in woken(world)
    assert "silence.over" in world.kinds(incident)


def test_what_rises_stays_silenced_and_is_as_urgent_as_it_is_by_then(world: World) -> None:
    number = silence(world)
    incident = world.alert("Disk nearly full", hint=Severity.LOW)
    assert world.incident(incident).severity in ("LOW", "MEDIUM")
    world.reclassify(incident, Severity.CRITICAL)
    assert (world.sent(), suspected(world)) == ([], [])
    end(world, number)
    assert woken(world) == [ANA]


@pytest.mark.parametrize("severity", [Severity.MEDIUM, Severity.LOW, Severity.INFO])
def test_what_pages_nobody_at_once_is_held_and_released_alike(world: World, severity: Severity) -> None:
    incident = world.alert()
    world.reclassify(incident, severity)
    number = silence(world)
    before = len(world.sent())
    world.fast_forward(minutes=119)
    assert (len(world.sent()), suspected(world)) == (before, [])
    world.fast_forward(minutes=1)
    assert (held(world, incident), suspected(world)) == ([(number, "released")], [])
    world.fast_forward(minutes=15)
    assert (len(world.sent()) > before) is (severity is Severity.MEDIUM)


def test_who_escalates_or_reassigns_pages_in_spite_of_it_and_it_holds_that_incident_no_more(world: World) -> None:
    number = silence(world)
    incident = world.alert()
    world.escalate_now(incident)
    assert woken(world) == [ANA]
    assert held(world, incident) == [(number, "overridden")]
    extend(world, number, MONDAY + 3 * HOUR)
    assert world.incident(incident).silenced_until is None
    other = world.alert(dedup_key="other")
    with world.database.transaction() as session:
        assigning.reassign(session, world.desk, other, world.actor("ana"), world.now, to="bo")
    world.run()
    assert woken(world)[-1] == BO
    assert (held(world, other), suspected(world)) == ([(number, "overridden")], [])


def test_who_is_asked_to_help_is_paged_and_it_stays_silenced(world: World) -> None:
    silence(world)
    incident = world.alert()
    with world.database.transaction() as session:
        assigning.add_responder(session, world.desk, incident, world.actor("ana"), world.now, responder="bo")
    world.run()
    assert woken(world) == [BO]
    assert world.incident(incident).silenced_until == MONDAY + 2 * HOUR


@pytest.mark.parametrize("outcome", ["acknowledged", "resolved"])
def test_who_takes_or_ends_it_ends_the_silence_for_it(world: World, outcome: str) -> None:
    number = silence(world)
    incident = world.alert()
    if outcome == "acknowledged":
        world.acknowledge(incident)
    else:
        world.alert(status=AlertStatus.RESOLVED)
    assert (held(world, incident), release_at(world, incident)) == ([(number, outcome)], None)
    world.fast_forward(hours=3)
    assert (woken(world), suspected(world)) == ([], [])


def test_a_clock_that_takes_an_acknowledgement_back_asks_silences_again(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ack_timeout="30m"))
    incident = world.alert(run=False)
    world.acknowledge(incident, run=False)
    world.run()
    number = silence(world)
    world.fast_forward(minutes=119)
    assert (world.incident(incident).status, held(world, incident)) == ("open", [(number, "")])
    assert {sent.message.note[:23] for sent in world.sent("sms")} == {"Nothing was heard of yo"}
    assert suspected(world) == []
    before = len(world.sent("sms"))
    world.fast_forward(minutes=1)
    assert woken(world)[before:] == [ANA]


def test_what_rises_while_somebody_has_it_stays_theirs_if_a_silence_would_hold_it(database: Database) -> None:
    world = World(database)
    incident = world.alert("Worker returned unexpected state 7")
    world.acknowledge(incident)
    number = silence(world)
    before = len(world.sent())
    world.alert("Observer API down: health check failing on all replicas")
    assert (world.incident(incident).severity, world.incident(incident).status) == ("HIGH", "acknowledged")
    assert (world.incident(incident).silenced_until, held(world, incident)) == (None, [])
    assert [(sent.channel, sent.to, sent.message.purpose) for sent in world.sent()[before:]] == [
        ("slack", "U0ANA", "notification")
    ]
    kept = next(entry for entry in world.timeline(incident) if entry.kind == "acknowledgement.kept")
    assert kept.text == (
        "The severity rose to HIGH. Nobody is woken anew until 12:00 UTC: it would be held back "
        f'by silence {number} of Bo Chen: "patching db-1". Ana Lima still has it, and is told.'
    )
    world.fast_forward(hours=3)
    assert (world.incident(incident).acknowledged_by, suspected(world)) == ("Ana Lima", [])
    assert woken(world) == []


@pytest.mark.parametrize("holder", ["a program", "who snoozed it"])
def test_what_rises_and_nobody_is_at_is_held_and_wakes_people_once_the_silence_is_over(
    world: World, holder: str
) -> None:
    incident = world.alert("Worker returned unexpected state 7")
    if holder == "a program":
        world.alert(status=AlertStatus.ACKNOWLEDGED)
    else:
        world.acknowledge(incident)
        with world.database.transaction() as session:
            until = MONDAY + 5 * HOUR
            assigning.snooze(session, world.desk, incident, world.actor("ana"), world.now, until=until)
    number = silence(world)
    world.alert("Observer API down: health check failing on all replicas")
    assert (world.incident(incident).status, held(world, incident)) == ("open", [(number, "")])
    assert woken(world) == []
    world.fast_forward(hours=2)
    assert woken(world) == [ANA]


def test_what_rises_to_constitutional_is_taken_back_in_spite_of_a_silence(world: World) -> None:
    incident = world.alert("Worker returned unexpected state 7")
    world.acknowledge(incident)
    silence(world)
    world.alert("Hash chain broken: signature of the halt does not verify")
    assert (world.incident(incident).status, ANA in woken(world)) == ("open", True)


def test_a_person_who_gives_it_back_has_people_woken_in_spite_of_it(world: World) -> None:
    number = silence(world)
    incident = world.alert()
    world.acknowledge(incident)
    with world.database.transaction() as session:
        assigning.unacknowledge(session, world.desk, incident, world.actor("ana"), world.now, reason="help")
    world.run()
    assert woken(world) == [ANA]
    extend(world, number, MONDAY + 4 * HOUR)
    assert world.incident(incident).silenced_until is None


def test_a_snooze_that_ends_in_a_silence_waits_for_its_end(world: World) -> None:
    incident = world.alert()
    silence(world, lasts_hours=3)
    with world.database.transaction() as session:
        until = world.now + HOUR
        assigning.snooze(session, world.desk, incident, world.actor("ana"), world.now, until=until)
    before = len(world.sent("sms"))
    world.fast_forward(minutes=179)
    assert (len(world.sent("sms")), suspected(world)) == (before, [])
    world.fast_forward(minutes=1)
    assert len(world.sent("sms")) == before + 1


def test_one_that_recurs_holds_night_after_night_and_lets_go_each_morning(database: Database) -> None:
    world = World(database)
    number = silence(world, **recurring(22, 2))
    first = world.alert()
    assert woken(world) == [ANA]
    world.resolve(first)
    world.fast_forward(hours=12, minutes=30)
    for night in range(2):
        incident = world.alert(dedup_key=f"night {night}")
        assert world.incident(incident).silenced_until == MONDAY + timedelta(days=night, hours=16)
        before = len(world.sent("sms"))
        world.fast_forward(hours=3, minutes=29)
        assert len(world.sent("sms")) == before
        world.fast_forward(minutes=1)
        assert len(world.sent("sms")) == before + 1
        world.resolve(incident)
        world.fast_forward(hours=20, minutes=30)
        assert suspected(world) == []
    end(world, number)
    world.alert(dedup_key="after")
    assert world.sent("sms")[-1].at == world.now


def test_an_engine_that_was_away_releases_what_is_due_when_it_is_back(world: World) -> None:
    number = silence(world, lasts_hours=1)
    incident = world.alert(run=False)
    world.now += 5 * HOUR
    world.run()
    assert (woken(world), held(world, incident)) == ([ANA], [(number, "released")])


def test_an_alert_that_no_silence_concerns_costs_no_statement_more(database: Database) -> None:
    world = World(database)

    def taken(dedup_key: str) -> list[str]:
        with counted(world.database) as statements:
            world.alert(dedup_key=dedup_key, run=False)
        return statements

    taken("warm")
    without = taken("first")
    silence(world, services=("event-store",))
    silence(world, services=("event-store",), **recurring(22, 2))
    assert len(taken("second")) == len(without)
    silence(world, title="something else")
    assert [each for each in taken("third") if "silence" in each and "integrations" not in each] != []


def test_what_a_person_reports_is_never_silenced(world: World) -> None:
    silence(world)
    with world.database.transaction() as session:
        actor = world.actor("ana")
        received = manual.report(
            session, world.desk, actor, world.now, service="checkout", title="Help", severity=Severity.HIGH
        )
    world.run()
    assert woken(world) == [ANA]
    silence(world)
    assert received.incident_id is not None
    assert world.incident(received.incident_id).silenced_until is None


def test_a_silence_that_is_ended_while_an_alert_comes_in_holds_nothing_for_ever(postgresql_database: Database) -> None:
    world = World(postgresql_database)
    number = silence(world)
    incoming = IncomingAlert(source="pagerduty", dedup_key="race", status=AlertStatus.FIRING, title="Observer API down")
    with world.database.transaction() as session:
        door = intake.door(session, secret_hash(KEY))
        assert door is not None
        world.now += timedelta(seconds=1)
        end(world, number)  # between the door and the alert
        received = intake.receive(session, world.desk, door, incoming, world.now)
    world.run()
    assert received.incident_id is not None
    assert world.incident(received.incident_id).silenced_until is None
    assert woken(world) == [ANA]


def test_an_alert_that_joins_and_does_not_fit_releases_the_incident(sqlite_database: Database) -> None:
    plain = "checkout: {policy: standard, "
    world = World(sqlite_database, config=team().replace(plain, f"{plain}group: {{within: 5m}}, "))
    number = silence(world, labels={"host": "db-*"})
    incident = world.alert(dedup_key="a", labels={"host": "db-1"})
    assert world.alert(dedup_key="b", labels={"host": "db-2"}) == incident
    assert (world.sent(), held(world, incident)) == ([], [(number, "")])
    assert world.alert(dedup_key="c", labels={"host": "web-1"}) == incident
    assert (woken(world), held(world, incident)) == ([ANA], [(number, "released")])


def test_whoever_makes_it_constitutional_releases_it(world: World) -> None:
    number = silence(world)
    incident = world.alert()
    with world.database.transaction() as session:
        reclassifying.reclassify(
            session, world.desk, incident, world.actor("ana"), world.now,
            new_class=IncidentClass.CONSTITUTIONAL, reason="it is about the hash chain",
        )  # fmt: skip
    world.run()
    assert (woken(world), held(world, incident)) == ([ANA], [(number, "released")])


def test_a_heartbeat_that_is_missed_in_a_silence_pages_when_it_is_over(sqlite_database: Database) -> None:
    plain = "checkout: {policy: standard, "
    beats = f'heartbeats: [{{name: backup, every: 15m, severity: HIGH, key: "{"b0" * 16}"}}], '
    world = World(sqlite_database, config=team().replace(plain, plain + beats))
    number = silence(world, labels={"heartbeat": "back*"})
    world.fast_forward(minutes=119)
    assert (world.sent(), held(world, 1)) == ([], [(number, "")])
    world.fast_forward(minutes=1)
    assert woken(world) == [ANA]
