"""Where a response stands between opening and review, and how that compares with its targets. Pure.

The clock of a phase counts from opening (the post-incident one from resolution) and stands still while a
governance hold runs. A milestone moves the response on before its time; time moves it on without one, and the
milestone that was missed is then overdue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Phase(StrEnum):
    IMMEDIATE = "immediate"
    CONTAINMENT = "containment"
    RECOVERY = "recovery"
    POST_INCIDENT = "post-incident"


class Verdict(StrEnum):
    MET = "met"
    LATE = "late"
    HELD = "held"  # past its time by the wall clock, inside it once the hold is taken off
    RUNNING = "running"
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class Target:
    phase: Phase
    label: str  # as people write it: "5-15 min"
    starts_after: timedelta
    ends_after: timedelta
    milestone: str  # what ends the phase, as a past participle: "contained"


TARGETS = (
    Target(Phase.IMMEDIATE, "0-5 min", timedelta(0), timedelta(minutes=5), "acknowledged"),
    Target(Phase.CONTAINMENT, "5-15 min", timedelta(minutes=5), timedelta(minutes=15), "contained"),
    Target(Phase.RECOVERY, "15-60 min", timedelta(minutes=15), timedelta(minutes=60), "recovered"),
    Target(Phase.POST_INCIDENT, "1-24 h after resolution", timedelta(hours=1), timedelta(hours=24), "reviewed"),
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A wait that governance demands. `min_end_at` may be extended, never brought forward."""

    reason: str
    authority: str  # what demands it: "FR21"
    opened_by: str
    started_at: datetime
    min_end_at: datetime
    ended_at: datetime | None = None  # None while it runs


@dataclass(frozen=True, slots=True)
class Course:
    """The moments of one incident; None is what has not happened, or was not marked."""

    opened_at: datetime
    acknowledged_at: datetime | None = None
    contained_at: datetime | None = None
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    reviewed_at: datetime | None = None  # the review's people finished it
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One line of target against actual. Seconds are whole, and None where nothing was measured yet."""

    phase: Phase
    target: str
    milestone: str
    started_at: datetime | None  # where its clock counts from
    ended_at: datetime | None  # when the milestone was reached, or a later one that implies it
    elapsed_seconds: int | None  # by the wall clock, up to `ended_at` or to now
    held_seconds: int  # of these, under a hold
    verdict: Verdict
    note: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    key: str  # stable: a tick on the timeline names it
    phase: Phase
    group: str
    text: str


def phase_at(course: Course, now: datetime) -> Phase:
    """The later of what the milestones say and what the clock says."""
    if course.resolved_at is not None and course.resolved_at <= now:
        return Phase.POST_INCIDENT
    if _by(course.contained_at, now) or _by(course.recovered_at, now):
        return Phase.RECOVERY
    elapsed = running_time(course.holds, course.opened_at, now)
    if elapsed >= _target(Phase.RECOVERY).starts_after:
        return Phase.RECOVERY
    return Phase.CONTAINMENT if elapsed >= _target(Phase.CONTAINMENT).starts_after else Phase.IMMEDIATE


def deadline(course: Course, phase: Phase, now: datetime) -> datetime | None:
    """When the phase's target runs out, moved by the holds so far.

    None if nobody can say yet: its clock has not started, or a hold is running.
    """
    base = course.resolved_at if phase is Phase.POST_INCIDENT else course.opened_at
    if base is None:
        return None
    due_at = base + _target(phase).ends_after
    for begins, ends in _merged(course.holds, base, now):
        if begins > due_at:
            break
        due_at += ends - begins
    return None if held_at(course.holds, now) is not None and now <= due_at else due_at


def overdue(course: Course, now: datetime) -> tuple[Phase, ...]:
    """The phases that are late now and still without their milestone, first to last."""
    return tuple(r.phase for r in phase_report(course, now) if r.verdict is Verdict.LATE and r.ended_at is None)


def held_at(holds: Sequence[Hold], now: datetime) -> Hold | None:
    """The hold that is running now; of several, the one that must last longest."""
    running = [h for h in holds if h.started_at <= now and (h.ended_at is None or h.ended_at > now)]
    return max(running, key=lambda h: (h.min_end_at, h.started_at), default=None)


def held_time(holds: Sequence[Hold], since: datetime, until: datetime) -> timedelta:
    """How much of the span lay under holds; what two holds share counts once."""
    return sum((ends - begins for begins, ends in _merged(holds, since, until)), timedelta(0))


def running_time(holds: Sequence[Hold], since: datetime, until: datetime) -> timedelta:
    return max(until - since, timedelta(0)) - held_time(holds, since, until)


def phase_report(course: Course, now: datetime) -> tuple[PhaseRow, ...]:
    """Target against actual, one row for each of TARGETS and in their order."""
    return tuple(_row(course, target, now) for target in TARGETS)


def _row(course: Course, target: Target, now: datetime) -> PhaseRow:
    base = course.resolved_at if target.phase is Phase.POST_INCIDENT else course.opened_at
    if base is None or base > now:
        return PhaseRow(
            phase=target.phase, target=target.label, milestone=target.milestone, started_at=None, ended_at=None,
            elapsed_seconds=None, held_seconds=0, verdict=Verdict.NOT_STARTED, note="not resolved yet",
        )  # fmt: skip
    ended_at, reached_by = _reached(course, target.phase, now)
    until = max(base, ended_at or now)
    elapsed, held = until - base, held_time(course.holds, base, until)
    verdict = Verdict.MET if ended_at else Verdict.RUNNING
    if elapsed - held > target.ends_after:
        verdict = Verdict.LATE
    elif elapsed > target.ends_after or (ended_at is None and held_at(course.holds, now) is not None):
        verdict = Verdict.HELD
    notes = []
    if ended_at is None:
        notes.append(f"not marked {target.milestone}")
    elif reached_by != target.milestone:
        notes.append(f"not marked {target.milestone}; {reached_by} implies it")
    if held:
        authorities = sorted({h.authority for h in course.holds if h.started_at < until})
        notes.append(f"held {duration(held)} by {', '.join(authorities)}")
    return PhaseRow(
        phase=target.phase,
        target=target.label,
        milestone=target.milestone,
        started_at=base,
        ended_at=ended_at,
        elapsed_seconds=int(elapsed.total_seconds()),
        held_seconds=int(held.total_seconds()),
        verdict=verdict,
        note="; ".join(notes),
    )


def duration(span: timedelta) -> str:
    """For people, in the two largest units that matter: "48 h 00 min", "3 min 20 s", "41 s"."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return f"-{duration(-span)}"
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def _reached(course: Course, phase: Phase, now: datetime) -> tuple[datetime | None, str]:
    """When the phase ended, and the milestone that ended it: its own, or a later one that came first."""
    moments = [
        (Phase.IMMEDIATE, "acknowledged", course.acknowledged_at),
        (Phase.CONTAINMENT, "contained", course.contained_at),
        (Phase.RECOVERY, "recovered", course.recovered_at),
        (Phase.RECOVERY, "resolved", course.resolved_at),
        (Phase.POST_INCIDENT, "reviewed", course.reviewed_at),
    ]
    order = list(Phase)
    enough = [(at, name) for p, name, at in moments if at and at <= now and order.index(p) >= order.index(phase)]
    return min(enough, key=lambda moment: moment[0], default=(None, ""))


