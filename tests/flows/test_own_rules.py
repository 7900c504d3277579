"""How a person wants to be paged, said by the person: only where the file is silent, and read as the file is read."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from config.audit_models import AuditEntry
from config.database import Database
from config.errors import ConflictError, InvalidInputError, NotAllowedError
from escalation import contacts, own_rules
from escalation.models import Origin
from escalation.own_rules import OwnRules
from incidents.desk import Actor
from tests.contacting import confirmed, do, paged_at
from tests.world import PHONES, World, team

ANAS = "\n        page_by: {high: [{after: 0s, by: sms}], low: [{after: 0s, by: slack}]}}"
LEFT_OPEN = team().replace(f",{ANAS}", "}", 1)
USUAL = [
    {"after": "0s", "by": "slack"},
    {"after": "1m", "by": "sms"},
    {"after": "3m", "by": "voice"},
    {"after": "5m", "by": "email"},
]


@pytest.fixture
def world(sqlite_database: Database) -> World:
    assert team() != LEFT_OPEN
    return World(sqlite_database, config=LEFT_OPEN)


def rules(world: World, by: str = "ana") -> OwnRules:
    with world.database.reading() as session:
        return own_rules.of(session, world.actor(by))


def change(world: World, wanted: dict[str, Any], by: str = "ana") -> OwnRules:
    return do(world, own_rules.change, wanted, by=by)


def problems(world: World, wanted: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as refused:
        change(world, wanted)
    return refused.value.fields


def test_who_has_said_nothing_goes_by_the_ways_there_are(world: World) -> None:
    assert rules(world).high == USUAL
    assert (rules(world).rules_origin, rules(world).quiet_origin) == (Origin.DEFAULT, Origin.DEFAULT)
    assert rules(world).ways == ("slack", "sms", "voice", "email")


def test_pages_go_as_the_person_says(world: World) -> None:
    change(world, {"high": [{"after": "0s", "by": "voice"}]})
    assert paged_at(world) == [PHONES["ana"]]
    assert [page.channel for page in world.sent(to=PHONES["ana"])] == ["voice"]
    assert rules(world).rules_origin is Origin.OWN
    assert rules(world).low == [{"after": "0s", "by": "slack"}]


def test_steps_may_be_for_a_part_of_the_day(world: World) -> None:
    night = {"after": "0s", "by": "voice", "from": "22:00", "to": "07:00"}
    assert change(world, {"high": [night, {"after": "2m", "by": "slack"}]}).high == [
        night,
        {"after": "2m", "by": "slack"},
    ]


def test_no_steps_mean_the_usual_ones_again(world: World) -> None:
    change(world, {"high": [{"after": "0s", "by": "voice"}]})
    assert change(world, {"high": []}).high == USUAL
    assert rules(world).rules_origin is Origin.DEFAULT


def test_quiet_hours_come_and_go(world: World) -> None:
    assert change(world, {"quiet": {"from": "22:00", "to": "07:00"}}).quiet == {"from": "22:00", "to": "07:00"}
    assert rules(world).quiet_origin is Origin.OWN
    assert change(world, {"high": []}).quiet == {"from": "22:00", "to": "07:00"}
    assert change(world, {"quiet": None}).quiet == {}


@pytest.mark.parametrize(
    ("wanted", "field", "message"),
    [
        ({"high": [{"after": "0s", "by": "fax"}]}, "high[0].by", "no such value"),
        ({"high": [{"after": "soon", "by": "sms"}]}, "high[0].after", "duration"),
        ({"high": [{"after": "2d", "by": "sms"}]}, "high[0].after", "must be a duration"),
        ({"low": [{"after": "0s", "by": "sms", "from": "22:00"}]}, "low[0].to", "is missing"),
        ({"low": [{"after": "0s", "by": "sms", "from": "25:00", "to": "07:00"}]}, "low[0].from", ""),
        ({"high": [{"after": "0s", "by": "sms"}] * 2}, "high[1].by", "is there twice"),
        ({"quiet": {"from": "22:00", "to": "22:00"}}, "quiet", "would never end"),
        ({"high": [{"after": "${HOME}", "by": "sms"}]}, "high[0].after", ""),
        ({"medium": [{"after": "0s", "by": "sms"}]}, "medium", ""),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(
    world: World, wanted: dict[str, Any], field: str, message: str
) -> None:
    assert message in problems(world, wanted)[field]
    assert rules(world).high == USUAL


def test_a_way_that_is_not_there_is_refused(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=LEFT_OPEN.replace(' slack: U0ANA, phone: "+15005550101"', ""))
    assert (
        "has no phone to be reached by sms" in problems(world, {"high": [{"after": "0s", "by": "sms"}]})["high[0].by"]
    )


def test_the_usual_rules_follow_a_way_that_is_confirmed_and_one_that_is_removed(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=LEFT_OPEN.replace(' slack: U0ANA, phone: "+15005550101"', ""))
    assert rules(world).high == [{"after": "0s", "by": "email"}]
    method_id = confirmed(world)
    with_sms = [{"after": "0s", "by": "sms"}, {"after": "4m", "by": "email"}]
    assert rules(world).high == with_sms
    world.apply(LEFT_OPEN.replace(' slack: U0ANA, phone: "+15005550101"', ""))
    assert rules(world).high == with_sms
    do(world, contacts.remove, method_id)
    assert rules(world).high == [{"after": "0s", "by": "email"}]


def test_what_the_file_declares_is_read_only(world: World) -> None:
    with pytest.raises(ConflictError, match="Your rules are declared"):
        change(world, {"high": [{"after": "0s", "by": "voice"}]}, by="bo")
    assert change(world, {"quiet": {"from": "22:00", "to": "07:00"}}, by="bo").quiet_origin is Origin.OWN
    world.apply(LEFT_OPEN.replace("name: Bo Chen,", 'name: Bo Chen, quiet: {from: "21:00", to: "06:00"},'))
    assert rules(world, "bo").quiet == {"from": "21:00", "to": "06:00"}
    with pytest.raises(ConflictError, match="Your quiet hours are declared"):
        change(world, {"quiet": None}, by="bo")


def test_ones_own_survive_the_file_until_it_declares_them(world: World) -> None:
    mine = [{"after": "0s", "by": "voice"}]
    change(world, {"high": mine, "quiet": {"from": "22:00", "to": "07:00"}})
    world.apply(LEFT_OPEN)
    assert (rules(world).high, rules(world).quiet) == (mine, {"from": "22:00", "to": "07:00"})
    world.apply(team())
    assert (rules(world).high, rules(world).rules_origin) == ([{"after": "0s", "by": "sms"}], Origin.DECLARED)
    assert rules(world).quiet == {"from": "22:00", "to": "07:00"}


def test_a_change_is_audited(world: World) -> None:
    change(world, {"high": [{"after": "0s", "by": "voice"}]})
    change(world, {"high": [{"after": "0s", "by": "voice"}]})
    with world.database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.actor == "Ana Lima")).all()
    assert [(each.what, each.via) for each in entries] == [("responder ana", "web")]
    assert "page_by.high[0].by slack -> voice" in entries[0].text


def test_a_program_has_no_rules(world: World) -> None:
    program = Actor(name="ci", kind="program", roles=frozenset({"admin"}))
    with world.database.reading() as session, pytest.raises(NotAllowedError, match="is a program"):
        own_rules.of(session, program)
