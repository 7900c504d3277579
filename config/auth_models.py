"""API tokens. Only their hash is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId


class ApiToken(Base):
    __tablename__ = "api_tokens"
    # A token acts as a responder, or as a named program with one role; never as both.
    __table_args__ = (CheckConstraint("(responder_id IS NULL) <> (role IS NULL)", name="responder_or_role"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    responder_id: Mapped[int | None] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"))
    role: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
