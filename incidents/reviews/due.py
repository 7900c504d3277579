"""What is computed of a record: its durations, and when its review, meeting and actions are due. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from escalation.channels import names
from escalation.channels.base import WITH_RECEIPTS
from incidents.reviews.record import PageFact, Record

DRAFT_WITHIN = timedelta(hours=24)  # of resolution: the post-incident phase
MEETING_WITHIN_DAYS_CRITICAL = 3  # calendar days
MEETING_WITHIN_BUSINESS_DAYS = 5
ACTION_WITHIN_DAYS_CRITICAL = 15
ACTION_WITHIN_DAYS = 30
SATURDAY = 5

DEFINITIONS = {
    "ttd": ("Time to detect (TTD)", "detected − started; started is known only if a person entered it"),
    "tta": (
        "Time to acknowledge (TTA)",
        "first acknowledgement by a person − first page delivered before it, or else handed over by a channel that "
        "reports no delivery",
    ),
    "ttm": ("Time to mitigate (TTM)", "mitigated − detected; mitigated is when it was marked contained"),
    "ttr": ("Time to resolve (TTR)", "resolved − detected; detected is when the incident opened"),
}


@dataclass(frozen=True, slots=True)
class Reached:
    """When somebody had a page, as far as it is known; `handed_over_by` is the channel, where it reports no delivery."""

    at: datetime
    handed_over_by: str = ""


@dataclass(frozen=True, slots=True)
class DueDates:
    """All None until the incident is resolved: each counts from resolution."""

    review_at: datetime | None
    meeting_on: date | None
    actions_on: date | None  # for an action that names no date of its own


def due_dates(record: Record) -> DueDates:
    """By the incident's highest severity, in UTC. Weekends are skipped in business days, public holidays are not."""
    resolved_at = record.resolved_at
    if resolved_at is None:
        return DueDates(record.review_due_at, None, None)
    critical = record.severity_peak == "CRITICAL"
    resolved_on = resolved_at.date()
    meeting_on = (
        resolved_on + timedelta(days=MEETING_WITHIN_DAYS_CRITICAL)
        if critical
        else _business_days_after(resolved_on, MEETING_WITHIN_BUSINESS_DAYS)
    )
    return DueDates(
        review_at=record.review_due_at or resolved_at + DRAFT_WITHIN,
        meeting_on=meeting_on,
        actions_on=resolved_on + timedelta(days=ACTION_WITHIN_DAYS_CRITICAL if critical else ACTION_WITHIN_DAYS),
    )


def overdue(due_at: datetime | None, published_at: datetime | None, now: datetime) -> bool:
    """Whether a review should have been finished by now. One that is published is done, however late it was."""
    return published_at is None and due_at is not None and due_at < now


def measures(record: Record) -> dict[str, timedelta | None]:
    """The four durations of DEFINITIONS by their keys; None where an input is missing."""
    answered_at, detected_at = record.acknowledged_at, record.opened_at
    reached = first_reached(record.pages, answered_at)
    return {
        "ttd": _span(record.started_at, detected_at),
        "tta": _span(reached.at if reached else None, answered_at),
        "ttm": _span(detected_at, record.contained_at),
        "ttr": _span(detected_at, record.resolved_at),
    }


def first_reached(pages: Sequence[PageFact], answered_at: datetime | None) -> Reached | None:
    """By the first of these pages that arrived before the answer. Where no receipt tells of one, the first that was
    handed over by a channel without receipts stands for it; a message that should have had one proves nothing."""
    if answered_at is None:
        return None
    delivered = [p.delivered_at for p in pages if p.delivered_at is not None and p.delivered_at <= answered_at]
    if delivered:
        return Reached(min(delivered))
    handed_over = [
        (p.sent_at, p.channel)
        for p in pages
        if p.channel not in WITH_RECEIPTS and p.sent_at is not None and p.sent_at <= answered_at
    ]
    return Reached(*min(handed_over)) if handed_over else None


def counted_from(reached: Reached | None) -> str:
    """What a time to acknowledge counts from, where that is no delivery: for people to read beside it."""
    if reached is None or not reached.handed_over_by:
        return ""
    return f"counted from handing over by {names.name(reached.handed_over_by)}, which reports no delivery"


def _span(since: datetime | None, until: datetime | None) -> timedelta | None:
    return None if since is None or until is None else until - since


def _business_days_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day
