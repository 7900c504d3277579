"""Many incidents at once: what one person gets, what goes first, and what nothing may hold up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.database import Database
from escalation.channels import text
from escalation.channels.base import Message, Purpose, Reply, Verb
from escalation.models import PageState
from incidents import replies
from incidents.severity import Severity
from tests.world import MONDAY, PHONES, STORE_KEY, World, refused, team, unwell

ANA = PHONES["ana"]
CONSTITUTIONAL = "Hash chain broken at sequence 48211"


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def storm(world: World, incidents: int, *, run: bool = True, hint: Severity = Severity.HIGH) -> list[int]:
    """So many incidents of one service, each a thing of its own, at this moment."""
    begun = world.now.isoformat()
    return [
        world.alert(f"Region {n} does not answer", dedup_key=f"{begun}/{n}", hint=hint, run=run)
        for n in range(incidents)
    ]


def told(world: World, to: str = ANA) -> list[list[int]]:
    """The incidents of each message to this telephone."""
    return [numbers(d.message) for d in world.sent("sms", to=to)]


def numbers(message: Message) -> list[int]:
    return [message.brief.incident_id, *(other.incident_id for other in message.others)]


def says(world: World, words: str, *, by: str = ANA, **context: object) -> str:
    reply = Reply("sms", by, Verb.ACKNOWLEDGE, None, words, {"all": True, **context})
    return replies.act(world.database, world.desk, reply, world.now).sentence


# One person


def test_two_pages_go_one_by_one_and_what_follows_is_told_together_20_s_after_the_last(world: World) -> None:
    one, two, *rest = storm(world, 12)
    assert told(world) == [[one], [two]]
    world.fast_forward(seconds=19)
    assert len(told(world)) == 2
    world.fast_forward(seconds=1)
    assert told(world) == [[one], [two], rest]


def test_what_falls_due_together_is_told_in_one_message(world: World) -> None:
    twelve = storm(world, 12, run=False)
    world.run()
    assert told(world) == [twelve]
    assert text.sms(world.sent("sms")[0].message).endswith("Reply ACK ALL or ACK 1")
    states = [page.state for number in twelve for page in world.pages(number)]
    assert states == [PageState.SENT] + [PageState.BUNDLED] * 11
    carrier = world.pages(twelve[0])[0].id
    assert {page.carrier_id for number in twelve[1:] for page in world.pages(number)} == {carrier}
    assert all("page.sent" in world.kinds(number) for number in twelve)


def test_no_page_waits_longer_than_one_window_however_many_come(world: World) -> None:
    for _ in range(30):
        storm(world, 1)
        world.fast_forward(seconds=5)
    world.fast_forward(seconds=20)
    pages = [page for number in range(1, 31) for page in world.pages(number)[:1]]
    assert all(page.sent_at and page.sent_at - page.due_at <= timedelta(seconds=20) for page in pages)
    assert len(world.sent("sms", to=ANA)) <= 12


def test_what_is_worse_than_everything_told_goes_at_once_and_alone(world: World) -> None:
    storm(world, 8)
    worse = world.alert(CONSTITUTIONAL, key=STORE_KEY)
    assert told(world)[-1] == [worse]
    world.fast_forward(seconds=20)
    assert told(world)[-1] == [3, 4, 5, 6, 7, 8]


def test_pages_held_together_outlive_the_engine(world: World) -> None:
    storm(world, 6)
    world.engine = world.new_engine("the next one")
    world.fast_forward(seconds=20)
    assert told(world) == [[1], [2], [3, 4, 5, 6]]


def test_what_was_acknowledged_while_it_waited_is_not_told(world: World) -> None:
    storm(world, 6)
    world.acknowledge(4)
    world.fast_forward(seconds=20)
    assert told(world)[-1] == [3, 5, 6]
    assert [page.state for page in world.pages(4)] == [PageState.CANCELLED]


def test_a_refused_bundle_falls_back_and_is_a_bundle_on_the_next_way_too(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 3m, by: voice}]"))
    four = storm(world, 4, run=False)
    world.channels["sms"].faults = [refused()]
    world.run()
    assert told(world) == []
    assert [numbers(d.message) for d in world.sent("voice")] == [four]


def test_a_bundle_that_a_provider_does_not_take_this_time_is_tried_again_whole(world: World) -> None:
    four = storm(world, 4, run=False)
    world.channels["sms"].faults = [unwell()]
    world.run()
    world.fast_forward(seconds=2)
    assert told(world) == [four]
    outcomes = [[attempt.outcome for attempt in world.attempts(number)] for number in four]
    assert outcomes == [["failed", "sent"]] * 4


def test_two_rules_of_one_way_that_fell_due_while_the_engine_was_down_make_one_message(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 1m, by: sms}]"))
    number = world.alert(run=False)
    world.now += timedelta(minutes=3)
    world.run()
    assert told(world) == [[number]]
    assert not world.sent("sms")[0].message.others
    assert [page.state for page in world.pages(number)] == [PageState.SENT, PageState.BUNDLED]


# The answer to a bundle


def test_ack_all_takes_what_was_told_and_leaves_what_was_not(world: World) -> None:
    told_of = storm(world, 4, run=False)
    world.run()
    world.now += timedelta(seconds=1)
    storm(world, 1, run=False)
    answered = says(world, "ack all")
    assert answered == "Acknowledged 4, they are yours: 1, 2, 3, 4. Paging for them has stopped."
    assert [world.incident(number).status for number in (*told_of, 5)] == ["acknowledged"] * 4 + ["open"]
    assert says(world, "ack all") == "You have no open page. Nothing was done. Reply LIST to see what is open."


def test_the_key_of_a_bundle_takes_that_bundle_alone(world: World) -> None:
    storm(world, 3, run=False)
    world.run()
    world.now += timedelta(minutes=1)
    storm(world, 3, run=False)
    world.run()
    carrier = world.sent("sms", to=ANA)[0].message.page_id
    assert says(world, "1", page_id=carrier).startswith("Acknowledged 3, they are yours: 1, 2, 3.")
    assert [world.incident(number).status for number in (4, 5, 6)] == ["open"] * 3


def test_one_of_a_bundle_can_be_taken_by_its_number_and_ack_alone_takes_the_worst(world: World) -> None:
    storm(world, 3, run=False)
    world.run()
    for number in (3, None):
        replies.act(world.database, world.desk, Reply("sms", ANA, Verb.ACKNOWLEDGE, number), world.now)
    assert [world.incident(number).status for number in (1, 2, 3)] == ["acknowledged", "open", "acknowledged"]


# What nothing may hold up


def test_neither_another_persons_storm_nor_another_channel_holds_up_a_page(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: sms}, {after: 0s, by: voice}]"))
    storm(world, 6)
    assert len(world.sent("voice")) == 2
    world.escalate_now(6)
    assert [d.at for d in world.sent("sms", to=PHONES["bo"])] == [MONDAY]


def test_notifications_never_hold_up_a_page(sqlite_database: Database) -> None:
    """GoAlert: one status message blocks the first page of a new service for three minutes."""
    world = World(sqlite_database, config=team(ana_by="[{after: 0s, by: slack}]"))
    storm(world, 5, hint=Severity.MEDIUM)
    notified = [d for d in world.sent("slack", to="U0ANA") if d.message.purpose is Purpose.NOTIFICATION]
    assert len(notified) == 2, "and the others are held"
    number = storm(world, 1)[0]
    assert numbers(world.sent("slack", to="U0ANA")[-1].message) == [number]
