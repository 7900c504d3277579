"""Each thing that would leave somebody asleep, made by hand: it is found, mended, and people are paged."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from config.database import Database
from escalation import notices, responders
from escalation.findings import Finding, Kind, Outcome
from escalation.models import Attempt, Escalation, LivingMessage, Page, PageState, Timer, TimerKind
from escalation.paging import timers
from escalation.plan import Stage
from incidents import actions, assigning, reconciling
from incidents.models import Alert, Incident
from incidents.sources.base import AlertStatus
from tests.world import PHONES, World, team


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def change(world: World, *statements: object) -> None:
    with world.database.transaction() as session:
        for statement in statements:
            session.execute(statement)  # type: ignore[call-overload]  # whatever the test wants broken


def reconcile(world: World, *, repairs: bool = True) -> list[Kind]:
    outcomes = reconciling.run(world.database, world.desk, world.now, repairs=repairs)
    assert all(bool(outcome.done) is repairs for outcome in outcomes), outcomes
    if repairs:
        assert reconciling.run(world.database, world.desk, world.now) == []
    return [outcome.finding.kind for outcome in outcomes]


def phones(world: World) -> list[str]:
    return [sent.to for sent in world.sent("sms")]


def timer_of(number: int, kind: TimerKind = TimerKind.ADVANCE) -> tuple[object, object]:
    return Timer.incident_id == number, Timer.kind == kind


def test_where_nothing_is_wrong_nothing_is_found(world: World) -> None:
    for dedup_key in ("one", "two", "three"):
        world.alert(dedup_key=dedup_key)
    world.acknowledge(2)
    world.resolve(3)
    for _ in range(30):
        assert reconciling.run(world.database, world.desk, world.now) == []
        world.fast_forward(minutes=5)


def test_an_escalation_without_a_timer_goes_on_where_it_was(world: World) -> None:
    number = world.alert()
    change(world, delete(Timer).where(*timer_of(number)))
    world.fast_forward(minutes=7)
    assert phones(world) == [PHONES["ana"]]
    assert reconcile(world) == [Kind.ADVANCE_MISSING]
    world.run()
    assert phones(world) == [PHONES["ana"], PHONES["bo"]]
    told = [entry.text for entry in world.timeline(number) if entry.kind == "reconciler.repaired"]
    assert told == [
        f"The reconciler found: Incident {number} (HIGH) is open, and nothing was due that would wake anybody else "
        "for it. The engine looks at it now."
    ]
    world.fast_forward(minutes=8)
    assert phones(world)[-1] == PHONES["mia"], "level 3 keeps its time"


def test_a_timer_set_anew_before_its_level_is_due_pages_nobody_early(world: World) -> None:
    number = world.alert()
    change(world, delete(Timer).where(*timer_of(number)))
    reconcile(world)
    world.run()
    assert phones(world) == [PHONES["ana"]]
    assert [t.due_at for t in world.timers(number)] == [world.now + timedelta(minutes=5)]


def test_an_open_incident_whose_escalation_stopped_is_escalated_anew(world: World) -> None:
    number = world.alert()
    change(
        world,
        update(Escalation).values(stage=Stage.STOPPED),
        delete(Timer).where(*timer_of(number)),
    )
    assert reconcile(world) == [Kind.ESCALATION_STOPPED]
    world.run()
    assert phones(world) == [PHONES["ana"], PHONES["ana"]]


def test_an_open_incident_that_was_never_escalated_is_escalated(world: World) -> None:
    number = world.alert()
    change(world, delete(Timer).where(Timer.incident_id == number))
    change(world, *(delete(table) for table in (LivingMessage, Attempt, Page, Escalation)))
    assert reconcile(world) == [Kind.ESCALATION_MISSING]
    world.run()
    assert phones(world) == [PHONES["ana"], PHONES["ana"]]
    assert "Observer API down" in world.sent("sms")[-1].message.brief.title


def test_an_escalation_that_runs_though_somebody_has_it_is_stopped(world: World) -> None:
    number = world.alert()
    change(world, update(Incident).values(status="acknowledged", acknowledged_at=world.now, acknowledged_by="Ana"))
    assert reconcile(world) == [Kind.ESCALATION_RUNNING, Kind.PHASE_MISSING]
    world.fast_forward(minutes=14)
    assert phones(world) == [PHONES["ana"]]
    assert lacks(world, number, TimerKind.ADVANCE)


def test_a_timer_that_is_too_late_is_brought_forward(world: World) -> None:
    number = world.alert()
    late = world.now + timedelta(days=30)
    change(world, update(Timer).where(*timer_of(number)).values(due_at=late, visible_at=late))
    assert reconcile(world) == [Kind.ADVANCE_LATE]
    world.fast_forward(minutes=5)
    assert phones(world) == [PHONES["ana"], PHONES["bo"]]


def test_an_escalation_that_means_to_go_on_too_late_takes_its_next_step_now(world: World) -> None:
    number = world.alert()
    late = world.now + timedelta(days=30)
    change(
        world,
        update(Timer).where(*timer_of(number)).values(due_at=late, visible_at=late),
        update(Escalation).values(base_at=late),
    )
    assert reconcile(world) == [Kind.ADVANCE_LATE]
    world.run()
    assert phones(world) == [PHONES["ana"], PHONES["bo"]]


def test_a_low_incident_may_wait_for_its_business_day(world: World) -> None:
    world.alert("Disk usage above 70 percent", dedup_key="disk", run=False)
    change(world, update(Incident).values(severity="LOW"), update(Escalation).values(urgency="low", stage="notifying"))
    late = world.now + timedelta(days=14)
    change(world, update(Timer).where(Timer.kind == "advance").values(due_at=late, visible_at=late))
    assert reconcile(world) == []


def test_a_page_without_a_timer_goes_out(world: World) -> None:
    number = world.alert(run=False)
    change(world, delete(Timer).where(*timer_of(number, TimerKind.DELIVER)))
    world.run()
    assert phones(world) == []
    assert reconcile(world) == [Kind.PAGE_FORGOTTEN]
    world.run()
    assert phones(world) == [PHONES["ana"]]


def test_a_page_held_back_for_hours_goes_out(world: World) -> None:
    number = world.alert(run=False)
    later = world.now + timedelta(hours=9)
    change(world, update(Timer).where(*timer_of(number, TimerKind.DELIVER)).values(visible_at=later))
    assert reconcile(world) == [Kind.PAGE_HELD_BACK]
    world.run()
    assert phones(world) == [PHONES["ana"]]


def test_a_page_left_queued_after_an_acknowledgement_is_cancelled(world: World) -> None:
    number = world.alert(run=False)
    world.acknowledge(number, run=False)
    change(world, update(Page).values(state=PageState.QUEUED))
    assert reconcile(world) == [Kind.PAGE_UNWANTED]
    world.run()
    assert phones(world) == []
    assert [page.state for page in world.pages(number)] == [PageState.CANCELLED]


def test_a_message_that_nothing_would_edit_is_edited(world: World) -> None:
    number = world.alert()
    world.acknowledge(number, run=False)
    change(world, delete(Timer).where(*timer_of(number, TimerKind.SHOW)))
    assert reconcile(world) == [Kind.MESSAGE_OUTDATED]
    world.run()
    assert world.sent("slack", edits=True)[-1].message.standing.status == "acknowledged"


def parked(world: World) -> dict[str, object]:
    return {"parked_at": world.now, "error": "it broke", "tries": 21}


def test_a_parked_escalation_is_tried_again(world: World) -> None:
    number = world.alert()
    change(world, update(Timer).where(*timer_of(number)).values(parked(world)))
    world.fast_forward(minutes=6)
    assert phones(world) == [PHONES["ana"]]
    assert reconcile(world) == [Kind.TIMER_PARKED]
    world.run()
    assert phones(world) == [PHONES["ana"], PHONES["bo"]]


def test_a_parked_timer_of_a_page_that_was_given_up_is_removed(world: World) -> None:
    number = world.alert(run=False)
    change(
        world,
        update(Timer).where(*timer_of(number, TimerKind.DELIVER)).values(parked(world)),
        update(Page).values(state=PageState.FAILED),
    )
    assert reconcile(world) == [Kind.TIMER_PARKED]
    assert TimerKind.DELIVER not in [timer.kind for timer in world.timers(number)]


def test_a_parked_timer_that_wakes_nobody_is_tried_once_more_after_a_while(world: World) -> None:
    """It may be what ends every engine that acts on it, and pages wait for each."""
    timer = Timer(kind="calendar", subject_id=1, lane="calendar", due_at=world.now, visible_at=world.now)
    timer.parked_at, timer.tries = world.now, timers.TRIES_MAX + 1
    with world.database.transaction() as session:
        session.add(timer)
    assert reconcile(world) == [Kind.TIMER_PARKED]
    assert reconcile(world) == []
    with world.database.transaction() as session:
        rooms = {"calendar": 1}
        assert timers.claim(session, "one", world.now + timedelta(minutes=14), rooms=rooms) == []
        [claimed] = timers.claim(session, "one", world.now + timedelta(minutes=15), rooms=rooms)
    assert claimed.tries == timers.TRIES_MAX  # the next one parks it again


def test_an_alert_left_firing_under_a_resolved_incident_opens_a_new_one_when_it_comes_again(world: World) -> None:
    number = world.alert()
    world.resolve(number)
    change(world, update(Alert).values(status=AlertStatus.FIRING, resolved_at=None))
    assert reconcile(world) == [Kind.ALERT_LEFT_FIRING]
    assert world.alert() == number + 1
    assert phones(world) == [PHONES["ana"], PHONES["ana"]]


def lacks(world: World, number: int, kind: TimerKind) -> bool:
    return kind not in [timer.kind for timer in world.timers(number)]


def test_a_holder_is_asked_though_the_timer_for_it_was_lost(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team().replace("ack_timeout: 0s", "ack_timeout: 30m"))
    number = world.alert()
    world.acknowledge(number)
    change(world, delete(Timer).where(*timer_of(number, TimerKind.ACK_TIMEOUT)))
    assert reconcile(world) == [Kind.ACK_TIMEOUT_MISSING]
    world.run()
    assert phones(world) == [PHONES["ana"]], "it is not time yet"
    world.fast_forward(minutes=31)
    assert "holder.reminded" in world.kinds(number)


def test_a_late_milestone_is_told_though_the_timer_for_it_was_lost(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    change(world, delete(Timer).where(*timer_of(number, TimerKind.PHASE)))
    assert reconcile(world) == [Kind.PHASE_MISSING]
    world.fast_forward(minutes=16)
    assert "phase.late" in world.kinds(number)


def test_a_snooze_ends_though_the_timer_for_it_was_lost(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    with world.database.transaction() as session:
        until = world.now + timedelta(hours=1)
        assigning.snooze(session, world.desk, number, world.actor("ana"), world.now, until=until)
    assert reconcile(world) == []
    change(world, delete(Timer).where(*timer_of(number, TimerKind.SNOOZE)))
    assert reconcile(world) == [Kind.SNOOZE_MISSING]
    world.run()
    assert not lacks(world, number, TimerKind.SNOOZE)
    world.fast_forward(minutes=61)
    assert world.incident(number).snoozed_until is None


def test_what_owes_no_clock_is_left_alone(world: World) -> None:
    world.acknowledge(world.alert("Disk usage above 70 percent", dedup_key="disk"))
    change(
        world, update(Incident).values(severity="LOW"), delete(Timer).where(Timer.kind.in_(("phase", "ack_timeout")))
    )
    assert reconcile(world) == []


def test_a_notice_without_a_timer_goes_out(world: World) -> None:
    with world.database.transaction() as session:
        ana = responders.by_key(session, "ana")
        assert ana is not None
        notices.queue(session, ana, kind="gap", subject="A gap", text="Nobody is on call.", now=world.now)
    change(world, delete(Timer).where(Timer.kind == TimerKind.NOTICE))
    assert reconcile(world) == [Kind.NOTICE_FORGOTTEN]
    world.run()
    assert [sent.message.note for sent in world.deliveries if sent.message.note] == ["Nobody is on call."]


def test_a_schedule_without_a_timer_for_its_next_change_gets_one(world: World) -> None:
    change(world, delete(Timer).where(Timer.kind == TimerKind.DUTY))
    assert reconcile(world) == [Kind.DUTY_MISSING, Kind.DUTY_MISSING]


def test_a_check_changes_nothing(world: World) -> None:
    number = world.alert()
    change(world, delete(Timer).where(*timer_of(number)))
    assert reconcile(world, repairs=False) == [Kind.ADVANCE_MISSING]
    assert reconcile(world, repairs=False) == [Kind.ADVANCE_MISSING]
    assert "reconciler.repaired" not in world.kinds(number)


def test_more_incidents_than_are_read_at_once_are_all_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalation.paging.reconcile.PAGE_ROWS", 2)
    numbers = [world.alert(dedup_key=f"thing-{n}") for n in range(5)]
    change(world, delete(Timer).where(Timer.kind == TimerKind.ADVANCE))
    outcomes = reconciling.run(world.database, world.desk, world.now)
    assert [outcome.finding.incident_id for outcome in outcomes] == numbers


def stopped_wrongly(world: World) -> int:
    number = world.alert()
    change(world, update(Escalation).values(stage=Stage.STOPPED), delete(Timer).where(*timer_of(number)))
    return number


def test_an_acknowledgement_that_comes_between_is_seen_and_nobody_is_woken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    number = stopped_wrongly(world)
    look = reconciling.suspects

    def look_and_acknowledge(session: Session, now: datetime) -> list[Finding]:
        found = look(session, now)
        assert found
        world.acknowledge(number)
        return found

    monkeypatch.setattr(reconciling, "suspects", look_and_acknowledge)
    assert reconciling.run(database, world.desk, world.now) == []
    world.fast_forward(hours=1)
    assert phones(world) == [PHONES["ana"]]


def test_an_acknowledgement_under_way_is_waited_for(postgresql_database: Database) -> None:
    world = World(postgresql_database)
    number = stopped_wrongly(world)
    outcomes: list[Outcome] = []

    def run() -> None:
        outcomes.extend(reconciling.run(postgresql_database, world.desk, world.now))

    at_work = threading.Thread(target=run)
    with postgresql_database.transaction() as session:
        actions.acknowledge(session, world.desk, number, world.actor("ana"), world.now)
        session.flush()
        at_work.start()
        until_somebody_waits(postgresql_database)
    at_work.join(10)
    assert outcomes == []
    world.run()
    assert phones(world) == [PHONES["ana"]]


def until_somebody_waits(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(2_000):
        with database.reading() as session:
            if session.scalar(waiting):
                return
    raise AssertionError("nobody waits for the lock")


def test_two_that_look_at_once_mend_once(database: Database) -> None:
    world = World(database)
    numbers = [world.alert(dedup_key=f"thing-{n}") for n in range(4)]
    change(world, update(Escalation).values(stage=Stage.STOPPED), delete(Timer).where(Timer.kind == TimerKind.ADVANCE))
    outcomes: list[Outcome] = []

    def run() -> None:
        outcomes.extend(reconciling.run(database, world.desk, world.now))

    both = [threading.Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(20)
    # What waits to be told together was queued still, and is cancelled besides.
    stopped = [outcome.finding for outcome in outcomes if outcome.finding.kind is Kind.ESCALATION_STOPPED]
    assert sorted(finding.incident_id or 0 for finding in stopped) == numbers
    assert [len(world.pages(number)) for number in numbers] == [2, 2, 2, 2], "the first, and each once again"


def test_a_message_that_goes_out_although_somebody_has_the_incident_is_up_to_date(world: World) -> None:
    """The holder is told by Slack that a phase is late: that message shows how it stands, and is not edited away."""
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=16)
    told = world.sent("slack", to="U0ANA")
    assert [each.message.purpose.value for each in told] == ["notification"]
    assert reconcile(world, repairs=False) == []
    assert not world.sent("slack", to="U0ANA", edits=True)
    world.resolve(number)
    assert world.sent("slack", to="U0ANA", edits=True)[-1].message.standing.status == "resolved"
