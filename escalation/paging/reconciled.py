"""What the newest reconciliation says, for whoever asks whether they may rely on being paged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.paging.models import Reconciliation

FRESH_FOR = timedelta(seconds=60)
PASSED, REPAIRED, FAILED, STALE, NEVER = "passed", "repaired", "failed", "stale", "never"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`unmended`: what only people can put right, in sentences."""

    state: str
    at: datetime | None = None
    unmended: tuple[str, ...] = ()
    findings: int = 0
    found_total: int = 0


def newest(session: Session, now: datetime) -> Reconciled:
    row = session.scalar(select(Reconciliation).order_by(Reconciliation.id).limit(1))
    if row is None:
        return Reconciled(NEVER)
    unmended = tuple(str(finding["text"]) for finding in row.findings if not finding["repaired"])
    state = PASSED if row.passed else FAILED if unmended else REPAIRED
    if row.checked_at <= now - FRESH_FOR:
        state = STALE
    return Reconciled(state, row.checked_at, unmended, len(row.findings), row.found_total)


def passed(session: Session, now: datetime) -> bool:
    """Nothing at all was found, less than a minute ago."""
    return newest(session, now).state == PASSED