def _merged(holds: Sequence[Hold], since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The held spans inside [since, until], in order and without overlap."""
    reached = since
    for hold in sorted(holds, key=lambda h: h.started_at):
        begins, ends = max(hold.started_at, reached), min(hold.ended_at or until, until)
        if begins < ends:
            yield begins, ends
            reached = ends


def _by(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _target(phase: Phase) -> Target:
    return next(t for t in TARGETS if t.phase is phase)


_CHECKLIST_TEXTS: dict[Phase, dict[str, tuple[str, ...]]] = {
    Phase.IMMEDIATE: {
        "Assessment": (
            "Evaluate system impact",
            "Identify affected components",
            "Assess business impact",
            "Determine severity level",
        ),
        "Communication": (
            "Notify management",
            "Alert relevant teams",
            "Update status dashboard",
            "Document initial assessment",
        ),
    },
    Phase.CONTAINMENT: {
        "Isolation": (
            "Isolate affected systems",
            "Prevent further damage",
            "Preserve evidence",
            "Document containment actions",
        ),
        "Stabilisation": (
            "Implement temporary fixes",
            "Restore basic functionality",
            "Monitor system stability",
            "Document stabilisation steps",
        ),
    },
    Phase.RECOVERY: {
        "System recovery": (
            "Restore from backups",
            "Validate system integrity",
            "Test critical functions",
            "Monitor system performance",
        ),
        "Service restoration": (
            "Restore full functionality",
            "Validate all components",
            "Monitor system health",
            "Document recovery process",
        ),
    },
    Phase.POST_INCIDENT: {
        "Analysis": (
            "Conduct root cause analysis",
            "Document lessons learned",
            "Identify improvement opportunities",
            "Update procedures",
        ),
        "Prevention": (
            "Implement preventive measures",
            "Update monitoring systems",
            "Enhance alerting procedures",
            "Train team members",
        ),
    },
}

CHECKLISTS: dict[Phase, tuple[ChecklistItem, ...]] = {
    phase: tuple(
        ChecklistItem(key=text.lower().replace(" ", "-"), phase=phase, group=group, text=text)
        for group, texts in groups.items()
        for text in texts
    )
    for phase, groups in _CHECKLIST_TEXTS.items()
}
