"""The database refuses to change or remove a timeline entry.

This stops slips and bugs, not an owner of the database, who can drop a trigger: what shows a change is the
chain of hashes.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MESSAGE = "timeline entries are only ever added; a correction is a new entry"

# INSERT OR REPLACE removes the row in its way without firing a delete trigger, so it is refused on its own.
SQLITE_TRIGGERS = {
    "timeline_entries_no_update": "BEFORE UPDATE ON timeline_entries",
    "timeline_entries_no_delete": "BEFORE DELETE ON timeline_entries",
    "timeline_entries_no_replace": """BEFORE INSERT ON timeline_entries WHEN EXISTS (
        SELECT 1 FROM timeline_entries AS old
        WHERE old.global_seq = NEW.global_seq OR old.global_prev = NEW.global_prev
           OR (old.incident_id = NEW.incident_id AND old.seq = NEW.seq)
           OR (old.incident_id = NEW.incident_id AND old.prev = NEW.prev))""",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, when in SQLITE_TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END")
        return
    op.execute(
        f"""CREATE FUNCTION timeline_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$"""
    )
    op.execute(
        """CREATE TRIGGER timeline_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON timeline_entries
        FOR EACH STATEMENT EXECUTE FUNCTION timeline_entries_refuse()"""
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        return
    op.execute("DROP TRIGGER timeline_entries_append_only ON timeline_entries")
    op.execute("DROP FUNCTION timeline_entries_refuse()")
