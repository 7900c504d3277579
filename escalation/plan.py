"""What an escalation does next, and when. Pure: the engine and `simulate` run this same code.

Times: a level fires at `base_at + level.after_seconds`. Moving `base_at` moves all later levels alike, so a
level reached early (nobody reachable, a person escalating by hand) keeps the distances of the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from escalation.oncall import public_holidays
from escalation.policies import Level, Policy

MEDIUM_GRACE_SECONDS = 15 * 60  # MEDIUM is told first; nobody acknowledging for this long pages as HIGH
LAST_RESORT_EVERY_SECONDS = 15 * 60
BUSINESS_DAY_STARTS = time(9, 0)
SATURDAY = 5
HOLIDAYS_IN_A_ROW_MAX = 31  # a place of which more is said to be holidays is taken to have none


class Urgency(StrEnum):
    HIGH = "high"  # page at once
    MEDIUM = "medium"  # notify, then page
    LOW = "low"  # notify on the next business day
    NONE = "none"  # log only


class Stage(StrEnum):
    NOTIFYING = "notifying"
    PAGING = "paging"
    LAST_RESORT = "last_resort"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an escalation has come; what is fired next is at `position`."""

    stage: Stage
    base_at: datetime
    cycle: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """The team's, on which LOW is told."""

    timezone: str = "UTC"
    holidays: str = ""  # the place whose public holidays are none


def begin(urgency: Urgency, now: datetime, days: BusinessDays) -> Progress:
    """Where an escalation of this urgency starts."""
    if urgency is Urgency.HIGH:
        return Progress(Stage.PAGING, now)
    if urgency is Urgency.MEDIUM:
        return Progress(Stage.NOTIFYING, now)
    if urgency is Urgency.LOW:
        return Progress(Stage.NOTIFYING, next_business_day(now, days))
    return Progress(Stage.STOPPED, now)


def due_at(policy: Policy, progress: Progress) -> datetime | None:
    """When the next step fires; None when nothing is to come."""
    if progress.stage is Stage.STOPPED:
        return None
    if progress.stage is Stage.PAGING:
        return progress.base_at + timedelta(seconds=policy.levels[progress.position].after_seconds)
    return progress.base_at


def level_to_fire(policy: Policy, progress: Progress, now: datetime) -> Level:
    """The level whose people the next step reaches: the first one for this hour where somebody is told, the last
    beside the last resort."""
    if progress.stage is Stage.PAGING:
        return policy.levels[progress.position]
    if progress.stage is Stage.NOTIFYING:
        return next((level for level in policy.levels if level.is_open(now)), policy.levels[0])
    return policy.levels[-1]


def following(policy: Policy, progress: Progress, urgency: Urgency, now: datetime, days: BusinessDays) -> Progress:
    """What comes after the step that has just fired.

    Levels of one round keep their times even if they are past (missed levels are not skipped); a new round
    or a further call to the last resort begins now at the earliest, so that an outage does not pile them up.
    """
    if progress.stage is Stage.NOTIFYING:
        if urgency is Urgency.LOW:
            return replace(progress, base_at=next_business_day(max(now, progress.base_at), days))
        return Progress(Stage.PAGING, progress.base_at + timedelta(seconds=MEDIUM_GRACE_SECONDS))
    if progress.stage is Stage.LAST_RESORT:
        if urgency is Urgency.LOW:  # a LOW that could not be told to anybody wakes nobody at night either
            return Progress(Stage.NOTIFYING, next_business_day(max(now, progress.base_at), days))
        return replace(progress, base_at=max(progress.base_at, now) + timedelta(seconds=LAST_RESORT_EVERY_SECONDS))
    if progress.position + 1 < len(policy.levels):
        return replace(progress, position=progress.position + 1)
    last_fired_at = progress.base_at + timedelta(seconds=policy.levels[-1].after_seconds)
    if progress.cycle < policy.repeat:
        again_at = max(last_fired_at + timedelta(seconds=policy.repeat_after_seconds), now)
        first = timedelta(seconds=policy.levels[0].after_seconds)
        return Progress(Stage.PAGING, again_at - first, cycle=progress.cycle + 1)
    wait = timedelta(seconds=min(policy.repeat_after_seconds, LAST_RESORT_EVERY_SECONDS))
    return Progress(Stage.LAST_RESORT, max(last_fired_at + wait, now), cycle=progress.cycle)


