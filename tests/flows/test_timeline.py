"""The timeline is appended in one serialised place, and only appended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from config.database import Database
from incidents.proof import chain, plain, timeline, verify
from incidents.proof.models import TimelineEntry
from incidents.proof.report import Verdict
from tests.recording import NOW, note, open_incident, texts


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def see(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", see)
    yield seen
    event.remove(database.engine, "before_cursor_execute", see)


def test_entries_follow_each_other_in_their_incident_and_in_the_record(database: Database) -> None:
    first, second = open_incident(database, "First"), open_incident(database, "Second")
    note(database, first, "Looked at it.")
    with database.reading() as session:
        of_first = timeline.entries(session, first)
        of_second = timeline.entries(session, second)
        head = timeline.head(session)
    assert [(entry.global_seq, entry.seq) for entry in of_first] == [(1, 1), (3, 2)]
    assert [(entry.global_seq, entry.seq) for entry in of_second] == [(2, 1)]
    assert of_first[1].prev == of_first[0].entry_hash
    assert of_first[1].global_prev == of_second[0].global_hash
    assert head == timeline.Head(3, of_first[1].global_hash)


def test_an_entry_keeps_who_when_what_and_the_facts(database: Database) -> None:
    incident = open_incident(database)
    later = NOW + timedelta(minutes=3)
    with database.transaction() as session:
        timeline.append(
            session,
            incident,
            "incident.acknowledged",
            "Ana Lima acknowledged by SMS.",
            occurred_at=later,
            actor="Ana Lima",
            actor_kind="responder",
            payload={"channel": "sms", "after_seconds": 180},
        )
    with database.reading() as session:
        (entry,) = timeline.entries(session, incident, after_seq=1)
    assert (entry.actor, entry.actor_kind, entry.occurred_at) == ("Ana Lima", "responder", later)
    assert entry.payload == ('{"facts":{"after_seconds":180,"channel":"sms"},"text":"Ana Lima acknowledged by SMS."}')
    assert entry.payload_sha256 == chain.payload_sha256(entry.salt, entry.payload)


def test_several_entries_of_one_transaction_are_chained_in_the_order_they_were_noted(database: Database) -> None:
    first, second = open_incident(database), open_incident(database)
    with database.transaction() as session:
        for number, incident in enumerate((first, second, first, first)):
            timeline.append(session, incident, "note.added", f"Note {number}", occurred_at=NOW)
    assert texts(database, first)[1:] == ["Note 0", "Note 2", "Note 3"]
    assert texts(database, second)[1:] == ["Note 1"]
    assert verify.run(database).verdict is Verdict.UNSEALED


def test_a_correction_names_what_it_corrects_and_leaves_it_in_place(database: Database) -> None:
    incident = open_incident(database)
    note(database, incident, "Cause: the disk.")
    note(database, incident, "Cause: the network, not the disk.", supersedes=2)
    with database.reading() as session:
        corrected, correction = timeline.entries(session, incident, after_seq=1)
    assert correction.supersedes == corrected.global_seq
    assert verify.run(database).verdict is Verdict.UNSEALED


def test_entries_are_read_in_pieces(database: Database) -> None:
    incident = open_incident(database)
    for number in range(4):
        note(database, incident, f"Note {number}")
    with database.reading() as session:
        piece = timeline.entries(session, incident, after_seq=2, limit=2)
    assert [entry.text for entry in piece] == ["Note 1", "Note 2"]


def test_an_empty_record_has_a_head_too(database: Database) -> None:
    with database.reading() as session:
        assert timeline.head(session) == timeline.Head(0, chain.GENESIS)


def test_appending_touches_nothing_before_the_commit(database: Database) -> None:
    incident = open_incident(database)
    with database.transaction() as session, statements(database) as seen:
        timeline.append(session, incident, "note.added", "Looked at it.", occurred_at=NOW)
        assert seen == []


@pytest.mark.parametrize("count", [1, 5])
def test_writing_takes_the_lock_one_read_and_one_insert(database: Database, count: int) -> None:
    incident = open_incident(database)
    with statements(database) as seen, database.transaction() as session:
        for number in range(count):
            timeline.append(session, incident, "note.added", f"Note {number}", occurred_at=NOW)
    words = [statement.split()[0] for statement in seen if not statement.startswith("BEGIN")]
    lock = [] if database.is_sqlite else ["SELECT"]
    assert words == [*lock, "SELECT", "INSERT"]
    assert database.is_sqlite or "pg_advisory_xact_lock" in seen[0]


def test_a_transaction_without_entries_takes_no_lock(database: Database) -> None:
    with statements(database) as seen, database.transaction() as session:
        session.execute(text("SELECT 1"))
    assert not any("advisory" in statement or "timeline" in statement for statement in seen)


def test_a_rollback_leaves_no_entry_and_no_gap(database: Database) -> None:
    incident = open_incident(database)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        timeline.append(session, incident, "note.added", "Never happened.", occurred_at=NOW)
        raise ZeroDivisionError
    note(database, incident, "Happened.")
    assert texts(database, incident)[1:] == ["Happened."]
    found = verify.run(database)
    assert (found.verdict, found.last_seq) == (Verdict.UNSEALED, 2)


def test_what_was_noted_before_a_rollback_is_not_written_by_the_commit_after_it(database: Database) -> None:
    incident = open_incident(database)
    with database.transaction() as session:
        timeline.append(session, incident, "note.added", "Rolled back.", occurred_at=NOW)
        session.rollback()
        timeline.append(session, incident, "note.added", "Committed.", occurred_at=NOW)
    with database.transaction() as session:
        timeline.append(session, incident, "note.added", "Rolled back too.", occurred_at=NOW)
        session.rollback()
    assert texts(database, incident)[1:] == ["Committed."]


def test_appending_inside_a_savepoint_is_refused(database: Database) -> None:
    incident = open_incident(database)
    with (
        pytest.raises(RuntimeError, match="savepoint"),
        database.transaction() as session,
        session.begin_nested(),
    ):
        timeline.append(session, incident, "note.added", "Half done.", occurred_at=NOW)


def test_a_failing_commit_hook_leaves_nothing(database: Database) -> None:
    incident = open_incident(database)

    def fail(session: Any) -> None:
        timeline.write(session)
        raise ZeroDivisionError

    database.before_commit = fail
    with pytest.raises(ZeroDivisionError):
        note(database, incident, "Never committed.")
    database.before_commit = timeline.write
    note(database, incident, "Committed.")
    assert texts(database, incident)[1:] == ["Committed."]


def test_recorded_times_never_run_backwards_when_a_clock_does(database: Database) -> None:
    incident = open_incident(database)
    for moment in (NOW + timedelta(days=900), NOW, NOW + timedelta(days=901)):
        database.before_commit = partial(timeline.write, read_clock=partial(datetime.fromisoformat, str(moment)))
        note(database, incident, "Noted.")
    with database.reading() as session:
        recorded = [entry.recorded_at for entry in timeline.entries(session, incident, after_seq=1)]
    assert recorded == [NOW + timedelta(days=900), NOW + timedelta(days=900), NOW + timedelta(days=901)]
    assert verify.run(database).verdict is Verdict.UNSEALED


def test_words_that_no_database_can_keep_are_kept_as_far_as_they_can_be(database: Database) -> None:
    incident = open_incident(database)
    note(database, incident, "NUL \0 and half a character \ud83d", payload={"raw": "a\0b", "k\0": "ü"})
    (kept,) = texts(database, incident)[1:]
    assert kept == "NUL  and half a character ?"
    assert verify.run(database).verdict is Verdict.UNSEALED


def test_over_long_text_and_facts_are_cut_and_the_entry_is_kept(database: Database) -> None:
    incident = open_incident(database)
    note(database, incident, "x" * 10_000, actor="y" * 1_000, payload={str(n): "z" * 4_000 for n in range(100)})
    with database.reading() as session:
        (entry,) = timeline.entries(session, incident, after_seq=1)
    assert len(entry.text) == plain.TEXT_LIMIT_CHARACTERS
    assert len(entry.actor) == timeline.ACTOR_LIMIT_CHARACTERS
    assert "bytes of facts, left out" in entry.payload
    assert verify.run(database).verdict is Verdict.UNSEALED


@pytest.mark.parametrize(
    ("slip", "error"),
    [
        ({"kind": "Opened"}, ValueError),
        ({"kind": "note." + "x" * 64}, ValueError),
        ({"actor_kind": "robot"}, ValueError),
        ({"occurred_at": NOW.replace(tzinfo=None)}, TypeError),
        ({"payload": {"ratio": 0.5}}, TypeError),
    ],
)
def test_a_slip_in_the_calling_code_fails_where_it_is_made(
    sqlite_database: Database, slip: dict[str, Any], error: type[Exception]
) -> None:
    arguments = {"kind": "note.added", "text": "Noted.", "occurred_at": NOW, **slip}
    with sqlite_database.reading() as session, pytest.raises(error):
        timeline.append(session, 1, **arguments)


def test_an_entry_about_an_incident_that_does_not_exist_fails_the_transaction(database: Database) -> None:
    with pytest.raises(DBAPIError), database.transaction() as session:
        timeline.append(session, 404, "incident.opened", "Opened.", occurred_at=NOW)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(TimelineEntry)) == 0
