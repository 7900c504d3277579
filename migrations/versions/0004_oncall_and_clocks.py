"""On-call in full, notices, holds, clocks, bundles, and the audit of the configuration."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import BIG, JSON, TIME, identity, optional, partial_index, reference, required

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# In the order of creation: a table stands after those it refers to.
TABLES = (
    "hours",
    "round_robins",
    "notices",
    "verifications",
    "hooks",
    "hook_calls",
    "reconciliations",
    "absences",
    "swaps",
    "calendar_copies",
    "calendar_feeds",
    "duties",
    "known_gaps",
    "holds",
    "checklist_ticks",
    "audit_entries",
)


def _column(name: str, kind: sa.types.TypeEngine[Any], default: str) -> sa.Column[Any]:
    """A required column for rows that are there already."""
    return sa.Column(name, kind, nullable=False, server_default=default)


AUDIT_MESSAGE = "audit entries are only ever added"
SQLITE_TRIGGERS = {
    "audit_entries_no_update": "BEFORE UPDATE ON audit_entries",
    "audit_entries_no_delete": "BEFORE DELETE ON audit_entries",
    "audit_entries_no_replace": """BEFORE INSERT ON audit_entries WHEN EXISTS (
        SELECT 1 FROM audit_entries AS old WHERE old.id = NEW.id)""",
}


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    """Table -> its new columns. SQLite takes them without writing the table anew."""
    return {
        "responders": (
            _column("page_by_origin", sa.String(16), "declared"),
            _column("quiet", JSON, "{}"),
            _column("quiet_origin", sa.String(16), "default"),
            _column("holidays", sa.String(16), ""),
            _column("owner", sa.String(16), "file"),
        ),
        "contact_methods": (_column("declared", sa.Boolean(), sa.true()), *optional(TIME, "verified_at")),  # type: ignore[arg-type]  # a SQL expression is a default too
        "schedules": (_column("owner", sa.String(16), "file"),),
        "policies": (_column("owner", sa.String(16), "file"),),
        "overrides": (_column("reason", sa.Text(), ""),),
        "escalations": (_column("holidays", sa.String(16), ""), _column("acks", JSON, "[]")),
        "pages": (
            _column("regardless", sa.Boolean(), sa.false()),  # type: ignore[arg-type]  # a SQL expression is a default too
            _column("note", sa.Text(), ""),
            *optional(BIG, "carrier_id"),
            *optional(sa.Integer(), "told_rank"),
        ),
        "services": (
            _column("holidays", sa.String(16), ""),
            _column("policy_choices", JSON, "[]"),
            _column("remediation", JSON, "{}"),
        ),
        "incidents": (
            *optional(TIME, "activity_at", "reminded_at", "snoozed_until"),
            _column("phase_late", sa.String(16), ""),
        ),
        "runbook_links": (_column("emergency", JSON, "{}"),),
        "timers": (_column("party", sa.String(64), ""),),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_pages_carrier_id", "pages", ["carrier_id"])
    op.create_index("ix_pages_told", "pages", ["responder_id", "channel", "sent_at"])
    op.drop_index("ix_pages_responder_id", "pages")
    # Who asks a keeper was told apart by its level before.
    op.execute("UPDATE pages SET regardless = (level = 0)")
    with op.batch_alter_table("timers") as timers:
        timers.alter_column("incident_id", existing_type=BIG, nullable=True)
    partial_index("ix_timers_party", "timers", ["lane", "party"], "party <> ''")
    partial_index("ix_timers_parked", "timers", ["parked_at"], "parked_at IS NOT NULL")
    partial_index("ix_pages_queued", "pages", ["incident_id"], "state = 'queued'")
    _oncall_tables()
    _paging_tables()
    _incident_tables()
    _audit()


def downgrade() -> None:
    _drop_audit_triggers()
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DELETE FROM timers WHERE incident_id IS NULL")
    op.drop_index("ix_pages_queued", "pages")
    op.drop_index("ix_timers_parked", "timers")
    op.drop_index("ix_timers_party", "timers")
    with op.batch_alter_table("timers") as timers:
        timers.alter_column("incident_id", existing_type=BIG, nullable=False)
    op.create_index("ix_pages_responder_id", "pages", ["responder_id"])
    op.drop_index("ix_pages_told", "pages")
    op.drop_index("ix_pages_carrier_id", "pages")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)


def _oncall_tables() -> None:
    op.create_table(
        "hours",
        identity(),
        *required(sa.String(64), "key"),
        *required(JSON, "definition"),
        *required(sa.String(16), "owner"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "absences",
        identity(),
        reference("responder_id", "responders.id"),
        *required(TIME, "starts_at", "ends_at", "created_at"),
        *required(sa.Text(), "reason"),
        *required(sa.Boolean(), "declared"),
        *required(sa.String(200), "created_by"),
    )
    op.create_index("ix_absences_responder_ends", "absences", ["responder_id", "ends_at"])
    op.create_table(
        "swaps",
        identity(),
        reference("schedule_id", "schedules.id", ondelete="CASCADE"),
        reference("proposer_id", "responders.id"),
        reference("other_id", "responders.id"),
        *required(TIME, "gives_starts_at", "gives_ends_at", "created_at"),
        *optional(TIME, "takes_starts_at", "takes_ends_at", "decided_at"),
        *required(sa.String(16), "state"),
    )
    op.create_index("ix_swaps_other_id", "swaps", ["other_id"])
    op.create_index("ix_swaps_proposer_id", "swaps", ["proposer_id"])
    op.create_table(
        "calendar_copies",
        identity(),
        *required(sa.String(64), "url_hash"),
        *required(JSON, "shifts", "findings", "validators"),
        *optional(TIME, "fetched_at", "tried_at"),
        *required(sa.Text(), "error"),
        sa.UniqueConstraint("url_hash"),
    )
    op.create_table(
        "calendar_feeds",
        identity(),
        *required(sa.String(64), "token_hash"),
        reference("responder_id", "responders.id"),
        reference("schedule_id", "schedules.id", nullable=True, ondelete="CASCADE"),
        *required(TIME, "created_at"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_calendar_feeds_responder_id", "calendar_feeds", ["responder_id"])
    op.create_table(
        "duties",
        sa.Column("schedule_id", BIG, sa.ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True),
        *required(JSON, "on_call"),
        *required(TIME, "since_at"),
    )
    op.create_table(
        "known_gaps",
        sa.Column("schedule_id", BIG, sa.ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("starts_at", TIME, primary_key=True),
        *required(sa.String(16), "stage"),
        *required(TIME, "found_at"),
    )


def _paging_tables() -> None:
    op.create_table(
        "round_robins", sa.Column("place", sa.String(160), primary_key=True), *required(sa.String(64), "last")
    )
    op.create_table(
        "notices",
        identity(),
        *required(sa.String(32), "kind", "channel"),
        reference("responder_id", "responders.id", nullable=True),
        *required(sa.Text(), "address", "text", "url", "error"),
        *required(sa.String(200), "subject"),
        *optional(sa.String(200), "dedup_key"),
        *required(sa.String(16), "state"),
        *required(TIME, "queued_at", "due_at"),
        *optional(TIME, "sent_at"),
        *required(JSON, "tried"),
        *required(sa.Integer(), "failures"),
        sa.UniqueConstraint("dedup_key"),
    )
    op.create_index("ix_notices_responder_id", "notices", ["responder_id"])
    op.create_table(
        "verifications",
        sa.Column("contact_method_id", BIG, sa.ForeignKey("contact_methods.id", ondelete="CASCADE"), primary_key=True),
        *required(sa.String(64), "code_hash"),
        *required(TIME, "sent_at", "expires_at"),
        *required(sa.Integer(), "tries"),
    )
    op.create_table(
        "hooks", sa.Column("purpose", sa.String(16), primary_key=True), sa.Column("url", sa.Text(), nullable=False)
    )
    op.create_table(
        "hook_calls",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.String(16), "purpose", "state"),
        *required(sa.Text(), "url", "result"),
        *required(JSON, "body"),
        *required(sa.Integer(), "retries", "tries"),
        *required(TIME, "queued_at"),
        *optional(TIME, "finished_at"),
        sa.UniqueConstraint("incident_id", "purpose"),
    )
    op.create_table(
        "reconciliations",
        identity(),
        *required(TIME, "checked_at"),
        *required(sa.Boolean(), "passed"),
        *required(JSON, "findings", "told"),
        *required(sa.Integer(), "found_total"),
    )


def _incident_tables() -> None:
    op.create_table(
        "holds",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.Text(), "reason"),
        *required(sa.String(200), "authority", "opened_by", "ended_by"),
        *required(TIME, "started_at", "min_end_at"),
        *optional(TIME, "ended_at"),
    )
    op.create_index("ix_holds_incident_id", "holds", ["incident_id"])
    op.create_table(
        "checklist_ticks",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.String(64), "item"),
        *required(sa.String(200), "ticked_by"),
        *required(TIME, "ticked_at"),
        sa.UniqueConstraint("incident_id", "item"),
    )


def _audit() -> None:
    op.create_table(
        "audit_entries",
        identity(),
        *required(TIME, "at"),
        *required(sa.String(200), "actor", "what"),
        *required(sa.String(32), "via"),
        *required(sa.String(16), "action"),
        *required(sa.Text(), "text"),
        *optional(JSON, "before", "after"),
    )
    op.create_index("ix_audit_entries_what", "audit_entries", ["what"])
    if op.get_bind().dialect.name == "sqlite":
        for name, when in SQLITE_TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{AUDIT_MESSAGE}'); END")
        return
    op.execute(
        f"""CREATE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{AUDIT_MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$"""
    )
    op.execute(
        """CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()"""
    )


def _drop_audit_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        return
    op.execute("DROP TRIGGER audit_entries_append_only ON audit_entries")
    op.execute("DROP FUNCTION audit_entries_refuse()")
