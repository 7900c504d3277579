"""What would happen at any moment of a span: for as long as the answer is the same, one stretch. Pure.

Whom a policy wakes changes with hand-overs, with the hours of its levels, and with the times of day in people's rules;
each may matter as long before as a level comes after the beginning. Those moments are tried, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from escalation.oncall import resolve
from escalation.oncall.hours import Window
from escalation.plan import Urgency
from escalation.policies import Policy, Target
from escalation.simulate import Case, Course, World, simulate

MOMENTS_MAX = 2_000  # of one span; each is simulated

Answer = tuple[tuple[str, str, str, int, str, int], ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """An incident that opens in [since, until) goes as `course`, which is that of one opening at `since`."""

    since: datetime
    until: datetime
    course: Course


def over(world: World, case: Case, until: datetime) -> list[Stretch]:
    """From the case's opening until then. One pass through the levels is looked at, up to the last resort.

    Raises ValueError if so much happens in this time that it would take too long.
    """
    once = replace(case, policy=replace(case.policy, repeat=0))
    found: list[Stretch] = []
    for moment in moments(world, once.policy, case.opened_at, until):
        course = simulate(world, replace(once, opened_at=moment))
        if found and answer(found[-1].course) == answer(course):
            continue
        if found:
            found[-1] = replace(found[-1], until=moment)
        found.append(Stretch(moment, until, course))
    return found


def answer(course: Course) -> Answer:
    """Who, by what, at which level, how long after it opened. LOW is told by the calendar, so its times tell nothing."""
    by_calendar = course.case.urgency is Urgency.LOW
    opened_at = course.case.opened_at
    return tuple(
        (
            each.person.key,
            each.channel,
            each.purpose,
            each.level,
            each.stage,
            0 if by_calendar else int((each.at - opened_at).total_seconds()),
        )
        for each in course.woken
    )


def moments(world: World, policy: Policy, since: datetime, until: datetime) -> list[datetime]:
    """When the answer may change, in order, beginning with `since`."""
    leads = _leads(policy)
    far = until + max(leads)
    edges = {*_hand_overs(world, policy, since, far), *_times_of_day(world, policy, since, far)}
    found = {edge - lead for edge, lead in product(edges, leads)}
    tried = sorted({since, *(moment for moment in found if since < moment < until)})
    if len(tried) > MOMENTS_MAX:
        raise ValueError(f"too much changes in this time ({len(tried)} moments); ask for a shorter one")
    return tried


def _leads(policy: Policy) -> list[timedelta]:
    """How long after the beginning something may be decided or sent: levels keep their distances when they come early."""
    afters = {level.after_seconds for level in policy.levels}
    end = max(afters) + policy.repeat_after_seconds
    gaps = {later - earlier for later in (*afters, end) for earlier in (0, *afters) if later >= earlier}
    return [timedelta(seconds=gap) for gap in sorted({0, *gaps})]


def _hand_overs(world: World, policy: Policy, since: datetime, until: datetime) -> Iterator[datetime]:
    for key in sorted({target.key for target in targets(world, policy) if target.kind == "schedule"}):
        if key in world.rosters:
            for shift in resolve.shifts(world.rosters[key], since, until):
                yield shift.starts_at
                yield shift.ends_at


def _times_of_day(world: World, policy: Policy, since: datetime, until: datetime) -> Iterator[datetime]:
    windows: dict[tuple[Window, str], set[float]] = {}
    for level in policy.levels:
        for hours in filter(None, (level.during, level.outside)):
            windows.setdefault((hours.window, hours.timezone), {0})
    for person in filter(None, map(world.person, named(world, policy))):
        for rule in (rule for steps in person.rules.values() for rule in steps if rule.window):
            windows.setdefault((rule.window, person.timezone), set()).add(rule.after_seconds)  # type: ignore[arg-type]  # those with a window
    for (window, zone), afters in windows.items():
        for edge, after in product(_edges(window, zone, since, until), afters):
            yield edge - timedelta(seconds=after)


def targets(world: World, policy: Policy) -> set[Target]:
    """Whom the levels and the last resort name."""
    return {target for level in policy.levels for target in level.page} | set(world.last_resort)


def named(world: World, policy: Policy) -> set[str]:
    """Everybody whom the policy or the last resort may reach at some time."""
    found: set[str] = set()
    for target in targets(world, policy):
        if target.kind == "responder":
            found.add(target.key)
        elif target.kind == "role":
            found |= set(world.with_role(target.key))
        elif roster := world.rosters.get(target.key):
            found |= {key for rotation in roster.schedule.rotations for key in rotation.members}
            found |= {override.responder for override in roster.overrides if override.responder}
            found |= {shift.responder for shift in roster.calendars}
    return found


def _edges(window: Window, zone: str, since: datetime, until: datetime) -> Iterable[datetime]:
    there = ZoneInfo(zone)
    day = since.astimezone(there).date() - timedelta(days=1)
    last = until.astimezone(there).date() + timedelta(days=1)
    while day <= last:
        for clock in (window.begins, window.ends):
            for fold in (0, 1):  # an hour that comes twice begins and ends twice
                yield datetime.combine(day, clock, there).replace(fold=fold).astimezone(UTC)
        day = date.fromordinal(day.toordinal() + 1)
