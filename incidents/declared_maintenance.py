"""What tocsin.yaml says of maintenance windows, as values. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config import declaration, fields
from config.declaration import Document, Problems
from config.fields import Fields
from escalation import declared_policies
from escalation.declared_names import KEY
from escalation.oncall import instants
from escalation.oncall.hours import Hours
from incidents import silencing
from incidents.silencing import ALWAYS, WEEKS, Silence

WINDOWS_MAX = 100
REASON_CHARACTERS_MAX = 2_000
OWN_HOURS = ("days", "from", "to", "timezone", "holidays")
DATES = {"from_date": 0, "until": 1}  # the day counts from its beginning, or to its end


@dataclass(frozen=True, slots=True)
class DeclaredWindow:
    name: str
    silence: Silence  # begins ALWAYS if no from_date is given
    reason: str
    dates: Mapping[str, str] = field(default_factory=dict)  # as written


def read_declared(
    document: Document, problems: Problems, *, services: Collection[str], hours: Iterable[Hours] = ()
) -> tuple[DeclaredWindow, ...]:
    """Read the section `maintenance`. What has problems is left out: raise them before using the result.

    `services` and `hours` are those that there are to refer to.
    """
    top = fields.root(document, problems)
    sections = top.entries("maintenance")
    if len(sections) > WINDOWS_MAX:
        top.refuse("maintenance", f"has more than {WINDOWS_MAX} entries")
    known = {each.key: each for each in hours}
    found = [_window(section, services, known) for section in sections.values()]
    return tuple(each for each in found if each)


def _window(section: Fields, services: Collection[str], known: Mapping[str, Hours]) -> DeclaredWindow | None:
    if not KEY.fullmatch(section.name):
        section.refuse_at(section.path, "a name has up to 64 lower-case letters, digits and . _ -")
    named = section.texts("services", required=section.has("services"))
    for path, written in named.items():
        if written not in services:
            what = f'there is no service "{declaration.shown(written)}"'
            section.refuse_at(path, f"{what}; {declaration.suggestion(written, services)}")
    labels = section.pairs("labels", characters_max=silencing.PATTERN_CHARACTERS_MAX)
    title = section.text("title", characters_max=silencing.PATTERN_CHARACTERS_MAX)
    reason = section.text("reason", required=True, characters_max=REASON_CHARACTERS_MAX)
    hours = _hours(section, known)
    weeks = _weeks(section)
    dates = {key: written for key in DATES if (written := section.text(key))}
    zone = hours.timezone if hours and section.sound else "UTC"
    moments = {key: _moment(section, key, written, zone) for key, written in dates.items()}
    silence = Silence(
        services=tuple(dict.fromkeys(named.values())),
        labels=labels,
        title=title,
        starts_at=moments.get("from_date") or ALWAYS,
        ends_at=moments.get("until"),
        hours=hours,
        weeks=weeks,
    )
    if section.sound and hours is not None:
        for key, problem in silencing.problems(silence).items():
            section.refuse({"ends_at": "until"}.get(key, key), problem)
    return DeclaredWindow(section.name, silence, reason, dates) if section.sound else None


def _hours(section: Fields, known: Mapping[str, Hours]) -> Hours | None:
    if section.has("hours"):
        for key in OWN_HOURS:
            if section.has(key):
                section.refuse(key, "does not go with hours, which say it")
        return declared_policies.hours_named(section, "hours", known)
    found = declared_policies.hours(section)
    return Hours("", found.timezone, found.window, found.days, found.holidays)


def _weeks(section: Fields) -> tuple[int, ...]:
    found: set[int] = set()
    for path, written in section.texts("weeks", required=section.has("weeks")).items():
        if written in {str(week) for week in WEEKS}:
            found.add(int(written))
        else:
            section.refuse_at(path, "is the week of a month, from 1 to 5: 2 with tue is the second Tuesday")
    return tuple(sorted(found))


def _moment(section: Fields, key: str, written: str, zone: str) -> datetime | None:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        section.refuse(key, f'"{declaration.shown(written)}" is not a date such as 2026-12-31')
        return None
    return instants.instant(datetime.combine(day + timedelta(days=DATES[key]), time()), ZoneInfo(zone))
