"""Hand-overs are told once, Slack's usergroup follows, and gaps are said before they open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from config.database import Database
from escalation.channels.base import ChannelError
from escalation.models import Timer, TimerKind
from escalation.oncall import changes, coverage, upkeep
from escalation.oncall.models import Duty, KnownGap
from tests import contacting
from tests.flows.test_oncall_changes import CONFIG, at, told
from tests.world import World

ADMIN = CONFIG.replace("roles: [manager]", "roles: [manager, admin]")
WITH_GROUP = ADMIN.replace("primary: {timezone", "primary: {slack_usergroup: S0123ABC, timezone")
WITH_GAP = ADMIN.replace(
    'starts: "2026-11-16T09:00", turn: 1w}]',
    'starts: "2026-12-07T09:00", turn: 1w}, {members: [cy], starts: "2027-02-01T09:00", turn: 1w}]',
)


@pytest.fixture
def world(sqlite_database: Database) -> World:
    made = World(sqlite_database, config=ADMIN)
    made.run()
    return made


def override(
    world: World, since: float, until: float, responder: str | None, replaces: str | None, by: str = "mia"
) -> int:
    with world.database.transaction() as session:
        wanted = changes.Wanted("primary", at(since), at(until), responder, replaces)
        made = changes.add_override(session, wanted, world.actor(by), world.now).id
    world.run()
    return made


def test_both_are_told_when_a_turn_ends_and_only_then(world: World) -> None:
    world.fast_forward(hours=24 * 7 - 2)
    assert told(world, "U0ANA") == told(world, "U0BO") == []
    world.fast_forward(hours=2)
    assert told(world, "U0ANA") == ["You are no longer on call for primary. Bo Chen has it now."]
    assert told(world, "U0BO") == [
        "You are on call for primary now, until Mon 30 Nov 18:00 Tokyo time. You take over from Ana Lima."
    ]
    world.fast_forward(hours=24)
    assert told(world, "U0ANA") == told(world, "U0BO") == []


def test_who_comes_is_told_of_incidents_that_wait(world: World) -> None:
    world.apply(
        ADMIN.replace(
            "policy: standard}", 'policy: standard, integrations: [{source: pagerduty, key: "%s"}]}' % ("c0" * 16)
        )
    )
    world.alert()
    override(world, 0, 4, "cy", "ana", by="cy")
    assert any("1 incident waits for somebody to acknowledge it." in note for note in told(world, "U0CY"))


def test_changes_that_were_missed_are_told_as_one(world: World) -> None:
    world.now = at(24 * 14 + 1)  # ana's turn, bo's turn, ana's turn again: as far as anybody can tell, nothing happened
    world.run()
    assert told(world, "U0ANA") == told(world, "U0BO") == []
    world.now = at(24 * 35 + 1)
    world.run()
    assert len(told(world, "U0ANA")) == len(told(world, "U0BO")) == 1


def test_a_hand_over_is_told_once_whatever_crashes_and_however_many_engines_there_are(world: World) -> None:
    world.now = at(24 * 7)
    with world.database.transaction() as session:  # an engine claimed it and died
        dead = {"claim": "gone", "claimed_by": "dead", "visible_at": world.now + timedelta(seconds=30)}
        session.execute(update(Timer).where(Timer.kind == TimerKind.DUTY).values(dead))
    world.run()
    assert told(world, "U0BO") == []
    world.fast_forward(minutes=1)
    for name in ("engine-2", "engine-3"):
        while world.new_engine(name).tick(world.now):
            pass
    assert len(told(world, "U0BO")) == 1


def test_an_override_hands_over_at_once_and_back(world: World) -> None:
    override(world, 0, 2, "bo", "ana", by="bo")
    assert [note[:34] for note in told(world, "U0BO")] == ["You are on call for primary now, u"]
    world.fast_forward(hours=2)
    assert told(world, "U0BO") == ["You are no longer on call for primary. Ana Lima has it now."]


def test_whoever_goes_learns_that_nobody_came(world: World) -> None:
    override(world, 1, 2, None, "ana")
    told(world, "U0ANA")
    world.fast_forward(hours=1)
    assert any("Nobody has taken over" in note for note in told(world, "U0ANA"))


def test_an_engine_that_starts_sets_what_has_no_timer(world: World) -> None:
    with world.database.transaction() as session:
        session.execute(delete(Timer))
        session.execute(delete(Duty))
        upkeep.begin(session, world.now)
        upkeep.begin(session, world.now + timedelta(hours=1))
    with world.database.reading() as session:
        due = dict(session.execute(select(Timer.kind, Timer.due_at)).all())
    assert due == {"duty": world.now, "coverage": world.now + timedelta(minutes=10)}
    world.run()
    assert world.deliveries == []


# Slack's usergroup


def test_slacks_usergroup_follows_the_schedule_and_is_never_emptied(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=WITH_GROUP)
    world.run()
    groups = world.channels["slack"].usergroups
    assert groups == {"S0123ABC": ["U0ANA"]}
    override(world, 0, 1, "bo", None)
    assert groups == {"S0123ABC": ["U0ANA", "U0BO"]}
    override(world, 2, 3, None, "ana")
    world.fast_forward(hours=2.5)
    assert groups == {"S0123ABC": ["U0ANA"]}
    world.fast_forward(hours=24 * 7)
    assert groups == {"S0123ABC": ["U0BO"]}


def test_an_address_that_nobody_has_confirmed_does_not_come_into_the_usergroup(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=WITH_GROUP)
    world.run()
    contacting.add(world, "slack", "U0STRANGER", by="ana")
    with world.database.transaction() as session:
        upkeep.look_again(session, world.now)
    world.run()
    assert world.channels["slack"].usergroups == {"S0123ABC": ["U0ANA"]}


def test_a_usergroup_that_slack_refuses_is_tried_again_and_administrators_are_told_once_a_day(
    sqlite_database: Database,
) -> None:
    world = World(sqlite_database, config=WITH_GROUP)
    slack = world.channels["slack"]
    slack.usergroup_fault = ChannelError("Slack answered 503.", permanent=False)
    world.run()
    world.fast_forward(minutes=30)
    notes = [note for note in told(world, "U0MIA") if "S0123ABC does not follow the schedule primary" in note]
    assert len(notes) == 1
    slack.usergroup_fault = None
    world.fast_forward(minutes=5)
    assert slack.usergroups == {"S0123ABC": ["U0ANA"]}


# Gaps


def test_a_gap_is_said_when_it_is_found_a_week_before_and_a_day_before(sqlite_database: Database) -> None:
    world = World(sqlite_database, config=WITH_GAP)
    world.run()
    world.fast_forward(minutes=10)
    [note] = told(world, "U0MIA")
    assert note == ("Nobody is on call: primary now, until Mon 7 Dec 09:00. Times are UTC. An override fills a gap.")
    world.fast_forward(hours=24)
    assert told(world, "U0MIA") == []


def test_a_gap_of_an_override_is_said_at_each_stage_and_forgotten_when_it_is_filled(world: World) -> None:
    override(world, 24 * 10, 24 * 10 + 2, None, "bo")
    world.fast_forward(minutes=11)
    assert ["Thu 26 Nov 19:00 to 21:00" in note for note in told(world, "U0BO") if "Nobody is on call" in note] == [
        True
    ]
    assert len(told(world, "U0MIA")) == 1
    world.fast_forward(hours=24 * 3)
    assert len(told(world, "U0MIA")) == 1
    world.fast_forward(hours=24 * 5)
    assert told(world, "U0MIA") == []
    override(world, 24 * 10, 24 * 10 + 2, "cy", None)
    world.fast_forward(hours=24 * 3)
    assert told(world, "U0MIA") == []
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(KnownGap)) == 0


def test_a_gap_of_every_week_is_said_once(world: World) -> None:
    for week in range(4):
        override(world, 24 * 7 * week + 30, 24 * 7 * week + 32, None, "ana" if week % 2 == 0 else "bo")
    world.fast_forward(minutes=11)
    assert [note for note in told(world, "U0MIA") if "and so each week" in note] != []
    world.fast_forward(hours=24 * 20)
    assert told(world, "U0MIA") == []


def test_schedules_that_nobody_relies_on_have_no_gaps(world: World) -> None:
    world.apply(
        ADMIN.replace(
            "policies:",
            '  spare: {timezone: UTC, rotations: [{members: [cy], starts: "2030-01-01T00:00", turn: 1w}]}\npolicies:',
        )
    )
    with world.database.reading() as session:
        assert coverage.ahead(session, world.now) == []
        assert len(coverage.ahead(session, world.now, keys=["spare"])) == 1
