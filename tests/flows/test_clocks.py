"""What goes on after somebody has acknowledged: the ack timeout and the phase clock."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from config.database import Database
from escalation.channels import slack_blocks, wording
from escalation.channels.base import Message, Purpose, Reply, Verb
from incidents import actions, replies
from incidents.severity import Severity
from tests.world import MONDAY, PHONES, STORE_KEY, World, refused, team

CHAIN = "Hash chain broken at sequence 48211"


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database, config=team(ack_timeout="30m"))


def paged(world: World, *, since: int = 0) -> list[tuple[str, float]]:
    """Who was paged by SMS, and how many minutes after Monday ten o'clock."""
    people = {phone: key for key, phone in PHONES.items()}
    return [
        (people[d.to], (d.at - MONDAY) / timedelta(minutes=1))
        for d in world.sent("sms")[since:]
        if d.message.purpose is Purpose.PAGE
    ]


def note(world: World, number: int, by: str = "ana") -> None:
    with world.database.transaction() as session:
        actions.add_note(session, world.desk, number, world.actor(by), world.now, text="still looking")


def milestone(world: World, number: int, name: str) -> None:
    with world.database.transaction() as session:
        actions.reach_milestone(session, world.desk, number, name, world.actor("ana"), world.now)


# The ack timeout


def test_a_holder_of_whom_nothing_is_heard_is_paged_after_30_minutes(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=1)
    world.acknowledge(number)
    world.fast_forward(minutes=30)
    assert paged(world) == [("ana", 0), ("ana", 31)]
    asked = world.sent("sms")[-1].message
    assert asked.note == "Nothing was heard of you for 30m. Acknowledge again, or others are paged in 5m"
    assert "holder.reminded" in world.kinds(number)
    assert world.incident(number).status == "acknowledged"


def test_nobody_answering_takes_the_acknowledgement_back_and_the_level_reached_fires_again(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=6)
    world.acknowledge(number, by="bo")
    world.fast_forward(minutes=35)
    assert world.incident(number).status == "open"
    assert world.incident(number).acknowledged_by == ""
    # Bo is asked, then level 2 again, and level 3 ten minutes after it as the policy has it.
    world.fast_forward(minutes=10)
    assert paged(world) == [("ana", 0), ("bo", 5), ("bo", 36), ("bo", 41), ("mia", 51)]
    text = next(e.text for e in world.timeline(number) if e.kind == "incident.unacknowledged")
    assert (
        text == "Nothing was heard of Bo Chen for 5 min 00 s after it was asked; the acknowledgement no longer holds."
    )


def test_acknowledging_again_is_an_answer_to_the_question_and_starts_the_time_anew(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=32)
    assert "already yours" in world.acknowledge(number).sentence
    assert "holder.answered" in world.kinds(number)
    world.fast_forward(minutes=29)
    assert paged(world) == [("ana", 0), ("ana", 30)]
    world.fast_forward(minutes=1)
    assert paged(world)[-1] == ("ana", 62)


def test_the_holder_who_is_asked_in_slack_has_a_button_to_answer_with(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ack_timeout="30m", ana_by="[{after: 0s, by: slack}]"))
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=30)
    asked = [d for d in world.sent("slack", to="U0ANA") if d.message.purpose is Purpose.PAGE][-1]
    assert "Acknowledge" in buttons(asked.message)
    room = world.sent("slack", to="#incidents", edits=True)[-1].message
    assert wording.state(room.standing).endswith("Asked whether they still have it")
    assert "Acknowledge" not in buttons(room)
    world.acknowledge(number)
    assert "Acknowledge" not in buttons(world.sent("slack", to="U0ANA", edits=True)[-1].message)


def test_the_holder_who_is_asked_may_answer_without_the_number(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=31)
    for times, said in enumerate(({}, {"all": True}), start=1):
        reply = Reply("sms", PHONES["ana"], Verb.ACKNOWLEDGE, text="1", context=dict(said))
        assert str(number) in replies.act(world.database, world.desk, reply, world.now).sentence
        assert world.kinds(number).count("holder.answered") == times
        assert "no open page" in replies.act(world.database, world.desk, reply, world.now).sentence
        world.fast_forward(minutes=31)


def buttons(message: Message) -> str:
    return json.dumps([block for block in slack_blocks.render(message)["blocks"] if block["type"] == "actions"])


def test_a_note_counts_as_activity(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=20)
    note(world, number)
    world.fast_forward(minutes=29)
    assert paged(world) == [("ana", 0)]
    world.fast_forward(minutes=1)
    assert paged(world)[-1] == ("ana", 50)


def test_an_answer_takes_back_the_reminders_later_steps(sqlite_database: Database) -> None:
    by = "[{after: 0s, by: sms}, {after: 3m, by: voice}]"
    world = World(sqlite_database, config=team(ack_timeout="30m", ana_by=by))
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=31)
    world.acknowledge(number)
    world.fast_forward(minutes=10)
    assert not world.sent("voice")
    assert [page.state for page in world.pages(number) if page.regardless and page.purpose == "page"] == [
        "sent",
        "cancelled",
    ]


