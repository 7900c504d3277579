"""What other products' APIs and heartbeats need: change events, Opsgenie's requests, and what must be heard of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import JSON, TIME, identity, optional, reference, required

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("change_events", "opsgenie_requests", "heartbeats")


def upgrade() -> None:
    op.create_table(
        "change_events",
        identity(),
        reference("service_id", "services.id", ondelete="CASCADE"),
        *required(sa.Text(), "summary", "body"),
        *required(sa.String(255), "source"),
        *required(JSON, "links"),
        *required(TIME, "happened_at", "received_at"),
    )
    op.create_index("ix_change_events_near", "change_events", ["service_id", "happened_at"])
    op.create_index("ix_change_events_received_at", "change_events", ["received_at"])
    op.create_table(
        "opsgenie_requests",
        identity(),
        *required(sa.String(36), "request_id"),
        reference("integration_id", "integrations.id", ondelete="CASCADE"),
        *required(sa.String(32), "action"),
        *required(sa.Boolean(), "succeeded"),
        *required(sa.Text(), "status"),
        reference("alert_id", "alerts.id", nullable=True),
        *required(sa.String(512), "alias"),
        *required(TIME, "processed_at"),
        sa.UniqueConstraint("request_id"),
    )
    op.create_index("ix_opsgenie_requests_integration_id", "opsgenie_requests", ["integration_id"])
    op.create_index("ix_opsgenie_requests_processed_at", "opsgenie_requests", ["processed_at"])
    op.create_table(
        "heartbeats",
        identity(),
        reference("service_id", "services.id", ondelete="CASCADE"),
        *required(sa.String(200), "name"),
        *required(sa.String(64), "key_hash"),
        *required(sa.String(8), "key_hint"),
        *required(sa.Integer(), "every_seconds", "grace_seconds"),
        *required(sa.String(16), "severity"),
        *required(TIME, "declared_at"),
        *optional(TIME, "pinged_at", "missing_since", "excused_at"),
        sa.UniqueConstraint("service_id", "name"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index("ix_heartbeats_name", "heartbeats", ["name"])


def downgrade() -> None:
    # Timers of these would wake an older engine for a kind that it does not know.
    op.execute("DELETE FROM timers WHERE kind = 'heartbeat'")
    for table in reversed(TABLES):
        op.drop_table(table)
