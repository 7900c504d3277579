"""Gaps to come: when nobody will be on call on a schedule that somebody relies on, said before they open.

Each gap is announced when it is first found, again seven days and one day before it opens, to the schedule's people, the
managers and the administrators, in one message a look. A gap that comes again every week is likely meant: it is said
once, as the first of its kind. What is filled meanwhile is silently forgotten, and news again if it comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import apply_schedules, notices, responders
from escalation.models import Escalation, Responder, ScheduleRow
from escalation.oncall import outlook, upkeep, words
from escalation.oncall.differences import Span
from escalation.oncall.models import KnownGap
from escalation.oncall.schedules import AHEAD_DAYS
from escalation.paging import timers
from escalation.paging.timers import Claimed

KIND = "gap"
LOOKED_AHEAD = timedelta(days=AHEAD_DAYS)
LOOKED_BACK = timedelta(days=30)  # a gap that is open keeps its beginning, and so is known again, for as long
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # the beginning of what has been open for longer
LOOKED_AT = time(9, 0)  # UTC, each day
REGULAR_FROM = 3  # as often as that in the time looked at, at the same hours of the same weekday
TOLD_MAX = 4


class Stage(StrEnum):
    """How near a gap was when it was last told of."""

    REGULAR = "regular"
    FOUND = "found"
    WEEK = "week"
    DAY = "day"


NEAR = {Stage.WEEK: timedelta(days=7), Stage.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Gap:
    schedule: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    regular: bool


def ahead(session: Session, now: datetime, *, keys: Collection[str] | None = None) -> list[Gap]:
    """The gaps of the next 90 days, and one that is open, of the schedules in use (or those of `keys`); by time."""
    chosen = in_use(session) if keys is None else set(keys)
    zones = {row.key: str(row.definition["timezone"]) for row in session.scalars(select(ScheduleRow))}
    found: list[Gap] = []
    since = now - LOOKED_BACK
    for key, spans in outlook.gaps(session, since, now + LOOKED_AHEAD, chosen).items():
        usual = _regular(spans, zones[key])
        for starts_at, ends_at in spans:
            if ends_at > now:
                begins = starts_at if starts_at > since else LONG_AGO
                found.append(Gap(key, zones[key], begins, ends_at, starts_at in usual))
    return sorted(found, key=lambda gap: (gap.starts_at, gap.schedule))


def in_use(session: Session) -> set[str]:
    """What policies, the last resort and running escalations name."""
    return apply_schedules.in_use(session, select(Escalation.incident_id).where(Escalation.stopped_at.is_(None)))


def look(session: Session, claimed: Claimed, now: datetime, base_url: str) -> None:
    """Tell what is to be told now, and come again when the next thing is. One transaction."""
    if not timers.still_held(session, claimed):
        return
    gaps = ahead(session, now)
    news = _news(session, gaps, now)
    if news:
        _tell(session, news, now, base_url)
    timers.set_all(session, [upkeep.coverage(_next_look(gaps, now))])


def _news(session: Session, gaps: Sequence[Gap], now: datetime) -> list[Gap]:
    """What has come nearer than when it was last told of; remembers that it is told. Of regular gaps only the first."""
    ids = {row.key: row.id for row in session.scalars(select(ScheduleRow))}
    known = {(row.schedule_id, row.starts_at): row for row in session.scalars(select(KnownGap))}
    told_regular = {row.schedule_id for row in known.values() if row.stage == Stage.REGULAR}
    news: list[Gap] = []
    for gap in gaps:
        place = ids[gap.schedule], gap.starts_at
        stage, row = _stage(gap, now), known.pop(place, None)
        if row is None:
            session.add(KnownGap(schedule_id=place[0], starts_at=gap.starts_at, stage=stage, found_at=now))
        if row is None or (row.stage != stage and stage != Stage.REGULAR):
            if stage != Stage.REGULAR or place[0] not in told_regular:
                news.append(gap)
            if stage == Stage.REGULAR:
                told_regular.add(place[0])
        if row is not None:
            row.stage = stage
    for filled in known.values():
        session.delete(filled)
    session.flush()
    return news


def _stage(gap: Gap, now: datetime) -> Stage:
    if gap.regular:
        return Stage.REGULAR
    left = gap.starts_at - now
    return next((stage for stage in (Stage.DAY, Stage.WEEK) if left <= NEAR[stage]), Stage.FOUND)


def _next_look(gaps: Iterable[Gap], now: datetime) -> datetime:
    today = datetime.combine(now.date(), LOOKED_AT, now.tzinfo)
    tomorrow = today if today > now else today + timedelta(days=1)
    stages = (gap.starts_at - near for gap in gaps if not gap.regular for near in NEAR.values())
    return min([at for at in stages if at > now] + [tomorrow])


def _regular(spans: Sequence[Span], zone: str) -> set[datetime]:
    """The beginnings that have two others at least at the same hour of the same weekday, on the schedule's clocks."""
    there = ZoneInfo(zone)

    def hour(starts_at: datetime) -> tuple[int, time]:
        local = starts_at.astimezone(there)
        return local.weekday(), local.time()

    counted = Counter(hour(starts_at) for starts_at, _ in spans)
    return {starts_at for starts_at, _ in spans if counted[hour(starts_at)] >= REGULAR_FROM}


def _tell(session: Session, news: Sequence[Gap], now: datetime, base_url: str) -> None:
    """One message to each: of the schedules that are theirs, or, to managers and administrators, of all."""
    members = _members(session, {gap.schedule for gap in news})
    all_of_it = {person.key for role in ("admin", "manager") for person in responders.with_role(session, role)}
    wanted = all_of_it | {key for keys in members.values() for key in keys}
    for person in session.scalars(
        select(Responder).where(Responder.key.in_(wanted), Responder.active).order_by(Responder.key)
    ):
        theirs = [gap for gap in news if person.key in all_of_it or person.key in members[gap.schedule]]
        notices.queue(
            session,
            person,
            kind=KIND,
            subject=f"Nobody is on call on {words.listed(sorted({gap.schedule for gap in theirs}))} at some time to come",
            text=_text(theirs, person.timezone, now),
            url=f"{base_url}/oncall",
            now=now,
        )


def _text(gaps: Sequence[Gap], zone: str, now: datetime) -> str:
    said = [_said(gap, zone, now) for gap in gaps[:TOLD_MAX]]
    if len(gaps) > TOLD_MAX:
        said.append(f"and {len(gaps) - TOLD_MAX} more times")
    return f"Nobody is on call: {'; '.join(said)}. Times are {words.clocks(zone)}. An override fills a gap."


def _said(gap: Gap, zone: str, now: datetime) -> str:
    begins = f"now, until {words.moment(gap.ends_at, zone)}"
    time_of_it = begins if gap.starts_at <= now else words.span(gap.starts_at, gap.ends_at, zone)
    return f"{gap.schedule} {time_of_it}" + (" and so each week" if gap.regular else "")


def _members(session: Session, keys: Collection[str]) -> Mapping[str, set[str]]:
    rows = session.scalars(select(ScheduleRow).where(ScheduleRow.key.in_(keys)))
    return {
        row.key: {key for rotation in row.definition["rotations"] for key in rotation.get("members") or ()}
        for row in rows
    }
