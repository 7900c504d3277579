"""What an engine does beside paging: one line for each kind of timer, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from escalation.channels.base import Channel
from escalation.hooks import HookErrand
from escalation.models import TimerKind
from escalation.notices import NoticeErrand
from escalation.oncall import coverage, upkeep
from escalation.oncall.calendars import CalendarErrand
from escalation.oncall.duty import DutyErrand
from escalation.paging.engine import Act, Errand
from escalation.paging.timers import Claimed
from incidents import assigning, clocks, emergency, heartbeats, maintaining, settling, silences
from incidents.desk import Desk
from incidents.event_errand import EventErrand


def begin(session: Session, now: datetime) -> None:
    """When an engine starts: what goes on for ever has its first timer."""
    upkeep.begin(session, now)


def acts(desk: Desk) -> dict[TimerKind, Act]:
    """Done in one transaction each, which finishes its timer."""
    return {
        TimerKind.ACK_TIMEOUT: _at(desk, clocks.ack_timeout),
        TimerKind.PHASE: _at(desk, clocks.phase),
        TimerKind.SNOOZE: _at(desk, assigning.snooze_ends),
        TimerKind.RUNBOOK: _at(desk, emergency.attach),
        TimerKind.HEARTBEAT: _at(desk, heartbeats.expired),
        TimerKind.SETTLE: _at(desk, settling.ends),
        TimerKind.SILENCE: _at(desk, silences.due),
        TimerKind.WINDOW: _at(desk, maintaining.window),
        TimerKind.COVERAGE: partial(coverage.look, base_url=desk.base_url),
    }


def errands(
    desk: Desk,
    channels: Mapping[str, Channel],
    *,
    secret: str,
) -> dict[TimerKind, Errand]:
    """What calls somebody, outside a transaction. `secret` signs what goes to a team's own endpoints."""
    return {
        TimerKind.NOTICE: NoticeErrand(channels),
        TimerKind.HOOK: HookErrand(desk.journal, secret),
        TimerKind.DUTY: DutyErrand(channels, desk.base_url),
        TimerKind.CALENDAR: CalendarErrand(desk.base_url),
        TimerKind.EVENT: EventErrand(desk),
    }


def _at(desk: Desk, act: Callable[[Session, Desk, Claimed, datetime], None]) -> Act:
    return lambda session, claimed, now: act(session, desk, claimed, now)
