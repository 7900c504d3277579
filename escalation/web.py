"""The page of who is on call, and in demo mode the console that shows each message instead of sending it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.database import Database
from escalation import console_log, directory, settled, web_console, web_me, web_oncall
from escalation.channels import names
from escalation.directory import Watch
from escalation.models import ContactMethod, Responder
from escalation.web_oncall import Turn
from escalation.web_reader import times_of_reader

SHOWN_MAX = 100  # schedules and policies on the page; the API pages through more
GAPS_SHOWN_MAX = 6  # of one schedule; the API lists them all
MESSAGES_MAX = 60
REFRESH_SECONDS = 5


def blueprint(
    database: Database, read_clock: Callable[[], datetime], wake: Callable[[], None], *, demo: bool = False
) -> Blueprint:
    """`demo`: there is a console. Its buttons and sample alerts belong to the incidents' pages, and appear with them."""
    pages = Blueprint("escalation_pages", __name__, template_folder="templates")

    @pages.get("/oncall")
    def oncall() -> str:
        now = read_clock()
        with database.reading() as session:
            watches = directory.watches(session, now, after="", limit=SHOWN_MAX)
            turns = [Turn(watch, _following(session, watches, place)) for place, watch in enumerate(watches)]
            policies = directory.policies(session, after="", limit=SHOWN_MAX, reads_all=False)
            names = dict(session.execute(select(Responder.key, Responder.name)).all())
            last_resort = web_oncall.listed(
                [web_oncall.target_in_words(written, names) for written in settled.last_resort(session)]
            )
            times = times_of_reader(session, now)
        written = [
            (policy, [web_oncall.level_in_words(level, names) for level in policy.levels]) for policy in policies
        ]
        return render_template(
            "escalation/oncall.html",
            times=times,
            turns=turns,
            policies=written,
            last_resort=last_resort,
            ending=web_oncall.ending,
            gaps_days=directory.GAPS_DAYS,
            gaps_shown=GAPS_SHOWN_MAX,
        )

    web_me.add(pages, database, read_clock, wake)
    if demo:
        _console(pages, database, read_clock)
    return pages


def _console(pages: Blueprint, database: Database, read_clock: Callable[[], datetime]) -> None:
    @pages.get("/console")
    def console() -> str:
        with database.reading() as session:
            newest = console_log.newest(session, MESSAGES_MAX)
            people = {
                (channel, address): name
                for channel, address, name in session.execute(
                    select(ContactMethod.channel, ContactMethod.address, Responder.name).join(
                        Responder, Responder.id == ContactMethod.responder_id
                    )
                )
            }
            times = times_of_reader(session, read_clock())
        return render_template(
            "escalation/console.html",
            title=names.title,
            times=times,
            messages=[web_console.shown(each, people.get((each.channel, each.address), "")) for each in newest],
            refreshes=request.args.get("refresh") != "off",
            refresh_seconds=REFRESH_SECONDS,
        )


def _following(session: Session, watches: Sequence[Watch], place: int) -> tuple[str, ...]:
    """Who is on call right after the schedule's next change."""
    watch = watches[place]
    if watch.next_change_at is None:
        return ()
    before = watches[place - 1].key if place else ""  # lists are in the order of their keys
    then = directory.watches(session, watch.next_change_at, after=before, limit=1)
    return tuple(turn.person.name for turn in then[0].on_call) if then else ()
