"""Who changed the configuration, what it was before, and what it is now. Entries are only ever added.

Values are kept as the file writes them, and never a secret: of a URL the host is kept, because what follows it may be
one; callers name an integration's key by its hint. People's addresses are kept: they are for administrators to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.audit_models import AuditEntry
from config.changes import Changes

Action = Literal["added", "changed", "removed"]

WHAT_CHARACTERS_MAX = 200
ACTOR_CHARACTERS_MAX = 200

_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://[^\s,\"'\]}>]+")


def note(
    session: Session,
    *,
    actor: str,
    via: str,
    action: Action,
    what: str,
    text: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEntry:
    """Add an entry: `actor` is a person's name or `file tocsin.yaml, applied by root`, `via` web, api, cli or file,
    `what` the thing as `schedule primary`, `text` a line for people."""
    entry = AuditEntry(
        at=now,
        actor=actor[:ACTOR_CHARACTERS_MAX],
        via=via,
        action=action,
        what=what[:WHAT_CHARACTERS_MAX],
        text=without_secrets(text),
        before=None if before is None else without_secrets(dict(before)),
        after=None if after is None else without_secrets(dict(after)),
    )
    session.add(entry)
    return entry


def note_all(session: Session, changes: Changes, *, actor: str, via: str, now: datetime) -> None:
    """An entry for each thing that became another; `actor` and `via` as for `note`."""
    for each in changes.recorded:
        note(
            session,
            actor=actor,
            via=via,
            action=each.action,
            what=each.what,
            text=each.text,
            before=each.before,
            after=each.after,
            now=now,
        )


def entries(session: Session, *, before_id: int = 0, limit: int, what: str = "") -> Sequence[AuditEntry]:
    """The newest first; those older than the entry `before_id` if it is given; those about one thing if `what` is."""
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before_id:
        statement = statement.where(AuditEntry.id < before_id)
    if what:
        statement = statement.where(AuditEntry.what == what)
    return session.scalars(statement).all()


def without_secrets(value: Any) -> Any:
    """The same value, in which each URL ends after its host; after its scheme where even the host may be a token."""
    if isinstance(value, str):
        return _URL.sub(_cut, value)
    if isinstance(value, Mapping):
        return {key: without_secrets(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    return value


def _cut(found: re.Match[str]) -> str:
    scheme = found[1]
    # The scheme may follow the channel it is for: `webhook:https://…`.
    if scheme.lower() not in ("http", "https"):
        return f"{scheme}://…"
    try:
        host = urlsplit(found[0]).hostname or ""
    except ValueError:
        host = ""
    return f"{scheme}://{host}/…"
