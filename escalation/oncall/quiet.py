"""A person's quiet hours: what wakes nobody waits until they end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from escalation.oncall.hours import Window


def ends_at(quiet: Mapping[str, str], timezone: str, now: datetime) -> datetime | None:
    """When the quiet hours that `now` is in are over, in the zone of `now`; None outside them.

    `quiet` is {"from": "22:00", "to": "07:00"} on the clocks of `timezone`, or empty for somebody who has none.
    """
    if not quiet:
        return None
    window = Window.from_json(quiet)
    if not window.covers(now, timezone):
        return None
    local = now.astimezone(ZoneInfo(timezone))
    day = local.date() if local.time() < window.ends else local.date() + timedelta(days=1)
    over = datetime.combine(day, window.ends, local.tzinfo)
    if over.astimezone(now.tzinfo) <= now:  # the clocks went back, and show that time for the second time today
        over = over.replace(fold=1)
    return over.astimezone(now.tzinfo)
