"""Who is off when: time off, from the database, and public holidays, by what people say of themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from escalation.models import Responder
from escalation.oncall import public_holidays
from escalation.oncall.instants import instant
from escalation.oncall.models import AbsenceRow
from escalation.oncall.schedules import YEARS, Absence

YEARS_KEPT_MAX = 4_096  # of people's holidays: some decades of a large team

_TIME_OFF = (
    select(AbsenceRow.responder_id, AbsenceRow.starts_at, AbsenceRow.ends_at)
    .where(AbsenceRow.responder_id.in_(bindparam("people", expanding=True)), AbsenceRow.ends_at > bindparam("since"))
    .order_by(AbsenceRow.responder_id, AbsenceRow.starts_at, AbsenceRow.id)
)


def of(session: Session, people: Collection[Responder], since: datetime, until: datetime) -> tuple[Absence, ...]:
    """Every absence of these people that touches [since, until], and some to come: what has not begun decides nothing,
    and so the answer stays the same from one moment to the next, and what was worked out from it stays of use."""
    keys = {person.id: person.key for person in people}
    rows = session.execute(_TIME_OFF, {"people": list(keys), "since": since}).all() if keys else ()
    time_off = [Absence(keys[row.responder_id], row.starts_at, row.ends_at) for row in rows]
    # A year begins and ends in a zone up to a day before or after it does in UTC.
    years = range((since - timedelta(days=1)).year, (until + timedelta(days=1)).year + 1)
    on_holiday = [
        absence
        for person in people
        if person.holidays
        for year in years
        for absence in holidays(person.key, person.holidays, person.timezone, year)
    ]
    return (*time_off, *on_holiday)


@lru_cache(maxsize=YEARS_KEPT_MAX)
def holidays(responder: str, place: str, timezone: str, year: int) -> tuple[Absence, ...]:
    """That place's public holidays of one year, from midnight to midnight where this person lives."""
    zone = ZoneInfo(timezone)
    first = date(year, 1, 1)
    days = (first + timedelta(days=count) for count in range(366))
    found = []
    for day in days if year in YEARS[:-1] else ():
        if day.year == year and public_holidays.name(place, day):
            midnight = datetime.combine(day, time())
            starts_at, ends_at = instant(midnight, zone), instant(midnight + timedelta(days=1), zone)
            if starts_at < ends_at:
                found.append(Absence(responder, starts_at, ends_at, hard=False))
    return tuple(found)
