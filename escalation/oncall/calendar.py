"""Shifts as an iCalendar document (RFC 5545), and an iCalendar document as shifts. Pure.

A person's own calendar would show every day of a week on call as busy, and colleagues could not invite them any more:
shifts are written as transparent. Times are written in UTC, which every program shows in its reader's own zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

REFRESH = "PT1H"  # how often a calendar program is asked to look again
LEFT_OUT_SHOWN_MAX = 20
SHIFTS_MAX = 5_000
EVENTS_MAX = 5_000  # of a calendar that is read
SERIES_MAX = 200  # of those, that repeat: each is spelled out from its beginning
TOO_OFTEN = {"SECONDLY", "MINUTELY"}  # no shift repeats like that, and spelling it out would never end


@dataclass(frozen=True, slots=True)
class Entry:
    """A shift as a calendar shows it."""

    schedule: str
    responder: str  # key
    name: str
    starts_at: datetime
    ends_at: datetime
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Copied:
    """What a calendar says: (starts, ends, responder key), in order; and what in it was not understood, for people."""

    shifts: tuple[tuple[datetime, datetime, str], ...]
    findings: tuple[str, ...]


class CalendarError(ValueError):
    """The text is no calendar that can be read. The message is for people."""


def write(name: str, entries: Sequence[Entry], *, own: bool, url: str, now: datetime) -> bytes:
    """`own`: one person's shifts, where the schedule says more than the name. `url`: where people look further."""
    document = Calendar()
    document.add("prodid", "-//Tocsin//On call//EN")
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    document.add("x-wr-calname", name)
    document.add("x-published-ttl", REFRESH)
    for entry in entries:
        document.add_component(_event(entry, own, url, now))
    written: bytes = document.to_ical()
    return written


def _event(entry: Entry, own: bool, url: str, now: datetime) -> Event:
    event = Event()
    role = "shadowing" if entry.shadow else "on call"
    event.add("summary", f"On call: {entry.schedule}" if own and not entry.shadow else f"{entry.name}: {role}")
    event.add("description", f"{entry.name} is {role} on {entry.schedule}.\n{url}")
    event.add("dtstart", entry.starts_at.astimezone(UTC))
    event.add("dtend", entry.ends_at.astimezone(UTC))
    event.add("dtstamp", now.astimezone(UTC))
    event.add("transp", "TRANSPARENT")
    event.add("url", url)
    event.add("uid", uid(entry))
    return event


def uid(entry: Entry) -> str:
    """The same for the same shift whenever it is written, so that a program updates it instead of adding another."""
    said = "\0".join((entry.schedule, entry.responder, entry.starts_at.astimezone(UTC).isoformat(), str(entry.shadow)))
    return f"{sha256(said.encode()).hexdigest()[:32]}@tocsin"


def read(text: bytes, people: Iterable[Person], since: datetime, until: datetime, *, zone: str) -> Copied:
    """The shifts of [since, until), with repetitions spelled out. A time without a zone, and a whole day, is read on
    the clocks of `zone`. Who is meant is said by an attendee's address, or by the summary or an attendee's name: a
    responder's key, e-mail or name. Raises CalendarError.
    """
    events = _spelled_out(text, since, until)
    known = _names(people)
    shifts: set[tuple[datetime, datetime, str]] = set()
    strangers: set[str] = set()
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        starts_at, ends_at = _instant(event.start, ZoneInfo(zone)), _instant(event.end, ZoneInfo(zone))
        if starts_at >= ends_at:
            continue
        meant = _meant(event, known)
        if not meant:
            strangers.add(str(event.get("SUMMARY", "")).strip() or "an event without a summary")
        shifts |= {(starts_at, ends_at, key) for key in meant}
    findings = [f"“{said[:80]}” names no responder by key, e-mail or name." for said in sorted(strangers)]
    if len(findings) > LEFT_OUT_SHOWN_MAX:
        findings = [*findings[:LEFT_OUT_SHOWN_MAX], f"And {len(findings) - LEFT_OUT_SHOWN_MAX} more like these."]
    if len(shifts) > SHIFTS_MAX:
        findings.append(f"It holds {len(shifts)} shifts; only the first {SHIFTS_MAX} are used.")
    return Copied(tuple(sorted(shifts)[:SHIFTS_MAX]), tuple(findings))


def _spelled_out(text: bytes, since: datetime, until: datetime) -> list[Any]:
    try:
        document = Calendar.from_ical(text)
        events = document.walk("VEVENT")
        series = [event for event in events if "RRULE" in event]
        if len(events) > EVENTS_MAX or len(series) > SERIES_MAX:
            raise CalendarError(
                f"It has {len(events)} events, {len(series)} of them repeating; "
                f"at most {EVENTS_MAX} and {SERIES_MAX} are read."
            )
        if any(TOO_OFTEN & set(_frequencies(event)) for event in series):
            raise CalendarError("An event in it repeats every minute or second; no shift does.")
        return list(recurring_ical_events.of(document, skip_bad_series=True).between(since, until))
    except CalendarError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as unreadable:
        raise CalendarError(f"It is not a calendar that can be read: {unreadable}") from unreadable


def _frequencies(event: Any) -> list[str]:
    rules = event["RRULE"]
    return [
        str(each).upper() for rule in (rules if isinstance(rules, list) else [rules]) for each in rule.get("FREQ", [])
    ]


def _names(people: Iterable[Person]) -> Mapping[str, str]:
    """Lower-case name -> key; a name that two people have names neither."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    listed = list(people)
    for person in listed:
        name = " ".join(person.name.lower().split())
        twice |= {name} & found.keys()
        found[name] = person.key
    for name in twice:
        del found[name]
    # Keys and addresses are each one person's, and go before names.
    found |= {person.email.lower(): person.key for person in listed if person.email}
    return found | {person.key.lower(): person.key for person in listed}


def _meant(event: Any, known: Mapping[str, str]) -> list[str]:
    attendees = event.get("ATTENDEE", [])
    said: list[str] = []
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        if str(getattr(attendee, "params", {}).get("PARTSTAT", "")).upper() != "DECLINED":
            address = str(attendee)
            address = address[7:] if address.lower().startswith("mailto:") else address
            said += [address, str(getattr(attendee, "params", {}).get("CN", ""))]
    found = dict.fromkeys(known[each] for each in map(_plain, said) if each in known)
    if not found:
        summary = str(event.get("SUMMARY", ""))
        # "Ana Lima", "On call: Ana Lima", "ana, bo", "Ana Lima - on call"
        pieces = [summary, *_pieces(summary)]
        found = dict.fromkeys(known[each] for each in map(_plain, pieces) if each in known)
    return list(found)


def _pieces(summary: str) -> list[str]:
    for mark in (":", ",", ";", "/", "&", "|", " - ", " – ", " — ", "(", ")"):
        summary = summary.replace(mark, "\n")
    return summary.split("\n")


def _plain(said: str) -> str:
    return " ".join(said.lower().split())


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
