"""The demo's own forms: firing a sample alert, and answering from the console in the paged person's name.

Only the demo has them. They take the corridors that alerts and replies really take.
"""

from __future__ import annotations

import json
from datetime import datetime

from flask import Blueprint, current_app, flash, redirect
from sqlalchemy.orm import Session
from werkzeug import Response

from config import ids
from config.errors import NotFoundError
from config.forms import typed
from config.web import local_path
from escalation.channels.base import Reply, Verb
from incidents import actions, demo, intake, replies
from incidents.demo import SampleAlert
from incidents.desk import Actor, Outcome
from incidents.sources.table import SOURCES
from incidents.web_edge import Edge

CONSOLE = "/console"
DIGITS_MAX = 18  # a number that both databases can hold
# What may be done from a message.
VERBS = (Verb.ACKNOWLEDGE, Verb.RESOLVE, Verb.ESCALATE)


def add(pages: Blueprint, edge: Edge) -> None:
    # The console belongs to escalation, which knows no alerts: its template takes them from here.
    pages.app_context_processor(lambda: {"demo_samples": lambda: _that_arrive(edge)})

    @pages.post(f"{CONSOLE}/alerts/<name>")
    def fire(name: str) -> Response:
        now = edge.read_clock()
        secret_key = str(current_app.secret_key)
        sample = next((each for each in demo.sample_alerts(secret_key, now=now) if each.name == name), None)
        if sample is None:
            raise NotFoundError(f"There is no sample alert called {name}.")
        numbers = _take_in(edge, sample, demo.key(secret_key, sample.service, sample.source), now)
        edge.wake()
        if numbers:
            flash(f"The sample alert is in: incident {', '.join(map(str, numbers))}.", "done")
        else:
            flash(
                "The sample alerts go to the sample team, which is not here. Fire one of your own, by an address on the "
                "page Integrations.",
                "problem",
            )
        return redirect(local_path(typed("next")) or CONSOLE, 303)

    @pages.post(f"{CONSOLE}/answers")
    def answer() -> Response:
        digits, verb = typed("number"), next((each for each in VERBS if each.value == typed("verb")), None)
        if verb is None or not _is_number(digits):
            raise NotFoundError("The console shows no such message.")
        number, sender = int(digits), typed("sender")
        if not sender:  # in a room anybody may press: it is whoever is signed in
            return edge.act(number, lambda session, who, now: _pressed(session, edge, verb, number, who, now))
        context = {"all": True, "page_id": int(page)} if _is_number(page := typed("page")) else {}
        said = Reply(typed("channel"), sender, verb, None if context else number, f"{verb.value} {number}", context)
        given = replies.act(edge.database, edge.desk, said, edge.read_clock())
        edge.wake()
        flash(f"{sender} was answered: {given.sentence}", "done" if given.changed else "note")
        return redirect(CONSOLE, 303)


def _that_arrive(edge: Edge) -> list[tuple[str, str, str]]:
    """Name, label and what it shows of each sample; none once a team of one's own took the sample team's place."""
    secret_key = str(current_app.secret_key)
    with edge.database.reading() as session:
        return [
            (each.name, _label(each.name), each.says)
            for each in demo.sample_alerts(secret_key, now=edge.read_clock())
            if intake.door(session, ids.secret_hash(demo.key(secret_key, each.service, each.source)), each.source)
        ]


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdecimal() and len(digits) <= DIGITS_MAX


def _take_in(edge: Edge, sample: SampleAlert, key: str, now: datetime) -> list[int]:
    """The incidents it went to; none if nobody has such a key."""
    numbers: set[int] = set()
    for incoming in SOURCES[sample.source].parse(json.loads(json.dumps(sample.payload)), now=now):
        with edge.database.transaction() as session:
            door = intake.door(session, ids.secret_hash(key), sample.source)
            received = intake.receive(session, edge.desk, door, incoming, now) if door else None
        if received and received.incident_id is not None:
            numbers.add(received.incident_id)
    return sorted(numbers)


def _pressed(session: Session, edge: Edge, verb: Verb, number: int, who: Actor, now: datetime) -> Outcome:
    if verb is Verb.ACKNOWLEDGE:
        return actions.acknowledge(session, edge.desk, number, who, now)
    if verb is Verb.ESCALATE:
        return actions.escalate_now(session, edge.desk, number, who, now)
    return actions.resolve(session, edge.desk, number, who, now, reason="Resolved from the channel.")


def _label(name: str) -> str:
    return name.replace("-", " ").capitalize()
