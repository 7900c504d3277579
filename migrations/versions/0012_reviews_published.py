"""Reviews that people have declared finished."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXTS = {"published_by": sa.String(200), "document_url": sa.Text(), "published_note": sa.Text()}


def upgrade() -> None:
    op.add_column("reviews", sa.Column("published_at", TIME, nullable=True))
    for name, kind in TEXTS.items():
        op.add_column("reviews", sa.Column(name, kind, nullable=False, server_default=""))


def downgrade() -> None:
    op.execute("UPDATE reviews SET state = 'draft' WHERE state = 'published'")
    for name in reversed(TEXTS):
        op.drop_column("reviews", name)
    op.drop_column("reviews", "published_at")
