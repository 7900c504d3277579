"""Whoever dies, and whenever: nothing is lost, and at most the one send that was in flight comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from config.database import Database
from escalation.channels.base import Message
from escalation.models import TimerKind
from escalation.paging import timers
from incidents.proof import verify
from incidents.proof.report import Verdict
from tests.simulation.crashing import Crash, FragileDatabase, Moment
from tests.world import PHONES, World

# The engine's commits, in order: at level 1 it claims, begins to hand the page over, and records what came of it;
# five minutes later it claims again and reaches level 2.
CLAIM, BEGIN, RECORD = 1, 2, 3
ADVANCE = 2

BEFORE, AFTER = Moment.BEFORE, Moment.AFTER


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = FragileDatabase(database_url)
    yield World(database)
    database.close()


def engine_dies(world: World, commit: int, moment: Moment) -> None:
    fragile(world).crash_at(commit, moment)
    with pytest.raises(Crash):
        world.run()


def next_engine(world: World, *, takes_over: bool = True) -> None:
    """`takes_over`: it knows the last one to be dead. Otherwise only the end of the leases helps."""
    dead, world.engine = world.engine, world.new_engine(f"after {world.engine.name}")
    if takes_over:
        with world.database.transaction() as session:
            timers.release(session, [dead.name], world.now)
    world.run()


def fragile(world: World) -> FragileDatabase:
    assert isinstance(world.database, FragileDatabase)
    return world.database


def told(world: World) -> list[tuple[str, bool]]:
    """Whose telephone got a text, and whether it was marked as a repeat."""
    names = {phone: name for name, phone in PHONES.items()}
    return [(names[d.to], d.message.repeat) for d in world.sent("sms")]


def test_an_alert_whose_intake_dies_before_its_commit_is_sent_again_and_pages_once(world: World) -> None:
    fragile(world).crash_at(1, BEFORE)
    with pytest.raises(Crash):
        world.alert()
    world.run()
    assert not told(world)
    world.alert()
    assert told(world) == [("ana", False)]


def test_an_alert_whose_intake_dies_after_its_commit_is_in_and_sent_again_it_is_a_repeat(world: World) -> None:
    fragile(world).crash_at(1, AFTER)
    with pytest.raises(Crash):
        world.alert()
    number = world.alert()
    assert told(world) == [("ana", False)]
    assert world.kinds(number).count("alert.repeated") == 1


def test_an_engine_that_dies_before_its_claim_is_kept_leaves_the_page_to_the_next(world: World) -> None:
    world.alert(run=False)
    engine_dies(world, CLAIM, BEFORE)
    next_engine(world, takes_over=False)
    assert told(world) == [("ana", False)]


def test_a_page_that_a_dead_engine_had_claimed_is_sent_at_once_by_one_that_takes_over(world: World) -> None:
    world.alert(run=False)
    engine_dies(world, CLAIM, AFTER)
    next_engine(world)
    assert told(world) == [("ana", False)]


def test_without_being_taken_over_a_claim_ends_with_its_lease(world: World) -> None:
    world.alert(run=False)
    engine_dies(world, CLAIM, AFTER)
    next_engine(world, takes_over=False)
    assert not told(world)
    world.fast_forward(seconds=timers.LEASE_SECONDS)
    assert told(world) == [("ana", False)]


@pytest.mark.parametrize("moment", Moment)
def test_a_level_is_reached_once_though_the_engine_dies_at_its_commit(world: World, moment: Moment) -> None:
    number = world.alert()
    world.now += timedelta(minutes=5)
    engine_dies(world, ADVANCE, moment)
    assert world.kinds(number).count("level.reached") == (1 if moment is BEFORE else 2)
    next_engine(world)
    assert world.kinds(number).count("level.reached") == 2
    assert told(world) == [("ana", False), ("bo", False)]


def test_a_send_that_never_began_is_no_repeat(world: World) -> None:
    world.alert(run=False)
    engine_dies(world, BEGIN, BEFORE)
    next_engine(world)
    assert told(world) == [("ana", False)]


def test_a_send_that_may_have_gone_out_is_marked_as_a_repeat_and_told_of(world: World) -> None:
    number = world.alert(run=False)
    engine_dies(world, BEGIN, AFTER)
    next_engine(world)
    assert told(world) == [("ana", True)]
    assert "page.unknown" in world.kinds(number)
    assert [attempt.outcome for attempt in world.attempts(number)] == ["unknown", "sent"]


def test_an_engine_that_dies_while_the_provider_is_called_has_its_page_sent_by_the_next(world: World) -> None:
    world.alert(run=False)
    world.channels["sms"].on_send = _die
    with pytest.raises(Crash):
        world.run()
    world.channels["sms"].on_send = None
    next_engine(world)
    assert told(world) == [("ana", True)]


def test_a_page_that_the_provider_took_just_before_the_crash_comes_twice_and_says_so(world: World) -> None:
    number = world.alert(run=False)
    world.channels["sms"].on_sent = _die
    with pytest.raises(Crash):
        world.run()
    world.channels["sms"].on_sent = None
    next_engine(world)
    world.fast_forward(minutes=4)
    assert told(world) == [("ana", False), ("ana", True)]
    assert world.pages(number)[0].state == "sent"


def _die(address: str, message: Message) -> None:
    raise Crash


@pytest.mark.parametrize(("moment", "expected"), [(BEFORE, [False, True]), (AFTER, [False])])
def test_only_a_sending_that_was_not_recorded_is_repeated(world: World, moment: Moment, expected: list[bool]) -> None:
    world.alert(run=False)
    engine_dies(world, RECORD, moment)
    next_engine(world)
    world.fast_forward(minutes=4)
    assert [repeat for _, repeat in told(world)] == expected


def test_an_acknowledgement_that_dies_before_its_commit_stops_nothing(world: World) -> None:
    number = world.alert()
    fragile(world).crash_at(1, BEFORE)
    with pytest.raises(Crash):
        world.acknowledge(number)
    world.fast_forward(minutes=5)
    assert told(world) == [("ana", False), ("bo", False)]


def test_an_acknowledgement_that_dies_after_its_commit_has_stopped_everything(world: World) -> None:
    number = world.alert()
    fragile(world).crash_at(1, AFTER)
    with pytest.raises(Crash):
        world.acknowledge(number)
    world.fast_forward(hours=3)
    assert told(world) == [("ana", False)]
    assert "Ana Lima" in world.acknowledge(number, by="bo").sentence


def test_what_was_in_flight_when_the_engine_died_is_not_sent_again_after_an_acknowledgement(world: World) -> None:
    number = world.alert(run=False)
    engine_dies(world, RECORD, BEFORE)
    world.acknowledge(number, run=False)
    next_engine(world)
    world.fast_forward(minutes=10)
    assert told(world) == [("ana", False)]
    assert world.pages(number)[0].state == "cancelled"


def test_an_engine_that_dies_again_and_again_tries_the_persons_other_ways_too(world: World) -> None:
    world.alert(run=False)
    for _ in range(2):
        engine_dies(world, BEGIN, AFTER)
        next_engine_that_dies(world)
    next_engine(world)
    assert told(world) == [("ana", True)]
    assert [d.to for d in world.sent("voice")] == [PHONES["ana"]]


def next_engine_that_dies(world: World) -> None:
    dead, world.engine = world.engine, world.new_engine(f"after {world.engine.name}")
    with world.database.transaction() as session:
        timers.release(session, [dead.name], world.now)


@pytest.mark.parametrize("moment", Moment)
def test_a_crash_at_any_commit_loses_nothing_and_repeats_at_most_one_send(world: World, moment: Moment) -> None:
    """Level 1 and level 2 with their announcement, once for each commit there is on the way."""
    commits = 0
    while True:
        commits += 1
        before = len(world.deliveries)
        number = world.alert(dedup_key=f"crash at {commits}", run=False)
        fragile(world).crash_at(commits, moment)
        crashed = _survives(world, minutes=5)
        fragile(world).crash_at(0)
        told_now = [d for d in world.deliveries[before:] if not d.edit]
        people = [d.to for d in told_now if d.message.to_name]
        assert people.count(PHONES["ana"]) - 1 + people.count(PHONES["bo"]) - 1 in (0, 1)
        assert {PHONES["ana"], PHONES["bo"]} == set(people)
        assert {d.to for d in told_now} >= {"#incidents"}
        assert all(page.state == "sent" for page in world.pages(number))
        assert world.kinds(number).count("level.reached") == 2
        world.resolve(number)
        if not crashed:
            break
    assert commits > 8, "there are that many commits from an alert to the second level"
    assert verify.run(world.database).verdict is not Verdict.BROKEN


def _survives(world: World, *, minutes: int) -> bool:
    """Time passes; whether an engine died on the way."""
    end = world.now + timedelta(minutes=minutes)
    crashed = False
    while True:
        try:
            world.fast_forward(seconds=(end - world.now).total_seconds())
            return crashed
        except Crash:
            crashed = True
            next_engine(world)


def test_a_timer_that_keeps_failing_is_parked_and_its_page_counts_as_failed(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "TRIES_MAX", 3)
    world = World(sqlite_database)
    number = world.alert(run=False)
    world.channels["sms"].on_send = _break
    world.fast_forward(minutes=30)
    parked = [timer for timer in world.timers(number) if timer.parked_at is not None]
    assert [timer.kind for timer in parked][:1] == [TimerKind.DELIVER]
    assert "timer.parked" in world.kinds(number)
    assert world.pages(number)[0].state == "failed"
    assert [d.to for d in world.sent("voice")][:1] == [PHONES["ana"]]


def _break(address: str, message: Message) -> None:
    raise ValueError("a slip in the code that renders this message")
