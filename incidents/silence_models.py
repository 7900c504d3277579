"""Silences and maintenance windows, and the incidents that each held back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json, where


class SilenceRow(Base):
    """For whom nobody is woken, and when. It holds paging only: what arrives is taken in as ever."""

    __tablename__ = "silences"
    # Asked for each alert that comes in: the cost must not grow with the silences there ever were.
    __table_args__ = (Index("ix_silences_going_on", "starts_at", **where("ended_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), default="")  # its key in tocsin.yaml; empty: a person's
    services: Mapped[list[str]] = mapped_column(Json, default=list)  # keys; empty: any
    labels: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # label -> pattern; all must fit
    title: Mapped[str] = mapped_column(String(200), default="")  # a pattern; empty: any
    reason: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]  # None: recurring, for ever
    hours: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # recurring: oncall.hours.Hours; empty: all of it
    weeks: Mapped[list[int]] = mapped_column(Json, default=list)  # of the month, 1 to 5; empty: each
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # by a person, by the file, or because it was over
    ended_by: Mapped[str] = mapped_column(String(200), default="")


class SilencedIncident(Base):
    """That a silence held an incident back, and what came of it."""

    __tablename__ = "silenced_incidents"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    silence_id: Mapped[int] = mapped_column(ForeignKey("silences.id"), index=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime]  # as it was reckoned last
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(32), default="")  # empty: it is held still
