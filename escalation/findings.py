"""What may be wrong with the waking of people, judged from what is stored alone. Pure.

None of this asks the code that decides what comes next: it would share that code's mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from escalation.channels import names

WAKING = ("CRITICAL", "HIGH", "MEDIUM", "LOW")  # who is told of an open incident of these; INFO is logged only
CLOCKED = ("CRITICAL", "HIGH", "MEDIUM")  # severities whose holder is asked, and whose milestones are watched
LAST_PHASE = "recovery"  # of those whose milestone somebody waits for
OPEN = "open"
STOPPED = "stopped"
LOW = "low"
# The longest that an escalation may rest between two steps, beside what its policy says: MEDIUM's and the last
# resort's quarter of an hour, and for LOW a working day behind a long row of holidays.
GRACE_SECONDS = 15 * 60
BUSINESS_DAY_WITHIN = timedelta(days=16)
SLACK = timedelta(minutes=2)
HELD_BACK_AFTER = timedelta(minutes=30)  # a page waits a retry's two minutes at most, and budgets wait less than this
ENGINE_LATE_AFTER = timedelta(seconds=60)


class Kind(StrEnum):
    ESCALATION_MISSING = "escalation.missing"
    ESCALATION_STOPPED = "escalation.stopped"
    ESCALATION_RUNNING = "escalation.running"
    ADVANCE_MISSING = "advance.missing"
    ADVANCE_LATE = "advance.late"
    PAGE_FORGOTTEN = "page.forgotten"
    PAGE_HELD_BACK = "page.held_back"
    PAGE_UNWANTED = "page.unwanted"
    MESSAGE_OUTDATED = "message.outdated"
    TIMER_PARKED = "timer.parked"
    ACK_TIMEOUT_MISSING = "ack_timeout.missing"
    PHASE_MISSING = "phase.missing"
    SNOOZE_MISSING = "snooze.missing"
    SETTLE_MISSING = "settle.missing"
    SILENCE_MISSING = "silence.missing"
    SILENCE_UNFOUNDED = "silence.unfounded"
    WINDOW_MISSING = "window.missing"
    NOTICE_FORGOTTEN = "notice.forgotten"
    DUTY_MISSING = "duty.missing"
    CALENDAR_MISSING = "calendar.missing"
    COVERAGE_MISSING = "coverage.missing"
    HOOK_FORGOTTEN = "hook.forgotten"
    EVENT_FORGOTTEN = "event.forgotten"
    ALERT_LEFT_FIRING = "alert.left_firing"
    ALERT_ORPHANED = "alert.orphaned"
    HEARTBEAT_UNWATCHED = "heartbeat.unwatched"
    ENGINE_NONE = "engine.none"
    ENGINE_LATE = "engine.late"
    REPAIR_FAILED = "repair.failed"
    DATABASE_AWAY = "database.away"


ONLY_PEOPLE_CAN = frozenset(
    {Kind.ALERT_ORPHANED, Kind.ENGINE_NONE, Kind.ENGINE_LATE, Kind.REPAIR_FAILED, Kind.DATABASE_AWAY}
)
RANKS = {"CRITICAL": 0, "HIGH": 2, "MEDIUM": 5, "LOW": 7}


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject_id`: the row that is wrong, or lacks something, by its kind. `rank`: lower is mended first."""

    kind: Kind
    text: str  # one sentence, without what was done about it
    incident_id: int | None = None
    subject_id: int = 0
    rank: int = 5

    @property
    def repairable(self) -> bool:
        return self.kind not in ONLY_PEOPLE_CAN


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finding, and what was done about it; `done` empty: nothing could be, or was to be."""

    finding: Finding
    done: str = ""

    def to_json(self) -> dict[str, Any]:
        told = asdict(self.finding)
        return {name: told[name] for name in ("kind", "incident_id", "text")} | {
            "repaired": bool(self.done),
            "done": self.done,
        }

    def __str__(self) -> str:
        return f"{self.finding.text} {self.done}".rstrip()


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident and its escalation, as far as the question goes whether anybody will be woken for it."""

    incident_id: int
    status: str
    severity: str
    snoozed_until: datetime | None
    escalation_id: int | None
    stage: str | None
    urgency: str | None
    base_at: datetime | None
    timer_id: int | None  # of its ADVANCE timer
    due_at: datetime | None
    silenced_until: datetime | None = None
    may_be_silenced: bool = True  # a silence that is not over holds it, and it is operational
    release_at: datetime | None = None  # of its SILENCE timer


def of_incident(seen: Incident, policy: Mapping[str, Any] | None, now: datetime) -> Finding | None:
    """`policy`: as frozen into the escalation; None leaves out the question whether its timer is too late."""
    owed = seen.severity in WAKING and not (seen.snoozed_until and seen.snoozed_until > now)
    name = f"Incident {seen.incident_id} ({seen.severity})"
    running = seen.escalation_id is not None and seen.stage != STOPPED

    def found(kind: Kind, text: str) -> Finding:
        subject = seen.escalation_id or 0
        return Finding(kind, f"{name} {text}", seen.incident_id, subject, RANKS.get(seen.severity, 8))

    if seen.status != OPEN:
        if running:
            return found(Kind.ESCALATION_RUNNING, f"is {seen.status}, and people are still being woken for it.")
        return None
    if seen.escalation_id is None:
        return found(Kind.ESCALATION_MISSING, "is open, and nobody was ever to be woken for it.") if owed else None
    if not running and seen.silenced_until is not None:
        return _of_silenced(seen, found, now)
    if not running:
        return found(Kind.ESCALATION_STOPPED, "is open, and waking people for it has stopped.") if owed else None
    if seen.timer_id is None or seen.due_at is None:
        return found(Kind.ADVANCE_MISSING, "is open, and nothing was due that would wake anybody else for it.")
    if policy is not None and seen.due_at > now + longest_wait(seen.urgency, policy):
        return found(
            Kind.ADVANCE_LATE, f"would wake the next people at {_at(seen.due_at)} only, later than its policy."
        )
    return None


