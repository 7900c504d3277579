"""What is kept of on-call beside schedules and overrides: time off, swaps, calendars, and who has the duty."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json


class AbsenceRow(Base):
    """Time off. What is past stays: who had which turn depends on it."""

    __tablename__ = "absences"
    __table_args__ = (Index("ix_absences_responder_ends", "responder_id", "ends_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    responder_id: Mapped[int] = mapped_column(ForeignKey("responders.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")
    declared: Mapped[bool] = mapped_column(default=False)  # by the file, which alone takes it back then
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class SwapState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class SwapRow(Base):
    """One person offers time on call to another, perhaps for some of theirs; nothing changes until both have agreed."""

    __tablename__ = "swaps"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    proposer_id: Mapped[int] = mapped_column(ForeignKey("responders.id"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("responders.id"), index=True)
    gives_starts_at: Mapped[datetime]
    gives_ends_at: Mapped[datetime]
    takes_starts_at: Mapped[datetime | None]
    takes_ends_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(16), default=SwapState.PROPOSED)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class CalendarCopy(Base):
    """What a calendar that serves as a rotation said when it was last read."""

    __tablename__ = "calendar_copies"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    url_hash: Mapped[str] = mapped_column(String(64), unique=True)
    shifts: Mapped[list[Any]] = mapped_column(Json, default=list)  # [[starts, ends, responder key], …]
    fetched_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")  # why it could not be read when it was last tried
    findings: Mapped[list[str]] = mapped_column(Json, default=list)  # what in it was not understood, for people
    validators: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # headers that ask whether it has changed


class CalendarFeed(Base):
    """A secret address that a calendar program reads: one person's shifts, or one schedule's. Only its hash is kept."""

    __tablename__ = "calendar_feeds"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    responder_id: Mapped[int] = mapped_column(ForeignKey("responders.id"), index=True)  # whose it is
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))  # None: own shifts
    created_at: Mapped[datetime]


class Duty(Base):
    """Who was last seen on call on a schedule, so that a change is told once."""

    __tablename__ = "duties"

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True)
    on_call: Mapped[list[str]] = mapped_column(Json, default=list)
    since_at: Mapped[datetime]


class KnownGap(Base):
    """A time to come when nobody is on call, and how near it was when people were last told of it."""

    __tablename__ = "known_gaps"

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(String(16))  # coverage.Stage
    found_at: Mapped[datetime]