def hastened(policy: Policy, progress: Progress, now: datetime) -> Progress:
    """The same next step, due now if it was due later: nobody was reachable, or a person asked for it."""
    if progress.stage is Stage.PAGING:
        after = timedelta(seconds=policy.levels[progress.position].after_seconds)
        return replace(progress, base_at=min(progress.base_at, now - after))
    return replace(progress, base_at=min(progress.base_at, now))


def raised(policy: Policy, progress: Progress, urgency: Urgency, now: datetime, days: BusinessDays) -> Progress:
    """Where an escalation goes on when its severity rises while nobody has answered.

    Whoever was woken before is woken again at once. Nothing that was to come comes later for it: a level that is
    near keeps its time, and levels that have run out do not start from the bottom while the last resort waits.
    """
    if progress.stage not in (Stage.PAGING, Stage.LAST_RESORT):
        return begin(urgency, now, days)
    if urgency is not Urgency.HIGH:
        return progress  # it pages already, and does not fall silent for a rise
    if progress.stage is Stage.LAST_RESORT:
        last = timedelta(seconds=policy.levels[-1].after_seconds)
        return Progress(Stage.PAGING, now - last, cycle=max(progress.cycle, policy.repeat))
    return hastened(policy, replace(progress, position=0), now)


def taken_up(
    policy: Policy, stopped: Progress, reached: int, urgency: Urgency, now: datetime, days: BusinessDays
) -> Progress:
    """Where an escalation that somebody had stopped goes on when nobody holds it any more: the level it had reached
    (by number; 0: none) fires again now, and those after it keep their distances."""
    if urgency in (Urgency.LOW, Urgency.NONE):
        return begin(urgency, now, days)
    position = next((index for index, level in enumerate(policy.levels) if level.level == reached), 0)
    base_at = now - timedelta(seconds=policy.levels[position].after_seconds)
    return Progress(Stage.PAGING, base_at, cycle=stopped.cycle, position=position)


def handed_over(policy: Policy, stopped: Progress, reached: int, now: datetime, days: BusinessDays) -> Progress:
    """What comes after one person was paged in place of the level that had been reached (by number; 0: none)."""
    fired = taken_up(policy, stopped, reached, Urgency.HIGH, now, days)
    return following(policy, fired, Urgency.HIGH, now, days)


def past_failed(policy: Policy, fired: Stage, after: Progress, now: datetime) -> Progress:
    """What comes after a step that queued pages, none of which could be handed over; `after` is what it set."""
    begun_anew = fired is Stage.PAGING and after.stage is Stage.PAGING and after.position == 0
    cycle = after.cycle - 1 if begun_anew else after.cycle
    return past_unreachable(policy, Progress(fired, after.base_at, cycle=cycle), after, now)


def past_unreachable(policy: Policy, fired: Progress, after: Progress, now: datetime) -> Progress:
    """What comes after a step that reached nobody: the next level at once, and the last resort after the last.

    Going round the same unreachable levels again would wake nobody either. When the last resort itself cannot
    be reached, it is tried again at its usual distance.
    """
    if fired.stage is Stage.LAST_RESORT:
        return after
    if after.stage is Stage.PAGING and after.cycle == fired.cycle:
        return hastened(policy, after, now)
    return Progress(Stage.LAST_RESORT, now, cycle=fired.cycle)


def next_business_day(now: datetime, days: BusinessDays) -> datetime:
    """The next 09:00 on Monday to Friday that is no public holiday, strictly after `now`; UTC."""
    zone = ZoneInfo(days.timezone)
    day = now.astimezone(zone).date()
    passed = 0
    while True:
        morning = datetime.combine(day, BUSINESS_DAY_STARTS, zone).astimezone(now.tzinfo)
        if morning > now and day.weekday() < SATURDAY:
            if passed == HOLIDAYS_IN_A_ROW_MAX or not public_holidays.name(days.holidays, day):
                return morning
            passed += 1
        day += timedelta(days=1)
