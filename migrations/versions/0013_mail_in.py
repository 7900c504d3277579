"""E-mail in: whose letters an integration takes, and what a letter that answers another says of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import JSON

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("integrations", sa.Column("senders", JSON, nullable=False, server_default="[]"))
    op.add_column("notices", sa.Column("letter", JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("notices", "letter")
    op.drop_column("integrations", "senders")
