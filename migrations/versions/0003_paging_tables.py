"""The tables of the paging under way.

Constraints without a name here get theirs from the naming convention in config.orm.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import BIG, JSON, TIME, identity, optional, partial_index, reference, required

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# In the order of creation: a table stands after those it refers to.
TABLES = ("escalations", "pages", "attempts", "living_messages", "timers", "engines", "console_messages")


def upgrade() -> None:
    op.create_table(
        "escalations",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(JSON, "brief", "standing", "policy", "last_resort"),
        *required(sa.String(16), "urgency", "stage"),
        *required(sa.Integer(), "cycle", "position", "level", "firing"),
        *required(TIME, "started_at", "base_at"),
        *required(sa.String(64), "timezone"),
        *optional(TIME, "stopped_at"),
        sa.UniqueConstraint("incident_id"),
    )
    op.create_table(
        "pages",
        identity(),
        reference("escalation_id", "escalations.id"),
        reference("incident_id", "incidents.id"),
        reference("responder_id", "responders.id"),
        *required(sa.String(16), "purpose", "state"),
        *required(sa.Integer(), "level", "firing", "step"),
        *required(sa.String(32), "channel"),
        *required(sa.String(320), "address"),
        *required(sa.Boolean(), "last_resort"),
        *required(TIME, "queued_at", "due_at"),
        *optional(TIME, "sent_at", "delivered_at"),
        *required(sa.String(200), "provider_id"),
        sa.UniqueConstraint("escalation_id", "firing", "responder_id", "step"),
    )
    op.create_index("ix_pages_incident_id", "pages", ["incident_id"])
    op.create_index("ix_pages_provider_id", "pages", ["provider_id"])
    op.create_index("ix_pages_responder_id", "pages", ["responder_id"])
    op.create_table(
        "attempts",
        identity(),
        reference("page_id", "pages.id", ondelete="CASCADE"),
        *required(TIME, "started_at"),
        *optional(TIME, "finished_at"),
        *required(sa.String(16), "outcome"),
        *required(sa.String(64), "code"),
        *required(sa.Text(), "error"),
    )
    op.create_index("ix_attempts_page_id", "attempts", ["page_id"])
    op.create_table(
        "living_messages",
        identity(),
        reference("escalation_id", "escalations.id"),
        reference("incident_id", "incidents.id"),
        *required(sa.String(32), "channel"),
        *required(sa.String(320), "address"),
        *required(sa.String(200), "to_name"),
        *required(sa.Integer(), "level", "failures"),
        *required(JSON, "ref"),
        *required(sa.String(64), "shown"),
        *required(sa.Text(), "error"),
        sa.UniqueConstraint("escalation_id", "channel", "address"),
    )
    op.create_index("ix_living_messages_escalation_id", "living_messages", ["escalation_id"])
    op.create_table(
        "timers",
        identity(),
        *required(sa.String(16), "kind"),
        *required(BIG, "subject_id"),
        reference("incident_id", "incidents.id"),
        *required(sa.String(32), "lane", "claim"),
        *required(sa.Integer(), "rank", "tries"),
        *required(TIME, "due_at", "visible_at"),
        *required(sa.String(120), "claimed_by"),
        *optional(TIME, "parked_at"),
        *required(sa.Text(), "error"),
        sa.UniqueConstraint("kind", "subject_id"),
    )
    partial_index("ix_timers_claimed_by", "timers", ["claimed_by"], "claimed_by <> ''")
    partial_index("ix_timers_due", "timers", ["visible_at"], "parked_at IS NULL")
    op.create_index("ix_timers_incident", "timers", ["incident_id"])
    op.create_table(
        "engines",
        sa.Column("name", sa.String(120), primary_key=True),
        *required(TIME, "started_at", "seen_at"),
        *required(sa.Double(), "lag_seconds"),
    )
    op.create_table(
        "console_messages",
        identity(),
        *required(sa.String(32), "channel"),
        *required(sa.String(320), "address"),
        *required(JSON, "rendered"),
        *required(TIME, "sent_at"),
        *optional(TIME, "edited_at"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
