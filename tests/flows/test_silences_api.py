"""Silences over the API, in the declared file, and on the pages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.database import Database
from incidents import configuration, drift, export, silence_gauges
from incidents.silence_models import SilenceRow
from tests.calling import Edge
from tests.pages import Pages, words
from tests.silenced import held, recurring, silence, suspected
from tests.world import MONDAY, World, team

HOUR = timedelta(hours=1)
ANA = "+15005550101"
DB_1 = {"services": ["checkout"], "labels": {"host": "db-*"}, "reason": "patching", "duration": "2h"}
NIGHTLY = """
maintenance:
  nightly: {services: [checkout], labels: {host: "db-*"}, from: "22:00", to: "02:00", timezone: Europe/Lisbon, reason: backups}
"""


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database))


def test_one_is_made_listed_extended_and_ended(database: Database) -> None:
    edge = Edge(World(database))
    incident = edge.world.alert(labels={"host": "db-1"})
    made = edge.post("/silences", DB_1)
    assert (made["id"], made["state"], made["holds_now"], made["holding"], edge.wakes) == (1, "going_on", 1, 0, 1)
    assert (made["until"], made["created_by"]) == ("2026-11-16T12:00:00.000000Z", "Ana Lima")
    edge.world.run()
    shown = edge.get(f"/incidents/{incident}")
    assert shown["silenced_until"] == "2026-11-16T12:00:00.000000Z"
    assert shown["silenced_by"] == [
        {"silence": 1, "name": "", "by": "Ana Lima", "reason": "patching", "until": "2026-11-16T12:00:00.000000Z"}
    ]
    assert [each["number"] for each in edge.get("/incidents?silenced=true")["items"]] == [incident]
    assert edge.get("/incidents?silenced=false")["items"] == []
    one = edge.get("/silences/1")
    assert (one["holding"], [each["number"] for each in one["incidents"]]) == (1, [incident])
    assert edge.post("/silences/1/extend", {"duration": "3h"})["ends_at"] == "2026-11-16T13:00:00.000000Z"
    edge.world.run()
    assert edge.get(f"/incidents/{incident}")["silenced_until"] == "2026-11-16T13:00:00.000000Z"
    assert edge.post("/silences/1/end", {"reason": "done"})["state"] == "over"
    edge.world.run()
    assert edge.get("/silences/1")["incidents"][0]["outcome"] == "released"
    assert edge.post("/silences/1/end", {"reason": "done"}, status=409)["detail"].startswith("Silence 1 is over")


def test_a_list_tells_what_goes_on_what_is_to_come_and_what_is_over(edge: Edge) -> None:
    for body in (
        DB_1,
        DB_1 | {"duration": "30m"},
        DB_1 | {"starts_at": "2026-11-17T00:00:00Z"},
        {
            "title": "*disk*",
            "reason": "x",
            "repeats": {"days": ["tue"], "weeks": [2], "from": "22:00", "to": "04:00", "timezone": "Europe/Lisbon"},
        },
    ):
        edge.post("/silences", body)
    edge.world.fast_forward(hours=1)

    def listed(query: str) -> list[int]:
        return [each["id"] for each in edge.get(f"/silences?{query}")["items"]]

    assert [listed(f"state={state}") for state in ("going_on", "to_come", "over")] == [[1], [4, 3], [2]]
    first = edge.get("/silences?limit=3")
    assert [each["id"] for each in first["items"]] == [4, 3, 2]
    assert listed(f"limit=3&cursor={first['next']}") == [1]
    assert edge.get("/silences/4")["next_at"] == "2026-12-08T22:00:00.000000Z"
    assert edge.get("/silences/4")["repeats"] == {
        "days": ["tue"], "from": "22:00", "to": "04:00", "timezone": "Europe/Lisbon", "weeks": [2], "holidays": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"services": [], "labels": {}}, "services"),
        ({"services": ["chekout"]}, "services"),
        ({"reason": " "}, "reason"),
        ({"duration": "32d"}, "ends_at"),
        ({"duration": None}, "ends_at"),
        ({"ends_at": "2026-11-16T11:00:00Z"}, "ends_at"),
        ({"duration": None, "starts_at": "2026-11-15T00:00:00Z", "ends_at": "2026-11-16T01:00:00Z"}, "ends_at"),
        ({"repeats": {"from": "22:00", "to": "25:00", "timezone": "UTC"}}, "repeats.to"),
        ({"repeats": {"from": "22:00", "to": "23:00", "timezone": "Mars"}}, "repeats.timezone"),
        ({"duration": None, "repeats": {"from": "00:00", "to": "00:00", "timezone": "UTC"}}, "hours"),
        ({"labels": {"host": ""}}, "labels"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(edge: Edge, change: dict[str, Any], field: str) -> None:
    body = {name: value for name, value in (DB_1 | change).items() if value is not None}
    refusal = edge.post("/silences", body, status=422)
    assert field in json.dumps(refusal), refusal
    assert edge.get("/silences")["items"] == []


def test_observers_look_and_do_not_silence(edge: Edge) -> None:
    silence(edge.world)
    assert len(edge.get("/silences", by="program:observer")["items"]) == 1
    for path, body in (("", DB_1), ("/1/end", {"reason": "x"}), ("/1/extend", {"duration": "3h"})):
        edge.post(f"/silences{path}", body, by="program:observer", status=403)


def test_who_silenced_what_is_in_the_audit(edge: Edge) -> None:
    edge.post("/silences", DB_1)
    edge.post("/silences/1/extend", {"duration": "3h"})
    edge.post("/silences/1/end", {"reason": "done"})
    entries = edge.get("/audit", by="program:admin")["items"][:3]
    assert [(each["action"], each["what"], each["actor"], each["text"]) for each in entries] == [
        ("removed", "silence 1", "Ana Lima", "done"),
        ("changed", "silence 1", "Ana Lima", "until 2026-11-16T13:00:00.000000Z"),
        ("added", "silence 1", "Ana Lima", "patching"),
    ]
    ends = [tuple(each[side] and each[side]["ends_at"][11:16] for side in ("before", "after")) for each in entries]
    assert ends == [("13:00", None), ("12:00", "13:00"), (None, "12:00")]


def test_the_file_declares_a_window_changes_it_and_takes_it_away(database: Database) -> None:
    world = World(database, config=team() + NIGHTLY)
    incident, other = world.alert(labels={"host": "db-1"}), world.alert(dedup_key="2", labels={"host": "web-1"})
    world.fast_forward(hours=12)
    assert world.incident(incident).silenced_until == MONDAY + 16 * HOUR
    assert (held(world, other), suspected(world)) == ([], [])
    world.apply(team() + NIGHTLY.replace("02:00", "04:00"))
    world.run()
    assert world.incident(incident).silenced_until == MONDAY + 18 * HOUR
    assert held(world, incident) == [(1, "replaced"), (2, "")]
    before = len(world.sent("sms"))
    world.apply(team() + NIGHTLY.replace("02:00", "04:00"))
    world.run()
    assert (held(world, incident), len(world.sent("sms"))) == ([(1, "replaced"), (2, "")], before)
    world.apply(team())
    world.run()
    assert held(world, incident) == [(1, "replaced"), (2, "released")]
    assert world.sent("sms")[-1].at == world.now
    assert suspected(world) == []


def test_who_asked_for_people_in_spite_of_a_window_has_them_when_the_file_changes_it(edge: Edge) -> None:
    world = edge.world
    world.apply(team() + NIGHTLY)
    world.fast_forward(hours=12)
    incident = world.alert(labels={"host": "db-1"})
    world.escalate_now(incident)
    world.apply(team() + NIGHTLY.replace("02:00", "04:00"))
    world.run()
    assert world.incident(incident).silenced_until is None


def test_a_declared_window_is_changed_in_the_file_alone(edge: Edge) -> None:
    edge.world.apply(team() + NIGHTLY)
    for verb, body in (("end", {"reason": "x"}), ("extend", {"duration": "3h"})):
        said = edge.post(f"/silences/1/{verb}", body, status=409)["detail"]
        assert said == "Silence 1 is declared: change or remove maintenance.nightly of the declared file, and apply it."


def test_windows_are_exported_as_they_were_declared(sqlite_database: Database) -> None:
    hours = 'hours: {quiet: {from: "01:00", to: "02:00", timezone: UTC, days: [sun]}}\n'
    windows = (
        hours
        + NIGHTLY
        + (
            '  patches: {title: "*reboot*", hours: quiet, weeks: [2, 4], from_date: "2026-12-01", until: "2027-03-31", reason: patches}\n'
        )
    )
    world = World(sqlite_database, config=team() + windows)
    with world.database.reading() as session:
        written = export.to_text(session)
        (row,) = session.scalars(select(SilenceRow).where(SilenceRow.name == "patches"))
    assert (row.starts_at.isoformat(), row.ends_at and row.ends_at.isoformat()) == (
        "2026-12-01T00:00:00+00:00",
        "2027-04-01T00:00:00+00:00",
    )
    section = written.partition("maintenance:")[2]
    assert "hours: quiet" in section
    assert "timezone: Europe/Lisbon" in section
    found: list[str] = []

    def look(session: Any, file_says: configuration.Configuration) -> None:
        found.extend(drift.beside(session, file_says, world.now))

    silence(world)
    changes = configuration.apply_text(
        world.database, team() + hours + "maintenance:" + section, env={}, file_name="x", now=world.now + HOUR,
        dry_run=True, look=look, sources={"pagerduty"}, runbook_ids=set(),
    )  # fmt: skip
    assert not [line for line in changes.lines if "maintenance" in line]
    assert "silence 3 by Bo Chen: alerts of checkout, until 2026-11-16 12:00 UTC" in found
    world.apply(team() + windows.replace('"02:00", timezone: UTC', '"03:00", timezone: UTC'))
    with world.database.reading() as session:
        row = session.scalars(
            select(SilenceRow).where(SilenceRow.name == "patches", SilenceRow.ended_at.is_(None))
        ).one()
    assert row.hours["to"] == "03:00"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('{services: [nope], from: "01:00", to: "02:00", timezone: UTC, reason: x}', 'there is no service "nope"'),
        ('{services: [checkout], from: "01:00", to: "02:00", timezone: UTC}', "reason"),
        ('{from: "01:00", to: "02:00", timezone: UTC, reason: x}', "would silence everything"),
        ('{services: [checkout], timezone: UTC, reason: x}', "begin and end at a time of day"),
        ('{services: [checkout], hours: nope, reason: x}', 'no hours "nope"'),
        ('{services: [checkout], from: "01:00", to: "02:00", timezone: UTC, weeks: [9], reason: x}', "from 1 to 5"),
        ('{services: [checkout], from: "01:00", to: "02:00", timezone: UTC, until: soon, reason: x}', "is not a date"),
        ('{services: [checkout], labels: {a: [1]}, from: "01:00", to: "02:00", timezone: UTC, reason: x}', "must be a text"),
        ('{services: [checkout], from: "00:00", to: "00:00", timezone: UTC, reason: x}', "would hardly ever end"),
    ],
)  # fmt: skip
def test_what_the_file_says_wrongly_is_told_at_its_place(edge: Edge, wrong: str, said: str) -> None:
    with pytest.raises(Exception) as refused:
        edge.world.apply(f"{team()}\nmaintenance:\n  wrong: {wrong}\n")
    assert said in str(refused.value)
    assert "wrong" in str(refused.value)


def test_the_pages_make_a_silence_show_what_it_holds_and_end_it(sqlite_database: Database) -> None:
    pages = Pages(World(sqlite_database))
    world, ana = pages.world, pages.by("ana")
    incident = world.alert("Disk <full>", labels={"host": "db-1"})
    page = ana.get(f"/incidents/{incident}").text
    assert "/silences/new?services=checkout&amp;labels=host+%3D+db-1" in page
    form = ana.get("/silences/new?services=checkout&labels=host+%3D+db-1").text
    assert 'value="checkout" checked' in form
    asked = {"services": "checkout", "labels": "host = db-*", "reason": "<b>patching</b>", "for": "2h"}
    look = words(ana.post("/silences/new", data=asked | {"look": "1"}))
    assert "From now until 12:00 UTC , nobody is woken for alerts of checkout, with host=db-*. 1 incident that" in look
    again = words(
        ana.post(
            "/silences/new", data=asked | {"look": "1", "from": "22:00", "to": "04:00", "days": "tue", "weeks": "2"}
        )
    )
    assert "The second Tuesday of each month from 22:00 to 04:00, Europe/Lisbon" in again
    assert world.incident(incident).silenced_until is None
    assert ana.post("/silences/new", data=asked).status_code == 303
    world.run()
    shown = ana.get("/silences").text
    assert "&lt;b&gt;patching" in shown
    assert "Holds back 1 now" in words(shown)
    assert "Disk <full>" in words(shown)
    assert "nobody is going to be woken before 12:00 UTC" in words(ana.get(f"/incidents/{incident}"))
    assert "Silenced until 12:00 UTC by silence 1 of Ana Lima : <b>patching</b>" in words(
        ana.get(f"/incidents/{incident}")
    )
    assert "Silenced until 12:00 UTC" in words(ana.get("/incidents?silenced=1&status=all"))
    assert ana.post("/silences/1/end", data={"reason": "done"}).status_code == 303
    world.run()
    assert world.incident(incident).silenced_until is None
    assert "released" in words(ana.get("/silences"))


def test_looking_at_a_silence_of_a_protected_service_says_that_it_is_paged_all_the_same(
    sqlite_database: Database,
) -> None:
    ana = Pages(World(sqlite_database)).by("ana")
    asked = {"services": ["checkout", "event-store"], "reason": "patching", "for": "10m", "look": "1"}
    assert "Protected: event-store. All that such a service reports" in words(ana.post("/silences/new", data=asked))
    assert "Protected" not in words(ana.post("/silences/new", data=asked | {"services": "checkout"}))


def test_a_form_that_cannot_be_read_says_which_field(sqlite_database: Database) -> None:
    ana = Pages(World(sqlite_database)).by("ana")
    for wrong in (
        {"labels": "host"},
        {"for": "ever"},
        {"from": "22:00", "to": ""},
        {"starts": "soon"},
        {"weeks": "x", "from": "1:00", "to": "02:00"},
    ):
        asked = {"services": "checkout", "reason": "x", "for": "2h"} | wrong
        assert (
            'role="alert"' in ana.post("/silences/new", data=asked | {"look": "1"}).text
            or "is-problem" in ana.post("/silences/new", data=asked).text
        ), wrong
    assert "None." in words(ana.get("/silences"))


def test_an_observer_sees_silences_and_no_button(sqlite_database: Database) -> None:
    pages = Pages(World(sqlite_database))
    silence(pages.world, **recurring(22, 2))
    page = pages.by("ana", role="observer").get("/silences").text
    assert "each day from 22:00 to 02:00, UTC" in words(page)
    assert "End it" not in page


def test_figures_tell_what_goes_on_and_what_is_held_back(database: Database) -> None:
    world = World(database)
    silence(world)
    silence(world, title="*api*")
    silence(world, starts_at=MONDAY + HOUR)
    world.alert()
    found = {family.name: family.samples[0].value for family in silence_gauges.collector(database, lambda: world.now)()}
    assert found == {"tocsin_silences_going_on": 2, "tocsin_incidents_held_back": 1}
