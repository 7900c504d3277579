"""What providers report of a message after they took it over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import JSON

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("of_address", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("attempts", sa.Column("early", JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("attempts", "early")
    op.drop_column("attempts", "of_address")
