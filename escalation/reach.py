"""How one person is reached at a moment: their own rules, by urgency and time of day, and their quiet hours. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from escalation.oncall import quiet
from escalation.oncall.hours import Window

# Tried in this order when a person's own rules lead nowhere, or have run out.
FALL_BACK_ORDER = ("sms", "voice", "slack", "apprise", "email")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a person, and how long after a level fires it is used."""

    after_seconds: float
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One step of a person's rules. With a window it counts only if its moment falls into it, in the person's zone."""

    after_seconds: float
    by: str
    window: Window | None = None

    def counts(self, since: datetime, timezone: str) -> bool:
        return self.window is None or self.window.covers(since + timedelta(seconds=self.after_seconds), timezone)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Rule:
        window = Window.from_json(stored) if "from" in stored else None
        return cls(stored["after_seconds"], stored["by"], window)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be paged, as far as it matters for reaching them."""

    key: str
    name: str
    timezone: str = "UTC"
    addresses: Mapping[str, str] = field(default_factory=dict)  # channel -> address, of those in use
    rules: Mapping[str, Sequence[Rule]] = field(default_factory=dict)  # "high" and "low", by time
    quiet: Mapping[str, str] = field(default_factory=dict)  # {"from": "22:00", "to": "07:00"}, in their zone


def rules(stored: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, tuple[Rule, ...]]:
    """From `Responder.page_by`."""
    return {urgency: tuple(map(Rule.from_json, steps)) for urgency, steps in stored.items()}


def ways(person: Person, urgency: str, since: datetime) -> tuple[Way, ...]:
    """How they are reached at this urgency (`high` or `low`) from `since` on: the steps of their rules that have an
    address in use and are for that time of day.

    A person whose rules lead nowhere is reached by any address they have: better by the wrong channel than not at
    all. Nobody in use: empty.
    """
    usable = person.addresses
    steps = person.rules.get(urgency, ())
    mine = [
        Way(rule.after_seconds, rule.by, usable[rule.by])
        for rule in steps
        if rule.by in usable and rule.counts(since, person.timezone)
    ]
    if not mine:
        mine = [Way(0, channel, usable[channel]) for channel in FALL_BACK_ORDER if channel in usable][:1]
    elif mine[0].after_seconds > 0 and len(mine) < len(steps):
        # The immediate step leads nowhere: what is left of the rules begins at once.
        mine[0] = Way(0, mine[0].channel, mine[0].address)
    return tuple(mine)


def asked(person: Person, now: datetime) -> tuple[Way, ...]:
    """How a keeper is asked to decide: by the first of their ways, whatever the hour. Empty if there is none."""
    return ways(person, "high", now)[:1]


def not_before(person: Person, now: datetime) -> datetime:
    """When something that is not urgent may reach them: now, or the end of their quiet hours."""
    return quiet.ends_at(person.quiet, person.timezone, now) or now
