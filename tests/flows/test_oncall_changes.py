"""Overrides, time off and swaps: who is on call then, who is told, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.audit_models import AuditEntry
from config.database import Database
from config.errors import ConflictError, InvalidInputError, NotAllowedError, TocsinError
from escalation.models import OverrideRow
from escalation.oncall import changes, rota, swaps, time_off
from escalation.policies import Target
from incidents.cli_configuration import apply_file
from tests.world import MONDAY, World

CONFIG = """
responders:
  ana: {name: Ana Lima, timezone: Europe/Lisbon, roles: [responder], slack: U0ANA}
  bo: {name: Bo Chen, timezone: Asia/Tokyo, roles: [responder], slack: U0BO}
  cy: {name: Cy Roe, roles: [responder], slack: U0CY}
  mia: {name: Mia Berg, roles: [manager], slack: U0MIA}
  obi: {name: Obi Wan, roles: [observer], slack: U0OBI}
schedules:
  primary: {timezone: Europe/Lisbon, rotations: [{members: [ana, bo], starts: "2026-11-16T09:00", turn: 1w}]}
policies:
  standard: {levels: [{level: 1, after: 0s, page: ["schedule:primary"]}]}
services:
  checkout: {policy: standard}
last_resort: ["responder:mia"]
"""


@pytest.fixture
def world(sqlite_database: Database) -> World:
    made = World(sqlite_database, config=CONFIG)
    made.run()
    return made


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def on_call(world: World, hours: float) -> list[str]:
    with world.database.reading() as session:
        return [person.key for person in rota.people(session, [Target("schedule", "primary")], at(hours))]


def override(
    world: World,
    since: float,
    until: float,
    *,
    by: str = "mia",
    responder: str | None = None,
    replaces: str | None = None,
) -> int:
    wanted = changes.Wanted("primary", at(since), at(until), responder, replaces)
    with world.database.transaction() as session:
        row = changes.add_override(session, wanted, world.actor(by), world.now)
        made = row.id
    world.run()
    return made


def remove(world: World, override_id: int, by: str = "mia") -> None:
    with world.database.transaction() as session:
        changes.remove_override(session, "primary", override_id, world.actor(by), world.now)
    world.run()


def told(world: World, to: str) -> list[str]:
    """What each was told since the last look."""
    found = [each.message.note for each in world.sent("slack", to=to)]
    world.deliveries = [each for each in world.deliveries if each.to != to]
    return found


@contextmanager
def refused(kind: type[TocsinError], match: str, *fields: str) -> Iterator[None]:
    with pytest.raises(kind, match=match) as caught:
        yield
    assert set(caught.value.fields) == set(fields)


# Overrides


def test_an_added_person_is_on_call_beside_the_others_for_as_long_as_the_override_lasts(world: World) -> None:
    override(world, 2, 4, responder="bo")
    assert on_call(world, 1) == ["ana"]
    assert on_call(world, 3) == ["ana", "bo"]
    assert on_call(world, 4) == ["ana"]


def test_a_replacement_holds_only_while_the_replaced_person_is_on_call(world: World) -> None:
    override(world, 24, 24 * 10, responder="cy", replaces="ana")
    assert on_call(world, 25) == ["cy"]
    assert on_call(world, 24 * 8) == ["bo"]


def test_a_manager_takes_somebody_off_and_a_responder_not_where_nobody_would_be_left(world: World) -> None:
    with refused(ConflictError, "Nobody would be on call", "replaces"):
        override(world, 2, 4, by="ana", replaces="ana")
    override(world, 2, 4, by="mia", replaces="ana")
    assert on_call(world, 3) == []


def test_somebody_takes_themselves_off_where_another_is_there(world: World) -> None:
    override(world, 1, 5, responder="bo")
    override(world, 2, 4, by="ana", replaces="ana")
    assert on_call(world, 3) == ["bo"]


def test_two_overrides_of_one_person_do_not_overlap_and_the_one_in_the_way_is_named(world: World) -> None:
    first = override(world, 2, 4, responder="bo", replaces="ana")
    with refused(ConflictError, f"Override {first} is in the way: Bo Chen takes over from Ana Lima", "replaces"):
        override(world, 3, 5, responder="cy", replaces="ana")
    with refused(ConflictError, f"Override {first} is in the way", "responder"):
        override(world, 3, 5, responder="bo")
    override(world, 4, 5, responder="cy", replaces="ana")  # they touch, and do not overlap
    override(world, 2, 4, responder="cy", replaces="bo")  # what was taken over is handed on
    assert on_call(world, 3) == ["cy"]


MAY: list[tuple[str, str | None, str | None, bool]] = [
    ("bo", "bo", None, True),
    ("bo", "bo", "ana", True),
    ("bo", "cy", None, False),
    ("bo", "cy", "ana", False),
    ("ana", "bo", "ana", False),  # not without asking: that is a swap
    ("bo", None, "ana", False),
    ("obi", "obi", None, False),
    ("mia", "cy", "ana", True),
]


def test_who_may_change_what(world: World) -> None:
    for n, (by, responder, replaces, may) in enumerate(MAY):
        if may:
            override(world, n, n + 1, by=by, responder=responder, replaces=replaces)
        else:
            with pytest.raises(NotAllowedError):
                override(world, n, n + 1, by=by, responder=responder, replaces=replaces)


def test_what_cannot_be_is_refused_by_the_name_of_its_field(world: World) -> None:
    with refused(InvalidInputError, "no responder zed", "responder"):
        override(world, 2, 4, responder="zed")
    with refused(InvalidInputError, "after starts_at", "ends_at"):
        override(world, 4, 4, responder="bo")
    with refused(InvalidInputError, "past", "starts_at"):
        override(world, -2, 4, responder="bo")
    with refused(InvalidInputError, "past", "ends_at"):
        override(world, -4, -2, responder="bo")
    with refused(InvalidInputError, "within 92 days", "ends_at"):
        override(world, 2, 24 * 100, responder="bo")
    with refused(InvalidInputError, "same person", "replaces"):
        override(world, 2, 4, responder="bo", replaces="bo")
    with refused(InvalidInputError, "is missing", "responder"):
        override(world, 2, 4)


def test_an_override_that_has_begun_is_ended_and_not_deleted(world: World) -> None:
    coming, running = override(world, 10, 12, responder="bo"), override(world, 0, 4, responder="cy")
    world.fast_forward(hours=1)
    remove(world, running)
    remove(world, coming)
    with world.database.reading() as session:
        assert session.get_one(OverrideRow, running).ends_at == at(1)
        assert session.get(OverrideRow, coming) is None
    assert on_call(world, 0.5) == ["ana", "cy"]
    with pytest.raises(ConflictError, match="is over"):
        remove(world, running)


def test_whoever_took_over_gives_it_back_before_it_begins_and_not_after(world: World) -> None:
    mine = override(world, 2, 4, by="bo", responder="bo", replaces="ana")
    put = override(world, 5, 6, by="mia", responder="bo", replaces="ana")
    with pytest.raises(NotAllowedError, match="a manager"):
        remove(world, put, by="bo")
    world.fast_forward(hours=2)
    with pytest.raises(NotAllowedError):
        remove(world, mine, by="bo")
    with pytest.raises(NotAllowedError):
        remove(world, put, by="ana")  # a manager decided
    remove(world, mine, by="ana")  # her own turn comes back to her


def test_each_change_is_audited(world: World) -> None:
    made = override(world, 2, 4, responder="bo", replaces="ana")
    remove(world, made)
    with world.database.reading() as session:
        what = AuditEntry.what == f"override {made} of schedule primary"
        entries = session.scalars(select(AuditEntry).where(what).order_by(AuditEntry.id)).all()
    assert [(entry.actor, entry.action) for entry in entries] == [("Mia Berg", "added"), ("Mia Berg", "removed")]
    assert entries[0].after is not None and entries[0].after["replaces"] == "ana"
    assert entries[1].before == entries[0].after


def test_both_are_told_on_their_own_clocks_and_who_did_it_is_not(world: World) -> None:
    override(world, 24, 26, by="bo", responder="bo", replaces="ana")
    [note] = told(world, "U0ANA")
    assert note == (
        "Bo Chen changed who is on call. You are no longer on call: Tue 17 Nov 10:00 to 12:00 (primary). "
        "Times are Lisbon time."
    )
    assert told(world, "U0BO") == []
    override(world, 48, 50, by="mia", responder="bo", replaces="ana")
    [note] = told(world, "U0BO")
    assert "You are now on call: Wed 18 Nov 19:00 to 21:00 (primary). Times are Tokyo time." in note


def test_a_file_that_moves_shifts_tells_whose_and_a_new_schedule_tells_nobody(world: World) -> None:
    assert told(world, "U0ANA") == []
    world.apply(CONFIG.replace("[ana, bo]", "[bo, ana]"))
    world.run()
    notes = told(world, "U0ANA")
    assert any("file tocsin.yaml changed who is on call. You are now on call: Mon 23 Nov" in note for note in notes)
    world.apply(CONFIG.replace("[ana, bo]", "[bo, ana]"))
    world.run()
    assert told(world, "U0ANA") == []


def test_a_plan_for_a_while_holds_entirely_and_the_rotation_comes_back(world: World) -> None:
    """A whole plan in place of the rotation is an override for each of its people; the last one drops nobody."""
    override(world, 24, 36, responder="cy", replaces="ana")
    override(world, 36, 48, responder="bo", replaces="ana")
    override(world, 36, 48, responder="mia")
    assert [on_call(world, hours) for hours in (23, 24, 36, 47, 48)] == [
        ["ana"],
        ["cy"],
        ["bo", "mia"],
        ["bo", "mia"],
        ["ana"],
    ]


# Time off


def off(world: World, who: str, since: float, until: float, by: str = "") -> int:
    with world.database.transaction() as session:
        made = time_off.add(session, who, at(since), at(until), world.actor(by or who), world.now)
    world.run()
    return made.id


def test_time_off_is_added_and_taken_back_by_oneself_or_a_manager(world: World) -> None:
    first = off(world, "ana", 24, 48)
    off(world, "bo", 24 * 8, 24 * 9, by="mia")
    assert any(
        "no longer on call: Wed 25 Nov" in note or "no longer on call: Tue 24 Nov" in note
        for note in told(world, "U0BO")
    )
    assert any("You are now on call" in note for note in told(world, "U0ANA"))
    with pytest.raises(NotAllowedError, match="when Ana Lima is off"):
        off(world, "ana", 72, 80, by="bo")
    with refused(ConflictError, f"has time off {first} already", "starts_at"):
        off(world, "ana", 47, 50)
    with world.database.transaction() as session:
        time_off.remove(session, "ana", first, world.actor("ana"), world.now)
    with world.database.reading() as session:
        assert list(time_off.coming(session, "ana", world.now)) == []


# Swaps


def propose(
    world: World, gives: tuple[float, float], takes: tuple[float, float] | None, by: str = "ana", to: str = "bo"
) -> int:
    wanted = swaps.Wanted("primary", to, (at(gives[0]), at(gives[1])), (at(takes[0]), at(takes[1])) if takes else None)
    with world.database.transaction() as session:
        made = swaps.propose(session, wanted, world.actor(by), world.now)
    world.run()
    return made.id


def decide(world: World, verb: str, swap: int, by: str) -> str:
    with world.database.transaction() as session:
        decided = getattr(swaps, verb)(session, swap, world.actor(by), world.now)
    world.run()
    return str(decided.state)


def test_a_swap_changes_nothing_until_the_other_agrees_and_then_both_turns_at_once(world: World) -> None:
    swap = propose(world, (24, 28), (24 * 8, 24 * 8 + 4))
    [asked] = told(world, "U0BO")
    assert asked == (
        "Ana Lima asks you to take Tue 17 Nov 19:00 to 23:00 on primary, and would take Tue 24 Nov 19:00 to 23:00 "
        "from you. Nothing changes until you agree. Times are Tokyo time."
    )
    assert on_call(world, 25) == ["ana"]
    with pytest.raises(NotAllowedError, match="Only Bo Chen"):
        decide(world, "confirm", swap, "ana")
    assert decide(world, "confirm", swap, "bo") == "confirmed"
    assert (on_call(world, 25), on_call(world, 24 * 8 + 1)) == (["bo"], ["ana"])
    [agreed] = told(world, "U0ANA")
    assert "You take Tue 24 Nov 10:00 to 14:00. Bo Chen takes Tue 17 Nov 10:00 to 14:00." in agreed
    assert len(told(world, "U0BO")) == 1
    assert decide(world, "confirm", swap, "bo") == "confirmed"
    assert told(world, "U0BO") == []


def test_a_swap_is_looked_at_again_when_it_is_agreed_to(world: World) -> None:
    swap = propose(world, (24, 28), None)
    override(world, 26, 30, by="cy", responder="cy", replaces="ana")
    with refused(ConflictError, "Ana Lima is not on call on primary all of that time", "gives_starts_at"):
        decide(world, "confirm", swap, "bo")
    assert on_call(world, 25) == ["ana"]


def test_only_ones_own_turns_are_given_and_nobody_takes_what_they_have(world: World) -> None:
    with refused(ConflictError, "Ana Lima is not on call", "gives_starts_at"):
        propose(world, (24 * 8, 24 * 9), None)
    with refused(ConflictError, "Bo Chen is not on call", "takes_starts_at"):
        propose(world, (24, 28), (48, 50))
    override(world, 24, 26, responder="bo")
    with refused(ConflictError, "is on call on primary in that time already", "gives_starts_at"):
        propose(world, (24, 28), None)
    with refused(InvalidInputError, "yourself", "other"):
        propose(world, (24, 28), None, to="ana")


def test_a_swap_is_declined_or_withdrawn_once(world: World) -> None:
    swap, other = propose(world, (24, 28), None), propose(world, (48, 50), None)
    told(world, "U0BO")
    assert decide(world, "decline", swap, "bo") == "declined"
    assert told(world, "U0ANA") == ["Bo Chen does not take your time on primary: you keep Tue 17 Nov 10:00 to 14:00."]
    with pytest.raises(ConflictError, match="declined already"):
        decide(world, "confirm", swap, "bo")
    with pytest.raises(NotAllowedError):
        decide(world, "withdraw", other, "bo")
    assert decide(world, "withdraw", other, "ana") == "withdrawn"
    assert "withdrawn" in told(world, "U0BO")[0]


def test_whose_shifts_a_file_moves_is_led_to_their_shifts(world: World, tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(CONFIG.replace("members: [ana, bo]", "members: [bo, ana]"), encoding="utf-8")
    apply_file(world.database, world.desk, file, applied_by="root", now=world.now)
    world.run()
    links = {each.message.brief.url for each in world.sent("slack", to="U0ANA") if "shifts" in each.message.subject}
    assert links == {f"{world.desk.base_url}/oncall/mine"}
