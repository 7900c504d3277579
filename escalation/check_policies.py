"""Readiness of policies and the last resort: levels that reach nobody, policies that cannot finish. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from escalation.ground import Finding, Ground
from escalation.policies import Level, Policy, Target

# Hours are looked at this far and this finely: they repeat by the week, but for holidays.
LOOKED_DAYS = 21
LOOKED_EVERY = timedelta(minutes=30)


def findings(ground: Ground) -> Iterator[Finding]:
    for key, policy in sorted(ground.policies.items()):
        if key not in ground.policies_in_use:
            yield Finding(
                "warning",
                "unused-policy",
                f"policy {key}",
                "No service uses it.",
                "Give it to a service, or take it out.",
                ("policies", key),
            )
        yield from _of_policy(ground, policy)
    yield from _of_last_resort(ground)


def _of_policy(ground: Ground, policy: Policy) -> Iterator[Finding]:
    fit = {level.level: _ever_fits(level, ground.now) for level in policy.levels}
    for level in policy.levels:
        yield from _of_level(ground, policy, level, fits=fit[level.level])
    what, path = f"policy {policy.key}", ("policies", policy.key)
    last = policy.levels[-1]
    if not any(ground.reached(target) for target in last.page) or not fit[last.level]:
        yield Finding(
            "error" if last.page else "warning",
            "last-level",
            what,
            f"Its last level, {last.level}, wakes nobody: behind the level before it stands only the last resort.",
            "Page somebody in the last level.",
            (*path, "levels", last.level),
        )
    everybody = {key for level in policy.levels for target in level.page for key in ground.reached(target)}
    if policy.acknowledgements > len(everybody):
        yield Finding(
            "error",
            "acknowledgements",
            what,
            f"{policy.acknowledgements} people must acknowledge, and it reaches {len(everybody)}: it can never be held.",
            "Ask for fewer, or page more people.",
            (*path, "acknowledgements"),
        )


def _of_level(ground: Ground, policy: Policy, level: Level, *, fits: bool) -> Iterator[Finding]:
    what, path = f"policy {policy.key}, level {level.level}", ("policies", policy.key, "levels", level.level)
    if not fits:
        yield Finding(
            "error",
            "hours",
            what,
            f"It is for {level.hours}, and no such hour comes: it is passed over each time.",
            "Correct the hours.",
            path,
        )
    if level.page and not any(ground.reached(target) for target in level.page):
        why = "; ".join(_why_empty(ground, target) for target in level.page)
        yield Finding(
            "error",
            "empty-level",
            what,
            f"It reaches nobody: {why}. The next level fires at once instead.",
            "Page somebody who can be reached.",
            path,
        )
    elif level.page:
        for target in level.page:
            if not ground.reached(target) and not _is_unknown(ground, target):
                yield Finding(
                    "warning",
                    "dead-target",
                    what,
                    f"One of those it pages reaches nobody: {_why_empty(ground, target)}.",
                    "Take it out, or see that it reaches somebody.",
                    path,
                )
    if level.runbook and ground.runbooks is not None and level.runbook not in ground.runbooks:
        yield Finding(
            "error",
            "no-runbook",
            what,
            f"Its runbook {level.runbook} is not on the shelf.",
            "Name one that is, or add it.",
            (*path, "runbook"),
        )


def _why_empty(ground: Ground, target: Target) -> str:
    if target.kind == "role":
        holders = ground.named(target)
        return (
            f"nobody who has the role {target.key} can be reached" if holders else f"nobody has the role {target.key}"
        )
    if target.kind == "responder":
        return f"{target.key} cannot be reached"
    covered = ground.coverage.get(target.key)
    if covered is not None and not covered.members and covered.shadows:
        return f"schedule {target.key} holds only shadows"
    if covered is not None and not covered.shifts:
        return f"nobody is ever on call for {target.key}"
    return f"nobody on call for {target.key} can be reached"


def _is_unknown(ground: Ground, target: Target) -> bool:
    """A calendar says who it is, and it was not read."""
    covered = ground.coverage.get(target.key) if target.kind == "schedule" else None
    return covered is not None and covered.needs_calendar and not covered.shifts


def _ever_fits(level: Level, now: datetime) -> bool:
    if level.during is None and level.outside is None:
        return True
    steps = int(timedelta(days=LOOKED_DAYS) / LOOKED_EVERY)
    return any(level.is_open(now + number * LOOKED_EVERY) for number in range(steps))


def _of_last_resort(ground: Ground) -> Iterator[Finding]:
    reached = {key for target in ground.last_resort for key in ground.reached(target)}
    what, path = "last resort", ("last_resort",)
    if not reached:
        yield Finding(
            "error",
            "last-resort",
            what,
            "It reaches nobody, and nothing stands behind it: an incident can go silent.",
            "Name somebody who can be reached.",
            path,
        )
        return
    channels = {channel for key in reached for channel in ground.people[key].addresses}
    telephone = {"sms", "voice"}
    ways = 1 if channels and channels <= telephone else len(channels)
    if len(reached) == 1 and ways == 1:
        (key,) = reached
        by = "telephone" if channels <= telephone else next(iter(channels))
        yield Finding(
            "warning",
            "weak-last-resort",
            what,
            f"It is one person, {ground.people[key].name}, who is reached by {by} alone.",
            "Name a second person, or a role, or give them another way.",
            path,
        )
