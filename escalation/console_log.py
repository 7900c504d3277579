"""Keeps what the demo's console shows: each message as its channel would have sent it, and edits in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.database import Database
from escalation.paging.models import ConsoleMessage

KEPT_MAX = 500


class ConsoleLog:
    def __init__(self, database: Database, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._read_clock = read_clock

    def record(self, channel: str, address: str, rendered: Mapping[str, Any]) -> str:
        """Keep a message and return its id; one that `replaces` another is shown in its place."""
        now = self._read_clock()
        with self._database.transaction() as session:
            replaced = rendered.get("replaces")
            there = session.get(ConsoleMessage, int(replaced)) if replaced else None
            if there is not None:
                there.rendered, there.edited_at = dict(rendered), now
                return str(there.id)
            made = ConsoleMessage(channel=channel, address=address, rendered=dict(rendered), sent_at=now)
            session.add(made)
            session.flush()
            session.execute(delete(ConsoleMessage).where(ConsoleMessage.id <= made.id - KEPT_MAX))
            return str(made.id)


def newest(session: Session, limit: int = 100) -> list[ConsoleMessage]:
    return list(session.scalars(select(ConsoleMessage).order_by(ConsoleMessage.id.desc()).limit(limit)))
