"""Who is on call, and what is shown of people, schedules and policies: from the database and over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from config.database import Database
from escalation import directory
from escalation.directory import Gap, OnCall, Watch
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.queries import Person
from tests.calling import Edge, counted
from tests.world import MONDAY, World

ANA, BO = Person("ana", "Ana Lima"), Person("bo", "Bo Chen")
WEEKLY = """
responders:
  ana: {name: Ana Lima, email: ana@example.org, roles: [responder], phone: "+15005550101"}
  bo: {name: Bo Chen, email: bo@example.org, roles: [responder], phone: "+15005550102"}
  zoe: {name: Zoe Adler, email: zoe@example.org, roles: [admin]}
schedules:
  primary: {timezone: Europe/Lisbon, rotations: [{members: [ana, bo], starts: "2026-11-16T09:00", turn: 1w}]}
  later: {timezone: UTC, rotations: [{members: [bo], starts: "2026-11-20T00:00", turn: 1d}]}
policies:
  standard:
    levels:
      - {level: 1, after: 0s, page: ["schedule:primary"], announce: ["slack:#incidents"]}
      - {level: 2, after: 5m, page: ["schedule:later"], announce: ["webhook:https://hooks.example.org/T0/secret"]}
services: {checkout: {policy: standard}}
last_resort: ["responder:ana"]
"""


@pytest.fixture
def world(database: Database) -> World:
    return World(database, config=WEEKLY)


def watch(world: World, key: str, at: datetime = MONDAY) -> Watch:
    with world.database.reading() as session:
        found = directory.watches(session, at, after="", limit=10)
    return next(each for each in found if each.key == key)


def override(world: World, *, responder: str | None, replaces: str | None, starts_at: datetime, hours: float) -> None:
    with world.database.transaction() as session:
        ids = {row.key: row.id for row in session.execute(select(Responder.key, Responder.id))}
        schedule_id = session.scalars(select(ScheduleRow.id).where(ScheduleRow.key == "primary")).one()
        session.add(
            OverrideRow(
                schedule_id=schedule_id,
                responder_id=ids[responder] if responder else None,
                replaces_id=ids[replaces] if replaces else None,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=hours),
                created_by="Zoe Adler",
                created_at=MONDAY,
            )
        )


def test_who_is_on_call_is_named_with_the_end_of_their_shift(world: World) -> None:
    next_monday = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # Lisbon is at UTC in November
    shown = watch(world, "primary")
    assert shown.on_call == (OnCall(ANA, next_monday),)
    assert shown.next_change_at == next_monday
    assert shown.gaps == ()
    assert watch(world, "primary", next_monday).on_call[0].person == BO


def test_a_schedule_that_has_not_begun_has_nobody_and_a_gap_until_it_does(world: World) -> None:
    begins_at = datetime(2026, 11, 20, tzinfo=UTC)
    shown = watch(world, "later")
    assert (shown.on_call, shown.next_change_at) == ((), begins_at)
    assert shown.gaps == (Gap(MONDAY, begins_at),)


def test_somebody_who_is_always_on_call_has_no_end_in_sight(world: World) -> None:
    assert watch(world, "later", datetime(2026, 11, 21, tzinfo=UTC)).on_call == (OnCall(BO, None),)


def test_an_override_shows_who_stands_in_and_until_when(world: World) -> None:
    override(world, responder="bo", replaces="ana", starts_at=MONDAY, hours=4)
    assert watch(world, "primary").on_call == (OnCall(BO, MONDAY + timedelta(hours=4)),)
    override(world, responder=None, replaces="ana", starts_at=MONDAY + timedelta(hours=8), hours=2)
    gap = Gap(MONDAY + timedelta(hours=8), MONDAY + timedelta(hours=10))
    assert watch(world, "primary").gaps == (gap,)
    assert watch(world, "primary", gap.starts_at).on_call == ()


def test_the_turns_of_somebody_who_has_left_are_a_gap(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(update(Responder).where(Responder.key == "ana").values(active=False))
    shown = watch(world, "primary")
    bo_begins_at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert shown.on_call == ()
    assert shown.next_change_at == bo_begins_at
    bo_ends_at = bo_begins_at + timedelta(weeks=1)
    assert shown.gaps[:2] == (Gap(MONDAY, bo_begins_at), Gap(bo_ends_at, bo_ends_at + timedelta(weeks=1)))


def test_the_end_of_a_shift_is_found_beside_hourly_turns_of_others(database: Database) -> None:
    hourly = '{members: [bo, zoe], starts: "2026-11-16T00:00", turn: 1h}'
    daily = '{members: [ana, zoe], starts: "2026-11-16T06:00", turn: 1d}'
    once = 'rotations: [{members: [bo], starts: "2026-11-20T00:00", turn: 1d}]'
    assert once in WEEKLY
    world = World(database, config=WEEKLY.replace(once, f"rotations: [{hourly}, {daily}]"))
    shown = {each.person.key: each.until for each in watch(world, "later").on_call}
    assert shown == {"bo": MONDAY + timedelta(hours=1), "ana": MONDAY + timedelta(hours=20)}


def test_watches_cost_five_statements_however_many_schedules_there_are(world: World) -> None:
    with counted(world.database) as statements:
        watch(world, "primary")
    assert len(statements) == 5


# Over HTTP


@pytest.fixture
def edge(world: World) -> Edge:
    return Edge(world)


def by_key(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in page["items"]}


def test_oncall_is_asked_for_any_moment_with_an_offset(edge: Edge) -> None:
    assert edge.get("/oncall")["at"] == "2026-11-16T10:00:00.000000Z"
    later = edge.get("/oncall?at=2026-11-23T10:00:00%2B01:00")
    assert later["at"] == "2026-11-23T09:00:00.000000Z"
    assert by_key(later)["primary"] == {
        "key": "primary",
        "timezone": "Europe/Lisbon",
        "on_call": [{"key": "bo", "name": "Bo Chen", "until": "2026-11-30T09:00:00.000000Z"}],
        "next_change_at": "2026-11-30T09:00:00.000000Z",
        "gaps": [],
        "shadows": [],
    }


@pytest.mark.parametrize("at", ["2026-11-23T10:00:00", "tomorrow", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", ""])
def test_a_moment_that_cannot_be_used_is_refused_by_name(edge: Edge, at: str) -> None:
    answer = edge.call("GET", f"/oncall?at={at}")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["at"])


def test_an_offset_whose_plus_was_not_encoded_is_understood(edge: Edge) -> None:
    assert edge.get("/oncall?at=2026-11-23T10:00:00+01:00")["at"] == "2026-11-23T09:00:00.000000Z"


def test_a_schedule_shows_restrictions_shadows_and_of_a_calendar_only_the_host(database: Database) -> None:
    weekly = '{members: [ana, bo], starts: "2026-11-16T09:00", turn: 1w}'
    shadow = '{members: [zoe], starts: "2026-11-16T00:00", turn: 1mo, shadow: true, only: [{days: [mon], from: "08:00", to: "18:00"}]}'
    calendar = '{calendar: "https://calendar.example.org/secret.ics", layer: 2}'
    assert weekly in WEEKLY
    edge = Edge(World(database, config=WEEKLY.replace(weekly, f"{weekly}, {shadow}, {calendar}")))
    rotations = by_key(edge.get("/schedules"))["primary"]["rotations"]
    assert rotations[1]["only"] == [{"days": ["mon"], "from": "08:00", "to": "18:00"}]
    assert (rotations[1]["turn"], rotations[1]["shadow"]) == ("1mo", True)
    assert (rotations[2]["calendar"], rotations[2]["starts"], rotations[2]["layer"]) == (
        "calendar.example.org",
        None,
        2,
    )
    assert by_key(edge.get("/oncall"))["primary"]["shadows"] == [{"key": "zoe", "name": "Zoe Adler"}]


def contacts(edge: Edge, key: str, *, by: str) -> dict[str, str]:
    found = by_key(edge.get("/responders", by=by))[key]["contacts"]
    return {contact["channel"]: contact["address"] for contact in found}


def test_addresses_are_whole_for_their_owner_and_administrators_only(edge: Edge) -> None:
    whole = {"sms": "+15005550101", "voice": "+15005550101", "email": "ana@example.org"}
    assert contacts(edge, "ana", by="ana") == whole
    assert contacts(edge, "ana", by="zoe") == whole
    hidden = {"sms": "+15…01", "voice": "+15…01", "email": "a…@example.org"}
    assert contacts(edge, "ana", by="bo") == hidden
    assert contacts(edge, "ana", by="program:observer") == hidden


def test_where_a_level_announces_by_url_only_administrators_see_the_secret(edge: Edge) -> None:
    def announced(by: str) -> list[list[str]]:
        return [level["announce"] for level in edge.get("/policies", by=by)["items"][0]["levels"]]

    assert announced("ana") == [["slack:#incidents"], ["webhook:https://hooks.example.org/…"]]
    assert announced("zoe")[1] == ["webhook:https://hooks.example.org/T0/secret"]


def test_schedules_are_shown_as_declared_with_the_overrides_that_have_not_ended(edge: Edge) -> None:
    override(edge.world, responder="bo", replaces="ana", starts_at=MONDAY - timedelta(hours=5), hours=4)
    override(edge.world, responder="bo", replaces=None, starts_at=MONDAY + timedelta(hours=5), hours=4)
    primary = by_key(edge.get("/schedules"))["primary"]
    assert primary["rotations"] == [
        {
            "members": ["ana", "bo"],
            "starts": "2026-11-16T09:00:00",
            "turn": "1w",
            "layer": 1,
            "only": [],
            "at_once": 1,
            "shadow": False,
            "calendar": None,
        }
    ]
    assert primary["overrides"] == [
        {
            "starts_at": "2026-11-16T15:00:00.000000Z",
            "ends_at": "2026-11-16T19:00:00.000000Z",
            "responder": "bo",
            "replaces": None,
        }
    ]
