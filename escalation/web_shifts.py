"""The calendar of who is on call, and changing it in two presses: a name in the calendar, then who takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response

from config import auth
from config.database import Database
from config.errors import ConflictError, InvalidInputError, NotFoundError, TocsinError
from config.forms import typed
from escalation import responders, web_calendar, web_mine
from escalation.models import OverrideRow, Responder, ScheduleRow
from escalation.oncall import changes, resolve, rota, wall_times, whose
from escalation.oncall.schedules import zone_names
from escalation.web_reader import times_of_reader

SCHEDULES_MAX = 50  # on one page
# Beyond what is shown: whoever takes over a turn that goes on after the page's last day takes over all of it.
AROUND = timedelta(days=35)
YEARS = range(2000, 2200)  # that are shown
LOCAL = "%Y-%m-%dT%H:%M"  # how a browser's datetime-local writes


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of an override holds, as typed."""

    schedule: str
    replaces: str = ""
    responder: str = ""
    starts: str = ""
    ends: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    id: int
    sentence: str
    starts_at: datetime
    ends_at: datetime
    made_by: str
    reason: str


def blueprint(
    database: Database, read_clock: Callable[[], datetime], wake: Callable[[], None], *, base_url: str
) -> Blueprint:
    pages = Blueprint("oncall_pages", __name__, template_folder="templates", url_prefix="/oncall")
    _calendar(pages, database, read_clock)
    _overrides(pages, database, read_clock, wake)
    web_mine.add(pages, web_mine.Edge(database, read_clock, wake, base_url))
    return pages


def _calendar(pages: Blueprint, database: Database, read_clock: Callable[[], datetime]) -> None:
    @pages.get("/calendar")
    def calendar() -> str:
        now = read_clock()
        with database.reading() as session:
            own_zone = times_of_reader(session, now).zone
            keys = session.scalars(select(ScheduleRow.key).order_by(ScheduleRow.key).limit(SCHEDULES_MAX)).all()
            chosen = request.args.get("schedule", "")
            chosen = chosen if chosen in keys else ""
            rows = session.scalars(
                select(ScheduleRow).where(ScheduleRow.key.in_([chosen] if chosen else keys)).order_by(ScheduleRow.key)
            ).all()
            names = dict(session.execute(select(Responder.key, Responder.name)).all())
            zone = _zone(own_zone, rows[0].definition["timezone"] if chosen else own_zone)
            today = now.astimezone(ZoneInfo(zone)).date()
            shown = web_calendar.view("week" if request.args.get("view") == "week" else "month", _day(today))
            since, until = web_calendar.span(shown, zone)
            rosters = rota.rosters(session, since - AROUND, until + AROUND, rows=rows)
        found = {roster.schedule.key: resolve.shifts(roster, since - AROUND, until + AROUND) for roster in rosters}
        gaps = {roster.schedule.key: resolve.gaps(roster, since, until) for roster in rosters}
        other = rows[0].definition["timezone"] if chosen and zone == own_zone else own_zone
        here = {
            "view": shown.kind,
            "of": _day(today).isoformat(),
            "schedule": chosen,
            "zone": request.args.get("zone", ""),
        }
        return render_template(
            "escalation/calendar.html",
            shown=shown,
            link=lambda **change: url_for("oncall_pages.calendar", **(here | change)),
            today=today,
            shows_today=shown.first <= today <= shown.last,
            now=now,
            weekdays=web_calendar.NAMES,
            weeks=web_calendar.weeks(shown, zone, today, found, gaps, names),
            schedules=keys,
            several=len(rows) > 1,
            chosen=chosen,
            zone=zone,
            other_zone=other if other != zone else "",
            other_zone_choice="" if zone != own_zone else "schedule",
            may_change=bool(auth.caller().roles & whose.ACT),
            exact=lambda moment: max(moment, now).astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        )


