"""Events told to a team's own program: signed, in order, for a day, and never in a page's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from config.database import Database
from config.errors import ConflictError
from escalation.channels import webhook
from incidents import configuration, events, export
from incidents.event_errand import BACKOFF_SECONDS, again_at
from incidents.event_models import DeliveryState, EventDelivery, EventReceiver
from tests.calling import Edge
from tests.fakes.providers import Delivery, FakeProviders
from tests.world import MONDAY, World, team

SECRET = "a secret between us two"


@pytest.fixture
def providers() -> Iterator[FakeProviders]:
    with FakeProviders() as running:
        yield running


def _config(url: str, on: str = "") -> str:
    chosen = f", on: [{on}]" if on else ""
    return team() + f'events: [{{url: "{url}", secret: "{SECRET}"{chosen}}}]\n'


def _world(database: Database, providers: FakeProviders, on: str = "") -> World:
    return World(database, config=_config(providers.webhook_url, on))


@pytest.fixture
def world(sqlite_database: Database, providers: FakeProviders) -> World:
    return _world(sqlite_database, providers)


def _told(providers: FakeProviders) -> list[str]:
    return [delivery.json["event"] for delivery in providers.deliveries]


def _rows(world: World) -> list[EventDelivery]:
    with world.database.reading() as session:
        return list(session.scalars(select(EventDelivery).order_by(EventDelivery.id)))


def test_what_happens_to_an_incident_is_told_in_order(database: Database, providers: FakeProviders) -> None:
    world = _world(database, providers)
    number = world.alert()
    world.fast_forward(minutes=6)
    world.acknowledge(number)
    world.resolve(number)
    assert _told(providers) == ["opened", "escalated", "acknowledged", "resolved"]
    acknowledged = providers.deliveries[2].json
    assert acknowledged["incident"]["number"] == number
    assert acknowledged["incident"]["status"] == "acknowledged"
    assert acknowledged["incident"]["acknowledged_by"] == "Ana Lima"
    assert acknowledged["incident"]["url"] == f"https://tocsin.example.org/incidents/{number}"
    assert {row.state for row in _rows(world)} == {"delivered"}


def test_an_event_is_signed_and_has_an_id_of_its_own(world: World, providers: FakeProviders) -> None:
    world.acknowledge(world.alert())
    opened, acknowledged = providers.deliveries
    assert is_signed(opened)
    assert opened.headers["tocsin-event-id"] == opened.json["id"]
    assert opened.json["id"] != acknowledged.json["id"]


def is_signed(delivery: Delivery) -> bool:
    given = delivery.headers["tocsin-signature"]
    at_seconds = int(given.partition(",")[0].removeprefix("t="))
    return given == webhook.signature(delivery.body, at_seconds, SECRET)


def test_only_what_was_asked_for_is_told(sqlite_database: Database, providers: FakeProviders) -> None:
    world = _world(sqlite_database, providers, on="resolved")
    number = world.alert()
    world.acknowledge(number)
    world.resolve(number)
    assert _told(providers) == ["resolved"]


def test_a_receiver_that_is_down_gets_everything_in_order_later(world: World, providers: FakeProviders) -> None:
    providers.fail("webhook", times=2, status=503)
    number = world.alert()
    world.acknowledge(number)
    assert _told(providers) == []
    assert [sent.to for sent in world.sent("sms")]
    world.fast_forward(minutes=2)
    assert _told(providers) == ["opened", "acknowledged"]
    assert [row.tries for row in _rows(world)] == [3, 1]


def test_what_is_behind_goes_on_when_the_one_before_is_given_up(world: World, providers: FakeProviders) -> None:
    providers.fail("webhook", times=1, status=410)
    world.acknowledge(world.alert())
    world.run()
    assert [row.state for row in _rows(world)] == ["failed", "delivered"]


def test_it_is_tried_for_a_day_and_no_longer() -> None:
    at, tries = MONDAY, 0
    while (later := again_at(tries := tries + 1, MONDAY, at, None)) is not None:
        at = later
    assert timedelta(hours=23) <= at - MONDAY <= timedelta(hours=24)
    assert tries > len(BACKOFF_SECONDS)
    assert again_at(1, MONDAY, MONDAY, 600.0) == MONDAY + timedelta(seconds=600)


def test_a_replay_tells_it_again_with_the_same_id(world: World, providers: FakeProviders) -> None:
    world.alert()
    [row] = _rows(world)
    with world.database.transaction() as session:
        events.replay(session, row.id, world.now)
    world.run()
    first, second = providers.deliveries
    assert first.json == second.json
    assert (_rows(world)[0].state, _rows(world)[0].replayed) == (DeliveryState.DELIVERED, True)


def test_the_api_lists_deliveries_and_replays_for_managers_only(world: World, providers: FakeProviders) -> None:
    providers.fail("webhook", status=410)
    number = world.alert()
    edge = Edge(world)
    assert edge.call("GET", "/events", by="ana").status_code == 403
    [shown] = edge.get(f"/events?state=failed&incident={number}", by="mia")["items"]
    assert (shown["event"], shown["tries"], shown["receiver"]) == ("opened", 1, "http://127.0.0.1/…")
    assert shown["result"].startswith("it answered 410")
    assert edge.call("POST", f"/events/{shown['id']}/replay", by="ana").status_code == 403
    assert edge.wakes == 0
    assert edge.post(f"/events/{shown['id']}/replay", by="mia")["state"] == "queued"
    assert edge.wakes == 1, "the engine hears of it now, not at its next tick"
    world.run()
    [again] = edge.get("/events", by="mia")["items"]
    assert (again["state"], again["replayed"], again["event_id"]) == ("delivered", True, shown["event_id"])
    assert edge.call("POST", "/events/999/replay", by="mia").status_code == 404


def test_a_receiver_that_is_declared_no_longer_is_told_nothing(world: World, providers: FakeProviders) -> None:
    providers.fail("webhook", times=1, status=503)
    world.alert()
    world.apply(team())
    world.fast_forward(minutes=1)
    [row] = _rows(world)
    assert (row.state, _told(providers)) == ("cancelled", [])
    with pytest.raises(ConflictError), world.database.transaction() as session:
        events.replay(session, row.id, world.now)
    world.apply(_config(providers.webhook_url))
    with world.database.transaction() as session:
        events.replay(session, row.id, world.now)
    world.run()
    assert _told(providers) == ["opened"]


def test_the_secret_is_sealed_and_an_export_reads_it_from_the_environment(world: World) -> None:
    with world.database.reading() as session:
        [receiver] = session.scalars(select(EventReceiver))
        text = export.to_text(session)
    assert SECRET not in receiver.secret
    assert "${EVENTS_SECRET_1}" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ('{url: "ftp://x", secret: "0123456789abcdef"}', "http or https"),
        ('{url: "https://example.org", secret: "short"}', "at least 16"),
        ('{url: "https://example.org", secret: "0123456789abcdef", on: [opend]}', 'no event "opend"'),
        ('{url: "https://example.org"}', "secret"),
    ],
)
def test_a_slip_is_told(written: str, problem: str) -> None:
    with pytest.raises(Exception, match=problem):
        configuration.read_text(
            team() + f"events: [{written}]\n", env={}, file_name="x", sources=["pagerduty"], runbook_ids=[]
        )
