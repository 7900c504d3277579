"""Silences, grouping and flapping."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.columns import JSON, TIME, identity, optional, partial_index, reference, required

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("silences", "silenced_incidents")
KINDS = "('silence', 'settle', 'window')"


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "services": (
            sa.Column("grouping", JSON, nullable=False, server_default="{}"),
            sa.Column("flapping", JSON, nullable=False, server_default="{}"),
        ),
        "incidents": (
            sa.Column("silenced_until", TIME, nullable=True),
            sa.Column("group_key", sa.String(64), nullable=False, server_default=""),
        ),
        "alerts": (
            sa.Column("flapping", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("settles_at", TIME, nullable=True),
        ),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    partial_index("ix_incidents_group", "incidents", ["service_id", "group_key", "opened_at"], "group_key <> ''")
    op.create_index("ix_alerts_dedup", "alerts", ["integration_id", "dedup_key", "first_at"])
    op.create_table(
        "silences",
        identity(),
        *required(sa.String(64), "name"),
        *required(JSON, "services", "labels", "hours", "weeks"),
        *required(sa.String(200), "title", "created_by", "ended_by"),
        *required(sa.Text(), "reason"),
        *required(TIME, "starts_at", "created_at"),
        *optional(TIME, "ends_at", "ended_at"),
    )
    partial_index("ix_silences_going_on", "silences", ["starts_at"], "ended_at IS NULL")
    op.create_table(
        "silenced_incidents",
        identity(),
        reference("silence_id", "silences.id"),
        reference("incident_id", "incidents.id"),
        *required(TIME, "since", "until"),
        *optional(TIME, "ended_at"),
        *required(sa.String(32), "outcome"),
    )
    op.create_index("ix_silenced_incidents_silence_id", "silenced_incidents", ["silence_id"])
    op.create_index("ix_silenced_incidents_incident_id", "silenced_incidents", ["incident_id"])


def downgrade() -> None:
    op.execute(f"DELETE FROM timers WHERE kind IN {KINDS}")  # noqa: S608  our own words
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_alerts_dedup", "alerts")
    op.drop_index("ix_incidents_group", "incidents")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
