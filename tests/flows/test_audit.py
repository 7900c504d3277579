"""Every change of the configuration is kept with who, what, before and after."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from config import audit
from config.audit_models import AuditEntry
from config.database import Database
from tests import pages
from tests.calling import Edge
from tests.declaring import NOW, PAGERDUTY_KEY, TEAM, apply, changed
from tests.pages import Pages
from tests.world import KEY, World, team


def kept(database: Database, what: str = "") -> list[AuditEntry]:
    """The oldest first."""
    with database.reading() as session:
        return list(audit.entries(session, limit=200, what=what))[::-1]


def test_what_a_file_brings_is_kept_with_who_applied_it(sqlite_database: Database) -> None:
    apply(sqlite_database, TEAM, applied_by="root")
    (schedule,) = kept(sqlite_database, "schedule primary")
    assert (schedule.actor, schedule.via, schedule.action) == ("file tocsin.yaml, applied by root", "file", "added")
    assert schedule.at == NOW
    assert schedule.before is None
    assert schedule.after is not None
    assert schedule.after["rotations"][0]["members"] == ["ana"]


def test_a_change_is_kept_with_before_and_after(sqlite_database: Database) -> None:
    apply(sqlite_database, TEAM)
    apply(sqlite_database, changed("after: 15m", "after: 20m", TEAM))
    entry = kept(sqlite_database)[-1]
    assert entry.text == "~ policy standard: levels[2].after 15m -> 20m"
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["levels"][2]["after"], entry.after["levels"][2]["after"]) == ("15m", "20m")


def test_a_dry_run_and_a_file_that_changes_nothing_leave_no_entry(sqlite_database: Database) -> None:
    apply(sqlite_database, TEAM)
    count = len(kept(sqlite_database))
    apply(sqlite_database, TEAM)
    apply(sqlite_database, changed("after: 15m", "after: 20m", TEAM), dry_run=True)
    assert len(kept(sqlite_database)) == count


def test_no_key_and_no_url_is_kept(sqlite_database: Database) -> None:
    secret = '"slack:#incidents", "webhook:https://hooks.example.org/T0/s3cret", "apprise:ntfy://s3cret@host/x"'
    apply(sqlite_database, changed('"slack:#incidents"', secret, TEAM))
    said = "".join(f"{entry.text}{entry.before}{entry.after}" for entry in kept(sqlite_database))
    assert PAGERDUTY_KEY not in said
    assert "s3cret" not in said
    assert "webhook:https://hooks.example.org/…" in said
    assert f"integration pagerduty …{PAGERDUTY_KEY[-4:]}" in said


def test_without_secrets_reaches_into_whatever_holds_them() -> None:
    held = {"url": ["see https://u:p@h.example.org:8443/a?b=c, and ntfy://token/x"], "n": 3, "t": ("ws://a/b",)}
    assert audit.without_secrets(held) == {
        "url": ["see https://h.example.org/…, and ntfy://…"],
        "n": 3,
        "t": ["ws://…"],
    }


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"])
def test_an_entry_cannot_be_changed_or_taken_away(database: Database, statement: str) -> None:
    apply(database, TEAM)
    with pytest.raises(DatabaseError), database.transaction() as session:
        session.execute(text(statement))


def test_administrators_and_managers_read_it_by_the_api(sqlite_database: Database) -> None:
    edge = Edge(World(sqlite_database))
    first = edge.get("/audit?limit=2", by="mia")
    rest = edge.get(f"/audit?limit=200&cursor={first['next']}", by="program:admin")
    assert len(first["items"]) == 2
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert ids == sorted(ids, reverse=True)
    assert rest["next"] is None
    of_one = edge.get("/audit?what=schedule%20primary", by="mia")["items"]
    assert [item["what"] for item in of_one] == ["schedule primary"]
    assert edge.call("GET", "/audit", by="ana").status_code == 403


def test_the_page_shows_who_and_what(sqlite_database: Database) -> None:
    opened = Pages(World(sqlite_database, config=team()))
    page = opened.by("mia").get("/audit")
    said = pages.words(page)
    assert "responder ana" in said
    assert "by file tocsin.yaml (file)" in said
    assert KEY not in page.text
    assert opened.by("ana").get("/audit").status_code == 403
    assert opened.by("mia").get("/audit?before=1").status_code == 200
