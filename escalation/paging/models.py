"""What is kept of paging beside escalations, pages and timers: notices, hooks, turns taken, the newest check,
and what the demo's console shows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json


class RoundRobin(Base):
    """Whose turn it was at a level that pages one of its people for each incident, in turn."""

    __tablename__ = "round_robins"

    place: Mapped[str] = mapped_column(String(160), primary_key=True)  # "standard/1": policy and level
    last: Mapped[str] = mapped_column(String(64))  # responder key


class NoticeState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Notice(Base):
    """A message that is about no incident: a hand-over, a gap, a code, an alarm."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    responder_id: Mapped[int | None] = mapped_column(ForeignKey("responders.id"), index=True)  # None: a room
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text, default="")
    letter: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # channels.base.Answering; empty: answers none
    dedup_key: Mapped[str | None] = mapped_column(String(200), unique=True)  # said once, whoever finds it again
    state: Mapped[str] = mapped_column(String(16), default=NoticeState.QUEUED)
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tried: Mapped[list[str]] = mapped_column(Json, default=list)  # channels that did not take it
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")


class Verification(Base):
    """A code on its way to a contact method; whoever sends it back owns it."""

    __tablename__ = "verifications"

    contact_method_id: Mapped[int] = mapped_column(
        ForeignKey("contact_methods.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)


class HookRow(Base):
    """A team's own endpoint that is called for every incident of a kind."""

    __tablename__ = "hooks"

    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)  # halt
    url: Mapped[str] = mapped_column(Text)


class HookCall(Base):
    """One call of a team's own endpoint for an incident: to remedy it, or to halt what it is about."""

    __tablename__ = "hook_calls"
    __table_args__ = (UniqueConstraint("incident_id", "purpose"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    purpose: Mapped[str] = mapped_column(String(16))  # remediation, halt
    url: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    retries: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))  # queued, done, failed, cancelled
    queued_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(Text, default="")


class Reconciliation(Base):
    """The one row with what the newest check found."""

    __tablename__ = "reconciliations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    checked_at: Mapped[datetime]
    passed: Mapped[bool]  # nothing was found, not even what could be repaired
    findings: Mapped[list[Any]] = mapped_column(Json, default=list)  # [{kind, incident, text, repaired}, …]
    found_total: Mapped[int] = mapped_column(default=0)  # findings there have ever been
    told: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # kind -> when administrators were told of it


class ConsoleMessage(Base):
    """In demo mode: what would have been sent, rendered as its channel would."""

    __tablename__ = "console_messages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(320))
    rendered: Mapped[dict[str, Any]] = mapped_column(Json)
    sent_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
