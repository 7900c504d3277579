"""Who is on call, changed over HTTP; shifts, gaps, and the calendars that other programs read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from config.database import Database
from config.errors import ConflictError
from config.schemas import cursor
from escalation.oncall import changes, swaps
from tests.calling import Edge
from tests.flows.test_oncall_changes import CONFIG, at, on_call
from tests.world import World

OVERRIDES = "/schedules/primary/overrides"


@pytest.fixture
def edge(sqlite_database: Database) -> Edge:
    return Edge(World(sqlite_database, config=CONFIG))


def refused(edge: Edge, path: str, body: Any, *, by: str = "ana", status: int = 422) -> dict[str, str]:
    answer = edge.call("POST", path, body, by=by)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    errors: dict[str, str] = answer.get_json().get("errors", {})
    return errors


def test_an_override_is_made_listed_and_taken_back(edge: Edge) -> None:
    span = {"starts_at": "2026-11-17T09:00+00:00", "ends_at": "2026-11-17T12:00:00Z"}
    made = edge.post(OVERRIDES, {"responder": "bo", "replaces": "ana", **span}, by="bo")
    assert made["sentence"] == "Bo Chen takes over from Ana Lima on primary, 2026-11-17 09:00 to 2026-11-17 12:00 UTC"
    assert edge.wakes == 1
    assert on_call(edge.world, 24) == ["bo"]
    assert edge.get(OVERRIDES)["items"] == [made]
    assert edge.call("DELETE", f"{OVERRIDES}/{made['id']}", by="cy").status_code == 403
    assert edge.call("DELETE", f"{OVERRIDES}/{made['id']}", by="bo").status_code == 200
    assert edge.get(OVERRIDES)["items"] == []
    assert edge.call("DELETE", f"{OVERRIDES}/{made['id']}", by="bo").status_code == 404


def test_local_times_are_on_the_clocks_of_the_schedule_or_of_the_zone_that_is_named(edge: Edge) -> None:
    body = {"responder": "bo", "starts_at": "2026-11-17T09:00", "ends_at": "2026-11-17T10:00"}
    assert edge.post(OVERRIDES, body, by="bo")["starts_at"] == "2026-11-17T09:00:00.000000Z"  # Lisbon
    made = edge.post(OVERRIDES, {**body, "timezone": "Asia/Tokyo"}, by="bo")
    assert made["starts_at"] == "2026-11-17T00:00:00.000000Z"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"starts_at": "2027-03-28T01:30", "ends_at": "2027-03-28T05:00"},
        "starts_at",
        "does not exist in Europe/Lisbon",
    ),
    ({"starts_at": "2026-11-17", "ends_at": "2026-11-18"}, "starts_at", "is not a time such as"),
    ({"ends_at": "2026-11-17T09:00"}, "ends_at", "must be after starts_at"),
    ({"starts_at": "tomorrow"}, "starts_at", "is not a time such as"),
    ({"starts_at": "9999-12-31T23:59-12:00"}, "starts_at", "must lie in the years"),
    ({"timezone": "Mars/Olympus"}, "timezone", "no time zone"),
    ({"responder": "zed"}, "responder", "no responder zed"),
    ({"shift": 1}, "shift", "Unknown field"),
]


def test_what_cannot_be_names_its_field(edge: Edge) -> None:
    for changed, field, says in WRONG:
        body = {"responder": "bo", "starts_at": "2026-11-17T09:00", "ends_at": "2026-11-17T10:00"} | changed
        assert says in refused(edge, OVERRIDES, body, by="mia")[field], changed


def test_an_unknown_schedule_is_not_found(edge: Edge) -> None:
    body = {"responder": "bo", "starts_at": "2026-11-17T09:00", "ends_at": "2026-11-17T10:00"}
    refused(edge, "/schedules/nope/overrides", body, status=404)
    for path in ("/schedules/nope/overrides", "/schedules/nope/shifts"):
        assert edge.call("GET", path).status_code == 404


def test_time_off_is_given_in_whole_days_of_ones_own_zone(edge: Edge) -> None:
    made = edge.post("/me/time-off", {"starts_at": "2026-12-20", "ends_at": "2027-01-03", "reason": "away"}, by="bo")
    assert (made["starts_at"], made["ends_at"]) == ("2026-12-19T15:00:00.000000Z", "2027-01-03T15:00:00.000000Z")
    assert edge.get("/responders/bo/time-off")["items"] == [made]
    others = "/responders/bo/time-off"
    refused(edge, others, {"starts_at": "2027-02-01", "ends_at": "2027-02-01"}, by="ana", status=403)
    edge.post(others, {"starts_at": "2027-02-01", "ends_at": "2027-02-01"}, by="mia")
    refused(edge, "/me/time-off", {"starts_at": "2027-02-01", "ends_at": "2027-02-01"}, by="program:admin", status=403)
    assert edge.call("DELETE", f"/me/time-off/{made['id']}", by="bo").status_code == 200
    assert len(edge.get("/me/time-off", by="bo")["items"]) == 1


def test_a_swap_is_proposed_and_agreed_to(edge: Edge) -> None:
    body = {
        "schedule": "primary",
        "other": "bo",
        "gives_starts_at": "2026-11-17T10:00",
        "gives_ends_at": "2026-11-17T14:00",
    }
    assert "is missing" in refused(edge, "/swaps", {**body, "takes_starts_at": "2026-11-24T10:00"})["takes_ends_at"]
    swap = edge.post("/swaps", body)
    assert [each["id"] for each in edge.get("/swaps", by="bo")["items"]] == [swap["id"]]
    assert edge.get("/swaps", by="cy")["items"] == []
    assert len(edge.get("/swaps?all=true", by="cy")["items"]) == 1
    edge.post(f"/swaps/{swap['id']}/confirm", by="ana", status=403)
    assert edge.post(f"/swaps/{swap['id']}/confirm", by="bo")["state"] == "confirmed"
    edge.post(f"/swaps/{swap['id']}/withdraw", by="ana", status=409)
    edge.post("/swaps/99/decline", by="bo", status=404)
    assert on_call(edge.world, 25) == ["bo"]


def test_shifts_of_a_schedule_and_ones_own(edge: Edge) -> None:
    span = "since=2026-11-16T10:00:00Z&until=2026-11-30T10:00:00Z"
    found = edge.get(f"/schedules/primary/shifts?{span}")["items"]
    assert [(each["name"], each["starts_at"][:16], each["ends_at"][:16]) for each in found] == [
        ("Ana Lima", "2026-11-16T10:00", "2026-11-23T09:00"),
        ("Bo Chen", "2026-11-23T09:00", "2026-11-30T09:00"),
        ("Ana Lima", "2026-11-30T09:00", "2026-11-30T10:00"),
    ]
    assert edge.get(f"/me/shifts?{span}", by="bo")["items"] == [found[1]]
    answer = edge.call("GET", "/schedules/primary/shifts?since=2026-11-16T10:00:00Z&until=2028-11-16T10:00:00Z")
    assert "within 400 days" in answer.get_json()["errors"]["until"]


def test_gaps_to_come_are_listed(edge: Edge) -> None:
    assert edge.get("/coverage")["items"] == []
    edge.post(OVERRIDES, {"replaces": "ana", "starts_at": "2026-11-17T09:00", "ends_at": "2026-11-17T10:00"}, by="mia")
    assert edge.get("/coverage")["items"] == [
        {
            "schedule": "primary",
            "starts_at": "2026-11-17T09:00:00.000000Z",
            "ends_at": "2026-11-17T10:00:00.000000Z",
            "regular": False,
        }
    ]


# Feeds


def read(edge: Edge, url: str) -> Any:
    return edge.client.get(url.removeprefix("https://tocsin.example.org"))


def test_a_calendar_address_shows_its_owners_shifts_until_it_is_taken_back(edge: Edge) -> None:
    made = edge.post("/me/feeds", {}, by="bo")
    answer = read(edge, made["url"])
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert answer.headers["Cache-Control"].startswith("private")
    events = Calendar.from_ical(answer.data).walk("VEVENT")
    assert {str(event["SUMMARY"]) for event in events} == {"On call: primary"}
    again = Calendar.from_ical(read(edge, made["url"]).data).walk("VEVENT")
    assert [event["UID"] for event in again] == [event["UID"] for event in events]
    [kept] = edge.get("/me/feeds", by="bo")["items"]
    assert (kept["id"], kept["url"], kept["schedule"]) == (made["id"], None, None)
    assert edge.call("DELETE", f"/me/feeds/{made['id']}", by="ana").status_code == 404
    assert edge.call("DELETE", f"/me/feeds/{made['id']}", by="bo").status_code == 200
    assert read(edge, made["url"]).status_code == 404


def test_a_schedules_calendar_shows_everybody(edge: Edge) -> None:
    made = edge.post("/me/feeds", {"schedule": "primary"}, by="cy")
    events = Calendar.from_ical(read(edge, made["url"]).data).walk("VEVENT")
    assert {str(event["SUMMARY"]) for event in events} == {"Ana Lima: on call", "Bo Chen: on call"}
    refused(edge, "/me/feeds", {"schedule": "nope"}, status=404)


def test_a_made_up_calendar_address_leads_nowhere(edge: Edge) -> None:
    for token in ("x", "tocsin_" + "x" * 43, "x" * 5000, "%00", "..%2Fetc"):
        assert edge.client.get(f"/calendars/{token}.ics").status_code == 404, token


def test_the_calendar_of_somebody_who_left_is_gone(edge: Edge) -> None:
    made = edge.post("/me/feeds", {"schedule": "primary"}, by="cy")
    edge.world.apply(CONFIG.replace("  cy: {name: Cy Roe, roles: [responder], slack: U0CY}\n", ""))
    assert read(edge, made["url"]).status_code == 404


# Races


def test_of_overlapping_overrides_at_once_one_is_made(database: Database) -> None:
    world = World(database, config=CONFIG)

    def take(by: str) -> bool:
        try:
            with database.transaction() as session:
                changes.add_override(
                    session, changes.Wanted("primary", at(2), at(4), by, "ana"), world.actor(by), world.now
                )
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, ["bo", "cy", "bo", "cy"])) == [False, False, False, True]


def test_a_swap_that_is_agreed_to_twice_at_once_is_agreed_once(database: Database) -> None:
    world = World(database, config=CONFIG)
    with database.transaction() as session:
        swap = swaps.propose(session, swaps.Wanted("primary", "bo", (at(24), at(28))), world.actor("ana"), world.now).id

    def confirm(_: int) -> str:
        with database.transaction() as session:
            return swaps.confirm(session, swap, world.actor("bo"), world.now).state

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(confirm, range(3))) == ["confirmed"] * 3
    world.run()
    assert len([each for each in world.sent("slack", to="U0BO") if "is agreed" in each.message.note]) == 1
    assert on_call(world, 25) == ["bo"]


def walked(edge: Edge, path: str, by: str = "ana", *, seconds: float = 0) -> list[Any]:
    """The list one by one, with time going by between its pages."""
    found: list[Any] = []
    after = ""
    while True:
        page = edge.get(f"{path}{'&' if '?' in path else '?'}limit=1{after}", by=by)
        assert len(page["items"]) <= 1
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&cursor={page['next']}"
        edge.world.now += timedelta(seconds=seconds)


def test_each_list_goes_page_by_page_to_its_end(edge: Edge) -> None:
    for day in (17, 19, 18):
        span = {"starts_at": f"2026-11-{day}T09:00+00:00", "ends_at": f"2026-11-{day}T12:00:00Z"}
        edge.post(OVERRIDES, {"responder": "bo", "replaces": "ana", **span}, by="bo")
        edge.post("/me/time-off", {"starts_at": f"2026-12-{day}", "ends_at": f"2026-12-{day}"}, by="cy")
        edge.post("/me/feeds", {}, by="cy")
    for path in (OVERRIDES, "/me/time-off", "/responders/cy/time-off", "/me/feeds", "/me/contacts", "/coverage"):
        whole = edge.get(f"{path}?limit=200", by="cy")
        assert whole["next"] is None
        assert walked(edge, path, "cy") == whole["items"], path
        assert len(whole["items"]) == (3 if path not in ("/me/contacts", "/coverage") else len(whole["items"]))
    assert [each["starts_at"][8:10] for each in walked(edge, OVERRIDES)] == ["17", "18", "19"]


def test_shifts_go_page_by_page_although_the_one_that_is_going_on_began_before(edge: Edge) -> None:
    whole = edge.get("/schedules/primary/shifts?limit=200")["items"]
    assert len(whole) > 2
    assert walked(edge, "/schedules/primary/shifts", seconds=30) == whole
    answer = edge.call("GET", f"/schedules/primary/shifts?cursor={cursor('shifts', 'no times')}")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["cursor"])
    far = cursor("shifts", "2026-11-16T10:00:00Z 2029-11-16T10:00:00Z x")
    assert edge.call("GET", f"/schedules/primary/shifts?cursor={far}").status_code == 422
