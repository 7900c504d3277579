"""Readiness: what would keep somebody from being woken, found before it does. People and schedules. Pure.

Policies and the last resort are `check_policies`'. Each finding names the thing, says in a sentence what is wrong with
it, and what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import phonenumbers

from config import durations
from escalation import check_policies
from escalation.channels import names
from escalation.channels.base import OPENED_BY
from escalation.ground import SOON_DAYS, Coverage, Finding, Ground, Member, Span
from escalation.oncall.schedules import AHEAD_DAYS

MOMENT = "%a %d %b %Y %H:%M"
SEVERITIES = ("error", "warning")
LATE_SECONDS = 300  # the next level of the usual policy fires by then


def findings(ground: Ground) -> list[Finding]:
    """Errors first, then in the order of the things' names."""
    found = [*_of_people(ground), *_of_schedules(ground), *_of_channels(ground), *check_policies.findings(ground)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _of_people(ground: Ground) -> Iterator[Finding]:
    for key, where in sorted(ground.people_in_use.items()):
        person = ground.people.get(key)
        if person is None or not person.active:
            yield Finding(
                "warning",
                "not-active",
                f"responder {key}",
                f"{key} is counted on by {where} and is not active: never paged, and a hole where their turn is.",
                "Take them out of it, or declare them again.",
            )
        else:
            yield from _of_person(person, where)


def _of_person(person: Member, where: str) -> Iterator[Finding]:
    what, path = f"responder {person.key}", ("responders", person.key)
    if not person.addresses:
        why = "; ".join(f"{names.name(channel)}: {reason}" for channel, reason in sorted(person.disabled.items()))
        yield Finding(
            "error",
            "no-way",
            what,
            f"{person.name} is counted on by {where} and cannot be reached{f' ({why})' if why else ''}.",
            "Declare an address that works, or have them add one and confirm it.",
            path,
        )
    elif person.verified is not None and not person.verified & person.addresses.keys():
        yield Finding(
            "warning",
            "not-verified",
            what,
            f"No way to reach {person.name} was ever confirmed ({', '.join(map(names.name, sorted(person.addresses)))}).",
            "Have them sign in, confirm one with a code, and page themselves once as a test.",
            path,
        )
    for channel, reason in sorted(person.disabled.items()) if person.addresses else ():
        yield Finding(
            "warning",
            "way-off",
            what,
            f"{person.name} is not reached by {names.name(channel)}: {reason}",
            "Have them look at their page of contact methods.",
            path,
        )
    for channel in ("sms", "voice"):
        if channel in person.addresses and (problem := _phone_problem(person.addresses[channel])):
            severity, said = problem
            yield Finding(
                severity,
                "phone",
                what,
                f"{person.name}'s number for {names.name(channel)} {said}.",
                "Correct it.",
                (*path, "phone"),
            )
            break
    if person.begins_seconds >= LATE_SECONDS:
        yield Finding(
            "warning",
            "late-rules",
            what,
            f"{person.name} is paged {durations.to_text(person.begins_seconds)} after a level fires at the earliest: "
            "the level counts as having reached them, and nobody is awake.",
            "Begin their rules for pages at once.",
            (*path, "page_by"),
        )
    if person.quiet and person.quiet.get("from") == person.quiet.get("to"):
        yield Finding(
            "warning",
            "quiet-all-day",
            what,
            f"{person.name}'s quiet hours last all day: what is not urgent never reaches them.",
            "Give the quiet hours an end.",
            (*path, "quiet"),
        )


def _phone_problem(number: str) -> tuple[str, str] | None:
    try:
        read = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "error", "is not a phone number"
    if not phonenumbers.is_possible_number(read):
        return "error", "cannot be one: it has too many digits, or too few"
    if not phonenumbers.is_valid_number(read):
        return "warning", "is in no range that its country gives out"
    return None


def _of_schedules(ground: Ground) -> Iterator[Finding]:
    used = ground.schedules_in_use
    named = {t.key for p in ground.policies.values() for lv in p.levels for t in lv.page if t.kind == "schedule"}
    for key, covered in sorted(ground.coverage.items()):
        what, path = f"schedule {key}", ("schedules", key)
        for error in covered.calendar_errors:
            yield Finding(
                "error",
                "calendar",
                what,
                f"Its calendar: {error}",
                "Mend the calendar, or its address.",
                path,
            )
        if key not in used and key not in named:
            yield Finding(
                "warning",
                "unused-schedule",
                what,
                "No policy pages it, and neither does the last resort.",
                "Name it in a level, or take it out.",
                path,
            )
        elif key in used and not (covered.needs_calendar and not covered.shifts):
            yield from _of_cover(ground, covered, what)


def _of_cover(ground: Ground, covered: Coverage, what: str) -> Iterator[Finding]:
    path = ("schedules", covered.key)
    if not covered.shifts:
        yield Finding("error", "nobody", what, _why_nobody(ground, covered), "Put somebody on it who is active.", path)
        return
    if not covered.gaps:
        return
    starts_at, ends_at = covered.gaps[0]
    is_soon = starts_at < ground.now + timedelta(days=SOON_DAYS)
    more = f", and {len(covered.gaps) - 1} more in {AHEAD_DAYS} days" if len(covered.gaps) > 1 else ""
    begins = "now" if starts_at <= ground.now else f"from {_moment(starts_at)}"
    until = f"until {_moment(ends_at)}" if ends_at < ground.until else "and for as long as one can see"
    all_off = bool(covered.members) and all(_is_off(ground.people.get(key), covered.gaps[0]) for key in covered.members)
    yield Finding(
        "error" if is_soon else "warning",
        "all-off" if all_off else "gap",
        what,
        f"Nobody is on call {begins} {until}{': all its members are off' if all_off else ''}{more}.",
        "Add an override, or somebody who covers that time.",
        path,
    )


def _why_nobody(ground: Ground, covered: Coverage) -> str:
    if not covered.members and covered.shadows:
        return "It holds nobody but shadows, who are never paged."
    if covered.members and not any(key in ground.people and ground.people[key].active for key in covered.members):
        return "None of its members is active."
    return f"Nobody is on call in the next {AHEAD_DAYS} days."


def _is_off(person: Member | None, gap: Span) -> bool:
    return person is not None and any(since < gap[1] and until > gap[0] for since, until in person.off)


def _of_channels(ground: Ground) -> Iterator[Finding]:
    if ground.channels is None:
        return
    used = Counter(channel for key in ground.people_in_use for channel in _channels(ground.people.get(key)))
    rooms = Counter(
        announcement.channel
        for key, policy in ground.policies.items()
        if key in ground.policies_in_use
        for level in policy.levels
        for announcement in level.announce
    )
    for channel in sorted(used.keys() | rooms.keys()):
        if channel not in ground.channels:
            people = "1 person is" if used[channel] == 1 else f"{used[channel]} people are"
            whom = f"{people} to be reached by it" if used[channel] else "levels announce by it"
            yield Finding(
                "error",
                "channel",
                f"channel {channel}",
                f"{names.title(channel)} is not configured, and {whom}.",
                f"{OPENED_BY.get(channel, 'Set its settings')}, or use another way.",
            )


def _channels(person: Member | None) -> tuple[str, ...]:
    return tuple(person.addresses) if person and person.active else ()


def _moment(at: datetime) -> str:
    return f"{at:{MOMENT}} UTC"
