"""Moments as a page tells them: in UTC, beside it on the reader's own clock where that differs, and how far off. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from escalation.oncall import words

HOURS_TOLD_MAX = 48  # beyond, whole days say enough


@dataclass(frozen=True, slots=True)
class Times:
    now: datetime
    zone: str = "UTC"  # the reader's, by its IANA name

    @property
    def city(self) -> str:
        return words.city(self.zone)

    def utc(self, moment: datetime) -> str:
        """03:27 UTC; with the day where it is another one than today."""
        moment, today = moment.astimezone(UTC), self.now.astimezone(UTC)
        day = "" if moment.date() == today.date() else f"{moment:%a} {moment.day} {moment:%b} "
        year = "" if moment.year == today.year else f"{moment.year} "
        return f"{day}{year}{moment:%H:%M} UTC"

    def seconds(self, moment: datetime) -> str:
        """03:27:09, for a list whose heading says that it is UTC; with the day as in utc()."""
        return self.utc(moment).removesuffix(" UTC") + f":{moment.astimezone(UTC):%S}"

    def own(self, moment: datetime) -> str:
        """04:27 Lisbon; empty where the reader's clock shows the same as UTC."""
        there = moment.astimezone(ZoneInfo(self.zone))
        if there.utcoffset() == timedelta(0):
            return ""
        weekday = "" if there.date() == moment.astimezone(UTC).date() else f"{there:%a} "
        return f"{weekday}{there:%H:%M} {self.city}"

    def both(self, moment: datetime) -> str:
        """03:27 UTC (04:27 Lisbon)."""
        own = self.own(moment)
        return self.utc(moment) + (f" ({own})" if own else "")

    def distance(self, moment: datetime) -> str:
        """6 min ago, in 6 min, or now."""
        if abs(moment - self.now) < timedelta(seconds=1):
            return "now"
        return f"{span(self.now - moment)} ago" if moment < self.now else f"in {span(moment - self.now)}"

    def iso(self, moment: datetime) -> str:
        return moment.astimezone(UTC).isoformat()


def span(length: timedelta) -> str:
    """In the units that matter at a glance: 41 s, 6 min, 5 h 20 min, 3 days."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{max(seconds, 0)} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours < HOURS_TOLD_MAX:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"
