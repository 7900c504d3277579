"""A person's quiet hours: what wakes nobody waits until they end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def ends_at(quiet: Mapping[str, str], timezone: str, now: datetime) -> datetime | None:
    """When the quiet hours that `now` is in are over, in the zone of `now`; None outside them.

    `quiet` is {"from": "22:00", "to": "07:00"} on the clocks of `timezone`, or empty for somebody who has none.
    """
    if not quiet:
        return None
    begins, ends = time.fromisoformat(quiet["from"]), time.fromisoformat(quiet["to"])
    local = now.astimezone(ZoneInfo(timezone))
    clock = local.time()
    is_quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not is_quiet:
        return None
    day = local.date() if clock < ends else local.date() + timedelta(days=1)
    over = datetime.combine(day, ends, local.tzinfo)
    if over.astimezone(now.tzinfo) <= now:  # the clocks went back, and show that time for the second time today
        over = over.replace(fold=1)
    return over.astimezone(now.tzinfo)