def _overrides(
    pages: Blueprint, database: Database, read_clock: Callable[[], datetime], wake: Callable[[], None]
) -> None:
    @pages.get("/override")
    def override() -> str:
        with database.reading() as session:
            zone = times_of_reader(session, read_clock()).zone
        caller = auth.caller()
        replaces = typed("replaces")
        asked = Asked(
            schedule=typed("schedule"),
            replaces=replaces,
            responder=caller.key if caller.key != replaces else "",
            starts=_as_local(typed("starts"), zone),
            ends=_as_local(typed("ends"), zone),
        )
        return _form(database, read_clock(), asked, zone, {})

    @pages.post("/override")
    def make_override() -> Response | tuple[str, int]:
        now = read_clock()
        asked = Asked(*(typed(name) for name in ("schedule", "replaces", "responder", "starts", "ends", "reason")))
        zone = typed("zone") if typed("zone") in zone_names() else "UTC"
        try:
            wanted = changes.Wanted(
                asked.schedule,
                _instant(asked.starts, zone, "starts_at"),
                _instant(asked.ends, zone, "ends_at"),
                asked.responder or None,
                asked.replaces or None,
                asked.reason,
            )
            with database.transaction() as session:
                row = changes.add_override(session, wanted, auth.acting("web"), now)
                said = changes.sentence(session, asked.schedule, row)
        except NotFoundError:
            raise
        except TocsinError as refused:
            problems = dict(refused.fields)
            if isinstance(refused, ConflictError) or not problems.keys() & {"responder", "starts_at", "ends_at"}:
                problems["responder"] = refused.detail  # it says what is in the way, and what to do
            return _form(database, now, asked, zone, problems), refused.status
        wake()
        flash(f"{said}.", "done")
        return redirect(url_for("oncall_pages.calendar", schedule=asked.schedule, of=asked.starts[:10]), 303)

    @pages.post("/<schedule>/overrides/<int:override_id>/end")
    def end_override(schedule: str, override_id: int) -> Response:
        try:
            with database.transaction() as session:
                changes.remove_override(session, schedule, override_id, auth.acting("web"), read_clock())
        except NotFoundError:
            raise
        except TocsinError as refused:
            flash(refused.detail, "problem")
        else:
            wake()
            flash("Taken back. Who is on call follows the schedule again.", "done")
        return redirect(url_for("oncall_pages.calendar", schedule=schedule), 303)


def _form(database: Database, now: datetime, asked: Asked, zone: str, problems: Mapping[str, str]) -> str:
    with database.reading() as session:
        row = session.scalar(select(ScheduleRow).where(ScheduleRow.key == asked.schedule))
        if row is None:
            raise NotFoundError(f"There is no schedule {asked.schedule}.")
        people = dict(
            session.execute(
                select(Responder.key, Responder.name).where(Responder.active).order_by(Responder.name)
            ).all()
        )
        replaced = responders.by_key(session, asked.replaces) if asked.replaces else None
        coming = _coming(session, row, now)
        times = times_of_reader(session, now)
    return render_template(
        "escalation/override.html",
        asked=asked,
        replaces_name=replaced.name if replaced else asked.replaces,
        people=people,
        own_key=auth.caller().key,
        zone=zone,
        problems=problems,
        coming=coming,
        times=times,
    )


def _coming(session: Session, row: ScheduleRow, now: datetime) -> list[Coming]:
    rows = session.scalars(
        select(OverrideRow)
        .where(OverrideRow.schedule_id == row.id, OverrideRow.ends_at > now)
        .order_by(OverrideRow.starts_at)
        .limit(SCHEDULES_MAX)
    ).all()
    names = whose.names(session, [each for one in rows for each in (one.responder_id, one.replaces_id)])
    return [
        Coming(
            one.id,
            _in_words(names.get(one.responder_id), names.get(one.replaces_id)),
            one.starts_at,
            one.ends_at,
            one.created_by,
            one.reason,
        )
        for one in rows
    ]


def _in_words(taking: str | None, leaving: str | None) -> str:
    if taking and leaving:
        return f"{taking} takes over from {leaving}"
    return f"{taking} is added" if taking else f"{leaving} is taken off"


def _zone(own: str, schedules: str) -> str:
    return schedules if request.args.get("zone") == "schedule" else own


def _day(today: date) -> date:
    try:
        given = date.fromisoformat(request.args.get("of", ""))
    except ValueError:
        return today
    return given if given.year in YEARS else today


def _as_local(exact: str, zone: str) -> str:
    """An instant from the calendar's link as a form shows it; a start in the past is now, by the link."""
    try:
        moment = datetime.fromisoformat(exact)
    except ValueError:
        return ""
    if moment.tzinfo is None or moment.year not in YEARS:
        return ""
    return moment.astimezone(ZoneInfo(zone)).strftime(LOCAL)


def _instant(written: str, zone: str, field: str) -> datetime:
    try:
        return wall_times.instant(datetime.fromisoformat(written), zone)
    except wall_times.WallTimeError as refused:
        raise InvalidInputError(str(refused), fields={field: str(refused)}) from refused
    except (ValueError, OverflowError) as refused:
        raise InvalidInputError("A time is missing.", fields={field: "is not a local time"}) from refused
