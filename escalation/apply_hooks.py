"""Bringing the team's own endpoints to what is declared; see `apply`. Of an address only the host is told."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.changes import Changes
from escalation import declared_hooks, hooks
from escalation.paging.models import HookRow


def write(session: Session, halt_url: str, changes: Changes) -> None:
    """Empty: none is declared."""
    what = f"hook {hooks.HALT}"
    row = session.scalar(select(HookRow).where(HookRow.purpose == hooks.HALT))
    before = row.url if row else ""
    if before == halt_url:
        return
    if row is None:
        session.add(HookRow(purpose=hooks.HALT, url=halt_url))
        changes.added(what, after=_shown(halt_url))
    elif not halt_url:
        session.delete(row)
        changes.removed(what, before=_shown(before))
    else:
        row.url = halt_url
        changes.changed(what, _shown(before), _shown(halt_url), otherwise="its URL, which is not shown")
    session.flush()


def as_written(session: Session) -> dict[str, str]:
    """With the whole addresses."""
    rows = session.execute(select(HookRow.purpose, HookRow.url).order_by(HookRow.purpose))
    return {row.purpose: row.url for row in rows}


def _shown(url: str) -> dict[str, str]:
    return {"url": declared_hooks.shown(url)}
