"""Out of the database into a file, and the difference between the two."""

from __future__ import annotations

from pathlib import Path
from string import Template

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from config.database import Database
from escalation.models import ContactMethod, OverrideRow, Owner, PolicyRow, Responder, ScheduleRow
from incidents import cli_configuration, demo, export
from incidents.sources.table import SOURCES
from tests.declaring import NOW, OPSGENIE_KEY, PAGERDUTY_KEY, TEAM, apply, changed
from tests.world import SHELF

DEMO = Template(demo.text()).substitute(demo.environment("s" * 32))
SECRETS = changed('"slack:#incidents"', '"webhook:https://hooks.example.org/T0/s3cret?a=b"', TEAM)


def exported(database: Database, owners: frozenset[str] = export.EVERYBODY) -> str:
    with database.reading() as session:
        return export.to_text(session, owners)


def keys_of(text: str, declared: str) -> dict[str, str]:
    """The variables that the export leaves open, filled with the keys that were declared."""
    declared_keys = [line.partition("key: ")[2].split('"')[1] for line in declared.splitlines() if "key: " in line]
    names = [part.partition("}")[0] for part in text.split("${")[1:]]
    by_hint = {key[-4:]: key for key in declared_keys}
    assert len(by_hint) == len(declared_keys) == len(names)
    return {name: by_hint[name.split("_")[-2].lower()] for name in names}


RICH = changed(
    "schedules:\n",
    """schedules:
  layered:
    timezone: Europe/Lisbon
    slack_usergroup: S0123ABC
    rotations:
      - {members: [ana, bo], starts: "2026-11-02T09:00", turn: 1mo}
      - {members: [ana, bo], starts: "2026-11-02T09:00", turn: 1d, layer: 2, only: [{days: [mon, tue], from: "09:00", to: "17:00"}], at_once: 2}
      - {members: [mia], starts: "2026-11-02T09:00", turn: 36h, shadow: true}
      - {calendar: "https://calendar.example.org/oncall.ics?key=s3cret"}
""",
    changed(
        "mia: {name: Mia Berg, ",
        """mia: {name: Mia Berg, holidays: DE-BE, quiet: {from: "22:00", to: "07:00"},
        page_by: {high: [{after: 0s, by: voice, from: "22:00", to: "07:00"}, {after: 0s, by: sms}]},
        time_off: [{from: "2026-12-20", to: "2027-01-03", reason: "Far away: 100 %"}, {from: "2027-02-01T09:00", to: "2027-02-01T17:30"}],
        """,
        TEAM,
    ),
)
RICH = changed(
    "policies:\n",
    """hours:
  office: {timezone: Europe/Lisbon, days: [mon, fri], from: "09:00", to: "18:00", holidays: PT}
policies:
  gentle:
    ack_timeout: 0s
    acknowledgements: 2
    levels:
      - {level: 1, after: 0s, page: ["role:responder"], round_robin: true, during: office}
      - {level: 2, after: 90s, page: ["responder:mia"], outside: office, runbook: backup}
""",
    changed(
        "protected: true",
        "protected: true\n    remediation: {url: 'https://hooks.example.org/mend?key=s3cret', retries: 2}\n    holidays: PT\n    group: {within: 90s, by: [cluster, 'on: call']}\n    flap: {toggles: 3, within: 1h30m}\n    policies: [{class: constitutional, policy: gentle}, {outside: office, policy: gentle}]",
        RICH,
    ),
)


RICH += "hooks: {halt: 'https://halt.example.org/now?key=s3cret'}\n"


@pytest.mark.parametrize("text", [TEAM, SECRETS, RICH])
def test_what_is_exported_reads_back_to_the_same(database: Database, text: str) -> None:
    apply(database, text)
    written = exported(database)
    assert apply(database, written, env=keys_of(written, text)).lines == []


def test_the_demo_reads_back_to_the_same(sqlite_database: Database) -> None:
    runbooks = {runbook.id for runbook in SHELF.library.runbooks}
    apply(sqlite_database, DEMO, sources=SOURCES, runbook_ids=runbooks)
    written = exported(sqlite_database)
    env = keys_of(written, DEMO)
    assert apply(sqlite_database, written, env=env, sources=SOURCES, runbook_ids=runbooks).lines == []


