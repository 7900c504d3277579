"""What silences would do to a simulated incident, in sentences: a course shows whom its levels reach, and a silence
decides whether they begin at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from escalation.channels import wording
from incidents import silence_rows
from incidents.severity import IncidentClass
from incidents.silence_models import SilenceRow

TOLD_MAX = 10
WINDOWS_MAX = 100  # of one that recurs, looked for in a time


def of_service(
    session: Session, service: str, incident_class: IncidentClass, at: datetime, until: datetime | None
) -> tuple[str, ...]:
    """Those that may hold back an incident of this service which opens at `at`, or from then until `until`."""
    if incident_class is IncidentClass.CONSTITUTIONAL:
        return ()
    rows = session.scalars(
        select(SilenceRow)
        .where(SilenceRow.ended_at.is_(None), SilenceRow.starts_at <= (until or at))
        .where(or_(SilenceRow.ends_at.is_(None), SilenceRow.ends_at > at))
        .order_by(SilenceRow.starts_at, SilenceRow.id)
        .limit(silence_rows.LIVE_MAX)
    )
    told = [
        _sentence(row, begins, ends, at)
        for row in rows
        if not row.services or service in row.services
        for begins, ends in _windows(row, at, until)
    ]
    more = len(told) - TOLD_MAX
    return (*told[:TOLD_MAX], *((f"{more} more times in which silences go on are not shown.",) if more > 0 else ()))


def _windows(row: SilenceRow, at: datetime, until: datetime | None) -> Iterator[tuple[datetime, datetime]]:
    """When it goes on at `at`, and when it begins after that and before `until`."""
    silence = silence_rows.value(row)
    begins: datetime | None = at
    if silence.until(at) is None:
        begins = silence.next_begin(at)
    for _ in range(WINDOWS_MAX):
        if begins is None or begins > (until or at):
            return
        ends = silence.until(begins)
        if ends is None:
            return
        yield begins, ends
        begins = silence.next_begin(ends)


def _sentence(row: SilenceRow, begins: datetime, ends: datetime, at: datetime) -> str:
    asks = [f"{name} is {pattern}" for name, pattern in row.labels.items()]
    asks += [f'its title is "{row.title}"'] if row.title else []
    if_so = f" if {' and '.join(asks)}" if asks else ""
    since = f"From {wording.moment(begins, at)} it" if begins > at else "It"
    held = f"{since} is held back until {wording.moment(ends, at)}{if_so}"
    return f"{held}, {silence_rows.said(row)}. Its levels begin then."
