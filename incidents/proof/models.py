"""The timeline's table. Rows are only ever added; the database itself refuses anything else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId


class TimelineEntry(Base):
    __tablename__ = "timeline_entries"
    # Each link of each chain has one successor: a fork cannot be stored.
    __table_args__ = (
        UniqueConstraint("incident_id", "seq"),
        UniqueConstraint("incident_id", "prev"),
        UniqueConstraint("global_prev"),
    )

    global_seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    seq: Mapped[int]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    actor_kind: Mapped[str] = mapped_column(String(16))  # responder, source, engine, program
    kind: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)  # one sentence for people; part of the payload
    payload: Mapped[str] = mapped_column(Text)  # canonical JSON, exactly as hashed
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))  # payloads can be erased later without breaking the chain
    payload_sha256: Mapped[str] = mapped_column(String(64))
    supersedes: Mapped[int | None] = mapped_column(BigId)  # a correction names the entry it corrects
    prev: Mapped[str] = mapped_column(String(64))  # entry_hash before this one in the incident
    global_prev: Mapped[str] = mapped_column(String(64))  # global_hash before this one
    canonical: Mapped[bytes] = mapped_column(LargeBinary)  # the bytes that were hashed
    entry_hash: Mapped[str] = mapped_column(String(64))
    global_hash: Mapped[str] = mapped_column(String(64))
