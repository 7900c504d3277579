"""How noise is held down at a service, as values: which alerts join one incident, and what counts as flapping. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config import durations
from incidents.sources.base import IncomingAlert

GROUP_SECONDS_MIN, GROUP_SECONDS_MAX = 10, 86_400
FLAP_SECONDS_MIN, FLAP_SECONDS_MAX = 60, 86_400
TOGGLES_MIN, TOGGLES_MAX = 1, 50
LABELS_MAX = 10  # that alerts are grouped by
LABEL_CHARACTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class Grouping:
    """Alerts that agree in the labels `by` join the incident that opened less than `within_seconds` before."""

    within_seconds: int
    by: tuple[str, ...] = ()

    @property
    def within(self) -> timedelta:
        return timedelta(seconds=self.within_seconds)

    def to_json(self) -> dict[str, Any]:
        return {"within_seconds": self.within_seconds, "by": list(self.by)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Grouping | None:
        """None: its service groups nothing."""
        return cls(int(stored["within_seconds"]), tuple(stored["by"])) if stored else None

    def as_written(self) -> dict[str, Any]:
        return {"within": durations.to_text(self.within_seconds), **({"by": list(self.by)} if self.by else {})}


@dataclass(frozen=True, slots=True)
class Damping:
    """What has come and gone more than `toggles` times in `within_seconds` is flapping until it was quiet as long."""

    toggles: int
    within_seconds: int

    @property
    def within(self) -> timedelta:
        return timedelta(seconds=self.within_seconds)

    def to_json(self) -> dict[str, Any]:
        return {"toggles": self.toggles, "within_seconds": self.within_seconds}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Damping | None:
        """None: its service damps nothing."""
        return cls(int(stored["toggles"]), int(stored["within_seconds"])) if stored else None

    def as_written(self) -> dict[str, Any]:
        return {"toggles": self.toggles, "within": durations.to_text(self.within_seconds)}


@dataclass(frozen=True, slots=True)
class Earlier:
    """An alert of the same key that came before and has gone."""

    first_at: datetime
    last_at: datetime  # when it was reported last
    ended_at: datetime | None
    flapping: bool


def as_written(grouping: Mapping[str, Any], flapping: Mapping[str, Any]) -> dict[str, Any]:
    """As a service declares them; nothing of what it does not use."""
    group, flap = Grouping.from_json(grouping), Damping.from_json(flapping)
    return ({"group": group.as_written()} if group else {}) | ({"flap": flap.as_written()} if flap else {})


def group_key(service: str, grouping: Grouping, incoming: IncomingAlert) -> str:
    """The same for alerts that may share an incident. A label that an alert lacks counts as empty; one that lacks all of
    them stands alone (""): nothing says that it has to do with any other."""
    values = [[name, _value(incoming, name)] for name in grouping.by]
    if values and not any(value for _, value in values):
        return ""
    return hashlib.sha256(json.dumps([service, values], ensure_ascii=False).encode()).hexdigest()


def flaps(damping: Damping, earlier: Sequence[Earlier], now: datetime) -> str:
    """`earlier`: the newest first, of which TOGGLES_MAX + 1 are enough. Empty if it does not flap; else a sentence why."""
    count = sum(each.first_at > now - damping.within for each in earlier)
    span = durations.to_words(damping.within_seconds)
    stays = f"one incident stays open until it has been quiet for {span}"
    if count > damping.toggles:
        at_least = "at least " if count > TOGGLES_MAX else ""
        return f"It has come and gone {at_least}{count} {'time' if count == 1 else 'times'} in {span}; {stays}."
    newest = earlier[0] if earlier else None
    if newest is None or not newest.flapping or newest.ended_at is None or newest.last_at <= now - damping.within:
        return ""
    return f"It was coming and going until its incident ended {_ago(now - newest.ended_at)}; {stays}."  # by people


def _ago(span: timedelta) -> str:
    return "a moment ago" if span < timedelta(minutes=1) else f"{durations.to_words(span.total_seconds())} ago"


def _value(incoming: IncomingAlert, name: str) -> str:
    """A label, or what stands in a field of its own."""
    if name in incoming.labels:
        return str(incoming.labels[name])
    fields = {"source": incoming.source, "component": incoming.component, "environment": incoming.environment}
    return str(fields.get(name, ""))
