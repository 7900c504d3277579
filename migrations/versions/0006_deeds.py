"""What people did by channels that may bring it twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import BIG, TIME, identity, required

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deeds",
        identity(),
        *required(sa.String(200), "once"),
        *required(TIME, "done_at"),
        *required(BIG, "incident_id"),
        *required(sa.Text(), "sentence"),
        sa.UniqueConstraint("once"),
    )
    op.create_index("ix_deeds_done_at", "deeds", ["done_at"])


def downgrade() -> None:
    op.drop_table("deeds")