def test_no_key_is_written_and_each_is_told_by_its_last_letters(sqlite_database: Database) -> None:
    apply(sqlite_database, TEAM)
    written = exported(sqlite_database)
    assert PAGERDUTY_KEY not in written
    assert (
        f'- {{source: opsgenie, key: "${{CHECKOUT_OPSGENIE_{OPSGENIE_KEY[-4:].upper()}_KEY}}"}}'
        f"  # the key that ends in {OPSGENIE_KEY[-4:]}" in written
    )


def people_made(database: Database) -> None:
    """A schedule and an override of people's, and an address that does not work."""
    with database.transaction() as session:
        primary = session.query(ScheduleRow).filter_by(key="primary").one()
        session.add(ScheduleRow(key="nights", owner=Owner.PEOPLE, definition={**primary.definition, "key": "nights"}))
        people = {row.key: row.id for row in session.scalars(select(Responder))}
        session.query(ContactMethod).filter_by(address="U0BO").one().disabled_reason = "no such user"
        session.add(
            OverrideRow(
                schedule_id=primary.id,
                responder_id=people["bo"],
                replaces_id=people["ana"],
                starts_at=NOW,
                ends_at=NOW.replace(year=2099),
                created_by="Bo Chen",
                created_at=NOW,
            )
        )


def test_whose_things_are_exported_can_be_chosen(sqlite_database: Database) -> None:
    apply(sqlite_database, TEAM)
    people_made(sqlite_database)
    of_file, of_people = (
        exported(sqlite_database, frozenset({"file"})),
        exported(sqlite_database, frozenset({"people"})),
    )
    assert "nights" not in of_file
    assert "primary" in of_file
    assert of_people.splitlines()[1:3] == ["schedules:", "  nights:"]
    assert "ana:" not in of_people


@pytest.fixture
def applied(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Database, Path]:
    """The database is asked again after the command has closed it."""
    apply(sqlite_database, TEAM)
    file = tmp_path / "tocsin.yaml"
    file.write_text(TEAM)
    return sqlite_database, file


def drift(database: Database, file: Path, *options: str) -> tuple[int, str]:
    class Desk:
        vault = None
        base_url = "https://tocsin.example.org"

        class shelf:  # noqa: N801  stands for an attribute
            class library:  # noqa: N801  stands for an attribute
                runbooks = SHELF.library.runbooks

    (command,) = [
        c for c in cli_configuration.commands(lambda: database, lambda: Desk(), lambda: ()) if c.name == "drift"
    ]  # type: ignore[arg-type,return-value]  # of a desk only these are asked
    result = CliRunner().invoke(command, [str(file), *options])
    return result.exit_code, result.output


def test_no_drift_ends_with_0(applied: tuple[Database, Path]) -> None:
    assert drift(*applied) == (0, f"The database is as {applied[1]} says.\n")


def test_drift_ends_with_1_and_tells_what_applying_would_change(applied: tuple[Database, Path]) -> None:
    database, file = applied
    file.write_text(changed("after: 15m", "after: 20m", TEAM))
    code, told = drift(database, file)
    assert code == 1
    assert "  ~ policy standard: levels[2].after 15m -> 20m" in told
    with database.reading() as session:
        assert "900" in str(session.scalar(select(PolicyRow.definition).where(PolicyRow.key == "standard")))


def test_what_people_did_beside_the_file_is_told_and_is_no_drift(applied: tuple[Database, Path]) -> None:
    people_made(applied[0])
    code, told = drift(*applied)
    assert code == 0
    assert told.splitlines()[1:] == [
        "In force beside it:",
        "  schedule nights: people own it and edit it in the browser",
        "  schedule primary: override by Bo Chen, bo instead of ana, 2026-11-02 03:12 to 2099-11-02 03:12 UTC",
        "  responder bo: slack is out of use: no such user",
    ]


def test_a_dry_run_tells_whose_shifts_move(sqlite_database: Database) -> None:
    apply(sqlite_database, TEAM)
    changes = apply(
        sqlite_database,
        changed(
            "primary: {timezone: UTC, rotations: [{members: [ana]",
            "primary: {timezone: UTC, rotations: [{members: [mia]",
        ),
        dry_run=True,
    )
    assert [sentence.partition(" on call")[0] for sentence in changes.moved] == [
        "ana: 90 days less",
        "mia: 90 days more",
    ]
