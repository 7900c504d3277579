"""The timeline under crashes, under several writers at once, and against changes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config.database import Database
from incidents.proof import timeline, verify
from incidents.proof.models import TimelineEntry
from incidents.proof.report import Verdict
from tests.recording import note, open_incident, texts

ROOT = Path(__file__).parents[2]

CRASH = """
import os, signal, sys
from config import clock
from config.database import Database
from incidents.proof import timeline

def crash(session):
    timeline.write(session)
    os.kill(os.getpid(), signal.SIGKILL)

with Database(sys.argv[1], before_commit=crash).transaction() as session:
    timeline.append(session, int(sys.argv[2]), "note.added", "Lost.", occurred_at=clock.now())
"""


def test_a_process_killed_between_insert_and_commit_leaves_nothing(database: Database) -> None:
    incident = open_incident(database)
    url = database.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", CRASH, url, str(incident)], cwd=ROOT, timeout=60, check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr.decode()
    note(database, incident, "After the crash.")
    assert texts(database, incident)[1:] == ["After the crash."]
    assert verify.run(database).verdict is Verdict.UNSEALED


def test_four_writers_with_100_appends_each_make_no_fork(database: Database) -> None:
    incidents = [open_incident(database), open_incident(database)]
    url = database.url.render_as_string(hide_password=False)
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def write(writer: int) -> None:
        mine = Database(url, before_commit=timeline.write)
        ready.wait(timeout=10)
        try:
            for number in range(100):
                note(mine, incidents[number % 2], f"Writer {writer}, note {number}")
        except DBAPIError as failure:
            failures.append(failure)
        finally:
            mine.close()

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    assert failures == []
    found = verify.run(database)
    assert (found.verdict, found.entries) == (Verdict.UNSEALED, 402)
    assert texts(database, incidents[0])[1:].count("Writer 3, note 98") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE timeline_entries SET text = 'Nothing happened.'",
        "DELETE FROM timeline_entries WHERE global_seq = 1",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_entry(database: Database, statement: str) -> None:
    incident = open_incident(database)
    with pytest.raises(DBAPIError, match="only ever added"), database.transaction() as session:
        session.execute(text(statement))
    assert texts(database, incident) == ["Opened: Checkout answers with 500"]


@pytest.mark.parametrize(
    "statement", ["TRUNCATE timeline_entries", "UPDATE timeline_entries SET text = text WHERE global_seq = 99"]
)
def test_postgresql_refuses_whole_statements(postgresql_database: Database, statement: str) -> None:
    open_incident(postgresql_database)
    with pytest.raises(DBAPIError, match="only ever added"), postgresql_database.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize("column", ["global_seq", "seq", "prev", "global_prev"])
def test_sqlite_refuses_to_replace_an_entry(sqlite_database: Database, column: str) -> None:
    """INSERT OR REPLACE would remove the row in its way without firing the trigger on deletes."""
    incident = open_incident(sqlite_database)
    changed = {"global_seq": "7", "seq": "7", "prev": "'x'", "global_prev": "'x'"}
    del changed[column]
    names = [each.name for each in TimelineEntry.__table__.columns]
    values = ", ".join(changed.get(name, name) for name in names)
    replace = f"INSERT OR REPLACE INTO timeline_entries ({', '.join(names)}) SELECT {values} FROM timeline_entries"
    with pytest.raises(DBAPIError, match="only ever added"), sqlite_database.transaction() as session:
        session.execute(text(replace))
    assert len(texts(sqlite_database, incident)) == 1
