"""Reads new firings off the timeline and the pages they queued, and shows each to its incident's course."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from config.database import Database
from escalation.beside import NO_LEVEL
from escalation.models import Attempt, Page, PageState, Responder
from incidents import settling
from incidents.models import Incident
from incidents.proof.models import TimelineEntry
from tests.simulation.course import Course, Firing, Rules
from tests.simulation.outside import Outside

FIRINGS = ("level.reached", "last_resort.reached", "oncall.notified")
ASKED = "halt.recommended"  # keepers are asked beside the levels
# What the engine may do, or a request that does something else, and the course has to know.
HELD, RELEASED, OVERRIDDEN, RESOLVED = "incident.silenced", "silence.over", "silence.overridden", "incident.resolved"
NOISE = {
    HELD: "held back",
    RELEASED: "released",
    OVERRIDDEN: "overridden",
    "alert.joined": "joined",
    "alert.flapping": "flapping",
    "acknowledgement.kept": "kept",
}
SHOWN = (*FIRINGS, ASKED, RESOLVED, "alert.resolved", *NOISE)

# Built once: worlds ask it all the time.
_NEW = (
    select(TimelineEntry)
    .where(TimelineEntry.global_seq > bindparam("last"), TimelineEntry.kind.in_(SHOWN))
    .order_by(TimelineEntry.global_seq)
)


class Sightings:
    def __init__(self, database: Database) -> None:
        self.seen: Counter[str] = Counter()  # what of noise this world has come to
        self._database = database
        self._last = 0

    def show(self, outside: Outside) -> None:
        """All that the timeline tells of since the last time, in order."""
        with self._database.reading() as session:
            for entry in session.scalars(_NEW, {"last": self._last}).all():
                self._last = entry.global_seq
                if entry.kind in NOISE:
                    self.seen[NOISE[entry.kind]] += 1
                if entry.kind in (*FIRINGS, ASKED):
                    _show(session, outside.courses[entry.incident_id], entry)
                elif entry.kind == "alert.resolved":
                    self.seen["settled"] += entry.text == settling.QUIET
                else:
                    _turn(session, outside, entry)


def _turn(session: Session, outside: Outside, entry: TimelineEntry) -> None:
    """It goes silent, or begins anew, by something that nobody did to it."""
    number = entry.incident_id
    course = outside.courses[number]
    if entry.kind == HELD and (course.mode != "off" or number not in outside.stops):
        outside.stop(number)  # said again when it stays held back
    elif entry.kind == RELEASED:
        del outside.stops[number]
        course.begin(session.get_one(Incident, number).severity, entry.occurred_at)
    elif entry.kind == OVERRIDDEN:
        del outside.stops[number]
    elif entry.kind == RESOLVED and number not in outside.stops:
        outside.stop(number)


def _show(session: Session, course: Course, entry: TimelineEntry) -> None:
    facts = json.loads(entry.payload)["facts"]
    if entry.kind == ASKED:
        course.asked += 1
        asked = _asked(session, entry.incident_id, course.asked)
        assert (
            sorted(key for page, key in asked if page.step == 0)
            == sorted(course.rules.keepers)
            == sorted(facts["asked"])
        )
        return
    people = tuple(dict.fromkeys(page["responder"] for page in facts["pages"]))
    firing = Firing(entry.kind, facts["level"], people, entry.occurred_at)
    number = len(course.firings) + 1
    before = _pages(session, entry.incident_id, number - 1)
    all_failed = bool(before) and all(page.state == PageState.FAILED for page, _ in before)
    quiet = entry.kind == "oncall.notified" or course.low
    course.fired(firing, all_failed_before=all_failed)
    _ladders(session, course.rules, firing, _pages(session, entry.incident_id, number), quiet=quiet)


def _ladders(session: Session, rules: Rules, firing: Firing, pages: Sequence[tuple[Page, str]], *, quiet: bool) -> None:
    """Everybody is paged by each step of their rules at its time; sooner only if an earlier way has failed."""
    troubled = set(
        session.scalars(
            select(Attempt.page_id).where(
                Attempt.page_id.in_([page.id for page, _ in pages]),
                Attempt.outcome.in_(("failed", "refused", "unknown")),
            )
        )
    )
    for person in firing.people:
        ways = (rules.quiet if quiet else rules.loud)[person]
        mine = [page for page, key in pages if key == person]
        assert [page.channel for page in mine[: len(ways)]] == [channel for channel, _ in ways], f"{person}: {firing}"
        for page, (_, after_seconds) in zip(mine, ways, strict=False):
            due_at = firing.at + timedelta(seconds=after_seconds)
            earlier = {other.id for other in mine if other.step < page.step}
            assert page.queued_at == firing.at, f"page {page.id} of {firing} was queued at {page.queued_at}"
            assert page.due_at == due_at or (page.due_at < due_at and earlier & troubled), f"page {page.id}: {firing}"
        assert len(mine) <= len(ways) or troubled, f"{person} got more than their rules say: {firing}"
    assert {key for _, key in pages} == set(firing.people), f"{firing} paged others"


def _asked(session: Session, incident_id: int, number: int) -> list[tuple[Page, str]]:
    """Of all that goes out beside the levels, the pages of this consultation."""
    beside = select(Page.firing).where(
        Page.incident_id == incident_id, Page.regardless, Page.level == NO_LEVEL, Page.note == ""
    )
    firings = session.scalars(beside.distinct().order_by(Page.firing.desc())).all()
    return _pages(session, incident_id, firings[number - 1]) if len(firings) >= number else []


def _pages(session: Session, incident_id: int, firing: int) -> list[tuple[Page, str]]:
    rows = session.execute(
        select(Page, Responder.key)
        .join(Responder, Responder.id == Page.responder_id)
        .where(Page.incident_id == incident_id, Page.firing == firing)
        .order_by(Page.step)
    )
    return [(page, key) for page, key in rows]
