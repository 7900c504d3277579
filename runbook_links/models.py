"""Which runbook an incident was given, and which of its steps people have ticked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json


class RunbookLink(Base):
    __tablename__ = "runbook_links"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    runbook_id: Mapped[str] = mapped_column(String(128))
    title: Mapped[str] = mapped_column(String(300))
    version: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))  # of the file as it was then
    reason: Mapped[str] = mapped_column(Text)
    candidates: Mapped[list[Any]] = mapped_column(Json, default=list)  # [[id, reason], …]
    attached_at: Mapped[datetime]
    emergency: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # the one beside it; empty: none


class StepTick(Base):
    __tablename__ = "runbook_step_ticks"
    __table_args__ = (UniqueConstraint("incident_id", "runbook_id", "step"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    runbook_id: Mapped[str] = mapped_column(String(128))
    step: Mapped[int]
    ticked_by: Mapped[str] = mapped_column(String(200))
    ticked_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text, default="")
