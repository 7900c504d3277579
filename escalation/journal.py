"""How escalation reports what it did. The timeline's `append` is handed in by `wsgi.py`; simulations hand in a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session


class Journal(Protocol):
    """Notes one entry in the incident's timeline, within the caller's transaction.

    `kind` is dotted (`level.reached`), `text` one sentence for people, `payload` JSON of strings, integers,
    booleans and lists of them (no floats: it is hashed over canonical bytes).
    """

    def __call__(
        self,
        session: Session,
        incident_id: int,
        kind: str,
        text: str,
        *,
        occurred_at: datetime,
        actor: str = "tocsin",
        actor_kind: str = "engine",
        payload: Mapping[str, Any] | None = None,
    ) -> None: ...
