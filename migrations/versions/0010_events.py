"""Events told to teams' own programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import JSON, TIME, identity, optional, partial_index, reference, required

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("event_receivers", "event_deliveries")


def upgrade() -> None:
    op.create_table(
        "event_receivers",
        identity(),
        *required(sa.Text(), "url", "secret"),
        *required(JSON, "kinds"),
        *required(sa.Boolean(), "active"),
        sa.UniqueConstraint("url"),
    )
    op.create_table(
        "event_deliveries",
        identity(),
        *required(sa.String(40), "event_id"),
        reference("receiver_id", "event_receivers.id"),
        reference("incident_id", "incidents.id"),
        *required(sa.String(32), "kind"),
        *required(JSON, "body"),
        *required(sa.String(16), "state"),
        *required(TIME, "occurred_at", "queued_at"),
        *required(sa.Integer(), "tries"),
        *required(sa.Boolean(), "replayed"),
        *required(sa.Text(), "result"),
        *optional(TIME, "finished_at"),
    )
    partial_index("ix_event_deliveries_queued", "event_deliveries", ["receiver_id", "incident_id"], "state = 'queued'")


def downgrade() -> None:
    op.execute("DELETE FROM timers WHERE kind = 'event'")
    for table in reversed(TABLES):
        op.drop_table(table)
