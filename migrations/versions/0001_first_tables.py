"""The first tables: people, services, incidents and the record of them.

Constraints without a name here get theirs from the naming convention in config.orm.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import BIG, JSON, TIME, identity, optional, partial_index, reference, required

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# In the order of creation: a table stands after those it refers to.
PEOPLE_AND_POLICIES = (
    "responders",
    "contact_methods",
    "schedules",
    "overrides",
    "policies",
    "last_resort",
    "api_tokens",
)
SERVICES_AND_INCIDENTS = ("services", "integrations", "incidents", "alerts", "change_requests", "decisions")
RECORD = ("timeline_entries", "reviews", "runbook_links", "runbook_step_ticks")


def upgrade() -> None:
    _create_people_and_policies()
    _create_services_and_incidents()
    _create_record()


def downgrade() -> None:
    for table in reversed((*PEOPLE_AND_POLICIES, *SERVICES_AND_INCIDENTS, *RECORD)):
        op.drop_table(table)


def _create_people_and_policies() -> None:
    op.create_table(
        "responders",
        identity(),
        *required(sa.String(64), "key", "timezone"),
        *required(sa.String(200), "name"),
        *optional(sa.String(320), "email"),
        *required(JSON, "roles", "page_by"),
        *required(sa.Boolean(), "active"),
        *optional(sa.Text(), "password_hash"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "contact_methods",
        identity(),
        reference("responder_id", "responders.id", ondelete="CASCADE"),
        *required(sa.String(32), "channel"),
        *required(sa.String(320), "address"),
        *required(sa.Text(), "disabled_reason"),
        sa.UniqueConstraint("channel", "address"),
    )
    op.create_index("ix_contact_methods_responder_id", "contact_methods", ["responder_id"])
    op.create_table(
        "schedules",
        identity(),
        *required(sa.String(64), "key"),
        *required(JSON, "definition"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "overrides",
        identity(),
        reference("schedule_id", "schedules.id", ondelete="CASCADE"),
        reference("responder_id", "responders.id", nullable=True),
        reference("replaces_id", "responders.id", nullable=True),
        *required(TIME, "starts_at", "ends_at", "created_at"),
        *required(sa.String(200), "created_by"),
    )
    op.create_index("ix_overrides_schedule_ends", "overrides", ["schedule_id", "ends_at"])
    op.create_table(
        "policies",
        identity(),
        *required(sa.String(64), "key"),
        *required(JSON, "definition"),
        sa.UniqueConstraint("key"),
    )
    op.create_table("last_resort", identity(), *required(JSON, "targets"))
    op.create_table(
        "api_tokens",
        identity(),
        *required(sa.String(64), "hash"),
        *required(sa.String(200), "name"),
        reference("responder_id", "responders.id", nullable=True, ondelete="CASCADE"),
        *optional(sa.String(32), "role"),
        *required(TIME, "created_at"),
        *optional(TIME, "revoked_at"),
        sa.UniqueConstraint("hash"),
        sa.CheckConstraint("(responder_id IS NULL) <> (role IS NULL)", name="responder_or_role"),
    )


def _create_services_and_incidents() -> None:
    op.create_table(
        "services",
        identity(),
        *required(sa.String(64), "key", "policy_key", "timezone"),
        *required(sa.Boolean(), "protected"),
        *required(sa.String(128), "runbook"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "integrations",
        identity(),
        reference("service_id", "services.id", ondelete="CASCADE"),
        *required(sa.String(32), "source"),
        *required(sa.String(64), "key_hash"),
        *required(sa.String(8), "key_hint"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index("ix_integrations_service_id", "integrations", ["service_id"])
    op.create_table(
        "incidents",
        identity(),
        reference("service_id", "services.id"),
        *required(sa.Text(), "title", "resolution"),
        *required(sa.String(16), "incident_class", "severity", "severity_initial", "severity_peak", "status"),
        *required(JSON, "classification"),
        *required(sa.Boolean(), "confirm_class"),
        *required(TIME, "opened_at"),
        *optional(TIME, "acknowledged_at", "contained_at", "recovered_at", "resolved_at", "closed_at"),
        reference("acknowledged_by_id", "responders.id", nullable=True),
        *required(sa.String(200), "acknowledged_by", "resolved_by"),
    )
    op.create_index("ix_incidents_service_id", "incidents", ["service_id"])
    op.create_index("ix_incidents_status_id", "incidents", ["status", "id"])
    op.create_table(
        "alerts",
        identity(),
        reference("integration_id", "integrations.id"),
        reference("incident_id", "incidents.id"),
        *required(sa.String(32), "source"),
        *required(sa.String(512), "dedup_key"),
        *required(sa.String(16), "status", "severity"),
        *required(sa.Text(), "title", "body", "url"),
        *required(JSON, "labels", "links", "raw"),
        *required(sa.Integer(), "count"),
        *optional(TIME, "started_at", "resolved_at"),
        *required(TIME, "first_at", "last_at"),
    )
    op.create_index("ix_alerts_incident", "alerts", ["incident_id"])
    partial_index("uq_alerts_open_dedup", "alerts", ["integration_id", "dedup_key"], "status = 'firing'", unique=True)
    op.create_table(
        "change_requests",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.String(32), "action"),
        *required(JSON, "change"),
        *required(sa.Text(), "reason"),
        reference("requested_by_id", "responders.id"),
        *required(TIME, "requested_at", "expires_at"),
        *required(sa.String(16), "state"),
        *optional(TIME, "decided_at"),
    )
    partial_index(
        "uq_change_requests_pending", "change_requests", ["incident_id", "action"], "state = 'pending'", unique=True
    )
    op.create_table(
        "decisions",
        identity(),
        reference("request_id", "change_requests.id", ondelete="CASCADE"),
        reference("responder_id", "responders.id"),
        *required(sa.String(16), "decision"),
        *required(sa.Text(), "reason"),
        *required(TIME, "decided_at"),
        sa.UniqueConstraint("request_id", "responder_id"),
    )


def _create_record() -> None:
    op.create_table(
        "timeline_entries",
        sa.Column("global_seq", BIG, primary_key=True, autoincrement=False),
        reference("incident_id", "incidents.id"),
        *required(sa.Integer(), "seq"),
        *required(TIME, "occurred_at", "recorded_at"),
        *required(sa.String(200), "actor"),
        *required(sa.String(16), "actor_kind"),
        *required(sa.String(64), "kind", "payload_sha256", "prev", "global_prev", "entry_hash", "global_hash"),
        *required(sa.Text(), "text", "payload"),
        *required(sa.LargeBinary(16), "salt"),
        *optional(BIG, "supersedes"),
        *required(sa.LargeBinary(), "canonical"),
        sa.UniqueConstraint("incident_id", "seq"),
        sa.UniqueConstraint("incident_id", "prev"),
        sa.UniqueConstraint("global_prev"),
    )
    op.create_table(
        "reviews",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.String(16), "state"),
        reference("owner_id", "responders.id", nullable=True),
        *required(JSON, "sections"),
        *required(TIME, "opened_at"),
        *optional(TIME, "due_at"),
        sa.UniqueConstraint("incident_id"),
    )
    op.create_table(
        "runbook_links",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.String(128), "runbook_id"),
        *required(sa.String(300), "title"),
        *required(sa.String(32), "version"),
        *required(sa.String(64), "sha256"),
        *required(sa.Text(), "reason"),
        *required(JSON, "candidates"),
        *required(TIME, "attached_at"),
        sa.UniqueConstraint("incident_id"),
    )
    op.create_table(
        "runbook_step_ticks",
        identity(),
        reference("incident_id", "incidents.id"),
        *required(sa.String(128), "runbook_id"),
        *required(sa.Integer(), "step"),
        *required(sa.String(200), "ticked_by"),
        *required(TIME, "ticked_at"),
        *required(sa.Text(), "note"),
        sa.UniqueConstraint("incident_id", "runbook_id", "step"),
    )
