"""What an integration checks, by which mapping it reads, and what came in by it last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import JSON, TIME, identity, reference, required

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default for the rows that are there.
    op.add_column("integrations", sa.Column("mapping", JSON, nullable=False, server_default="{}"))
    op.add_column("integrations", sa.Column("signing_secret", sa.Text(), nullable=False, server_default=""))
    op.add_column("integrations", sa.Column("topic", sa.String(512), nullable=False, server_default=""))
    op.create_table(
        "received_payloads",
        identity(),
        reference("integration_id", "integrations.id", ondelete="CASCADE"),
        *required(TIME, "received_at"),
        *required(sa.String(16), "verdict"),
        *required(sa.Text(), "problem", "content"),
        *required(JSON, "alerts"),
        *required(sa.Integer(), "alerts_count"),
    )
    op.create_index("ix_received_payloads_integration_id", "received_payloads", ["integration_id"])


def downgrade() -> None:
    op.drop_table("received_payloads")
    for column in ("topic", "signing_secret", "mapping"):
        op.drop_column("integrations", column)
