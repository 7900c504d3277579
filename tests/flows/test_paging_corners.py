"""What happens to paging where several things come together that are rare each by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.database import Database
from escalation.channels.base import ChannelError, Message
from escalation.paging import timers
from incidents.severity import Severity
from tests.world import MONDAY, PHONES, STORE_KEY, World, refused, team, unwell

HIGH = "Observer API down: health check failing on all replicas"
MEDIUM = "Worker returned unexpected state 7"
LOW = "Redis memory capacity warning 82% used"
CONSTITUTIONAL = "Hash chain broken at sequence 48211"


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def nothing_works(world: World) -> None:
    def fail(address: str, message: Message) -> None:
        raise refused()

    for channel in world.channels.values():
        channel.on_send = fail


def all_is_well(world: World) -> None:
    for channel in world.channels.values():
        channel.on_send = None


def firings(world: World, number: int) -> list[str]:
    return [kind for kind in world.kinds(number) if kind in ("level.reached", "last_resort.reached", "oncall.notified")]


# Nobody can be reached


def test_a_low_that_no_provider_takes_is_tried_again_on_the_next_business_day(world: World) -> None:
    number = world.alert(LOW)
    nothing_works(world)
    world.fast_forward(hours=24)
    assert firings(world, number) == ["oncall.notified", "last_resort.reached"]
    all_is_well(world)
    world.fast_forward(hours=24)
    told = [(d.channel, d.to, d.message.purpose) for d in world.sent() if d.message.to_name]
    assert told == [("slack", "U0ANA", "notification")]


def test_of_several_messages_to_one_person_none_goes_on_asking(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: slack}, {after: 1m, by: slack}]"))
    number = world.alert()
    world.fast_forward(minutes=1)
    asked = len(world.sent("slack", to="U0ANA"))
    world.acknowledge(number)
    edited = world.sent("slack", to="U0ANA", edits=True)
    assert asked == 2
    assert [each.message.standing.status for each in edited] == ["acknowledged"] * asked


def test_a_notification_that_is_edited_does_not_become_a_page(world: World) -> None:
    number = world.alert(MEDIUM)
    world.acknowledge(number)
    [edited] = world.sent("slack", to="U0ANA", edits=True)
    assert (edited.message.purpose, edited.message.standing.status) == ("notification", "acknowledged")


def test_a_low_that_nobody_is_on_call_for_is_told_to_the_last_resort_each_business_day(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=team(primary_starts="2027-01-04T00:00"))
    world.alert(LOW)
    world.fast_forward(hours=72)
    told = [(d.to, d.message.purpose, d.at.isoformat()) for d in world.sent("sms") if d.message.brief.incident_id]
    assert told == [(PHONES["mia"], "notification", f"2026-11-{day}T09:00:00+00:00") for day in (17, 18, 19)]


def test_a_medium_that_nobody_can_be_told_of_pages_at_once(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(primary_starts="2027-01-04T00:00"))
    number = world.alert(MEDIUM)
    assert firings(world, number) == ["oncall.notified", "level.reached", "level.reached"]
    assert [(d.to, d.at) for d in world.sent("sms")] == [(PHONES["bo"], MONDAY)]


def test_when_no_page_of_the_last_level_is_taken_the_last_resort_is_called_at_once(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=59)
    nothing_works(world)
    world.fast_forward(minutes=1)
    assert firings(world, number)[-2:] == ["level.reached", "last_resort.reached"]
    all_is_well(world)
    world.fast_forward(minutes=15)
    assert world.sent("sms")[-1].message.last_resort


def test_a_policy_that_repeats_does_not_go_round_and_round_while_no_provider_works(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=team(repeat=5))
    nothing_works(world)
    number = world.alert()
    assert firings(world, number) == ["level.reached"] * 4 + ["last_resort.reached"]


def test_asking_keepers_about_a_halt_does_not_keep_a_level_that_failed_from_going_on(world: World) -> None:
    def nobody_reaches_ana(address: str, message: Message) -> None:
        if address in (PHONES["ana"], "U0ANA", "ana@example.org"):
            raise unwell()

    for channel in world.channels.values():
        channel.on_send = nobody_reaches_ana
    number = world.alert("Checkout is slow", hint=Severity.HIGH)
    world.reclassify(number, Severity.CRITICAL)
    world.alert(CONSTITUTIONAL)  # its class rises, and no page is due for that
    assert "halt.recommended" in world.kinds(number)
    world.fast_forward(minutes=4)
    assert PHONES["bo"] in [d.to for d in world.sent("sms")], "every way to ana has failed by now"


# The severity rises


def test_a_rise_in_severity_wakes_again_and_makes_no_level_later(world: World) -> None:
    number = world.alert(HIGH)
    world.fast_forward(minutes=7)
    before = len(world.sent("sms"))
    world.alert(CONSTITUTIONAL)
    again = [(d.to, d.at - MONDAY) for d in world.sent("sms")[before:] if d.message.level]
    assert again == [(PHONES["ana"], timedelta(minutes=7)), (PHONES["bo"], timedelta(minutes=7))]
    world.fast_forward(minutes=60)
    reached = [entry.occurred_at - MONDAY for entry in world.timeline(number) if entry.kind == "level.reached"]
    assert reached == [timedelta(minutes=minutes) for minutes in (0, 5, 7, 7, 15, 60)]


def test_a_rise_while_the_last_resort_is_called_wakes_every_level_and_the_calls_go_on(world: World) -> None:
    number = world.alert(HIGH)
    world.fast_forward(minutes=80)
    before = len(firings(world, number))
    world.alert(CONSTITUTIONAL)
    world.fast_forward(minutes=15)
    assert firings(world, number)[before:] == ["level.reached"] * 4 + ["last_resort.reached"]


def test_a_rise_to_medium_does_not_quiet_what_a_person_has_escalated(world: World) -> None:
    number = world.alert(LOW)
    world.escalate_now(number)
    world.alert(MEDIUM)
    world.fast_forward(minutes=5)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"], PHONES["bo"]]


# A send takes longer than its lease


def another_engine_comes_by(world: World, *faults: ChannelError) -> None:
    """While the next text is being handed over, the lease ends and another engine acts on what is due."""

    def slowly(address: str, message: Message) -> None:
        sms = world.channels["sms"]
        sms.on_send = None
        world.now += timedelta(seconds=timers.LEASE_SECONDS + 1)
        sms.faults = list(faults[:1])
        other = world.new_engine("engine-2")
        while other.tick(world.now):
            pass
        sms.faults = list(faults[1:])

    world.channels["sms"].on_send = slowly


def test_a_send_that_fails_after_its_lease_decides_nothing_for_whoever_took_over(world: World) -> None:
    number = world.alert(run=False)
    another_engine_comes_by(world, unwell(), refused())
    world.run()
    assert world.pages(number)[0].state == "queued"
    assert [attempt.outcome for attempt in world.attempts(number)] == ["refused", "failed"]
    world.fast_forward(seconds=10)
    assert [d.to for d in world.sent("sms")] == [PHONES["ana"]]
    assert not world.sent("voice"), "one failure that counts is no reason to call"


def test_a_page_that_another_engine_gave_up_counts_as_sent_when_the_slow_send_gets_through(world: World) -> None:
    number = world.alert(run=False)
    another_engine_comes_by(world, refused())
    world.run()
    assert [attempt.outcome for attempt in world.attempts(number)][:2] == ["sent", "refused"]
    assert world.pages(number)[0].state == "sent"


# Ways beside one another


def test_once_the_next_way_has_worked_one_that_goes_on_failing_wakes_by_no_further(world: World) -> None:
    world.channels["sms"].faults = [unwell() for _ in range(6)]
    world.alert()
    world.fast_forward(minutes=4)
    to_ana = [d.channel for d in world.sent() if d.message.to_name == "Ana Lima"]
    assert to_ana == ["voice"]


# Messages that are edited


def test_what_changes_while_a_message_is_posted_is_edited_in_and_not_posted_twice(world: World) -> None:
    def meanwhile(address: str, message: Message) -> None:
        if address == "#incidents":
            world.channels["slack"].on_send = None
            world.acknowledge(1, run=False)
            other = world.new_engine("engine-2")
            while other.tick(world.now):
                pass

    world.channels["slack"].on_send = meanwhile
    world.alert()
    assert [d.to for d in world.sent("slack")] == ["#incidents"]
    assert world.sent("slack", edits=True)[-1].message.standing.status == "acknowledged"


def test_the_newest_direct_message_shows_the_acknowledgement_that_an_older_one_shows_already(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: slack}, {after: 1m, by: slack}]"))
    number = world.alert()

    def meanwhile(address: str, message: Message) -> None:
        if address == "U0ANA":
            world.channels["slack"].on_send = None
            world.acknowledge(number, run=False)
            other = world.new_engine("engine-2")
            while other.tick(world.now):
                pass

    world.channels["slack"].on_send = meanwhile
    world.fast_forward(minutes=1)
    newest = world.sent("slack", to="U0ANA")[-1]
    assert newest.message.standing.status == "open"
    edits = world.sent("slack", to="U0ANA", edits=True)
    assert {edit.message.standing.status for edit in edits} == {"acknowledged"}


def test_an_announcement_is_still_made_after_an_acknowledgement_that_came_first(world: World) -> None:
    number = world.alert(run=False)
    world.acknowledge(number)
    assert [(d.to, d.message.standing.status) for d in world.sent("slack")] == [("#incidents", "acknowledged")]
    assert not world.sent("sms")


def test_a_room_that_asks_to_wait_for_an_hour_is_told_when_it_lets_itself_be_told(world: World) -> None:
    def wait(address: str, message: Message) -> None:
        if world.now < MONDAY + timedelta(hours=1):
            raise unwell(40)

    world.channels["slack"].on_send = wait
    number = world.alert(HIGH)
    world.fast_forward(minutes=59)
    assert ("timer.parked" in world.kinds(number), world.sent("slack")) == (False, [])
    world.fast_forward(minutes=2)
    assert {sent.to for sent in world.sent("slack")} == {"#incidents", "#all-hands"}


def test_a_protected_services_low_never_falls_silent_when_its_source_resolves_it(world: World) -> None:
    number = world.alert(LOW, key=STORE_KEY)
    world.fast_forward(hours=72)
    assert firings(world, number) == ["oncall.notified"] * 3
