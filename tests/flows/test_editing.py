"""Editing schedules, policies and hours in the browser and over the API: what is people's, with a preview."""

from __future__ import annotations

import re
from typing import Any

import pytest

from config import audit
from config.database import Database
from config.declaration import DeclarationError
from escalation.models import Owner, PolicyRow, ScheduleRow
from escalation.paging.models import Notice
from tests import pages
from tests.calling import Edge, counted
from tests.pages import Pages
from tests.world import World, team

NIGHTS: dict[str, Any] = {
    "timezone": "UTC",
    "rotations": [{"members": ["ana"], "starts": "2026-01-05T00:00", "turn": "1w"}],
}
GENTLE = {"levels": [{"level": 1, "after": "0s", "page": ["schedule:nights"]}]}
OFFICE = {"timezone": "UTC", "from": "09:00", "to": "17:00"}


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database))


def put(edge: Edge, path: str, body: Any, *, by: str = "mia", status: int = 200) -> Any:
    answer = edge.call("PUT", path, body, by=by)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def test_what_is_put_is_peoples_and_audited(edge: Edge) -> None:
    assert put(edge, "/schedules/nights", NIGHTS)["changes"] == ["+ schedule nights"]
    assert edge.get("/schedules/nights", by="mia") == {"key": "nights", "owner": "people", "written": NIGHTS}
    with edge.world.database.reading() as session:
        assert session.query(ScheduleRow.owner).filter_by(key="nights").scalar() == Owner.PEOPLE
        entry = audit.entries(session, limit=1)[0]
    assert (entry.actor, entry.via, entry.action, entry.what) == ("Mia Berg", "api", "added", "schedule nights")
    assert put(edge, "/schedules/nights", NIGHTS)["changes"] == []


def test_only_managers_and_administrators_edit(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS, by="ana", status=403)
    put(edge, "/schedules/nights", NIGHTS, by="program:observer", status=403)
    put(edge, "/schedules/nights", NIGHTS, by="program:admin")


@pytest.mark.parametrize("inside", ["http://169.254.169.254/latest", "http://10.0.0.1:8080/reset"])
def test_only_administrators_say_which_addresses_this_server_calls(edge: Edge, inside: str) -> None:
    announcing = {"levels": [GENTLE["levels"][0] | {"announce": [f"webhook:{inside}"]}]}
    put(edge, "/schedules/nights", NIGHTS)
    for path, body in (
        ("/policies/gentle", announcing),
        ("/schedules/copied", {"timezone": "UTC", "rotations": [{"calendar": inside}]}),
    ):
        problem = put(edge, path, body, status=403)
        assert "Only an administrator" in problem["detail"] and inside not in problem["detail"]
        assert edge.call("POST", f"{path}/preview", body, by="mia").status_code == 403
        put(edge, path, body, by="program:admin")
    put(edge, "/policies/gentle", announcing | {"repeat": 3})  # what is there may stay


def test_what_the_file_declares_is_not_edited(edge: Edge) -> None:
    problem = put(edge, "/schedules/primary", NIGHTS, status=409)
    assert "declared in the file" in problem["detail"]
    assert edge.call("DELETE", "/policies/standard", by="mia").status_code == 409


def test_each_problem_is_told_with_its_field_and_nothing_is_saved(edge: Edge) -> None:
    rotation = {"members": ["ana", "zoe"], "starts": "2026-01-05T00:00", "turn": "0w"}
    body = {"timezone": "Europe/Lisbonn", "rotations": [rotation], "colour": "red"}
    problem = put(edge, "/schedules/nights", body, status=422)
    assert set(problem["errors"]) == {"timezone", "rotations[0].members[1]", "rotations[0].turn", "colour"}
    assert 'did you mean "Europe/Lisbon"?' in problem["errors"]["timezone"]
    assert edge.call("GET", "/schedules/nights", by="mia").status_code == 404


def test_a_usergroup_that_another_schedule_has_is_refused_by_field(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS | {"slack_usergroup": "S0123ABC"})
    put(edge, "/schedules/nights", NIGHTS | {"slack_usergroup": "S0123ABC", "timezone": "Europe/Lisbon"})
    problem = put(edge, "/schedules/days", NIGHTS | {"slack_usergroup": "S0123ABC"}, status=422)
    assert "the schedule nights already" in problem["errors"]["slack_usergroup"]
    text = team().replace("primary: {timezone", "primary: {slack_usergroup: S0123ABC, timezone")
    with pytest.raises(DeclarationError, match=r"schedules\.primary\.slack_usergroup"):
        edge.world.apply(text)


@pytest.mark.parametrize("body", [{"levels": []}, {}, {"levels": [{"level": 1, "after": "0s", "page": ["role:boss"]}]}])
def test_a_policy_without_sound_levels_is_refused(edge: Edge, body: Any) -> None:
    put(edge, "/policies/gentle", body, status=422)


def test_the_servers_environment_cannot_be_read_through_a_variable(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "s3cret")
    problem = put(edge, "/schedules/nights", NIGHTS | {"timezone": "${TOCSIN_SECRET_KEY}"}, status=422)
    assert "s3cret" not in str(problem)


def test_a_preview_says_what_changes_for_whom_and_changes_nothing(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS)
    other = {"timezone": "UTC", "rotations": [NIGHTS["rotations"][0] | {"members": ["bo"]}]}
    seen = edge.call("POST", "/schedules/nights/preview", other, by="mia").get_json()
    assert seen["changes"] == ["~ schedule nights: rotations[0].members [ana] -> [bo]"]
    assert [sentence.partition(":")[0] for sentence in seen["people"]] == ["ana", "bo"]
    assert "90 days less on call in the next 90 days: - nights Mon 16 Nov 10:00 to" in seen["people"][0]
    assert edge.get("/schedules/nights", by="mia")["written"] == NIGHTS


