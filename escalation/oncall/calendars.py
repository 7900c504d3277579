"""Calendars that serve as rotations: read again every 15 minutes; the last copy stays in force when one cannot be.

A calendar's address is not kept with its copy, which knows it by its hash only: it is as good as a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.actor import Actor
from escalation import notices, responders
from escalation.channels.base import ChannelError
from escalation.models import Responder, ScheduleRow
from escalation.oncall import fetching, moves, reading_apart, rota, upkeep
from escalation.oncall.calendar import CalendarError, Copied, Person
from escalation.oncall.fetching import Fetched
from escalation.oncall.models import CalendarCopy
from escalation.paging import timers
from escalation.paging.timers import Claimed

KIND = "calendar"
AGAIN_AFTER = timedelta(minutes=15)
WHOLE_AFTER = timedelta(hours=12)  # as long the copy reaches far enough, and people keep their names
BACK, AHEAD = timedelta(days=7), timedelta(days=400)

Fetch = Callable[[str, Mapping[str, str]], Fetched]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the errand needs while no transaction is open."""

    url: str
    validators: Mapping[str, str]
    people: tuple[Person, ...]
    zone: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Read:
    copied: Copied | None  # None: it has not changed
    validators: Mapping[str, str]


class CalendarErrand:
    def __init__(self, base_url: str, fetch: Fetch = fetching.fetch) -> None:
        self._base_url = base_url
        self._fetch = fetch

    def begin(self, session: Session, claimed: Claimed, now: datetime) -> Reading | None:
        copy = session.get(CalendarCopy, claimed.subject_id)
        if copy is None or not timers.still_held(session, claimed):
            timers.finish(session, claimed)
            return None
        served = _served(session, copy)
        if not served:  # no schedule names it any more
            session.delete(copy)
            timers.finish(session, claimed)
            return None
        url, row = served[0]
        people = session.scalars(select(Responder).where(Responder.active))
        is_fresh = copy.fetched_at is not None and now - copy.fetched_at < WHOLE_AFTER
        return Reading(
            url=url,
            validators=copy.validators if is_fresh else {},
            people=tuple(Person(each.key, each.name, each.email or "") for each in people),
            zone=str(row.definition["timezone"]),
            since=now - BACK,
            until=now + AHEAD,
        )

    def carry_out(self, work: Reading) -> Read:
        fetched = self._fetch(work.url, work.validators)
        if fetched.text is None:
            return Read(None, fetched.validators)
        try:
            copied = reading_apart.read(fetched.text, work.people, work.since, work.until, zone=work.zone)
        except CalendarError as unreadable:
            raise ChannelError(str(unreadable), permanent=False, code="calendar") from unreadable
        return Read(copied, fetched.validators)

    def record(
        self, session: Session, claimed: Claimed, work: Reading, outcome: Read | ChannelError, now: datetime
    ) -> None:
        copy = session.get(CalendarCopy, claimed.subject_id)
        if copy is None or not timers.still_held(session, claimed):
            return
        copy.tried_at = now
        schedules = [row.key for _, row in _served(session, copy)]
        if isinstance(outcome, ChannelError):
            copy.error = str(outcome)
            _tell_of_failure(session, schedules, copy, now)
        else:
            copy.error = ""
            if outcome.copied is not None:
                self._take(session, copy, schedules, outcome.copied, now)
                copy.fetched_at, copy.validators = now, dict(outcome.validators)
        timers.set_all(session, [upkeep.calendar(copy, now + AGAIN_AFTER)])

    def _take(self, session: Session, copy: CalendarCopy, schedules: list[str], copied: Copied, now: datetime) -> None:
        shifts = [[starts_at.isoformat(), ends_at.isoformat(), who] for starts_at, ends_at, who in copied.shifts]
        copy.findings = list(copied.findings)
        if shifts == copy.shifts:
            return
        reader = Actor("The calendar", kind="program", via="calendar")
        is_first = copy.fetched_at is None
        with moves.told(session, reader, now, schedules=schedules, base_url=self._base_url, tells=not is_first):
            copy.shifts = shifts


def _served(session: Session, copy: CalendarCopy) -> list[tuple[str, ScheduleRow]]:
    """(its address, a schedule that it serves), by the schedule's key."""
    return [
        (each["calendar"], row)
        for row in session.scalars(select(ScheduleRow).order_by(ScheduleRow.key))
        for each in row.definition["rotations"]
        if each.get("calendar") and rota.calendar_hash(each["calendar"]) == copy.url_hash
    ]


def _tell_of_failure(session: Session, schedules: list[str], copy: CalendarCopy, now: datetime) -> None:
    """Once a day."""
    since = (
        f"the copy of {copy.fetched_at:%Y-%m-%d %H:%M} UTC stays in force" if copy.fetched_at else "there is no copy"
    )
    named = ", ".join(schedules)
    notices.queue(
        session,
        responders.with_role(session, "admin"),
        kind=KIND,
        subject=f"The calendar of {named} cannot be read",
        text=f"The calendar that says who is on call on {named} cannot be read; {since}. {copy.error} It is tried again "
        "every 15 minutes.",
        now=now,
        dedup_key=f"calendar {copy.id} {now:%Y-%m-%d}",
    )