def test_a_reminder_that_is_refused_falls_back_to_the_holders_next_way(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.channels["sms"].faults = [refused(), refused()]
    world.fast_forward(minutes=30)
    # The first refusal was that of the phase clock's word to Ana.
    assert [d.to for d in world.sent("voice")] == [PHONES["ana"]]


def test_what_a_program_has_acknowledged_is_taken_back_without_asking_it(world: World) -> None:
    number = world.alert()
    with world.database.transaction() as session:
        by = world.actor("ana")
        program = type(by)("deploy bot", "program", None, "", frozenset({"responder"}), "api")
        actions.acknowledge(session, world.desk, number, program, world.now)
    world.fast_forward(minutes=30)
    assert world.incident(number).status == "open"
    assert paged(world) == [("ana", 0), ("ana", 30)]


def test_a_medium_that_is_forgotten_is_paged_as_high(world: World) -> None:
    number = world.alert("Something is odd in the checkout", dedup_key="odd")
    assert world.incident(number).severity == "MEDIUM"
    world.acknowledge(number)
    world.fast_forward(minutes=35)
    assert paged(world) == [("ana", 30), ("ana", 35)]


def test_a_resolved_incident_has_no_clock(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.resolve(number)
    assert not world.timers(number)
    world.fast_forward(hours=2)
    assert paged(world) == [("ana", 0)]


def test_an_ack_timeout_of_0_asks_nobody(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ack_timeout="0s"))
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(hours=5)
    assert paged(world) == [("ana", 0)]


# The phase clock


def test_a_critical_one_that_is_not_contained_by_15_minutes_raises_level_3_though_acknowledged(world: World) -> None:
    number = world.alert()
    world.reclassify(number, Severity.CRITICAL)
    world.acknowledge(number)
    before = len(world.sent("sms"))
    world.fast_forward(minutes=16)
    assert paged(world, since=before) == [("mia", 15)]
    assert "#all-hands" in [d.to for d in world.sent("slack")]
    assert world.sent("sms")[-1].message.note == "Not marked contained after 15 minutes; Ana Lima has it."
    assert world.incident(number).status == "acknowledged"


def test_a_milestone_in_time_raises_nothing(world: World) -> None:
    number = world.alert()
    world.reclassify(number, Severity.CRITICAL)
    world.acknowledge(number)
    milestone(world, number, "recovered")
    before = len(world.sent("sms"))
    world.fast_forward(minutes=29)
    assert paged(world, since=before) == []


def test_not_recovered_by_60_raises_level_4_once(world: World) -> None:
    number = world.alert(CHAIN, key=STORE_KEY, dedup_key="chain")
    world.acknowledge(number)
    milestone(world, number, "contained")
    before = len(world.sent("sms"))
    for _ in range(5):
        world.fast_forward(minutes=20)
        note(world, number)
    assert sorted(paged(world, since=before)) == [("ana", 60), ("mia", 60)]


def test_while_nobody_holds_it_the_phase_clock_is_quiet(world: World) -> None:
    number = world.alert(CHAIN, key=STORE_KEY, dedup_key="chain")
    world.fast_forward(minutes=61)
    assert "phase.late" not in world.kinds(number)
    assert "level.raised" not in world.kinds(number)


def test_of_a_high_one_the_holder_is_told_by_what_does_not_wake(world: World) -> None:
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=15)
    told = world.sent("slack", to="U0ANA")
    assert [d.message.purpose for d in told] == [Purpose.NOTIFICATION]
    assert told[0].message.note.startswith(f"Incident {number} is not marked contained after 15 minutes")
    assert paged(world) == [("ana", 0)]


def test_who_takes_it_late_has_five_minutes_to_mark_the_milestone(world: World) -> None:
    number = world.alert()
    world.fast_forward(minutes=17)
    world.acknowledge(number, by="mia")
    world.fast_forward(minutes=4)
    assert "phase.late" not in world.kinds(number)
    world.fast_forward(minutes=1)
    assert world.kinds(number).count("phase.late") == 1


def test_a_raised_level_whose_pages_are_refused_goes_on_to_the_next(world: World) -> None:
    number = world.alert()
    world.reclassify(number, Severity.CRITICAL)
    world.acknowledge(number)
    for channel in ("sms", "voice", "email"):
        world.channels[channel].faults = [refused()]
    world.fast_forward(minutes=16)
    assert {key for key, _ in paged(world)[-2:]} == {"mia", "ana"}, "level 4 after level 3 failed"


def test_who_acknowledges_while_the_timeout_strikes_has_it_whichever_was_first(database: Database) -> None:
    world = World(database, config=team(ack_timeout="30m"))
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=34, seconds=59)
    world.now += timedelta(seconds=1)
    together = Barrier(2)

    def strike() -> None:
        together.wait()
        world.engine.tick(world.now)

    def answer() -> None:
        together.wait()
        world.acknowledge(number, run=False)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(strike), pool.submit(answer)]:
            done.result()
    world.run()
    assert world.incident(number).status == "acknowledged"
    assert not [timer for timer in world.timers(number) if timer.kind == "advance"]
    assert not [page for page in world.pages(number) if page.state == "queued"]


def test_an_acknowledgement_that_meets_the_ack_timeout_in_time_keeps_it(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ack_timeout="30m"))
    number = world.alert()
    world.acknowledge(number)
    world.fast_forward(minutes=34, seconds=59)
    world.acknowledge(number, run=False)  # a second before it would be taken back
    world.fast_forward(minutes=5)
    assert world.incident(number).status == "acknowledged"
    assert world.incident(number).acknowledged_by == "Ana Lima"
