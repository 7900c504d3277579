"""The pages of silences: what goes on, what is to come and what is over; a form to make one; ending one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response

from config import auth, durations
from config.database import Database
from config.errors import InvalidInputError, TocsinError
from config.forms import in_words, typed
from config.schemas import NUMBER_MAX
from escalation.oncall import wall_times
from escalation.oncall.hours import ALL_DAYS, DAYS, Hours, Window
from escalation.web_reader import times_of_reader
from incidents import maintaining, noting, silence_queries, silence_words, silencing
from incidents.models import Service
from incidents.silence_queries import GOING_ON, OVER, TO_COME, IncidentHeld, SilenceShown
from incidents.silencing import Silence

NUMBER = f"/silences/<int(max={NUMBER_MAX}):number>"
SPANS = {
    "10m": "10 minutes", "30m": "30 minutes", "1h": "1 hour", "2h": "2 hours", "4h": "4 hours", "8h": "8 hours",
    "1d": "1 day", "2d": "2 days", "1w": "1 week", "2w": "2 weeks", "31d": "31 days",
}  # fmt: skip
LINES_MAX = 50  # of what is over
SERVICES_MAX = 200  # to choose from


@dataclass(frozen=True, slots=True)
class Preview:
    whom: str
    recurs: str
    begins: datetime | None  # None: now
    until: datetime | None
    holds_now: int
    never: str  # whose alerts it names in vain; empty if there are none


def pages(database: Database, read_clock: Callable[[], datetime], wake: Callable[[], None]) -> Blueprint:
    """`wake` is called after each commit."""
    drawn = Blueprint("silence_pages", __name__, template_folder="templates")

    @drawn.get("/silences")
    def listed() -> str:
        now = read_clock()
        with database.reading() as session:
            found = {state: silence_queries.silences(session, now, state=state, limit=LINES_MAX) for state in SECTIONS}
            held = _held(session, found)
            times = times_of_reader(session, now)
        return render_template(
            "incidents/silences.html",
            sections=[(title, found[state]) for state, title in SECTIONS.items()],
            held=held,
            times=times,
            words=silence_words,
            may_act=auth.caller().may("act"),
            reason_max=noting.REASON_CHARACTERS_MAX,
        )

    @drawn.get("/silences/new")
    def new_silence() -> str:
        return _form(database, read_clock())

    @drawn.post("/silences/new")
    def make() -> Response | str:
        now = read_clock()
        if typed("look"):
            return _form(database, now, looks=True)
        try:
            with database.transaction() as session:
                silence = _silence(now, times_of_reader(session, now).zone)
                new = maintaining.make(session, auth.acting("web"), silence, now, reason=typed("reason"))
        except TocsinError as refused:
            flash(in_words(refused), "problem")
            return _form(database, now)
        wake()
        held = "No open incident fits it." if not new.holds_now else f"It fits {new.holds_now} open incidents."
        flash(f"Silence {new.id} is made. {held if new.holds_now != 1 else 'It fits 1 open incident.'}", "done")
        return redirect("/silences", 303)

    @drawn.post(f"{NUMBER}/end")
    def end(number: int) -> Response:
        try:
            with database.transaction() as session:
                maintaining.end(session, auth.acting("web"), number, read_clock(), reason=typed("reason"))
        except TocsinError as refused:
            flash(in_words(refused), "problem")
        else:
            wake()
            flash(f"Silence {number} is over. Whom it held back is paged, unless another silence fits.", "done")
        return redirect("/silences", 303)

    return drawn


SECTIONS = {GOING_ON: "Going on", TO_COME: "To come", OVER: "Over"}


def _held(session: Session, found: dict[str, list[SilenceShown]]) -> dict[int, tuple[IncidentHeld, ...]]:
    going_on = [each.id for each in (*found[GOING_ON], *found[TO_COME]) if each.holding]
    over = [each.id for each in found[OVER] if each.held]
    return silence_queries.held(session, going_on, now_only=True) | silence_queries.held(session, over)


def _form(database: Database, now: datetime, *, looks: bool = False) -> str:
    preview, problem = None, ""
    with database.reading() as session:
        services = session.scalars(select(Service.key).order_by(Service.key).limit(SERVICES_MAX)).all()
        times = times_of_reader(session, now)
        if looks:
            try:
                preview = _preview(session, _silence(now, times.zone), now)
            except TocsinError as refused:
                problem = in_words(refused)
    values = request.args if request.method == "GET" else request.form
    return render_template(
        "incidents/silence_new.html",
        services=services,
        chosen=values.getlist("services"),
        days=silence_words.NAMES,
        words=silence_words,
        chosen_days=values.getlist("days"),
        typed=values,
        spans=SPANS,
        zone=times.zone,
        preview=preview,
        problem=problem,
        times=times,
        may_act=auth.caller().may("act"),
        pattern_max=silencing.PATTERN_CHARACTERS_MAX,
        reason_max=noting.REASON_CHARACTERS_MAX,
    )


def _preview(session: Session, silence: Silence, now: datetime) -> Preview:
    maintaining.check(session, silence, now)
    begins = silence_words.begins(silence, now)
    return Preview(
        whom=silence_words.fits(silence.services, silence.labels, silence.title),
        recurs=silence_words.recurs_as(silence),
        begins=begins,
        until=silence.until(begins or now) if silence.hours is None else silence.ends_at,
        holds_now=maintaining.count_fitting(session, silence, now),
        never=", ".join(
            session.scalars(
                select(Service.key)
                .where(Service.key.in_(silence.services), Service.protected.is_(True))
                .order_by(Service.key)
            )
        ),
    )


def _silence(now: datetime, zone: str) -> Silence:
    """As it is typed. Raises InvalidInputError."""
    values = request.args if request.method == "GET" else request.form
    starts_at = _moment(typed("starts"), zone, "starts") or now
    hours = _hours(zone, values.getlist("days")) if typed("from") or typed("to") else None
    until, span = _moment(typed("until"), zone, "until"), typed("for")
    if hours is None and until is None:
        until = starts_at + _span(span)
    return Silence(
        services=tuple(dict.fromkeys(each for each in values.getlist("services") if each)),
        labels=_labels(typed("labels")),
        title=typed("title"),
        starts_at=starts_at,
        ends_at=until,
        hours=hours,
        weeks=_weeks(typed("weeks")) if hours else (),
    )


def _labels(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in written.splitlines():
        name, sign, pattern = line.partition("=")
        if not line.strip():
            continue
        if not sign:
            raise InvalidInputError("A label cannot be read.", fields={"labels": "one a line, as host = db-*"})
        found[name.strip()] = pattern.strip()
    return found


def _hours(zone: str, days: list[str]) -> Hours:
    begins, ends = (_time(name) for name in ("from", "to"))
    chosen = tuple(sorted(DAYS.index(day) for day in set(days) & set(DAYS)))
    return Hours("", zone, Window(begins, ends), chosen or ALL_DAYS)


def _time(name: str) -> time:
    try:
        return time.fromisoformat(typed(name)[:5])
    except ValueError as refused:
        raise InvalidInputError("A time is missing.", fields={name: "is not a time of day such as 09:00"}) from refused


def _weeks(written: str) -> tuple[int, ...]:
    parts = written.replace(",", " ").split()
    if any(part not in {str(week) for week in silencing.WEEKS} for part in parts):
        raise InvalidInputError("The weeks cannot be read.", fields={"weeks": "are numbers from 1 to 5"})
    return tuple(sorted({int(part) for part in parts}))


def _moment(written: str, zone: str, field: str) -> datetime | None:
    if not written:
        return None
    try:
        return wall_times.instant(datetime.fromisoformat(written).replace(tzinfo=None), zone)
    except wall_times.WallTimeError as refused:
        raise InvalidInputError(str(refused), fields={field: str(refused)}) from refused
    except (ValueError, OverflowError) as refused:
        raise InvalidInputError("A time cannot be read.", fields={field: "is not a local time"}) from refused


def _span(written: str) -> timedelta:
    try:
        return timedelta(seconds=durations.to_seconds(written))
    except durations.DurationError as refused:
        raise InvalidInputError("How long?", fields={"for": str(refused)}) from refused
