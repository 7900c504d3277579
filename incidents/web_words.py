"""What an incident's page says: its state in words, who was paged and whether it arrived, the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation.channels import names
from escalation.channels.base import WITH_RECEIPTS
from escalation.models import PageState
from escalation.policies import Policy
from escalation.queries import PageMade
from escalation.web_times import Times, span
from incidents import phases
from incidents.lifecycle import Status
from incidents.queries import Entry
from incidents.queries_detail import IncidentDetail, RequestShown
from incidents.queries_timeline import Excerpt

# How well a page went, from what says most about whether it arrived.
STATES = (
    PageState.DELIVERED,
    PageState.SENT,
    PageState.QUEUED,
    PageState.FAILED,
    PageState.BUNDLED,
    PageState.CANCELLED,
)
STATE_WORDS = {
    PageState.DELIVERED: "delivered",
    PageState.SENT: "sent",
    PageState.QUEUED: "waiting",
    PageState.FAILED: "failed",
    PageState.BUNDLED: "sent with others",
    PageState.CANCELLED: "not needed any more",
}
ENDED = (Status.RESOLVED, Status.CLOSED)
FAILURES = ("page.failed", "page.unknown", "nobody.reachable", "announcement.failed", "timer.parked", "runbook.missing")
KINDS = {"oncall.notified": "on-call notified", "page.unknown": "page not known to have gone"}


@dataclass(frozen=True, slots=True)
class LevelMark:
    level: int
    after: str  # "after 5 min"
    mark: str  # done, now, next


@dataclass(frozen=True, slots=True)
class PageTold:
    made: PageMade
    channel: str
    state: str
    at: datetime  # of the state: when it arrived, was sent, failed or is to go out
    error: str  # why the last attempt did not succeed; "": it did, or there was none


@dataclass(frozen=True, slots=True)
class PersonPaged:
    """`best` is the page that went best; `pages` are all of theirs, oldest first."""

    name: str
    best: PageTold
    pages: tuple[PageTold, ...]
    answered: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the timeline. `alike` counts older repeats that it stands for."""

    entry: Entry
    kind: str
    is_failure: bool
    is_starred: bool
    alike: int = 0


def status(detail: IncidentDetail, levels_total: int, times: Times) -> list[str]:
    """The state in words, what matters most first; the parts are to be joined with a dot between them."""
    said = [_standing(detail, times)]
    if detail.snoozed_until is not None:
        said.append(f"snoozed until {times.both(detail.snoozed_until)}")
    if any(hold.ended_at is None for hold in detail.holds):
        said.append("held: the clocks of the phases stand still")
    if detail.awaiting:
        said.append(f"waits for {detail.awaiting}")
    if detail.alerts_total > 1:
        ended = f", {detail.alerts_ended} ended" if detail.alerts_ended and detail.status not in ENDED else ""
        said.append(f"{detail.alerts_total} alerts{ended}")
    if detail.status in ENDED:
        return said
    if detail.level:
        of = f" of {levels_total}" if levels_total else ""
        said.append(f"level {detail.level}{of}")
    label = next((target.label for target in phases.TARGETS if target.phase == detail.phase), "")
    said.append(f"{detail.phase} phase ({label})" if label else f"{detail.phase} phase")
    if detail.next is not None:
        said.append(f"next: {detail.next.what} at {times.both(detail.next.at)}, {_until(detail.next.at, times)}")
    elif detail.status == Status.OPEN:
        until = f" before {times.both(detail.silenced_until)}" if detail.silenced_until else ""
        said.append(f"nobody is going to be woken{until}")
    return said


def _standing(detail: IncidentDetail, times: Times) -> str:
    reached = detail.milestones
    if detail.status == Status.OPEN:
        return "Open"
    if detail.status == Status.ACKNOWLEDGED:
        who = f" by {detail.acknowledged_by.name}" if detail.acknowledged_by else ""
        return f"Acknowledged{who}{_at(reached.acknowledged_at, times)}"
    who = f" by {detail.resolved_by}" if detail.resolved_by else ""
    said = f"Resolved{who}{_at(reached.resolved_at, times)}"
    return said if detail.status == Status.RESOLVED else f"{said}, closed{_at(reached.closed_at, times)}"


def _at(moment: datetime | None, times: Times) -> str:
    return f" at {times.both(moment)}, {times.distance(moment)}" if moment else ""


def _until(moment: datetime, times: Times) -> str:
    return times.distance(moment) if moment > times.now else f"due for {span(times.now - moment)}"


def levels(policy: Policy | None, detail: IncidentDetail) -> list[LevelMark]:
    """The policy's levels as far as they have fired."""
    found = []
    for each in policy.levels if policy else ():
        mark = "done" if each.level < detail.level else "next"
        if each.level == detail.level:
            mark = "now" if detail.status == Status.OPEN else "done"
        after = f"after {span(timedelta(seconds=each.after_seconds))}" if each.after_seconds else "at once"
        found.append(LevelMark(each.level, after, mark))
    return found


def paged(detail: IncidentDetail) -> list[PersonPaged]:
    """One line a person, in the order in which they were first paged."""
    told: dict[str, list[PageTold]] = {}
    for page in detail.pages:
        told.setdefault(page.responder, []).append(_told(page))
    answerer = detail.acknowledged_by.key if detail.acknowledged_by else ""
    return [
        PersonPaged(
            name=pages[0].made.responder_name,
            best=min(reversed(pages), key=lambda page: STATES.index(PageState(page.made.state))),
            pages=tuple(pages),
            answered=key == answerer,
        )
        for key, pages in told.items()
    ]


def _state(page: PageMade) -> str:
    if page.told_with is not None and page.state == PageState.BUNDLED:
        arrived = "delivered" if page.delivered_at else "sent"
        return f"{arrived} in one message with {page.told_with}"
    return STATE_WORDS[PageState(page.state)]


def _told(page: PageMade) -> PageTold:
    last = page.attempts[-1] if page.attempts else None
    error = ""
    if last is not None and last.outcome not in (None, "sent", "delivered"):
        error = last.error or last.code or str(last.outcome)
    unconfirmed = page.state == PageState.SENT and page.channel in WITH_RECEIPTS
    return PageTold(
        made=page,
        channel=names.name(page.channel),
        state="sent, no receipt yet" if unconfirmed else _state(page),
        at=page.delivered_at or page.sent_at or (last.finished_at if last else None) or page.due_at,
        error=error,
    )


def rows(told: Excerpt) -> list[Row]:
    found: list[Row] = []
    for entry, alike in zip(told.entries, told.standing_for, strict=True):
        starred = entry.facts.get("starred") is True
        kind = KINDS.get(entry.kind, entry.kind.replace(".", " ").replace("_", " "))
        found.append(Row(entry, kind, entry.kind in FAILURES, starred, alike))
    return found


def asked_for(request: RequestShown) -> str:
    """What a request asks two keepers to agree to."""
    if request.action == "reclassify":
        return f"make it {request.change.get('class', '')} {request.change.get('severity', '')}"
    return request.action
