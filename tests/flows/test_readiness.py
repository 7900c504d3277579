"""`tocsin check`, the page and the API find the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.database import Database
from escalation.models import ContactMethod
from incidents import check, cli_check
from tests import pages
from tests.calling import Edge
from tests.pages import Pages
from tests.world import World, team

SOUND = team().replace('last_resort: ["responder:mia"]', 'last_resort: ["role:manager", "role:keeper"]')


def checked(world: World | None, *arguments: str) -> tuple[int, str]:
    def database() -> Database:
        assert world is not None, "a file is checked without a database"
        return world.database

    desk = world.desk if world else DESK
    result = CliRunner().invoke(cli_check.command(database, lambda: desk, lambda: {"sms", "slack"}), list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


class Shelved:
    """Of a desk, what a check needs."""

    def __init__(self) -> None:
        from tests.world import RULESET, SHELF

        self.shelf, self.ruleset = SHELF, RULESET


DESK: Any = Shelved()


@pytest.fixture
def world(sqlite_database: Database) -> World:
    world = World(sqlite_database, config=SOUND)
    with sqlite_database.transaction() as session:
        for method in session.query(ContactMethod):
            method.verified_at = world.now
    return world


def disable(world: World, address: str) -> None:
    with world.database.transaction() as session:
        for method in session.query(ContactMethod).filter_by(address=address):
            method.disabled_reason = "no such number"


def test_a_person_nobody_can_reach_ends_the_check_with_1(world: World) -> None:
    assert "no-way" not in checked(world)[1]
    for address in ("+15005550102", "U0BO", "bo@example.org"):
        disable(world, address)
    code, told = checked(world)
    assert code == 1
    assert "error no-way: responder bo: Bo Chen is counted on by schedule secondary and cannot be reached" in told


def test_warnings_end_with_1_only_when_asked_to(world: World, tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(
        SOUND.replace("policies:\n", 'policies:\n  old: {levels: [{level: 1, after: 0s, page: ["responder:bo"]}]}\n')
    )
    code, told = checked(None, str(file))
    assert (code, "warning unused-policy: policy old" in told) == (0, True)
    assert checked(None, str(file), "--strict")[0] == 1


def test_a_finding_in_a_file_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(SOUND.replace('page: ["schedule:secondary"]', 'page: ["role:admin"]'))
    code, told = checked(None, str(file), "--json")
    (finding,) = [each for each in json.loads(told)["findings"] if each["code"] == "empty-level"]
    line = [number for number, text in enumerate(file.read_text().splitlines(), 1) if "role:admin" in text]
    assert (code, finding["line"], finding["path"]) == (1, line[0], "policies.standard.levels[1]")
    assert (
        f"{file}:{line[0]}: error empty-level: policy standard, level 2: It reaches nobody"
        in checked(None, str(file))[1]
    )


def test_what_apply_would_refuse_is_a_finding_too(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(SOUND.replace('page: ["schedule:secondary"]', 'page: ["schedule:secndary"]'))
    code, told = checked(None, str(file))
    assert code == 1
    assert 'error form: policies.standard.levels[1].page[0]: no schedule "secndary" is declared' in told
    assert 'did you mean "secondary"? `apply` refuses the file for it.' in told


def test_a_service_with_a_slip_is_still_there_for_a_maintenance_window(tmp_path: Path) -> None:
    slip = SOUND.replace("checkout: {policy: standard, ", "checkout: {policy: standard, group: {within: soon}, ")
    window = '{services: [checkout], timezone: UTC, from: "22:00", to: "02:00", reason: patches}'
    code, told = checked(None, str(_written(tmp_path, f"{slip}maintenance:\n  patches: {window}\n")))
    assert (code, told.count("error form")) == (1, 1)
    assert 'services.checkout.group.within: "soon" is not a duration' in told
    assert "such as 90s or 1h30m. `apply` refuses the file for it." in told


def test_a_variable_that_is_not_set_is_no_error_where_only_the_form_is_judged(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(SOUND.replace("c0" * 16, "${A_KEY_NOBODY_SET}"))
    code, told = checked(None, str(file), "--strict")
    assert code == 0
    assert "warning variable: variable A_KEY_NOBODY_SET" in told


def test_a_service_without_a_way_in_is_told(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text(SOUND.replace("services:\n", "services:\n  lonely: {policy: standard}\n"))
    assert "warning no-way-in: service lonely" in checked(None, str(file))[1]


def test_a_long_grouping_is_told_by_file_and_database(world: World, tmp_path: Path) -> None:
    long = SOUND.replace("checkout: {policy: standard, ", "checkout: {policy: standard, group: {within: 1h30m}, ")
    (tmp_path / "tocsin.yaml").write_text(long)
    told = "warning long-grouping: service checkout"
    assert told in checked(None, str(tmp_path / "tocsin.yaml"))[1]
    assert told not in checked(None, str(_written(tmp_path, long.replace("1h30m", "1h"))))[1]
    world.apply(long)
    with world.database.reading() as session:
        found = check.of_database(session, world.desk, world.now, channels=None)
    (finding,) = [each for each in found if each.code == "long-grouping"]
    assert finding.sentence == (
        "Its alerts join one incident for 1 hour 30 minutes: new trouble in that time pages nobody anew, unless it is "
        "worse."
    )


def test_too_few_keepers_to_end_a_constitutional_incident_are_told_by_file_and_database(
    world: World, tmp_path: Path
) -> None:
    assert "keepers" not in checked(None, str(_written(tmp_path, SOUND)))[1]
    one = SOUND.replace("kim@example.org, roles: [keeper]", "kim@example.org, roles: [responder]")
    told = checked(None, str(_written(tmp_path, one)))[1]
    assert (
        "warning keepers: role keeper: Only Kai Ito has it, and a constitutional incident is resolved when 2 keepers "
        "approve: nobody could end one, and every incident of event-store is one."
    ) in told
    assert "short.yaml:" in told.split("warning keepers")[0].splitlines()[-1], "it names the line of `protected`"
    none = one.replace("[keeper]", "[manager]").replace('"role:keeper"', '"responder:kai"')
    world.apply(none)
    with world.database.reading() as session:
        found = check.of_database(session, world.desk, world.now, channels=None)
    (finding,) = [each for each in found if each.code == "keepers"]
    assert finding.sentence.startswith("Nobody has it")


def _written(directory: Path, text: str) -> Path:
    file = directory / "short.yaml"
    file.write_text(text)
    return file


def test_the_api_and_the_page_tell_the_same(world: World) -> None:
    disable(world, "+15005550103")
    disable(world, "mia@example.org")
    answer = Edge(world).get("/readiness", by="mia")
    (finding,) = [each for each in answer["items"] if each["severity"] == "error"][:1]
    assert answer["ready"] is False
    opened = Pages(world)
    assert finding["sentence"] in pages.words(opened.by("mia").get("/readiness"))
    assert opened.by("ana").get("/readiness").status_code == 403
    assert Edge(world).call("GET", "/readiness", by="ana").status_code == 403


def test_the_findings_come_page_by_page_and_each_page_says_whether_all_is_well(world: World) -> None:
    for address in ("+15005550102", "U0BO", "bo@example.org", "+15005550101"):
        disable(world, address)
    edge = Edge(world)
    whole = edge.get("/readiness?limit=200", by="program:admin")
    assert len(whole["items"]) > 2
    first = edge.get("/readiness?limit=2", by="program:admin")
    second = edge.get(f"/readiness?limit=200&cursor={first['next']}", by="program:admin")
    assert first["items"] + second["items"] == whole["items"]
    assert (second["next"], second["ready"]) == (None, whole["ready"])