def _of_silenced(seen: Incident, found: Callable[[Kind, str], Finding], now: datetime) -> Finding | None:
    """One that is held back by silences, and that nothing but its timer will wake anybody for."""
    until = seen.silenced_until or now
    if seen.release_at is None or seen.release_at > until:
        return found(Kind.SILENCE_MISSING, f"is silenced until {_at(until)}, and nothing would have ended that.")
    if seen.release_at > now and not seen.may_be_silenced:
        return found(Kind.SILENCE_UNFOUNDED, f"is silenced until {_at(until)}, and no silence is there that holds it.")
    return None


def may_be_late(seen: Incident, now: datetime) -> bool:
    """Whether its policy must be read to know."""
    return seen.due_at is not None and seen.due_at > now + timedelta(seconds=GRACE_SECONDS)


def longest_wait(urgency: str | None, policy: Mapping[str, Any]) -> timedelta:
    """How long it may take at most until the next step, whatever the next step is."""
    if urgency == LOW:
        return BUSINESS_DAY_WITHIN
    last = max((float(level["after_seconds"]) for level in policy["levels"]), default=0.0)
    longest = max(last, float(policy.get("repeat_after_seconds", 0)))
    return timedelta(seconds=GRACE_SECONDS + longest) + SLACK


@dataclass(frozen=True, slots=True)
class Held:
    """An incident that somebody has acknowledged, with its policy's time and the timers of its clocks."""

    incident_id: int
    severity: str
    recovered_at: datetime | None
    phase_late: str  # the last phase whose lateness something was done about
    snoozed_until: datetime | None
    on_hold: bool  # by governance, which stops its clocks
    ack_timeout_seconds: float | None
    ack_timeout_id: int | None
    phase_id: int | None
    snooze_id: int | None


def of_held(seen: Held) -> list[Finding]:
    """What should follow the acknowledgement, and would not."""

    def found(kind: Kind, text: str) -> Finding:
        whole = f"Incident {seen.incident_id} ({seen.severity}) is acknowledged, and {text}"
        return Finding(kind, whole, seen.incident_id, seen.incident_id, RANKS.get(seen.severity, 8))

    if seen.snoozed_until is not None:
        if seen.snooze_id is not None:
            return []
        return [found(Kind.SNOOZE_MISSING, f"nothing would have ended its snooze at {_at(seen.snoozed_until)}.")]
    if seen.severity not in CLOCKED or seen.on_hold:
        return []
    lacking = []
    if seen.ack_timeout_seconds and seen.ack_timeout_id is None:
        lacking.append(
            found(Kind.ACK_TIMEOUT_MISSING, "nothing would have asked its holder whether they still have it.")
        )
    if seen.recovered_at is None and seen.phase_late != LAST_PHASE and seen.phase_id is None:
        lacking.append(found(Kind.PHASE_MISSING, "nothing would have told that a milestone is late."))
    return lacking


@dataclass(frozen=True, slots=True)
class QueuedPage:
    """A page that is to go out, and the timer that will see to it."""

    page_id: int
    incident_id: int
    to_name: str
    channel: str
    due_at: datetime
    regardless: bool
    stage: str
    timer_id: int | None
    visible_at: datetime | None


def of_page(seen: QueuedPage, now: datetime) -> Finding | None:
    name = f"The page to {seen.to_name} by {names.name(seen.channel)} for incident {seen.incident_id}"

    def found(kind: Kind, text: str) -> Finding:
        return Finding(kind, f"{name} {text}", seen.incident_id, seen.page_id)

    if seen.stage == STOPPED and not seen.regardless:
        return found(Kind.PAGE_UNWANTED, "was still queued, though nobody is to be woken any more.")
    if seen.timer_id is None or seen.visible_at is None:
        return found(Kind.PAGE_FORGOTTEN, "was queued, and nothing would ever have sent it.")
    if seen.visible_at > max(seen.due_at, now) + HELD_BACK_AFTER:
        return found(Kind.PAGE_HELD_BACK, f"was due at {_at(seen.due_at)}, and held back until {_at(seen.visible_at)}.")
    return None


@dataclass(frozen=True, slots=True)
class Lag:
    """What is overdue, over all incidents; `visible_at`: since when the oldest waits."""

    timers: int
    visible_at: datetime | None
    kind: str = ""
    lane: str = ""
    incident_id: int | None = None


def of_engines(engines: int, lag: Lag, now: datetime) -> list[Finding]:
    """`engines`: how many gave a sign of life lately."""
    if engines == 0:
        return [
            Finding(Kind.ENGINE_NONE, "No engine is running: nobody is being paged. Start `tocsin engine`.", rank=0)
        ]
    if lag.visible_at is None or lag.visible_at >= now - ENGINE_LATE_AFTER:
        return []
    seconds = (now - lag.visible_at).total_seconds()
    many = f"{lag.timers} things are" if lag.timers != 1 else "One thing is"
    about = f" of incident {lag.incident_id}" if lag.incident_id else ""
    lane = "" if lag.lane in ("", "engine") else f" by {lag.lane}"
    text = f"{many} overdue by more than a minute; the oldest ({lag.kind}{lane}{about}) by {seconds:.0f} seconds."
    return [Finding(Kind.ENGINE_LATE, text, rank=0)]


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
