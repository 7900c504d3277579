"""A silence in words for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from escalation.oncall.hours import DAYS
from incidents.silencing import Silence

ORDINALS = ("first", "second", "third", "fourth", "fifth")
NAMES = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))


def fits(services: Sequence[str], labels: Mapping[str, Any], title: str) -> str:
    """Whom it holds back: `alerts of checkout or search, with host=db-*, titled "*full*"`."""
    said = [f"alerts of {_listed(services, 'or')}" if services else "alerts of any service"]
    if labels:
        said.append("with " + _listed([f"{name}={pattern}" for name, pattern in labels.items()], "and"))
    if title:
        said.append(f'titled "{title}"')
    return ", ".join(said)


def recurs(repeats: Mapping[str, Any] | None) -> str:
    """`the second Tuesday of each month from 22:00 to 04:00, Europe/Lisbon`; empty for what happens once."""
    if not repeats:
        return ""
    days = [NAMES[day] for day in repeats["days"]]
    which = "day" if len(days) in (0, len(DAYS)) else _listed(days, "and")
    if repeats["weeks"]:
        which = f"the {_listed([ORDINALS[week - 1] for week in repeats['weeks']], 'and')} {which} of each month"
    else:
        which = f"each {which}"
    without = f", not on public holidays of {repeats['holidays']}" if repeats["holidays"] else ""
    return f"{which} from {repeats['from']} to {repeats['to']}, {repeats['timezone']}{without}"


def recurs_as(silence: Silence) -> str:
    return recurs(silence.hours.to_json() | {"weeks": silence.weeks}) if silence.hours else ""


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def begins(silence: Silence, now: datetime) -> datetime | None:
    """When it goes on first; None: it does now."""
    return None if silence.until(now) else silence.next_begin(now)


def _listed(names: Sequence[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
