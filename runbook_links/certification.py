"""What a runbook's file says of its certification and of when it was last tried. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from runbook_links import fields
from runbook_links.periods import Period

DUE_BEFORE_DAYS = 14
GRACE_DAYS_OPERATIONAL = 30
GRACE_DAYS_CONSTITUTIONAL = 7


@dataclass(frozen=True, slots=True)
class Recert:
    """What the file says of its certification; the history of these values is kept by the service."""

    status: str = ""
    certified_on: date | None = None
    certified_by: str = ""
    period: Period | None = None
    record_url: str = ""

    @property
    def due_on(self) -> date | None:
        return self.period.after(self.certified_on) if self.certified_on and self.period else None

    def state(self, today: date, *, grace_days: int) -> str:
        """certified, due, in-review, overdue or expired: the worse of what the file says and what its dates say.

        "" when it says neither, so that it was never certified.
        """
        due_on = self.due_on
        by_date = ""
        if due_on is not None:
            late_days = (today - due_on).days
            by_date = "expired" if late_days > grace_days else "overdue" if late_days > 0 else "certified"
            if -DUE_BEFORE_DAYS <= late_days <= 0:
                by_date = "due"
        known = [state for state in (self.status, by_date) if state in fields.RECERT_STATUSES]
        return max(known, key=fields.RECERT_STATUSES.index, default="")


@dataclass(frozen=True, slots=True)
class Exercise:
    on: date | None = None
    kind: str = ""
    incident: str = ""
