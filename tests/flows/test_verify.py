"""What a check of the record sees, and what it cannot see.

Each attack is made as somebody would make it who owns the database: past the triggers, the constraints and the
foreign keys.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text, update

from config.database import Database
from incidents.proof import checks, report, timeline, verify
from incidents.proof.checks import Check
from incidents.proof.report import Verdict, Verification
from tests.factories import make_incident
from tests.tampering import ENTRY, change, remove, remove_incident, rewrite, row, tampering

NOW = datetime(2026, 11, 2, 3, 12, tzinfo=UTC)


@pytest.fixture
def recorded(database: Database) -> Database:
    """Three incidents with four entries each, taking turns: record 1, 4, 7, 10 are of the first."""
    minutes = iter(range(1_000))

    def read_clock() -> datetime:
        return NOW + timedelta(minutes=next(minutes))

    database.before_commit = partial(timeline.write, read_clock=read_clock)
    with database.transaction() as session:
        incidents = [make_incident(session, now=NOW, title=f"Incident {number}").id for number in (1, 2, 3)]
    for kind in ("incident.opened", "level.reached", "page.sent", "incident.acknowledged"):
        for incident in incidents:
            with database.transaction() as session:
                timeline.append(session, incident, kind, f"{kind} of {incident}", occurred_at=NOW, payload={"n": 1})
    assert verify.run(database).verdict is Verdict.UNSEALED
    return database


def found_checks(found: Verification) -> set[Check]:
    return {problem.check for problem in found.problems}


def other(value: Any) -> Any:
    """Something of the same kind, as near as can be."""
    if value is None:
        return 1
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, int):
        return value + 1_000
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return value[:-1] + ("0" if value[-1] != "0" else "1")


def test_an_untouched_record_verifies_and_says_what_that_does_not_cover(recorded: Database) -> None:
    found = verify.run(recorded)
    assert found.headline == "VERIFIED WITH 12 UNSEALED ENTRIES"
    assert (found.first_seq, found.last_seq, found.incidents, found.exit_code) == (1, 12, 3, 0)
    said = report.text(found)
    assert f"Head: record 12 · {row(recorded, 12)['global_hash']}" in said
    assert "deleted the newest entries" in said


def test_an_empty_record_of_no_incidents_is_verified(database: Database) -> None:
    found = verify.run(database)
    assert (found.headline, found.exit_code) == ("VERIFIED", 0)
    assert report.text(found) == "VERIFIED\nNo entries are recorded."


def test_a_change_to_any_stored_column_is_seen_at_its_entry(recorded: Database) -> None:
    for column in checks.COLUMNS:
        was = row(recorded, 5)[column]
        key = 5 if column != "global_seq" else 1_005
        change(recorded, 5, **{column: other(was)})
        found = verify.run(recorded)
        assert found.verdict is Verdict.BROKEN, column
        assert found.exit_code == 1
        # Renumbered, the entry is missing from its old place: that is seen at the entry after it.
        assert found.problems[0].global_seq == (5 if column != "global_seq" else 6), column
        change(recorded, key, **{column: was})
    assert verify.run(recorded).verdict is Verdict.UNSEALED


@pytest.mark.parametrize(
    ("column", "check"),
    [
        ("actor", Check.HASH),
        ("occurred_at", Check.HASH),
        ("supersedes", Check.HASH),
        ("canonical", Check.HASH),
        ("entry_hash", Check.HASH),
        ("payload", Check.PAYLOAD),
        ("salt", Check.PAYLOAD),
        ("text", Check.PAYLOAD),
        ("prev", Check.PREV),
        ("global_prev", Check.GLOBAL_PREV),
        ("global_hash", Check.GLOBAL_HASH),
    ],
)
def test_the_check_that_failed_is_named(recorded: Database, column: str, check: Check) -> None:
    change(recorded, 5, **{column: other(row(recorded, 5)[column])})
    assert check in found_checks(verify.run(recorded))


@pytest.mark.parametrize(("global_seq", "seq"), [(1, 1), (5, 2)], ids=["first", "middle"])
def test_a_deleted_entry_leaves_a_gap_in_the_record_and_in_its_incident(
    recorded: Database, global_seq: int, seq: int
) -> None:
    incident = row(recorded, global_seq)["incident_id"]
    remove(recorded, ENTRY.c.global_seq == global_seq)
    found = verify.run(recorded)
    assert found.verdict is Verdict.BROKEN
    assert [problem.detail for problem in found.problems] == [
        f"entry {global_seq} of the record is missing before it",
        f"entry {seq} of incident {incident} is missing before it",
    ]


def test_an_incidents_last_entry_deleted_leaves_a_gap_in_the_record(recorded: Database) -> None:
    remove(recorded, ENTRY.c.global_seq == 11)
    (gap,) = verify.run(recorded).problems
    assert gap.detail == "entry 11 of the record is missing before it"


def test_two_entries_that_changed_places_are_seen(recorded: Database) -> None:
    first, second = row(recorded, 5), row(recorded, 8)
    assert first["incident_id"] == second["incident_id"]
    change(recorded, 5, global_seq=900, seq=900)
    change(recorded, 8, global_seq=5, seq=first["seq"])
    change(recorded, 900, global_seq=8, seq=second["seq"])
    found = verify.run(recorded)
    assert (found.verdict, found.problems[0].global_seq) == (Verdict.BROKEN, 5)
    assert {Check.HASH, Check.GLOBAL_PREV, Check.PREV} <= found_checks(found)


def test_an_inserted_entry_is_seen(recorded: Database) -> None:
    forged = {**row(recorded, 12), "global_seq": 13, "seq": 5, "prev": "f" * 64, "global_prev": "f" * 64}
    with tampering(recorded) as connection:
        connection.execute(ENTRY.insert(), [forged])
    assert verify.run(recorded).problems[0].global_seq == 13


def test_an_incidents_entries_cannot_go_unseen(recorded: Database) -> None:
    gone = row(recorded, 1)["incident_id"]
    remove(recorded, ENTRY.c.incident_id == gone)
    found = verify.run(recorded)
    assert found.verdict is Verdict.BROKEN
    assert {Check.GAP, Check.OPENED} == found_checks(found)
    assert found.problems[-1].incident == gone
    assert found.problems[-1].detail == "none of its entries is in the record"


def test_an_incident_cannot_be_deleted_together_with_its_entries(recorded: Database) -> None:
    gone = row(recorded, 1)["incident_id"]
    remove(recorded, ENTRY.c.incident_id == gone)
    remove_incident(recorded, gone)
    assert found_checks(verify.run(recorded)) == {Check.GAP}


def test_entries_about_an_incident_that_was_deleted_are_seen(recorded: Database) -> None:
    gone = row(recorded, 2)["incident_id"]
    remove_incident(recorded, gone)
    (problem,) = verify.run(recorded).problems
    assert (problem.check, problem.incident, problem.global_seq) == (Check.INCIDENT, gone, 2)


def test_an_incident_without_its_opening_entry_is_seen(recorded: Database) -> None:
    with recorded.transaction() as session:
        unrecorded = make_incident(session, now=NOW).id
        late = make_incident(session, now=NOW).id
        timeline.append(session, late, "note.added", "Opened by whom?", occurred_at=NOW)
    problems = verify.run(recorded).problems
    assert [(problem.check, problem.incident) for problem in problems] == [
        (Check.OPENED, late),
        (Check.OPENED, unrecorded),
    ]


def test_recording_times_that_run_backwards_are_seen_even_with_every_digest_recomputed(recorded: Database) -> None:
    rewrite(recorded, 5, lambda entry: entry.update(recorded_at=NOW + timedelta(days=1)))
    problems = verify.run(recorded).problems
    assert [(problem.check, problem.global_seq) for problem in problems] == [(Check.TIME, 6)]


def test_deleting_the_newest_entries_is_missed_without_a_copy_of_the_head(recorded: Database) -> None:
    """What a chain by itself cannot see: nothing in what is left says that there was more."""
    with recorded.reading() as session:
        noted = timeline.head(session)
    remove(recorded, ENTRY.c.global_seq > 9)
    assert verify.run(recorded).headline == "VERIFIED WITH 9 UNSEALED ENTRIES"
    found = verify.run(recorded, noted=noted)
    assert (found.verdict, found_checks(found)) == (Verdict.BROKEN, {Check.NOTED})


def test_rewriting_with_every_later_digest_recomputed_is_missed_without_a_copy_of_the_head(recorded: Database) -> None:
    with recorded.reading() as session:
        noted = timeline.head(session)
    rewrite(recorded, 5, lambda entry: entry.update(text="Nobody was paged.", actor="Ana Lima"))
    assert row(recorded, 5)["text"] == "Nobody was paged."
    assert verify.run(recorded).headline == "VERIFIED WITH 12 UNSEALED ENTRIES"
    assert found_checks(verify.run(recorded, noted=noted)) == {Check.NOTED}


def test_deleting_the_newest_incident_with_its_entries_is_missed_without_a_copy_of_the_head(
    recorded: Database,
) -> None:
    with recorded.transaction() as session:
        newest = make_incident(session, now=NOW).id
        timeline.append(session, newest, "incident.opened", "Opened.", occurred_at=NOW)
    with recorded.reading() as session:
        noted = timeline.head(session)
    remove(recorded, ENTRY.c.incident_id == newest)
    remove_incident(recorded, newest)
    assert verify.run(recorded).verdict is Verdict.UNSEALED
    assert verify.run(recorded, noted=noted).verdict is Verdict.BROKEN


def test_a_noted_head_vouches_for_what_was_before_it(recorded: Database) -> None:
    with recorded.reading() as session:
        noted = timeline.head(session)
    incident = row(recorded, 1)["incident_id"]
    with recorded.transaction() as session:
        timeline.append(session, incident, "note.added", "Later.", occurred_at=NOW)
    found = verify.run(recorded, noted=noted)
    assert found.headline == "VERIFIED WITH 1 UNSEALED ENTRY"
    assert "everything up to the noted head, record 12" in report.text(found)
    assert verify.run(recorded, noted=replace(noted, global_hash="f" * 64)).verdict is Verdict.BROKEN


def test_many_problems_are_counted_and_the_first_are_kept(recorded: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "PROBLEMS_KEPT", 4)
    with tampering(recorded) as connection:
        connection.execute(update(ENTRY).values(actor="nobody"))
    found = verify.run(recorded)
    assert [problem.global_seq for problem in found.problems] == [1, 2, 3, 4]
    assert found.problem_count == 12
    assert "12 checks failed" in report.text(found)


def test_a_long_record_is_read_in_batches(recorded: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "BATCH", 5)
    assert verify.run(recorded).entries == 12


def test_a_record_that_cannot_be_read_is_not_called_verified(recorded: Database) -> None:
    with tampering(recorded) as connection:
        connection.execute(text("ALTER TABLE timeline_entries RENAME TO elsewhere"))
    found = verify.run(recorded)
    assert (found.headline, found.exit_code) == ("CANNOT VERIFY", 2)
    assert "timeline_entries" in report.text(found)


def test_a_problem_found_before_the_reading_failed_still_counts(recorded: Database) -> None:
    change(recorded, 5, actor="nobody")
    with tampering(recorded) as connection:
        connection.execute(text("ALTER TABLE incidents RENAME TO elsewhere"))
    found = verify.run(recorded)
    assert (found.verdict, found.problems[0].global_seq) == (Verdict.BROKEN, 5)
    assert "could not be finished" in report.text(found)


@pytest.mark.parametrize(
    ("column", "value"), [("occurred_at", "'yesterday'"), ("seq", "'two'"), ("salt", "'text'"), ("text", "x'ff00'")]
)
def test_values_of_the_wrong_kind_are_findings(sqlite_database: Database, column: str, value: str) -> None:
    """SQLite keeps anything in any column."""
    with sqlite_database.transaction() as session:
        incident = make_incident(session, now=NOW).id
        timeline.append(session, incident, "incident.opened", "Opened.", occurred_at=NOW)
        timeline.append(session, incident, "note.added", "Looked at it.", occurred_at=NOW)
    with tampering(sqlite_database) as connection:
        connection.execute(text(f"UPDATE timeline_entries SET {column} = {value} WHERE global_seq = 1"))
    found = verify.run(sqlite_database)
    assert found.verdict is Verdict.BROKEN
    assert (found.problems[0].check, found.problems[0].global_seq) == (Check.UNREADABLE, 1)


def test_the_json_form_says_what_the_text_says(recorded: Database) -> None:
    change(recorded, 5, actor="nobody")
    found = verify.run(recorded)
    as_json = json.loads(json.dumps(found.as_json()))
    assert (as_json["verdict"], as_json["exit_code"], as_json["entries"]) == ("BROKEN", 1, 12)
    assert as_json["problems"][0] == {
        "check": "hash",
        "detail": "what it says now differs from what was hashed: actor",
        "global_seq": 5,
        "incident": row(recorded, 5)["incident_id"],
        "seq": 2,
    }
    assert as_json["text"] == report.text(found)
    assert "record 5 (incident 2, entry 2): hash: what it says now differs" in as_json["text"]
