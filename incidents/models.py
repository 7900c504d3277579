"""What is kept of services, alerts and incidents."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json, where
from incidents.lifecycle import Status


class Service(Base):
    __tablename__ = "services"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    policy_key: Mapped[str] = mapped_column(String(64))
    protected: Mapped[bool] = mapped_column(default=False)  # its incidents are constitutional whatever they say
    runbook: Mapped[str] = mapped_column(String(128), default="")
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")  # LOW waits for 09:00 of its next business day
    holidays: Mapped[str] = mapped_column(String(16), default="")  # whose public holidays are no business days
    policy_choices: Mapped[list[Any]] = mapped_column(Json, default=list)  # before policy_key: the first that fits
    remediation: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # {url, retries}: called at level 1
    grouping: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # noise.Grouping; empty: none
    flapping: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # noise.Damping; empty: none


class Integration(Base):
    """A sender's way in: a source and a key. Only the key's hash is kept."""

    __tablename__ = "integrations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(String(32))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    key_hint: Mapped[str] = mapped_column(String(8))  # its last four characters, to tell keys apart
    mapping: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # field -> JMESPath expression
    signing_secret: Mapped[str] = mapped_column(Text, default="")  # sealed (config.sealed); empty: the key suffices
    topic: Mapped[str] = mapped_column(String(512), default="")  # the one SNS topic whose messages are taken
    senders: Mapped[list[Any]] = mapped_column(Json, default=list)  # whose letters alone are taken: patterns of From


class ReceivedPayload(Base):
    """One of the last requests that came in by an integration, and how it was read. Only a few of each are kept."""

    __tablename__ = "received_payloads"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"), index=True)
    received_at: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(16))  # received.Verdict
    problem: Mapped[str] = mapped_column(Text, default="")
    alerts: Mapped[list[Any]] = mapped_column(Json, default=list)  # [{status, title, dedup_key, severity, incident}]
    alerts_count: Mapped[int] = mapped_column(default=0)  # of which the first few are kept
    content: Mapped[str] = mapped_column(Text)  # as received, without credentials, cut


class Incident(Base):
    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_status_id", "status", "id"),
        # Which incident an alert joins; services that do not group have nothing in it.
        Index("ix_incidents_group", "service_id", "group_key", "opened_at", **where("group_key <> ''")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)  # also the number people type
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), index=True)
    title: Mapped[str] = mapped_column(Text)
    incident_class: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    severity_initial: Mapped[str] = mapped_column(String(16))
    severity_peak: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), default=Status.OPEN)
    classification: Mapped[dict[str, Any]] = mapped_column(Json)  # the record of the alert that decided it
    confirm_class: Mapped[bool] = mapped_column(default=False)  # the context gate asks a person to confirm the class
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("responders.id"))
    acknowledged_by: Mapped[str] = mapped_column(String(200), default="")  # as the timeline names the actor
    contained_at: Mapped[datetime | None]
    recovered_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str] = mapped_column(String(200), default="")
    resolution: Mapped[str] = mapped_column(Text, default="")
    closed_at: Mapped[datetime | None]
    activity_at: Mapped[datetime | None]  # when a person last did anything to it
    reminded_at: Mapped[datetime | None]  # its holder was asked whether they still have it, and has not answered
    snoozed_until: Mapped[datetime | None]
    phase_late: Mapped[str] = mapped_column(String(16), default="")  # the last phase whose lateness was acted on
    silenced_until: Mapped[datetime | None]  # nobody is woken for it before that, unless it changes
    group_key: Mapped[str] = mapped_column(String(64), default="")  # later alerts are matched by it; empty: none joins


class Alert(Base):
    __tablename__ = "alerts"
    __table_args__ = (
        # An (integration, dedup key) names at most one open alert; a resolved one leaves the key free.
        Index(
            "uq_alerts_open_dedup",
            "integration_id",
            "dedup_key",
            unique=True,
            postgresql_where=text("status = 'firing'"),
            sqlite_where=text("status = 'firing'"),
        ),
        Index("ix_alerts_incident", "incident_id"),
        Index("ix_alerts_dedup", "integration_id", "dedup_key", "first_at"),  # how often one came lately
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    source: Mapped[str] = mapped_column(String(32))
    dedup_key: Mapped[str] = mapped_column(String(512))
    status: Mapped[str] = mapped_column(String(16))  # firing, resolved
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text, default="")
    severity: Mapped[str] = mapped_column(String(16))
    labels: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    links: Mapped[list[Any]] = mapped_column(Json, default=list)  # [{href, text}, …]
    url: Mapped[str] = mapped_column(Text, default="")
    raw: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    count: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime | None]  # as the source says
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    flapping: Mapped[bool] = mapped_column(default=False)  # it came and went so often that its end must last
    settles_at: Mapped[datetime | None]  # flapping, and its source says it has ended: it counts as firing until then


# Written out as the condition of uq_alerts_open_dedup is: SQLite uses a partial index for nothing else. Nor does it where
# alerts are to come in the order of their ids: it would read all there ever were.
IS_FIRING: ColumnElement[bool] = literal_column("alerts.status = 'firing'")


class RequestState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


class ChangeRequest(Base):
    """Something that one person may ask for and two others must agree to."""

    __tablename__ = "change_requests"
    __table_args__ = (
        # One pending request of a kind an incident: approvals can never be split between two.
        Index(
            "uq_change_requests_pending",
            "incident_id",
            "action",
            unique=True,
            postgresql_where=text("state = 'pending'"),
            sqlite_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    action: Mapped[str] = mapped_column(String(32))  # resolve, reclassify
    change: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # what exactly is to be done
    reason: Mapped[str] = mapped_column(Text)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("responders.id"))
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default=RequestState.PENDING)
    decided_at: Mapped[datetime | None]


class Decision(Base):
    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("request_id", "responder_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("change_requests.id", ondelete="CASCADE"))
    responder_id: Mapped[int] = mapped_column(ForeignKey("responders.id"))
    decision: Mapped[str] = mapped_column(String(16))  # approve, decline
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime]


class HoldRow(Base):
    """A wait that governance demands (phases.Hold). Its end may only be moved later."""

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    authority: Mapped[str] = mapped_column(String(200))
    opened_by: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]
    min_end_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(200), default="")


class ChecklistTick(Base):
    __tablename__ = "checklist_ticks"
    __table_args__ = (UniqueConstraint("incident_id", "item"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    item: Mapped[str] = mapped_column(String(64))  # phases.ChecklistItem.key
    ticked_by: Mapped[str] = mapped_column(String(200))
    ticked_at: Mapped[datetime]


class ChangeEvent(Base):
    """Something was changed on purpose (a deploy). Shown beside incidents of its service; never wakes anybody."""

    __tablename__ = "change_events"
    __table_args__ = (Index("ix_change_events_near", "service_id", "happened_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    summary: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(255), default="")
    links: Mapped[list[Any]] = mapped_column(Json, default=list)  # [{href, text}, …]
    happened_at: Mapped[datetime]  # as its sender says, else when it came
    received_at: Mapped[datetime] = mapped_column(index=True)


class OpsgenieRequest(Base):
    """What came of one call to Opsgenie's API, for senders that ask afterwards. Kept for a bounded time."""

    __tablename__ = "opsgenie_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("integrations.id", ondelete="CASCADE"), index=True)
    action: Mapped[str] = mapped_column(String(32))  # as Opsgenie calls it: Create, Close, …
    succeeded: Mapped[bool]
    status: Mapped[str] = mapped_column(Text)  # in Opsgenie's words, or ours
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"))
    alias: Mapped[str] = mapped_column(String(512), default="")
    processed_at: Mapped[datetime] = mapped_column(index=True)