def test_a_preview_warns_of_what_would_be_found_then(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS)
    body = {"levels": [GENTLE["levels"][0], {"level": 2, "after": "5m", "page": ["role:admin"]}]}
    seen = edge.call("POST", "/policies/gentle/preview", body, by="mia").get_json()
    found = {(each["code"], each["what"]) for each in seen["findings"]}
    assert ("empty-level", "policy gentle, level 2") in found
    assert not any("ana" in what for _, what in found)


def test_saving_works_out_no_shifts_but_those_that_it_can_move(edge: Edge) -> None:
    """It holds the lock of all who write meanwhile: an alert would wait for it."""
    put(edge, "/schedules/nights", NIGHTS)
    for path, body, asked in (
        ("/policies/gentle", GENTLE, 0),
        ("/hours/office", OFFICE, 0),
        ("/schedules/nights", NIGHTS | {"timezone": "Europe/Lisbon"}, 2),  # before and after
    ):
        with counted(edge.world.database) as statements:
            put(edge, path, body)
        assert len([each for each in statements if "FROM overrides" in each]) == asked, path


def test_whoever_is_moved_is_told_when_it_is_saved(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS)
    put(edge, "/schedules/nights", NIGHTS | {"rotations": [NIGHTS["rotations"][0] | {"members": ["bo"]}]})
    with edge.world.database.reading() as session:
        texts = [notice.text for notice in session.query(Notice)]
    assert sum("Mia Berg changed who is on call" in text for text in texts) == 2


def test_what_is_referred_to_is_not_deleted_and_says_by_whom(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS)
    put(edge, "/policies/gentle", GENTLE)
    answer = edge.call("DELETE", "/schedules/nights", by="mia")
    assert answer.status_code == 409
    assert "referred to by policy gentle" in answer.get_json()["detail"]
    assert edge.call("DELETE", "/policies/gentle", by="mia").status_code == 200
    assert edge.call("DELETE", "/schedules/nights", by="mia").get_json()["changes"] == ["- schedule nights"]


def test_hours_that_change_change_wherever_they_are_referred_to(edge: Edge) -> None:
    put(edge, "/schedules/nights", NIGHTS)
    put(edge, "/hours/office", OFFICE)
    put(edge, "/policies/gentle", {"levels": [GENTLE["levels"][0] | {"during": "office"}]})
    put(edge, "/hours/office", OFFICE | {"to": "18:00"})
    with edge.world.database.reading() as session:
        stored = session.query(PolicyRow.definition).filter_by(key="gentle").scalar()
    assert stored["levels"][0]["during"]["to"] == "18:00"
    assert edge.call("DELETE", "/hours/office", by="mia").status_code == 409


# Pages


def form(opened: Pages, **sent: str) -> Any:
    client = opened.by("mia")
    kind = sent.pop("kind", "schedule")
    page = client.get(f"/configuration/{kind}/{sent['key']}")
    was = re.search(r'name="was" value="([^"]*)"', page.text)
    return client.post(f"/configuration/{kind}", data={"was": was[1] if was else "", **sent})


TEXT = 'timezone: UTC\r\nrotations:\r\n  - {members: [ana], starts: "2026-01-05T00:00", turn: 1w}\r\n'


def test_a_schedule_is_written_previewed_and_saved_on_the_page(sqlite_database: Database) -> None:
    opened = Pages(World(sqlite_database))
    seen = form(opened, key="nights", text=TEXT, do="preview")
    assert "+ schedule nights" in pages.words(seen)
    assert "ana: 90 days more on call" in pages.words(seen)
    saved = form(opened, key="nights", text=TEXT, do="save")
    assert (saved.status_code, saved.location) == (303, "/configuration/schedule/nights")
    assert "members: [ana]" in opened.by("mia").get("/configuration/schedule/nights").text
    assert "people" in pages.words(opened.by("mia").get("/configuration"))


def test_a_slip_is_told_with_its_line_and_the_text_stays(sqlite_database: Database) -> None:
    opened = Pages(World(sqlite_database))
    answer = form(opened, key="nights", text=TEXT.replace("[ana]", "[anna]"), do="save")
    assert answer.status_code == 422
    assert 'line 3, rotations[0].members[0]: no responder "anna" is declared; did you mean "ana"?' in pages.words(
        answer
    )
    assert "[anna]" in answer.text


def test_a_thing_of_the_file_is_shown_and_has_no_form(sqlite_database: Database) -> None:
    page = Pages(World(sqlite_database)).by("mia").get("/configuration/schedule/primary")
    assert "The file declares this" in pages.words(page)
    assert "<textarea" not in page.text


def test_two_people_do_not_write_over_each_other(sqlite_database: Database) -> None:
    opened = Pages(World(sqlite_database))
    form(opened, key="nights", text=TEXT, do="save")
    stale = opened.by("mia").post(
        "/configuration/schedule", data={"was": "", "key": "nights", "text": TEXT.replace("1w", "2w"), "do": "save"}
    )
    assert stale.status_code == 409
    assert "Somebody else changed schedule nights" in pages.words(stale)


def test_the_pages_are_for_managers_and_administrators(sqlite_database: Database) -> None:
    opened = Pages(World(sqlite_database))
    for path in ("/configuration", "/configuration/schedule", "/configuration/schedule/primary"):
        assert opened.by("ana").get(path).status_code == 403
        assert opened.by("mia").get(path).status_code == 200
    assert opened.by("mia").get("/configuration/colour").status_code == 404
