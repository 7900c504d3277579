"""What people add to a review. The rest is drawn from the record each time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from config.orm import Base, BigId, Json


class Review(Base):
    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="draft")  # draft, published
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("responders.id"))
    sections: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # key -> {author, markdown, at}
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # within 24 hours of resolution; unknown before it
    # Of the publication that stands; a draft has none. Those before it are on the timeline.
    published_at: Mapped[datetime | None]
    published_by: Mapped[str] = mapped_column(String(200), default="")  # as the timeline names the actor
    document_url: Mapped[str] = mapped_column(Text, default="")  # where the finished text is, if not here
    published_note: Mapped[str] = mapped_column(Text, default="")
