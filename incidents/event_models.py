"""Programs that are told of what happens to incidents, and each telling."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json, where


class EventReceiver(Base):
    __tablename__ = "event_receivers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    url: Mapped[str] = mapped_column(Text, unique=True)
    secret: Mapped[str] = mapped_column(Text)  # sealed; what the events are signed with
    kinds: Mapped[list[str]] = mapped_column(Json)  # declared_events.KINDS
    active: Mapped[bool] = mapped_column(default=True)  # no longer declared: kept for what it was told


class DeliveryState(StrEnum):
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class EventDelivery(Base):
    """One event for one receiver. Of one event each receiver gets the same `event_id`, also when it is replayed."""

    __tablename__ = "event_deliveries"
    # What waits for one receiver about one incident goes in order; most there ever was has gone.
    __table_args__ = (Index("ix_event_deliveries_queued", "receiver_id", "incident_id", **where("state = 'queued'")),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(40))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("event_receivers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    kind: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16), default=DeliveryState.QUEUED)
    occurred_at: Mapped[datetime]
    queued_at: Mapped[datetime]  # the last time; a replay queues it anew
    tries: Mapped[int] = mapped_column(default=0)  # since then
    replayed: Mapped[bool] = mapped_column(default=False)
    result: Mapped[str] = mapped_column(Text, default="")
    finished_at: Mapped[datetime | None]
