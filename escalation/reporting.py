"""What the timeline says of a step: who is paged or told, who could not be, and why nobody was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from escalation import addresses
from escalation.channels.base import Purpose
from escalation.journal import Journal
from escalation.plan import Stage, Urgency
from escalation.reach import Person
from escalation.wake import Step

KINDS = {Stage.PAGING: "level.reached", Stage.LAST_RESORT: "last_resort.reached", Stage.NOTIFYING: "oncall.notified"}


def report(session: Session, journal: Journal, incident_id: int, step: Step, now: datetime) -> None:
    if step.passed_over:
        text = f"Level {step.level.level} is passed over: it is for {_when(step)} only; going on at once."
        facts: dict[str, Any] = {"level": step.level.level, "hours": step.level.hours}
        journal(session, incident_id, "level.passed_over", text, occurred_at=now, payload=facts)
        return
    journal(session, incident_id, KINDS[step.stage], _text(step, now), occurred_at=now, payload=_facts(step, now))
    if problem := _problem(step):
        facts = {"level": step.level.level}
        journal(session, incident_id, "nobody.reachable", problem, occurred_at=now, payload=facts)


def _when(step: Step) -> str:
    during, outside = step.level.during, step.level.outside
    said = [during.key if during else "", f"times outside {outside.key}" if outside else ""]
    return " and ".join(filter(None, said))


def _text(step: Step, now: datetime) -> str:
    where = {
        Stage.PAGING: f"Level {step.level.level} reached",
        Stage.LAST_RESORT: "Nobody else is left; the last resort is called",
    }.get(step.stage, "On-call is told" if step.urgency is not Urgency.LOW else "The business day has begun")
    if not step.people and step.have_it:
        text = f"{where}; whom it names has it already ({_names(step.have_it)}); going on at once."
    elif not step.people:
        then = "they are tried again later" if step.stage is Stage.LAST_RESORT else "going on at once"
        text = f"{where}, and nobody is reachable; {then}."
    else:
        verb = "paging" if step.purpose is Purpose.PAGE else "notifying"
        turn = ", whose turn it is" if step.turn else ""
        text = f"{where}: {verb} {_names(each.person for each in step.people)}{turn}."
        if step.have_it:
            text += f" Has it already: {_names(step.have_it)}."
    waiting = [each.person for each in step.people if each.sendings[0].due_at > now and step.urgency is Urgency.LOW]
    if waiting:
        text += f" Told when their quiet hours end: {_names(waiting)}."
    if step.shadows:
        text += f" Told as shadows: {_names(each.person for each in step.shadows)}."
    return text


def _facts(step: Step, now: datetime) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "level": step.level.level,
        "pages": [
            {
                "responder": each.person.key,
                "channel": sending.channel,
                "after_seconds": int((sending.due_at - now).total_seconds()),
            }
            for each in step.people
            for sending in each.sendings
        ],
        "announced": [f"{each.channel}:{addresses.shown(each.channel, each.address)}" for each in step.level.announce],
        "unreachable": [person.key for person in step.unreachable],
    }
    if step.have_it:
        facts["have_it"] = [person.key for person in step.have_it]
    if step.shadows:
        facts["shadows"] = [each.person.key for each in step.shadows]
    if step.turn:
        facts["turn"] = step.turn
    return facts


def _problem(step: Step) -> str:
    if step.unreachable:
        return f"No usable way to reach {_names(step.unreachable)}."
    if step.people or step.have_it:
        return ""
    return f"At level {step.level.level}, nobody is on call for {', '.join(map(str, step.level.page))}."


def _names(people: Iterable[Person]) -> str:
    return ", ".join(person.name for person in people)
