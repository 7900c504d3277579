"""My shifts: what is to come, offering a part of it to somebody, time off, and a calendar to subscribe to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response

from config import auth
from config.actor import Actor
from config.database import Database
from config.errors import InvalidInputError, NotFoundError, TocsinError
from config.forms import typed
from config.schemas import NUMBER_MAX
from escalation.models import Responder, ScheduleRow
from escalation.oncall import coverage, feeds, outlook, swap_rows, swaps, taken, time_off
from escalation.oncall.differences import Span
from escalation.oncall.models import SwapState
from escalation.oncall.schedules import AHEAD_DAYS, YEARS
from escalation.oncall.swap_rows import Swap
from escalation.oncall.taken import TakenError
from escalation.web_reader import times_of_reader

AHEAD = timedelta(days=AHEAD_DAYS)
SWAPS_MAX = 50
SHIFTS_MAX = 60
NUMBER = f"<int(max={NUMBER_MAX}):number>"
ANSWERS = {"confirm": swaps.confirm, "decline": swaps.decline, "withdraw": swaps.withdraw}
ANSWERED = {
    "confirm": "Agreed. The swap holds from now on.",
    "decline": "Declined; they have been told.",
    "withdraw": "Withdrawn; they have been told.",
}


@dataclass(frozen=True, slots=True)
class Edge:
    database: Database
    read_clock: Callable[[], datetime]
    wake: Callable[[], None]
    base_url: str

    def act(self, verb: Callable[[Session, Actor, datetime], str], then: str = "") -> Response:
        """Do it, say what came of it, and go back to the page."""
        try:
            with self.database.transaction() as session:
                said = verb(session, auth.acting("web"), self.read_clock())
        except NotFoundError:
            raise
        except TocsinError as refused:
            flash(refused.detail, "problem")
        else:
            self.wake()
            flash(said, "done")
        return redirect(url_for("oncall_pages.mine") + then, 303)


def add(pages: Blueprint, edge: Edge) -> None:
    _page(pages, edge)
    _swaps(pages, edge)
    _time_off(pages, edge)
    _feeds(pages, edge)


def _page(pages: Blueprint, edge: Edge) -> None:
    @pages.get("/mine")
    def mine() -> str:
        who, now = auth.acting("web"), edge.read_clock()
        _person(who)
        with edge.database.reading() as session:
            times = times_of_reader(session, now)
            names = dict(session.execute(select(Responder.key, Responder.name).where(Responder.active)).all())
            spans = outlook.spans(session, now, now + AHEAD, None)
            listed = swap_rows.listed(session, responder_id=who.responder_id, before_id=None, limit=SWAPS_MAX)
            off = time_off.coming(session, who.key, now)
            my_feeds = feeds.own(session, who)
            schedules = session.scalars(select(ScheduleRow.key).order_by(ScheduleRow.key)).all()
        found = sorted(((each[0], each[2], each[3]) for each in spans if each[1] == who.key), key=lambda each: each[2])
        theirs = [
            (each[0], each[1], each[3]) for each in spans if each[1] != who.key and not each[2] and each[1] in names
        ]
        return render_template(
            "escalation/mine.html",
            times=times,
            shifts=found[:SHIFTS_MAX],
            theirs=sorted(theirs, key=lambda each: each[2])[:SHIFTS_MAX],
            days=AHEAD.days,
            giving=typed("give"),
            waiting=[each for each in listed if each.other == who.key and _stands(each, now)],
            proposed=[each for each in listed if each.proposer == who.key and _stands(each, now)],
            time_off=off,
            feeds=my_feeds,
            schedules=schedules,
            names=names,
            others={key: name for key, name in sorted(names.items(), key=lambda each: each[1]) if key != who.key},
            exact=lambda moment: moment.isoformat(),
        )


def _swaps(pages: Blueprint, edge: Edge) -> None:
    @pages.post("/mine/swaps")
    def propose() -> Response:
        # One of theirs that is chosen says whom to ask as well: "bo 2026-11-23T09:00:00+00:00 2026-…".
        key, _, span = typed("takes").partition(" ")
        schedule, other = typed("schedule"), key or typed("other")

        def verb(session: Session, who: Actor, now: datetime) -> str:
            gives = _moment("gives_starts"), _moment("gives_ends")
            wanted = swaps.Wanted(schedule, other, gives, _read_span(span) if key else None)
            swaps.propose(session, wanted, who, now, base_url=edge.base_url)
            return "Proposed. Nothing changes until they agree; you are told when they answer."

        return edge.act(verb, "#swaps")

    @pages.post(f"/mine/swaps/{NUMBER}/<answer>")
    def answer(number: int, answer: str) -> Response:
        if answer not in ANSWERS:
            raise NotFoundError("A swap is confirmed, declined or withdrawn.")

        def verb(session: Session, who: Actor, now: datetime) -> str:
            ANSWERS[answer](session, number, who, now, base_url=edge.base_url)
            return ANSWERED[answer]

        return edge.act(verb, "#swaps")


def _time_off(pages: Blueprint, edge: Edge) -> None:
    @pages.post("/mine/time-off")
    def be_off() -> Response:
        first, last, reason = typed("first"), typed("last"), typed("reason")

        def verb(session: Session, who: Actor, now: datetime) -> str:
            zone = times_of_reader(session, now).zone
            starts_at, ends_at = _day(first, "first", zone), _day(last, "last", zone, last_day=True)
            if ends_at <= starts_at:
                raise InvalidInputError("The last day off comes before the first.", fields={"last": "is before first"})
            time_off.add(session, who.key, starts_at, ends_at, who, now, reason=reason, base_url=edge.base_url)
            gaps = [gap for gap in coverage.ahead(session, now) if gap.starts_at < ends_at and gap.ends_at > starts_at]
            if not gaps:
                return "Noted. Your turns in that time go to the next in line."
            nobody = ", ".join(sorted({gap.schedule for gap in gaps}))
            return (
                f"Noted, but nobody is on call then for a while on {nobody}. Ask somebody to take over on the calendar."
            )

        return edge.act(verb, "#time-off")

    @pages.post(f"/mine/time-off/{NUMBER}/remove")
    def be_there(number: int) -> Response:
        def verb(session: Session, who: Actor, now: datetime) -> str:
            time_off.remove(session, who.key, number, who, now, base_url=edge.base_url)
            return "You are not off after all."

        return edge.act(verb, "#time-off")


def _feeds(pages: Blueprint, edge: Edge) -> None:
    @pages.post("/mine/feeds")
    def make() -> Response:
        schedule = typed("schedule") or None

        def verb(session: Session, who: Actor, now: datetime) -> str:
            made = feeds.make(session, who, schedule, now, base_url=edge.base_url)
            return f"Subscribe to {made.url} and keep it to yourself: whoever has it reads it. It is shown this once."

        return edge.act(verb, "#calendars")

    @pages.post(f"/mine/feeds/{NUMBER}/remove")
    def revoke(number: int) -> Response:
        def verb(session: Session, who: Actor, _: datetime) -> str:
            feeds.revoke(session, who, number)
            return "This calendar address leads nowhere now."

        return edge.act(verb, "#calendars")


def _person(who: Actor) -> None:
    if who.responder_id is None:
        raise NotFoundError(f"{who.name} is a program, and has no shifts.")


def _stands(swap: Swap, now: datetime) -> bool:
    return swap.state == SwapState.PROPOSED and swap.gives_ends_at > now


def _read_span(written: str) -> Span:
    """As the form's choices write it: two instants with a space between."""
    starts, _, ends = written.partition(" ")
    try:
        span = datetime.fromisoformat(starts), datetime.fromisoformat(ends)
    except ValueError as refused:
        raise InvalidInputError("Choose a shift from the list.", fields={"takes": "is not a shift"}) from refused
    if any(each.tzinfo is None or each.year not in YEARS for each in span):
        raise InvalidInputError("Choose a shift from the list.", fields={"takes": "is not a shift"})
    return span


def _moment(name: str) -> datetime:
    try:
        found = datetime.fromisoformat(typed(name))
    except ValueError as refused:
        raise InvalidInputError("A time is missing.", fields={name: "is not a time"}) from refused
    if found.tzinfo is None or found.year not in YEARS:
        raise InvalidInputError("A time is missing its zone.", fields={name: "has no offset"})
    return found


def _day(written: str, name: str, zone: str, *, last_day: bool = False) -> datetime:
    try:
        return taken.instant(written, zone, days=True, last_day=last_day)
    except TakenError as refused:
        raise InvalidInputError("Give the first and the last day off.", fields={name: "is not a day"}) from refused
