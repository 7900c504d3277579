"""What is kept of changes to the configuration. Rows are only ever added; the database refuses anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json


class AuditEntry(Base):
    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    via: Mapped[str] = mapped_column(String(32))  # web, api, cli, file
    action: Mapped[str] = mapped_column(String(16))  # added, changed, removed
    what: Mapped[str] = mapped_column(String(200), index=True)  # "schedule primary"
    text: Mapped[str] = mapped_column(Text)  # one sentence or line for people
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    after: Mapped[dict[str, Any] | None] = mapped_column(Json)
