"""Links in messages that act, once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, reference, required

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_links",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        reference("incident_id", "incidents.id"),
        reference("responder_id", "responders.id"),
        *required(TIME, "used_at"),
        *required(sa.Text(), "sentence"),
    )


def downgrade() -> None:
    op.drop_table("used_links")