class Heartbeat(Base):
    """Something that must be heard of at least every so often; else an incident is opened."""

    __tablename__ = "heartbeats"
    __table_args__ = (UniqueConstraint("service_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    key_hint: Mapped[str] = mapped_column(String(8))
    every_seconds: Mapped[int]
    grace_seconds: Mapped[int]
    severity: Mapped[str] = mapped_column(String(16))
    declared_at: Mapped[datetime]  # the silence of one that was never heard of counts from here
    pinged_at: Mapped[datetime | None]
    missing_since: Mapped[datetime | None]  # when its silence was first reported; None: it is heard of, or not yet due
    excused_at: Mapped[datetime | None]  # the moment it was due by, if Tocsin itself was away then and waited longer


class Deed(Base):
    """Something that a person did once by a channel which may bring it twice, and what they were answered."""

    __tablename__ = "deeds"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    once: Mapped[str] = mapped_column(String(200), unique=True)  # as the channel names it
    done_at: Mapped[datetime] = mapped_column(index=True)
    incident_id: Mapped[int] = mapped_column(BigId, default=0)  # 0: about none
    sentence: Mapped[str] = mapped_column(Text, default="")


class UsedLink(Base):
    """A link in a message that acted, which it does once."""

    __tablename__ = "used_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    responder_id: Mapped[int] = mapped_column(ForeignKey("responders.id"))
    used_at: Mapped[datetime]
    sentence: Mapped[str] = mapped_column(Text)  # what came of it
