"""What comes and goes too often is held as one, and has ended once it was quiet, as its source said last."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from config.database import Database
from config.ids import secret_hash
from escalation.models import Timer, TimerKind
from incidents import intake, reconciling
from incidents.models import Alert, Incident
from incidents.sources.base import AlertStatus, IncomingAlert
from tests.world import KEY, STORE_KEY, World, team

PLAIN = "checkout: {policy: standard, "
CONFIG = team().replace(PLAIN, f"{PLAIN}flap: {{toggles: 4, within: 30m}}, ")
FIRING, OVER = AlertStatus.FIRING, AlertStatus.RESOLVED
WHY = "It has come and gone 5 times in 30 minutes; one incident stays open until it has been quiet for 30 minutes."


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=CONFIG)


def toggle(world: World, times: int, *, dedup_key: str = "obs/api", title: str = "Observer API down") -> list[int]:
    """Comes and goes, a minute each; the incidents."""
    found = []
    for _ in range(times):
        found.append(world.alert(title, dedup_key=dedup_key))
        world.fast_forward(seconds=30)
        world.alert(dedup_key=dedup_key, status=OVER)
        world.fast_forward(seconds=30)
    return found


def flap(world: World) -> int:
    """The incident that stays, of an alert that fires."""
    before = toggle(world, 5)
    number = world.alert()
    assert number not in before
    return number


def alert_of(world: World, number: int) -> Alert:
    with world.database.reading() as session:
        return session.scalars(select(Alert).where(Alert.incident_id == number)).one()


def alert_at(world: World, key: str) -> int:
    with world.database.reading() as session:
        found = session.scalar(select(Alert.incident_id).where(Alert.dedup_key == key, Alert.status == "firing"))
    assert found is not None
    return found


def settling(world: World, number: int) -> list[Timer]:
    return [timer for timer in world.timers(number) if timer.kind == TimerKind.SETTLE]


def test_what_has_come_and_gone_more_than_four_times_is_held_as_one_and_pages_once(database: Database) -> None:
    world = World(database, config=CONFIG)
    assert len(set(toggle(world, 5))) == 5
    assert len(world.sent("sms")) == 5
    number = world.alert()
    assert len(world.sent("sms")) == 6
    assert world.sent("sms")[-1].message.brief.summary == WHY
    assert [entry.text for entry in world.timeline(number) if entry.kind == "alert.flapping"] == [WHY]
    world.fast_forward(minutes=1)
    for _ in range(7):
        assert world.alert(status=OVER) == number
        assert (alert_of(world, number).status, world.incident(number).status) == ("firing", "open")
        assert alert_of(world, number).settles_at == world.now + timedelta(minutes=30)
        world.fast_forward(seconds=20)
        assert world.alert() == number
        assert alert_of(world, number).settles_at is None
        assert settling(world, number) == []
    assert alert_of(world, number).count == 8
    assert [sent.to for sent in world.sent("sms", to="+15005550101")] == ["+15005550101"] * 6
    world.alert(status=OVER)
    world.fast_forward(minutes=29, seconds=59)
    assert world.incident(number).status == "open"
    world.fast_forward(seconds=1)
    incident = world.incident(number)
    assert (incident.status, incident.resolved_by) == ("resolved", "pagerduty (checkout)")
    assert incident.resolution == "It has been quiet since its source said that it had ended."
    assert alert_of(world, number).status == "resolved"
    assert world.timers(number) == []
    again = world.alert()
    assert again != number
    assert not alert_of(world, again).flapping


def test_saying_again_that_it_has_ended_does_not_put_its_end_off(world: World) -> None:
    number = flap(world)
    world.alert(status=OVER)
    world.fast_forward(minutes=20)
    world.alert(status=OVER)
    assert world.kinds(number).count("alert.settling") == 1
    world.fast_forward(minutes=10)
    assert world.incident(number).status == "resolved"
    world.alert(status=OVER)  # late, and about nothing
    assert world.incident(number).status == "resolved"


def test_what_comes_and_goes_slower_is_not_held(world: World) -> None:
    for _ in range(8):
        number = world.alert()
        world.fast_forward(minutes=1)
        world.alert(status=OVER)
        assert world.incident(number).status == "resolved"
        world.fast_forward(minutes=6)


def test_a_worse_report_while_it_flaps_pages_anew_and_says_that_it_flaps(world: World) -> None:
    toggle(world, 5, title="Redis memory capacity warning 82% used")
    number = world.alert("Redis memory capacity warning 82% used")
    world.acknowledge(number)
    world.alert(status=OVER)
    world.alert("Redis memory capacity warning 84% used")
    assert (world.sent("sms"), world.incident(number).status) == ([], "acknowledged")
    world.alert(status=OVER)
    world.alert("Observer API down: health check failing on all replicas")
    assert (world.incident(number).severity, world.incident(number).status) == ("HIGH", "open")
    (page,) = world.sent("sms")
    assert page.message.brief.summary == WHY


def test_people_end_it_at_any_time_and_the_next_report_opens_an_incident_that_is_held_at_once(world: World) -> None:
    number = flap(world)
    world.alert(status=OVER)
    world.resolve(number)
    assert (world.incident(number).status, settling(world, number)) == ("resolved", [])
    assert alert_of(world, number).settles_at is None
    world.fast_forward(minutes=28)  # what came and went before is more than half an hour ago
    again = world.alert()
    assert again != number
    (why,) = [entry.text for entry in world.timeline(again) if entry.kind == "alert.flapping"]
    assert why == (
        "It was coming and going until its incident ended 28 minutes ago; one incident stays open until it has been quiet "
        "for 30 minutes."
    )


def test_its_source_may_acknowledge_it_while_it_settles(world: World) -> None:
    number = flap(world)
    world.alert(status=OVER)
    world.alert(status=AlertStatus.ACKNOWLEDGED)
    assert world.incident(number).status == "acknowledged"
    world.fast_forward(minutes=30)
    assert world.incident(number).status == "resolved"


def test_constitutional_alerts_are_not_held_and_their_source_ends_nothing(sqlite_database: Database) -> None:
    protected = "event-store: {policy: standard, protected: true, "
    world = World(sqlite_database, config=team().replace(protected, f"{protected}flap: {{toggles: 1, within: 30m}}, "))
    numbers = []
    for _ in range(4):
        numbers.append(world.alert(key=STORE_KEY))
        world.alert(key=STORE_KEY, status=OVER)
    assert [world.incident(number).status for number in numbers] == ["open"] * 4
    assert not any(alert_of(world, number).flapping or settling(world, number) for number in numbers)


def test_one_that_becomes_constitutional_while_it_settles_is_not_ended_by_the_engine(world: World) -> None:
    number = flap(world)
    world.alert(status=OVER)
    with world.database.transaction() as session:
        session.get_one(Incident, number).incident_class = "constitutional"
    world.fast_forward(minutes=30)
    assert (world.incident(number).status, alert_of(world, number).status) == ("open", "resolved")
    assert world.kinds(number).count("resolve.withheld") == 1


def test_a_time_of_quiet_that_ends_while_no_engine_runs_is_caught_up(database: Database) -> None:
    world = World(database, config=CONFIG)
    number = flap(world)
    world.alert(status=OVER)
    world.now += timedelta(hours=3)  # nothing ran
    assert world.incident(number).status == "open"
    world.run()
    assert world.incident(number).status == "resolved"
    assert world.incident(number).resolved_at == world.now


def test_a_service_that_damps_no_more_ends_what_flapped_at_its_sources_word(world: World) -> None:
    settles, ends = flap(world), toggle(world, 5, dedup_key="b")[-1]
    ends = world.alert(dedup_key="b")
    world.alert(status=OVER)
    world.apply(team())
    world.alert(dedup_key="b", status=OVER)
    assert [world.incident(number).status for number in (settles, ends)] == ["open", "resolved"]
    world.fast_forward(minutes=30)
    assert world.incident(settles).status == "resolved"


@pytest.mark.parametrize("minutes", [10, 45])
def test_the_reconciler_finds_an_alert_that_nothing_would_end_and_has_it_ended(
    database: Database, minutes: int
) -> None:
    world = World(database, config=CONFIG)
    number = flap(world)
    world.alert(status=OVER)
    with database.transaction() as session:
        session.execute(delete(Timer).where(Timer.kind == TimerKind.SETTLE))
    world.now += timedelta(minutes=minutes)
    found = [each for each in reconciling.run(database, world.desk, world.now) if each.finding.kind == "settle.missing"]
    assert [(each.finding.incident_id, each.done) for each in found] == [
        (number, "It ends then." if minutes < 30 else "The engine looks at it now.")
    ]
    assert [each for each in reconciling.run(database, world.desk, world.now) if "settle" in each.finding.kind] == []
    world.fast_forward(minutes=20)
    assert world.incident(number).status == "resolved"


def test_what_flaps_among_others_of_a_group_is_held_there(sqlite_database: Database) -> None:
    noise = "flap: {toggles: 2, within: 10m}, group: {within: 1h}, "
    world = World(sqlite_database, config=team().replace(PLAIN, PLAIN + noise))
    number = world.alert(dedup_key="steady")
    assert set(toggle(world, 3, dedup_key="b")) == {number}
    assert world.alert(dedup_key="b") == number
    world.alert(dedup_key="steady", status=OVER)
    world.alert(dedup_key="b", status=OVER)
    assert world.incident(number).status == "open"
    world.fast_forward(minutes=10)
    assert world.incident(number).status == "resolved"


STEPS = st.lists(
    st.tuples(st.sampled_from([FIRING, OVER]), st.integers(min_value=1, max_value=1_500)), min_size=1, max_size=25
)


@settings(
    max_examples=20, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@given(steps=STEPS, number=st.uuids())
def test_once_it_is_quiet_the_sources_last_word_holds(
    world: World, steps: list[tuple[AlertStatus, int]], number: object
) -> None:
    key = str(number)
    for status, seconds in steps:
        world.alert(dedup_key=key, status=status, run=False)
        world.fast_forward(seconds=seconds)
    world.fast_forward(minutes=30)
    with world.database.reading() as session:
        rows = session.execute(
            select(Alert.status, Alert.settles_at, Incident.status)
            .join(Incident, Incident.id == Alert.incident_id)
            .where(Alert.dedup_key == key)
        ).all()
    still = [row for row in rows if row[0] == "firing"]
    assert len(still) == (1 if steps[-1][0] is FIRING else 0)
    assert all(settles_at is None for _, settles_at, _ in rows)
    assert all((status == "firing") == (of_incident == "open") for status, _, of_incident in rows)
    if still:  # the next example's half hours do not page for this one's
        world.resolve(alert_at(world, key))


def test_two_reports_that_meet_the_end_of_the_quiet_are_taken_in_either_order(world: World) -> None:
    number = flap(world)
    world.alert(status=OVER)
    world.now += timedelta(minutes=30)
    with world.database.transaction() as session:  # it comes back at the moment it would end, and is first
        door = intake.door(session, secret_hash(KEY))
        assert door is not None
        incoming = IncomingAlert("pagerduty", "obs/api", FIRING, "Observer API down")
        assert intake.receive(session, world.desk, door, incoming, world.now).incident_id == number
    world.run()
    assert (world.incident(number).status, alert_of(world, number).count) == ("open", 2)
